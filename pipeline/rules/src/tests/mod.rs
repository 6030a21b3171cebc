//! Tests of the whole way from text to sets of users.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod algebra;
mod behaviour;
mod meaning;
mod refusals;
mod sample;
mod travel;
