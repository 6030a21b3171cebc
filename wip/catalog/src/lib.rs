//! The catalog of a release, developed apart until it moves into the pipeline crate as `catalog`.

pub mod catalog;

pub use tagmill_wip_publish::{artifact, store};
pub use tagmill_wip_rules::rules;
