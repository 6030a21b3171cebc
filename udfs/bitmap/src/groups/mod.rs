//! The sets of many groups while they are built: what the SQL aggregates accumulate into.

pub(crate) mod dense;
pub(crate) mod grid;
pub(crate) mod group;
pub(crate) mod group_sets;
pub(crate) mod log;
pub(crate) mod logs;
pub(crate) mod packing;
pub(crate) mod parts;
pub(crate) mod pending;
pub(crate) mod rows;
pub(crate) mod shared;
pub(crate) mod window;
