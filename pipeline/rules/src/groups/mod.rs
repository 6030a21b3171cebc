//! Groups as rows: files in, one program per app and one status per group out.
//!
//! Reads the bytes of NDJSON, CSV and Parquet files that others listed and fetched; writes no
//! files.
//!
//! ```text
//! (file name, bytes) ──► rows, faults ──► by app ──► AppPlan: AppRules + GroupStatus of every group
//!                                                    night: evaluate, then cardinality into the status
//! ```
//! A bad row disables that row, a bad rule its group, a bad app itself; only a file that can not be
//! read at all is an error.

mod app_rules;
mod csv;
mod list;
mod missing;
mod parquet;
mod plan;
mod rows;
mod status;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value as Json};

pub use app_rules::AppRules;
pub use list::{ListRead, read_list};
pub use missing::{Before, GroupsBefore, Missing, Unread, add_missing};
pub use plan::{AppPlan, AppRows, by_app, plan_app};
pub use rows::{Fault, Rows, read_rows};
pub use status::{GroupStatus, Status};

/// Takes a row's line and its object or what is wrong with it.
type Take<'a> = dyn FnMut(u64, Result<Map<String, Json>, String>) + 'a;
