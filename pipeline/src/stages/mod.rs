//! A night as a chain of types: each stage consumes the one before, so none can be skipped.
//!
//! ```text
//! Inputs ─► Planned ─► Claimed ─► ShardsDone ─► RolledUp ─► Staged ─► Verdict ─► Released
//! sources   operator   attempt    reports       totals      manifest  gates       commit
//!                         ▲           └─ apps beyond max_rejected: once more without them
//!                         └───────────┘
//! ```
//! `tagmill plan` ends with [`Planned`]: nothing before [`Claimed`] writes. A [`Staged`] release is
//! whole but invisible; only a [`Verdict`] can be committed.

mod claimed;
mod inputs;
mod planned;
mod released;
mod rolled_up;
mod set_aside;
mod shards;
mod staged;
mod verdict;

pub use claimed::Claimed;
pub use inputs::Inputs;
pub use planned::Planned;
pub use released::Released;
pub use rolled_up::RolledUp;
pub use shards::ShardsDone;
pub use staged::Staged;
pub use verdict::Verdict;
