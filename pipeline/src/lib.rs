//! One night from configuration to release: decides what is read, plans, runs shards, rolls up,
//! commits.
//!
//! ```text
//! request ─► inputs (sources, registries, rules, lists) ─► night plan ─► shard reports ─► roll-up ─► manifest
//!            stages: one type each, consumed by the next
//! ```

mod accept_missing;
mod bounded;
mod changes_lost;
mod damage;
mod declared_events;
mod empty_days;
mod event_days;
mod failing_rows;
mod funnels;
mod groups;
mod heard;
mod init;
mod invalid_text;
mod known_events;
mod known_tags;
mod later;
mod limits;
mod lists;
mod losses;
mod manifest;
mod memory;
mod never_seen;
mod new_tags;
mod night;
mod no_folder;
mod no_such_name;
mod nobody;
mod old_values;
mod pitfalls;
mod plan;
mod registry;
mod report;
mod rollup;
mod row_limits;
mod rule_names;
mod run;
mod session;
mod set_aside;
mod sources;
mod spill;
mod stages;
mod stale;
mod statuses;
mod tag_codes;
mod tag_limit;
mod tags_of_night;
mod tonight;
mod unread;
mod unseen_events;
mod validate;
mod windows;

use std::time::Duration;

use chrono::NaiveDate;
use tagmill_schemas::{Config, Problem};

pub use accept_missing::{Accepted, accept_missing};
pub use groups::GroupNight;
pub use init::init;
pub use night::NightPlan;
pub use plan::plan;
pub use report::{PlanReport, Report, SourcePlan, ValidateReport};
pub use run::run;
pub use session::{Resources, night_session};
pub use sources::{Decision, SourceInput, find_inputs};
pub use spill::SpillFolder;
pub use stages::{Claimed, Inputs, Planned, Released, RolledUp, ShardsDone, Staged, Verdict};
pub use statuses::statuses_of;
pub use tonight::Tonight;
pub use validate::validate;

/// The program's version, as the manifest has it.
pub const CODE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of what a run computes: raised with every change of the bytes that a night writes, so
/// that no name of a run stands for two contents. A test pins the bytes of a small night.
pub const COMPUTATION: u32 = 4;

/// What a person or a scheduler asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The configuration.
    pub config: Config,
    /// The date to run.
    pub date: NaiveDate,
    /// Only these sources are read, the others are carried; empty: all.
    pub sources: Vec<String>,
    /// How long to wait for sources, instead of their own times.
    pub wait: Option<Duration>,
    /// Bytes of memory, instead of the configuration's.
    pub memory: Option<u64>,
    /// Threads, instead of the configuration's; 0: all.
    pub threads: Option<usize>,
    /// Not in this version.
    pub stage_only: bool,
    /// Not in this version.
    pub force: bool,
}

/// Is told how a run goes.
pub trait Observer: Send + Sync {
    /// A stage begins.
    fn stage(&self, name: &'static str, detail: &str);
    /// So many of so many rows are read.
    fn progress(&self, done: u64, total: u64);
    /// Something a person should know.
    fn warn(&self, line: &str);
    /// Something is wrong at a place.
    fn problem(&self, problem: &Problem) {
        self.warn(&problem.to_string());
    }
}

/// Nobody listens.
pub struct Silent;

impl Observer for Silent {
    fn stage(&self, _: &'static str, _: &str) {}
    fn progress(&self, _: u64, _: u64) {}
    fn warn(&self, _: &str) {}
}
