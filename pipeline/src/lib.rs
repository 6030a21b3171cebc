//! The nightly job: scan, exchange by shard, one-pass operator, roll-up, publishing; and what reads
//! its releases.
//!
//! ```text
//! job ─► scan ─► exchange ─► night (dictionary, tags, behaviour, rules) ─► artifact ─► publish
//! ```

pub mod artifact;
pub mod catalog;
pub mod codec;
pub mod error;
pub mod exchange;
pub mod groups;
pub mod job;
pub mod night;
pub mod publish;
pub mod rules;
pub mod scan;
pub mod store;
