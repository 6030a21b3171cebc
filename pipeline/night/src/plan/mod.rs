//! What one night computes, fixed before any shard starts.

pub(crate) mod audience;
pub(crate) mod columns;
pub(crate) mod funnels;
pub(crate) mod kept_values;
pub(crate) mod shape;
pub(crate) mod spec;
pub(crate) mod windows;
