//! The crate from outside: generated folders, the oracle on them, and the committed real data set.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod generated;
mod nycflights13;
