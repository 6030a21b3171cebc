//! The expressions of one source, over its cleaned columns.

use datafusion::logical_expr::Expr;

use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::RowsSpec;
use crate::scan::functions::{DayBounds, FolderDays};

/// What the kind of a source adds to what every source has.
pub(in crate::scan) struct Selected {
    /// The exchanged columns of the kind.
    pub columns: Vec<(ExchangedColumn, Expr)>,
    /// The event's name, which no accepted row may lack.
    pub event: Option<Expr>,
    /// The time of the event, and when it is today.
    pub time: Option<EventTime>,
    /// (reason, condition): rows for which it is true are rejected.
    pub rejects: Vec<(String, Expr)>,
    /// Rows for which it is not true are left out, as by the source's filter.
    pub listed: Option<Expr>,
    /// What the rows are.
    pub rows: RowsSpec,
}

/// When an event was, and which night counts it.
pub(in crate::scan) struct EventTime {
    /// An instant, a date, or null.
    pub time: Expr,
    /// When it is today.
    pub day: DayBounds,
    /// The day of the row's folder, where those of several days are read.
    pub folder: Option<Expr>,
    /// The days of the folders; given with `folder`.
    pub folders: Option<FolderDays>,
}
