//! The containers of several bitmaps, those of one chunk together.

use super::container::Container;
use super::view::BitmapRef;

/// A container, and of which chunk it is: high word, then key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'b> {
    pub(super) chunk: u64,
    pub(super) container: Container<'b>,
}

/// The containers of all bitmaps in the order of their chunks; a bitmap has at most one in each.
pub(super) fn in_order<'b>(bitmaps: &[BitmapRef<'b>]) -> Vec<Placed<'b>> {
    let count = bitmaps.iter().flat_map(BitmapRef::buckets).map(|(_, bucket)| bucket.container_count()).sum();
    let mut all = Vec::with_capacity(count);
    for (high, bucket) in bitmaps.iter().flat_map(BitmapRef::buckets) {
        all.extend(bucket.containers().map(|(key, container)| Placed { chunk: u64::from(high) << 16 | u64::from(key), container }));
    }
    sorted(all)
}

/// Bitmaps share most of their chunks, so there are few, which are counted.
fn sorted(mut all: Vec<Placed<'_>>) -> Vec<Placed<'_>> {
    let (least, most) = all.iter().fold((u64::MAX, 0), |(least, most), placed| (least.min(placed.chunk), most.max(placed.chunk)));
    let span = most.saturating_sub(least);
    if span >= 2 * all.len() as u64 {
        all.sort_by_key(|placed| placed.chunk);
        return all;
    }
    let mut next = vec![0; span as usize + 2];
    all.iter().for_each(|placed| next[(placed.chunk - least) as usize + 1] += 1);
    for index in 1..next.len() {
        next[index] += next[index - 1];
    }
    let mut sorted = all.clone();
    for placed in all {
        let at = &mut next[(placed.chunk - least) as usize];
        sorted[*at] = placed;
        *at += 1;
    }
    sorted
}
