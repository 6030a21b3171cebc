//! Parquet's hybrid of run-length encoding and bit packing, written from runs.
//!
//! ```text
//! run      varint(count << 1)        value in whole bytes
//! literals varint(groups << 1 | 1)   8 values a group, `width` bits each, lowest first
//! ```
//! Source: the Parquet format's `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid".

/// Values of a group; a shorter run is not worth a header of its own.
const GROUP: usize = 8;

/// Appends runs of values of `width` bits.
pub(super) struct Hybrid<'o> {
    out: &'o mut Vec<u8>,
    width: u32,
    literals: Vec<u32>,
}

impl<'o> Hybrid<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>, width: u32) -> Self {
        Self {
            out,
            width,
            literals: Vec::new(),
        }
    }

    /// `count` times `value`.
    #[inline]
    pub(super) fn push(&mut self, value: u32, mut count: usize) {
        if count == 1 {
            return self.literals.push(value);
        }
        let open = self.literals.len() % GROUP;
        if open > 0 {
            let taken = count.min(GROUP - open);
            self.literals.extend(std::iter::repeat_n(value, taken));
            count -= taken;
        }
        if count < GROUP {
            self.literals.extend(std::iter::repeat_n(value, count));
            return;
        }
        self.pack();
        self.varint((count as u64) << 1);
        let bytes = self.width.div_ceil(8) as usize;
        self.out.extend_from_slice(&value.to_le_bytes()[..bytes]);
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) {
        self.pack();
    }

    /// The literals so far, the last group filled up with zeros.
    fn pack(&mut self) {
        if self.literals.is_empty() {
            return;
        }
        let groups = self.literals.len().div_ceil(GROUP);
        self.literals.resize(groups * GROUP, 0);
        self.varint((groups as u64) << 1 | 1);
        let (mut bits, mut filled) = (0u64, 0);
        for &value in &self.literals {
            bits |= u64::from(value) << filled;
            filled += self.width;
            if filled >= 32 {
                self.out.extend_from_slice(&(bits as u32).to_le_bytes());
                bits >>= 32;
                filled -= 32;
            }
        }
        // Eight values fill whole bytes.
        self.out
            .extend_from_slice(&bits.to_le_bytes()[..filled as usize / 8]);
        self.literals.clear();
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }
}

/// Bits of the numbers below `count`.
pub(super) fn width_of(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads the format as its specification tells it, a bit at a time.
    fn read(bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let (mut at, mut out) = (0, Vec::new());
        while out.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                header |= u64::from(bytes[at] & 0x7f) << shift;
                shift += 7;
                at += 1;
                if bytes[at - 1] & 0x80 == 0 {
                    break;
                }
            }
            if header & 1 == 0 {
                let size = width.div_ceil(8) as usize;
                let value = bytes[at..at + size]
                    .iter()
                    .rev()
                    .fold(0, |value, &byte| value << 8 | u32::from(byte));
                at += size;
                out.extend(std::iter::repeat_n(value, (header >> 1) as usize));
                continue;
            }
            let values = (header >> 1) as usize * 8;
            let bit = |index: usize| u32::from(bytes[at + index / 8] >> (index % 8) & 1);
            out.extend((0..values).map(|value| {
                (0..width as usize).fold(0, |sum, place| {
                    sum | bit(value * width as usize + place) << place
                })
            }));
            at += values * width as usize / 8;
        }
        assert_eq!(at, bytes.len());
        out.truncate(count);
        out
    }

    proptest! {
        #[test]
        fn runs_come_back(runs in prop::collection::vec((any::<u32>(), prop_oneof![1usize..4, 1usize..300]), 1..60), width in 0u32..=32) {
            let mask = 1u32.checked_shl(width).map_or(u32::MAX, |bit| bit - 1);
            let mut bytes = Vec::new();
            let mut hybrid = Hybrid::new(&mut bytes, width);
            runs.iter().for_each(|&(value, count)| hybrid.push(value & mask, count));
            hybrid.finish();
            let expected: Vec<u32> = runs.iter().flat_map(|&(value, count)| std::iter::repeat_n(value & mask, count)).collect();
            prop_assert_eq!(read(&bytes, width, expected.len()), expected);
        }
    }

    #[test]
    fn widths_hold_every_number() {
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 256, 257].map(width_of),
            [0, 0, 1, 2, 2, 3, 8, 9]
        );
    }
}
