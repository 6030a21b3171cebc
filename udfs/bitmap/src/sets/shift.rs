//! All values moved by a distance.

use crate::format::encode::{write_container, write_words};
use crate::format::sorted::write_sorted_u64;
use crate::format::unite;
use crate::format::view::BitmapRef;
use crate::format::writer::Writer;
use crate::kernels::words::Words;

/// Up to this many values are moved one by one, more as words.
const FEW_VALUES: u64 = 2048;
/// Number of chunks there are.
const CHUNKS: i64 = 1 << 48;

/// Appends the canonical bitmap of every value plus `distance` to `out`; those that would leave 0
/// to 2^64 - 1 are dropped.
pub fn shift(bitmap: &BitmapRef<'_>, distance: i64, out: &mut Vec<u8>) {
    if bitmap.cardinality() <= FEW_VALUES {
        let mut values: Vec<u64> = bitmap
            .iter()
            .filter_map(|value| value.checked_add_signed(distance))
            .collect();
        if !values.is_sorted_by(|a, b| a < b) {
            // Only in bytes of which no more than the layout was checked.
            values.sort_unstable();
            values.dedup();
        }
        return write_sorted_u64(&values, out);
    }
    let (chunks, bits) = (
        distance.div_euclid(1 << 16),
        distance.rem_euclid(1 << 16) as usize,
    );
    let mut moved = Moved {
        writer: Writer::new(out),
        high: None,
        expected: 0,
    };
    let mut carry: Option<(i64, Box<Words>)> = None;
    for (high, bucket) in bitmap.buckets() {
        moved.expected = bucket.container_count() + 1;
        for (key, container) in bucket.containers() {
            let chunk = (i64::from(high) << 16 | i64::from(key)) + chunks;
            if bits == 0 {
                if let Some(key) = moved.enter(chunk) {
                    write_container(&mut moved.writer, key, &container);
                }
                continue;
            }
            let mut words = [0; 1024];
            unite::or_into(&mut words, &container);
            let (mut low, above) = split(&words, bits);
            match carry.take() {
                Some((at, before)) if at == chunk => low
                    .iter_mut()
                    .zip(before.iter())
                    .for_each(|(word, before)| *word |= before),
                Some((at, before)) => moved.write(at, &before),
                None => {}
            }
            moved.write(chunk, &low);
            carry = Some((chunk + 1, above));
        }
    }
    if let Some((at, before)) = carry {
        moved.write(at, &before);
    }
    moved.end();
}

/// The bits moved up, and those that fall into the next chunk.
fn split(words: &Words, bits: usize) -> (Box<Words>, Box<Words>) {
    let (mut low, mut above) = (Box::new([0; 1024]), Box::new([0; 1024]));
    let (whole, part) = (bits / 64, bits % 64);
    let mut put = |index: usize, bits: u64| match low.get_mut(index) {
        Some(word) => *word |= bits,
        None => above[index - 1024] |= bits,
    };
    for (index, word) in words.iter().enumerate().filter(|(_, word)| **word != 0) {
        put(index + whole, word << part);
        if part != 0 && word >> (64 - part) != 0 {
            put(index + whole + 1, word >> (64 - part));
        }
    }
    (low, above)
}

/// The result while chunks are written in ascending order.
struct Moved<'o> {
    writer: Writer<'o>,
    /// High word of the open bucket.
    high: Option<u32>,
    /// Containers that the next bucket will most likely have.
    expected: usize,
}

impl Moved<'_> {
    /// Opens the bucket of a chunk; gives its key, or `None` for a chunk that does not exist.
    fn enter(&mut self, chunk: i64) -> Option<u16> {
        if !(0..CHUNKS).contains(&chunk) {
            return None;
        }
        let high = (chunk >> 16) as u32;
        if self.high != Some(high) {
            if self.high.is_some() {
                self.writer.end_bucket();
            }
            self.writer.begin_bucket(high, self.expected, false);
            self.high = Some(high);
        }
        Some(chunk as u16)
    }

    fn write(&mut self, chunk: i64, words: &Words) {
        if words.iter().all(|word| *word == 0) {
            return;
        }
        if let Some(key) = self.enter(chunk) {
            write_words(&mut self.writer, key, words);
        }
    }

    fn end(mut self) {
        if self.high.is_some() {
            self.writer.end_bucket();
        }
        self.writer.finish();
    }
}
