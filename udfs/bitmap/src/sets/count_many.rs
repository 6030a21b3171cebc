//! How many values a set operation on any number of bitmaps gives, chunk by chunk, without writing
//! its result.

use super::chunks::Chunks;
use super::combine;
use crate::format::container::Container;
use crate::format::unite;
use crate::format::view::BitmapRef;
use crate::kernels::words;

/// Number of values in any of the bitmaps.
pub fn or_cardinality_many(bitmaps: &[BitmapRef<'_>]) -> u64 {
    for_each_chunk(bitmaps, |containers| match containers {
        [only] => only.cardinality(),
        [a, b] => (a.cardinality() + b.cardinality()).saturating_sub(combine::and_count(a, b)),
        several => {
            let mut words = [0; 1024];
            unite::or_all(&mut words, several);
            words::count_words(&words)
        }
    })
}

/// Number of values in an odd number of the bitmaps.
pub fn xor_cardinality_many(bitmaps: &[BitmapRef<'_>]) -> u64 {
    for_each_chunk(bitmaps, |containers| match containers {
        [only] => only.cardinality(),
        [a, b] => (a.cardinality() + b.cardinality()).saturating_sub(2 * combine::and_count(a, b)),
        several => {
            let mut odd = [0; 1024];
            several
                .iter()
                .for_each(|container| combine::flip(&mut odd, container));
            words::count_words(&odd)
        }
    })
}

/// Number of values in all of the bitmaps; 0 for no bitmaps.
pub fn and_cardinality_many(bitmaps: &[BitmapRef<'_>]) -> u64 {
    for_each_chunk(bitmaps, |containers| match containers {
        several if several.len() < bitmaps.len() => 0,
        [only] => only.cardinality(),
        [a, b] => combine::and_count(a, b),
        several => and_count(several),
    })
}

fn and_count(containers: &[Container<'_>]) -> u32 {
    let Some(smallest) = containers
        .iter()
        .min_by_key(|container| container.cardinality())
    else {
        return 0;
    };
    let mut count = 0;
    if let Container::Array(_) = smallest {
        smallest.for_each(|value| {
            count += u32::from(containers.iter().all(|container| container.contains(value)))
        });
        return count;
    }
    let mut shared = [u64::MAX; 1024];
    for container in containers {
        let mut mask = [0; 1024];
        unite::or_into(&mut mask, container);
        shared
            .iter_mut()
            .zip(mask)
            .for_each(|(word, mask)| *word &= mask);
    }
    words::count_words(&shared)
}

/// Adds up what `count` gives for the containers of each chunk; a bitmap has at most one there.
fn for_each_chunk(bitmaps: &[BitmapRef<'_>], count: impl Fn(&[Container<'_>]) -> u32) -> u64 {
    Chunks::of(bitmaps)
        .iter()
        .map(|(_, containers)| u64::from(count(containers)))
        .sum()
}
