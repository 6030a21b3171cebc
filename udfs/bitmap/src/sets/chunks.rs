//! The containers of several bitmaps, those of one chunk together.

use crate::format::bucket::Bitmap32Ref;
use crate::format::container::Container;
use crate::format::view::BitmapRef;

/// What stands where a container will be put.
const NOTHING: Container<'static> = Container::Array(&[]);

/// The containers of several bitmaps in the order of their chunks; a bitmap has at most one in
/// each.
#[derive(Debug, Default)]
pub(crate) struct Chunks<'b> {
    containers: Vec<Container<'b>>,
    /// Chunk (high word, then key), and where its containers end; ascending.
    ends: Vec<(u64, usize)>,
}

impl<'b> Chunks<'b> {
    /// The containers of these bitmaps.
    pub(crate) fn of(bitmaps: &[BitmapRef<'b>]) -> Self {
        let buckets: Vec<(u64, Bitmap32Ref<'b>)> = bitmaps
            .iter()
            .flat_map(BitmapRef::buckets)
            .map(|(high, bucket)| (u64::from(high) << 16, bucket))
            .collect();
        let count = buckets
            .iter()
            .map(|(_, bucket)| bucket.container_count())
            .sum::<usize>();
        let keys = |(upper, bucket): &(u64, Bitmap32Ref<'b>)| {
            bucket
                .key_bounds()
                .map(|(first, last)| (upper | u64::from(first), upper | u64::from(last)))
        };
        let (least, most) = buckets
            .iter()
            .filter_map(keys)
            .fold((u64::MAX, 0), |(least, most), (first, last)| {
                (least.min(first), most.max(last))
            });
        // Bitmaps share most of their chunks, so there are few, which are counted.
        match most.checked_sub(least) {
            None => Self::default(),
            Some(span) if span < 2 * count as u64 => {
                Self::counted(&buckets, count, least, span as usize + 1)
            }
            Some(_) => Self::sorted(&buckets, count),
        }
    }

    /// From containers whose chunks are `span` from `least` on.
    fn counted(buckets: &[(u64, Bitmap32Ref<'b>)], count: usize, least: u64, span: usize) -> Self {
        let mut ends = vec![0; span + 1];
        for (upper, bucket) in buckets {
            bucket.for_each_key(|key| ends[((upper | u64::from(key)) - least) as usize + 1] += 1);
        }
        for chunk in 1..ends.len() {
            ends[chunk] += ends[chunk - 1];
        }
        let mut containers = vec![NOTHING; count];
        for (upper, bucket) in buckets {
            bucket.for_each_container(|key, container| {
                let at = &mut ends[((upper | u64::from(key)) - least) as usize];
                containers[*at] = container;
                *at += 1;
            });
        }
        // Each place has moved to where its chunk ends.
        let mut start = 0;
        let filled = (least..)
            .zip(ends)
            .filter(|(_, end)| std::mem::replace(&mut start, *end) < *end);
        Self {
            containers,
            ends: filled.collect(),
        }
    }

    fn sorted(buckets: &[(u64, Bitmap32Ref<'b>)], count: usize) -> Self {
        let mut placed = Vec::with_capacity(count);
        for (upper, bucket) in buckets {
            placed.extend(
                bucket
                    .containers()
                    .map(|(key, container)| (upper | u64::from(key), container)),
            );
        }
        placed.sort_by_key(|(chunk, _)| *chunk);
        let mut end = 0;
        let ends = placed.chunk_by(|a, b| a.0 == b.0).map(|chunk| {
            end += chunk.len();
            (chunk[0].0, end)
        });
        let ends = ends.collect();
        Self {
            containers: placed.into_iter().map(|(_, container)| container).collect(),
            ends,
        }
    }

    /// The chunks, ascending, with their containers, which are in the order of the bitmaps.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[Container<'b>])> {
        let mut start = 0;
        self.ends.iter().map(move |(chunk, end)| {
            (
                *chunk,
                &self.containers[std::mem::replace(&mut start, *end)..*end],
            )
        })
    }
}
