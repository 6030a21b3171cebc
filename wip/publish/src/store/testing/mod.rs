//! Object stores for tests: one counts the bytes that are fetched, one fails on purpose. Both stand in front of a real one.

mod counting;
mod faulty;

pub use counting::{CountingStore, Fetched};
pub use faulty::{Fault, FaultyStore, When};
