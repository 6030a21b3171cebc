//! Columns that tables in SQL have beside those of the files: what each is worth is computed from
//! the files' columns, in DataFusion and in the words of other engines.
//!
//! `weight` of bit slices: what a row adds to the number of each of its users. It is computed, so
//! that it is right for files of every version: slice -1 is worth the offset, which is 0 but in
//! older files with numbers below zero. A power of two is exact as Float64.

use datafusion::error::Result;
use datafusion::functions::expr_fn::power;
use datafusion::logical_expr::{Expr, cast, ident, lit, when};

use arrow::datatypes::DataType;
use tagmill_schemas::Artifact;

/// The weight of a slice.
pub(crate) const WEIGHT: &str = "weight";
/// The column that it stands behind.
const SLICE: &str = "slice";
const OFFSET: &str = "offset";

/// Whether rows of the artifact are bit slices.
pub(crate) fn has_weight(artifact: Artifact) -> bool {
    matches!(
        artifact,
        Artifact::TagNumbers | Artifact::BehaviourMeasures | Artifact::Windows
    )
}

/// `weight` in DataFusion.
///
/// # Errors
/// None that can happen.
pub(crate) fn weight() -> Result<Expr> {
    let double = |expr: Expr| cast(expr, DataType::Float64);
    let power_of_two = |bit: Expr| power(lit(2.0), double(bit));
    when(ident(SLICE).gt_eq(lit(0i16)), power_of_two(ident(SLICE)))
        .when(ident(SLICE).eq(lit(-1i16)), double(ident(OFFSET)))
        .otherwise(-power_of_two(lit(-2i16) - ident(SLICE)))
}

/// `weight` in the words that ClickHouse, DuckDB and Spark share, names quoted as they like it;
/// `double` is the name of the type.
pub(crate) fn weight_text(quote: char, double: &str) -> String {
    let (slice, offset) = (
        format!("{quote}{SLICE}{quote}"),
        format!("{quote}{OFFSET}{quote}"),
    );
    format!(
        "CASE WHEN {slice} >= 0 THEN power(2, {slice}) WHEN {slice} = -1 THEN CAST({offset} AS \
         {double}) ELSE -power(2, -2 - {slice}) END AS {WEIGHT}"
    )
}
