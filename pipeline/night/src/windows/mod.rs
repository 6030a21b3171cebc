//! Numbers of behaviour over days: for every user of an app, by seat.
//!
//! ```text
//! windows of the night before ─┐
//! behaviour of earlier days ───┼─► one number a state and user ─► rules, rows of `windows`
//! behaviour of the night ──────┘   rows become bitsets of seats, numbers add up digit by digit
//! ```
//! Tonight's rows count as they are written: a window that goes on from the night before and one
//! that is made of its days are the same.

mod load;
mod shard;

pub(crate) use load::load_windows;
pub(crate) use shard::{AppWindows, ShardWindows};
