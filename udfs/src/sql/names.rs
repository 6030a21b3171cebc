//! What other systems call our functions.
//!
//! One table serves registration (aliases) and the manual.

use super::postgres_names::POSTGRES;

/// A system whose names are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum System {
    ClickHouse,
    Doris,
    StarRocks,
    Postgres,
    Spark,
    Hologres,
    Others,
}

impl System {
    /// The systems with a table in the manual.
    pub(super) const ALL: [Self; 6] = [
        Self::ClickHouse,
        Self::Doris,
        Self::StarRocks,
        Self::Postgres,
        Self::Spark,
        Self::Hologres,
    ];

    /// Its name for readers.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::ClickHouse => "ClickHouse",
            Self::Doris => "Doris",
            Self::StarRocks => "StarRocks",
            Self::Postgres => "pg_roaringbitmap",
            Self::Spark => "Spark",
            Self::Hologres => "Hologres",
            Self::Others => "others",
        }
    }

    /// Its names, and our functions under them; an empty one is a function of that name.
    pub(super) fn names(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::ClickHouse => CLICKHOUSE,
            Self::Doris => DORIS,
            Self::StarRocks => STARROCKS,
            Self::Postgres => POSTGRES,
            Self::Spark => SPARK,
            Self::Hologres => HOLOGRES,
            Self::Others => OTHERS,
        }
    }
}

/// ClickHouse 26.9: `bitmap*`, `groupBitmap*` with their -State and -Merge forms, and
/// `numericIndexedVector*`.
static CLICKHOUSE: &[(&str, &str)] = &[
    ("bitmapAnd", "bitmap_and"),
    ("bitmapAndCardinality", "bitmap_and_cardinality"),
    ("bitmapAndnot", "bitmap_and_not"),
    ("bitmapAndnotCardinality", "bitmap_and_not_cardinality"),
    ("bitmapBuild", ""),
    ("bitmapCardinality", "bitmap_cardinality"),
    ("bitmapContains", ""),
    ("bitmapHasAll", ""),
    ("bitmapHasAny", ""),
    ("bitmapMax", ""),
    ("bitmapMin", ""),
    ("bitmapOr", "bitmap_or"),
    ("bitmapOrCardinality", "bitmap_or_cardinality"),
    ("bitmapSubsetInRange", "bitmap_range"),
    ("bitmapSubsetLimit", "bitmap_limit"),
    ("bitmapToArray", "bitmap_to_array"),
    ("bitmapTransform", ""),
    ("bitmapXor", "bitmap_xor"),
    ("bitmapXorCardinality", "bitmap_xor_cardinality"),
    ("subBitmap", ""),
    ("groupBitmap", ""),
    ("groupBitmapState", ""),
    ("groupBitmapMerge", "bitmap_or_cardinality_agg"),
    ("groupBitmapMergeState", ""),
    ("groupBitmapAnd", "bitmap_and_cardinality_agg"),
    ("groupBitmapAndMerge", "bitmap_and_cardinality_agg"),
    ("groupBitmapAndState", ""),
    ("groupBitmapAndMergeState", "groupBitmapAndState"),
    ("groupBitmapOr", "bitmap_or_cardinality_agg"),
    ("groupBitmapOrMerge", "bitmap_or_cardinality_agg"),
    ("groupBitmapOrState", "groupBitmapMergeState"),
    ("groupBitmapOrMergeState", "groupBitmapMergeState"),
    ("groupBitmapXor", "bitmap_xor_cardinality_agg"),
    ("groupBitmapXorMerge", "bitmap_xor_cardinality_agg"),
    ("groupBitmapXorState", ""),
    ("groupBitmapXorMergeState", "groupBitmapXorState"),
    ("groupNumericIndexedVectorState", "bsi_build_agg"),
    ("groupNumericIndexedVectorMergeState", "bsi_add_agg"),
    ("numericIndexedVectorAllValueSum", ""),
    ("numericIndexedVectorBuild", ""),
    ("numericIndexedVectorCardinality", ""),
    ("numericIndexedVectorGetValue", ""),
    ("numericIndexedVectorPointwiseAdd", ""),
    ("numericIndexedVectorPointwiseDivide", ""),
    ("numericIndexedVectorPointwiseEqual", ""),
    ("numericIndexedVectorPointwiseGreater", ""),
    ("numericIndexedVectorPointwiseGreaterEqual", ""),
    ("numericIndexedVectorPointwiseLess", ""),
    ("numericIndexedVectorPointwiseLessEqual", ""),
    ("numericIndexedVectorPointwiseMultiply", ""),
    ("numericIndexedVectorPointwiseNotEqual", ""),
    ("numericIndexedVectorPointwiseSubtract", ""),
    ("numericIndexedVectorToMap", ""),
];

