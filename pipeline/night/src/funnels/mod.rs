//! Funnels: chains of events that users do one after the other, day by day on which they begin.
//!
//! ```text
//! chains of the night before ─┐
//!                             ├─► chains that can go on ─► rows of `funnel_state`
//! steps of the night ─────────┘   who came how far      ─► rows of `funnels`
//! ```
//! No raw row of an earlier night is read.

mod before;
mod chains;

pub(crate) use before::{FunnelDay, FunnelsBefore, StepUsers};
pub(crate) use chains::{Chains, NONE, StepEvent};
