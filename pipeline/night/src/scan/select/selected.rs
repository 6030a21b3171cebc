//! The expressions of one source, over its cleaned columns.

use datafusion::logical_expr::Expr;

use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::RowsSpec;
use crate::scan::functions::DayBounds;

/// What the kind of a source adds to what every source has.
pub(in crate::scan) struct Selected {
    /// The exchanged columns of the kind.
    pub columns: Vec<(ExchangedColumn, Expr)>,
    /// The event's name, which no accepted row may lack.
    pub event: Option<Expr>,
    /// The time of the event, and when it is today.
    pub time: Option<(Expr, DayBounds)>,
    /// (reason, condition): rows for which it is true are rejected.
    pub rejects: Vec<(String, Expr)>,
    /// Rows for which it is not true are left out, as by the source's filter.
    pub listed: Option<Expr>,
    /// What the rows are.
    pub rows: RowsSpec,
}
