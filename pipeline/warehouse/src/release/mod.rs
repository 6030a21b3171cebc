//! Publishing: what a warehouse is, which release is current, and how a run becomes the next one.
//!
//! ```text
//! init ──► warehouse.json (constants, for ever)
//! probe ──► does this store honour create-if-absent?
//! choose_parents ──► run id ──► claim_attempt ──► files … ──► commit ──► mark_success
//!                                                              │
//!                       lists/<checksum>.json ◄── refers to ── releases/<20 digits>.json
//!                       created before                        created only if absent
//! ```
//! Only the manifests say what counts; there is no pointer to move, so a reader sees the old
//! release or the new one.

mod attempt;
mod attempt_file;
mod commit;
mod history;
mod lists;
mod markers;
mod parents;
mod probe;
mod releases;
mod times;
mod verify;
mod warehouse;

pub use attempt::{Attempt, claim_attempt, run_id};
pub use attempt_file::{AttemptFile, remove_attempt_files};
pub use commit::{Outcome, commit};
pub use history::continue_history;
pub use lists::{files_where, load_each_list, load_list, load_lists, put_list, put_lists};
pub use markers::mark_success;
pub use parents::{Parents, choose_parents};
pub use probe::probe;
pub use releases::{
    Releases, list_releases, load_release, load_summaries, load_summary, newer_state,
    newest_release, releases_since, resolve_release,
};
pub use times::{Published, published_at};
pub use verify::{Depth, Problem, Verified, verify};
pub use warehouse::{Init, init_warehouse, load_constants, open_warehouse};
