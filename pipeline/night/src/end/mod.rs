//! The end of a shard: columns become sets, sets become rows of artifacts.

pub(crate) mod app;
pub(crate) mod app_order;
pub(crate) mod atoms;
pub(crate) mod behaviour;
pub(crate) mod bsi;
pub(crate) mod buffers;
pub(crate) mod cutter;
pub(crate) mod finish;
pub(crate) mod label_sets;
pub(crate) mod members;
pub(crate) mod merged_users;
pub(crate) mod new_users;
pub(crate) mod numbering;
pub(crate) mod output;
pub(crate) mod report;
pub(crate) mod tag_sets;
pub(crate) mod user_index;
