//! Loops over the bodies of containers: ascending `u16` values and bitsets of 1,024 words; and the
//! sort of what becomes containers.
//!
//! They know nothing of containers, keys or bitmaps. Each has a portable form; some have one for the
//! processor at hand beside it.

pub(crate) mod arrays;
pub(crate) mod cpu;
#[cfg(target_arch = "x86_64")]
pub(crate) mod lanes;
pub(crate) mod merge;
#[cfg(target_arch = "x86_64")]
pub(crate) mod merge_lanes;
pub(crate) mod pick;
pub(crate) mod positions;
pub(crate) mod sort;
pub(crate) mod value;
pub(crate) mod words;
