//! Stores, artifact files and publishing; moves to `pipeline/src` unchanged.

pub mod artifact;
pub mod publish;
pub mod store;
