//! A random part of a bitmap, the same for the same seed.

use super::sorted::write_chunk;
use super::view::BitmapRef;
use super::writer::Writer;

/// Appends the canonical bitmap of `count` of the values to `out`, each choice equally likely; all of them if there are no more.
///
/// Algorithm S (Knuth, volume 2, 3.4.2) over the ascending values, with numbers from SplitMix64: the same bitmap, count
/// and seed give the same values, on every machine.
pub fn sample(bitmap: &BitmapRef<'_>, count: u64, seed: u64, out: &mut Vec<u8>) {
    let mut random = SplitMix(seed);
    let (mut left, mut wanted) = (bitmap.cardinality(), count.min(bitmap.cardinality()));
    let mut writer = Writer::new(out);
    let mut chosen: Vec<u32> = Vec::new();
    for (high, bucket) in bitmap.buckets() {
        writer.begin_bucket(high, bucket.container_count(), false);
        for (key, container) in bucket.containers() {
            chosen.clear();
            container.for_each(|value| {
                if random.below(left) < wanted {
                    chosen.push(u32::from(key) << 16 | u32::from(value));
                    wanted -= 1;
                }
                left = left.saturating_sub(1);
            });
            if !chosen.is_empty() {
                write_chunk(&mut writer, &chosen);
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

    /// A number below `end`; 0 if that is 0.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}
