//! Memory that one shard hands to the next: fresh pages cost more than the work that is done in
//! them.

use super::cutter::Cutter;
use crate::take::sort_events::SortBuffers;

/// The buffers of a shard's end.
#[derive(Default)]
pub struct EndBuffers {
    /// Where events are sorted.
    pub sort: SortBuffers,
    /// Where bitmaps are cut.
    pub cutter: Cutter,
}
