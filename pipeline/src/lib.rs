//! The nightly job: scan, exchange by shard, one-pass operator, roll-up, publishing; and what reads its releases.
//!
//! ```text
//! job ─► scan ─► exchange ─► night (dictionary, tags, behaviour, rules) ─► artifact ─► publish
//! ```

pub mod codec;
pub mod error;
pub mod exchange;
pub mod job;
pub mod night;
pub mod scan;

pub use tagmill_wip_publish::{artifact, publish, store};
pub use tagmill_wip_rules::{groups, rules};
