//! A random part of a bitmap, the same for the same seed.

use crate::format::container::Container;
use crate::format::sorted::write_chunk;
use crate::format::view::BitmapRef;
use crate::format::writer::Writer;
use std::collections::BTreeSet;

/// Of so many values a sample takes less than one when places are drawn instead of looking at every
/// value.
const FEW: u64 = 4096;

/// Appends the canonical bitmap of `count` of the values to `out`, each choice equally likely; all
/// of them if there are no more.
///
/// Few values are drawn by their places (Floyd), many by a look at each (Knuth's algorithm S,
/// volume 2, 3.4.2), with numbers from SplitMix64: the same bitmap, count and seed give the same
/// values, on every machine.
pub fn sample(bitmap: &BitmapRef<'_>, count: u64, seed: u64, out: &mut Vec<u8>) {
    let mut random = SplitMix(seed);
    let cardinality = bitmap.cardinality();
    let count = count.min(cardinality);
    if count < cardinality / FEW {
        let mut places = random.places(count, cardinality).into_iter().peekable();
        return write_chosen(bitmap, out, |start, container, chosen| {
            let end = start + u64::from(container.cardinality());
            while let Some(place) = places.next_if(|place| *place < end) {
                chosen.extend(container.select((place - start) as u32));
            }
        });
    }
    let (mut left, mut wanted) = (cardinality, count);
    write_chosen(bitmap, out, |_, container, chosen| {
        container.for_each(|value| {
            if random.below(left) < wanted {
                chosen.push(value);
                wanted -= 1;
            }
            left = left.saturating_sub(1);
        });
    });
}

/// Writes what `choose` appends of each container, of which it is told the place of the first
/// value.
fn write_chosen(
    bitmap: &BitmapRef<'_>,
    out: &mut Vec<u8>,
    mut choose: impl FnMut(u64, &Container<'_>, &mut Vec<u16>),
) {
    let mut writer = Writer::new(out);
    let (mut start, mut chosen, mut chunk) = (0, Vec::new(), Vec::new());
    for (high, bucket) in bitmap.buckets() {
        writer.begin_bucket(high, bucket.container_count(), false);
        for (key, container) in bucket.containers() {
            chosen.clear();
            choose(start, &container, &mut chosen);
            start += u64::from(container.cardinality());
            if !chosen.is_empty() {
                chunk.clear();
                chunk.extend(
                    chosen
                        .iter()
                        .map(|&value| u32::from(key) << 16 | u32::from(value)),
                );
                write_chunk(&mut writer, &chunk);
            }
        }
        writer.end_bucket();
    }
    writer.finish();
}

/// The generator of Steele, Lea and Flood.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// So many different numbers below `end`, ascending.
    fn places(&mut self, count: u64, end: u64) -> Vec<u64> {
        let mut places = BTreeSet::new();
        for last in end - count..end {
            let place = self.below(last + 1);
            if !places.insert(place) {
                places.insert(last);
            }
        }
        places.into_iter().collect()
    }

    /// A number below `end`; 0 if that is 0.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}
