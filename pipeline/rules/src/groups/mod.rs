//! Groups as rows: files in, one program per app and one status per group out.
//!
//! Reads the bytes of NDJSON, CSV and Parquet files that others listed and fetched; writes no
//! files.
//!
//! ```text
//! (file name, bytes) ──► rows, faults ──► by app ──► AppPlan: Program + GroupStatus of every group
//!                                                    night: evaluate, then cardinality into the status
//! ```
//! A bad row disables that row, a bad rule its group, a bad app itself; only a file that can not be
//! read at all is an error.

mod csv;
mod list;
mod parquet;
mod plan;
mod rows;
mod status;
#[cfg(test)]
mod tests;

pub use list::{ListRead, read_list};
pub use plan::{AppPlan, AppRows, by_app, plan_app};
pub use rows::{Fault, Rows, read_rows};
pub use status::{GroupStatus, Status};
