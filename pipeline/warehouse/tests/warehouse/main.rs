//! Stores, artifact files and releases, from outside: one kit for every store, then faults, races
//! and damage.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod conformance;
mod faults;
mod files;
mod fixtures;
mod links;
mod lists;
mod names;
mod releases;
mod runs;
