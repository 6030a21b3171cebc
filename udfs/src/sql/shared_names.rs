//! Names that several systems share, and the function that each has under them after `SET
//! tagmill.dialect`.

use super::names::System;

/// A shared name, and the function under it after `SET tagmill.dialect`.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) system: System,
    pub(super) name: &'static str,
    pub(super) function: &'static str,
}

const fn doris(name: &'static str, function: &'static str) -> Shared {
    Shared {
        system: System::Doris,
        name,
        function,
    }
}

const fn starrocks(name: &'static str, function: &'static str) -> Shared {
    Shared {
        system: System::StarRocks,
        name,
        function,
    }
}

const fn spark(name: &'static str, function: &'static str) -> Shared {
    Shared {
        system: System::Spark,
        name,
        function,
    }
}

/// Shared names whose rules differ. A name is that of the function here, not one of its aliases.
pub(super) static SHARED: &[Shared] = &[
    doris("bitmap_count", "doris_bitmap_count"),
    doris("bitmap_or", "doris_bitmap_or"),
    doris("bitmap_or_count", "doris_bitmap_or_count"),
    doris("bitmap_and_count", "doris_bitmap_and_count"),
    doris("bitmap_xor_count", "doris_bitmap_xor_count"),
    doris("bitmap_and_not_count", "doris_bitmap_and_not_count"),
    doris("to_bitmap", "doris_to_bitmap"),
    doris("bitmap_from_string", "doris_bitmap_from_string"),
    doris("bitmap_hash", "doris_bitmap_hash"),
    doris("bitmap_hash64", "doris_bitmap_hash64"),
    doris("sub_bitmap", "doris_sub_bitmap"),
    doris("bitmap_subset_in_range", "doris_bitmap_subset_in_range"),
    doris("bitmap_subset_limit", "doris_bitmap_subset_limit"),
    doris("bitmap_to_base64", "doris_bitmap_to_base64"),
    doris("bitmap_from_base64", "doris_bitmap_from_base64"),
    doris("bitmap_agg", "doris_bitmap_agg"),
    doris("bitmap_contains", "doris_bitmap_contains"),
    doris("bitmap_remove", "doris_bitmap_remove"),
    starrocks("bitmap_count", "doris_bitmap_count"),
    starrocks("to_bitmap", "starrocks_to_bitmap"),
    starrocks("bitmap_from_string", "doris_bitmap_from_string"),
    starrocks("bitmap_hash", "doris_bitmap_hash"),
    starrocks("bitmap_hash64", "starrocks_bitmap_hash64"),
    starrocks("sub_bitmap", "starrocks_sub_bitmap"),
    starrocks("bitmap_subset_in_range", "starrocks_bitmap_subset_in_range"),
    starrocks("bitmap_subset_limit", "starrocks_bitmap_subset_limit"),
    starrocks("bitmap_to_base64", "starrocks_bitmap_to_base64"),
    starrocks("bitmap_to_binary", "bitmap_to_starrocks"),
    starrocks("bitmap_from_binary", "starrocks_bitmap_from_binary"),
    starrocks("bitmap_agg", "starrocks_bitmap_agg"),
    starrocks("bitmap_contains", "doris_bitmap_contains"),
    starrocks("bitmap_remove", "doris_bitmap_remove"),
    starrocks("bitmap_subdivide", "subdivide_bitmap"),
    spark("bitmap_count", "spark_bitmap_count"),
    spark("bitmap_or_agg", "spark_bitmap_or_agg"),
    spark("bitmap_and_agg", "spark_bitmap_and_agg"),
    spark("bitmap_and", "spark_bitmap_and"),
    spark("bitmap_or", "spark_bitmap_or"),
    spark("bitmap_xor", "spark_bitmap_xor"),
    spark("bitmap_and_not", "spark_bitmap_andnot"),
    spark("bitmap_contains", "spark_bitmap_contains"),
    spark("bitmap_xor_agg", "spark_bitmap_xor_agg"),
];

/// Aggregates with another rule as window functions: NULL, not an empty bitmap, where a frame has
/// no bitmap.
pub(super) static SHARED_OVER: &[Shared] = &[
    // bitmap_union and bitmap_intersect.
    starrocks("groupBitmapMergeState", "bitmap_or_agg"),
    starrocks("groupBitmapAndState", "bitmap_and_agg"),
];

/// What `count(DISTINCT bitmap)` is where a bitmap is a type, and its users are counted.
pub(super) static COUNT_DISTINCT: &[Shared] = &[
    doris("count", "bitmap_or_cardinality_agg"),
    starrocks("count", "bitmap_or_cardinality_agg"),
];