/// Doris 3 and 4.
static DORIS: &[(&str, &str)] = &[
    ("bitmap_agg", ""),
    ("bitmap_and", ""),
    ("bitmap_and_count", ""),
    ("bitmap_and_not", ""),
    ("bitmap_and_not_count", ""),
    ("bitmap_andnot", "bitmap_and_not"),
    ("bitmap_andnot_count", "bitmap_and_not_count"),
    ("bitmap_contains", ""),
    ("bitmap_count", ""),
    ("bitmap_empty", ""),
    ("bitmap_from_array", ""),
    ("bitmap_from_base64", ""),
    ("bitmap_from_string", ""),
    ("bitmap_has_all", ""),
    ("bitmap_has_any", ""),
    ("bitmap_hash", ""),
    ("bitmap_hash64", ""),
    ("bitmap_intersect", "groupBitmapAndState"),
    ("bitmap_max", ""),
    ("bitmap_min", ""),
    ("bitmap_not", "bitmap_and_not"),
    ("bitmap_or", ""),
    ("bitmap_or_count", ""),
    ("bitmap_remove", ""),
    ("bitmap_subset_in_range", ""),
    ("bitmap_subset_limit", ""),
    ("bitmap_to_array", ""),
    ("bitmap_to_base64", ""),
    ("bitmap_to_string", ""),
    ("bitmap_union", "groupBitmapMergeState"),
    ("bitmap_union_count", "bitmap_or_cardinality_agg"),
    ("bitmap_union_int", ""),
    ("bitmap_xor", ""),
    ("bitmap_xor_count", ""),
    ("explode_bitmap", "bitmap_explode"),
    ("explode_bitmap_outer", "bitmap_explode"),
    ("group_bitmap_xor", "bitmap_xor_agg"),
    ("intersect_count", "bitmap_intersect_cardinality_agg"),
    ("orthogonal_bitmap_expr_calculate", "bitmap_rule_agg"),
    (
        "orthogonal_bitmap_expr_calculate_count",
        "bitmap_rule_cardinality_agg",
    ),
    ("orthogonal_bitmap_intersect", "bitmap_intersect_agg"),
    (
        "orthogonal_bitmap_intersect_count",
        "bitmap_intersect_cardinality_agg",
    ),
    ("orthogonal_bitmap_union_count", "bitmap_or_cardinality_agg"),
    ("sub_bitmap", ""),
    ("to_bitmap", ""),
    ("to_bitmap_with_check", ""),
];

/// StarRocks 3.
static STARROCKS: &[(&str, &str)] = &[
    ("array_to_bitmap", ""),
    ("base64_to_bitmap", ""),
    ("bitmap_agg", ""),
    ("bitmap_and", ""),
    ("bitmap_andnot", "bitmap_and_not"),
    ("bitmap_contains", ""),
    ("bitmap_count", ""),
    ("bitmap_empty", ""),
    ("bitmap_from_binary", ""),
    ("bitmap_from_string", ""),
    ("bitmap_has_any", ""),
    ("bitmap_hash", ""),
    ("bitmap_hash64", ""),
    ("bitmap_intersect", "groupBitmapAndState"),
    ("bitmap_max", ""),
    ("bitmap_min", ""),
    ("bitmap_or", ""),
    ("bitmap_remove", ""),
    ("bitmap_subset_in_range", ""),
    ("bitmap_subset_limit", ""),
    ("bitmap_to_array", ""),
    ("bitmap_to_base64", ""),
    ("bitmap_to_binary", ""),
    ("bitmap_to_string", ""),
    ("bitmap_union", "groupBitmapMergeState"),
    ("bitmap_union_count", "bitmap_or_cardinality_agg"),
    ("bitmap_union_int", ""),
    ("bitmap_xor", ""),
    ("intersect_count", "bitmap_intersect_cardinality_agg"),
    ("sub_bitmap", ""),
    ("subdivide_bitmap", ""),
    ("to_bitmap", ""),
    ("unnest_bitmap", "bitmap_explode"),
];

/// Spark 4.
static SPARK: &[(&str, &str)] = &[
    ("bitmap_and", ""),
    ("bitmap_and_agg", ""),
    ("bitmap_andnot", "bitmap_and_not"),
    ("bitmap_bit_position", ""),
    ("bitmap_bucket_number", ""),
    ("bitmap_construct_agg", ""),
    ("bitmap_count", ""),
    ("bitmap_or", ""),
    ("bitmap_or_agg", ""),
    ("bitmap_xor", ""),
    ("bitmap_xor_agg", ""),
];

/// Hologres 2: its functions of a bit-sliced index; those of bitmaps are pg_roaringbitmap's.
static HOLOGRES: &[(&str, &str)] = &[
    ("bsi_add", ""),
    ("bsi_add_agg", ""),
    ("bsi_add_value", ""),
    ("bsi_build", ""),
    ("bsi_compare", ""),
    ("bsi_ebm", ""),
    ("bsi_eq", ""),
    ("bsi_filter", ""),
    ("bsi_ge", ""),
    ("bsi_gt", ""),
    ("bsi_iterate", ""),
    ("bsi_le", ""),
    ("bsi_lt", ""),
    ("bsi_merge", ""),
    ("bsi_merge_agg", ""),
    ("bsi_neq", ""),
    ("bsi_range", ""),
    ("bsi_show", ""),
    ("bsi_stat", ""),
    ("bsi_sum", ""),
    ("bsi_topk", ""),
    ("bsi_transpose", ""),
    ("bsi_transpose_with_count", ""),
];

/// Further names of Hologres, AnalyticDB and OceanBase.
static OTHERS: &[(&str, &str)] = &[
    ("rb_and_null2empty", "bitmap_and_null_as_empty"),
    ("rb_or_null2empty", "bitmap_or_null_as_empty"),
    ("rb_xor_null2empty", "bitmap_xor_null_as_empty"),
    ("rb_andnot_null2empty", "bitmap_and_not_null_as_empty"),
];
