//! A bitmap that many others are counted with: its large containers as bitsets, where each value is
//! found in one step.

use super::combine;
use super::count::{count_chunk, sum_of_shared};
use crate::BITSET_BYTES;
use crate::format::bucket::Bitmap32Ref;
use crate::format::container::Container;
use crate::format::unite;
use crate::format::view::BitmapRef;
use crate::kernels::cpu::per_cpu;
use crate::kernels::words;
use crate::kernels::words::{Block, Words};

/// A container is expanded at most this many times, so a bitmap takes no more than so many times
/// its bytes.
const GROWTH_MOST: usize = 8;

/// A bitmap with bitsets for its large arrays and runs.
#[derive(Debug)]
pub struct Expanded<'a> {
    buckets: Vec<Bucket<'a>>,
}

#[derive(Debug)]
struct Bucket<'a> {
    high: u32,
    bitmap: Bitmap32Ref<'a>,
    /// Per container, its bits if it is expanded.
    blocks: Vec<Option<Box<Block>>>,
}

impl<'a> From<&BitmapRef<'a>> for Expanded<'a> {
    fn from(bitmap: &BitmapRef<'a>) -> Self {
        let buckets = bitmap.buckets().map(|(high, bitmap)| {
            let blocks = bitmap
                .containers()
                .map(|(_, container)| expand(&container))
                .collect();
            Bucket {
                high,
                bitmap,
                blocks,
            }
        });
        Self {
            buckets: buckets.collect(),
        }
    }
}

fn expand(container: &Container<'_>) -> Option<Box<Block>> {
    let bytes = match container {
        Container::Array(values) => values.as_flattened().len(),
        Container::Bitset(..) => return None,
        Container::Run(runs, _) => runs.as_flattened().len(),
    };
    (bytes * GROWTH_MOST >= BITSET_BYTES).then(|| {
        let mut words: Words = [0; 1024];
        unite::or_into(&mut words, container);
        Box::new(words.map(u64::to_le_bytes))
    })
}

impl Expanded<'_> {
    /// Number of values that are also in another bitmap.
    pub fn and_cardinality(&self, other: &BitmapRef<'_>) -> u64 {
        let mut others = other.buckets().peekable();
        let mut count = 0;
        for bucket in &self.buckets {
            while others.next_if(|(high, _)| *high < bucket.high).is_some() {}
            if let Some((_, right)) = others.next_if(|(high, _)| *high == bucket.high) {
                count += count_shared(bucket, &right);
            }
        }
        count
    }
}

per_cpu! {
    fn count_shared(a: &Bucket<'_>, b: &Bitmap32Ref<'_>) -> u64 {
        sum_of_shared(&a.bitmap, b, |i, j| match a.blocks.get(i) {
            Some(Some(block)) => count_in_block(block, b, j),
            _ => count_chunk(&a.bitmap, i, b, j),
        })
    }
}

/// Number of values of a container that are set in a block.
#[inline(never)]
fn count_in_block(block: &Block, b: &Bitmap32Ref<'_>, j: usize) -> u32 {
    match b.container_at(j) {
        Some(Container::Array(values)) => words::count_values(block, values),
        Some(other) => combine::and_count(&Container::Bitset(block, 0), &other),
        None => 0,
    }
}
