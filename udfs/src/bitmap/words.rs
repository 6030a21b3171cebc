//! Loops over a bitset container: 1,024 words in memory, or as 1,024 little-endian words in place.

use super::cpu::per_cpu;

/// A bitset container while it is worked on.
pub(super) type Words = [u64; 1024];
/// A bitset container where it lies in serialized bytes.
pub(super) type Block = [[u8; 8]; 1024];

per_cpu! {
    /// Number of set bits.
    pub(super) fn count(block: &Block) -> u32 {
        block.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum()
    }

    /// Number of set bits.
    pub(super) fn count_words(words: &Words) -> u32 {
        words.iter().map(|word| word.count_ones()).sum()
    }

    /// Number of runs of set bits.
    pub(super) fn count_runs(words: &Words) -> u32 {
        let first = (words[0] & !(words[0] << 1)).count_ones();
        let others = words.iter().zip(&words[1..]);
        first + others.map(|(before, word)| (word & !(word << 1 | before >> 63)).count_ones()).sum::<u32>()
    }

    /// Number of runs of set bits.
    pub(super) fn count_block_runs(block: &Block) -> u32 {
        let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        let first = (word(&block[0]) & !(word(&block[0]) << 1)).count_ones();
        let others = block.iter().map(word).zip(block[1..].iter().map(word));
        first + others.map(|(before, word)| (word & !(word << 1 | before >> 63)).count_ones()).sum::<u32>()
    }

    /// Number of bits set in both.
    pub(super) fn and_count(a: &Block, b: &Block) -> u32 {
        a.iter().zip(b).map(|(a, b)| (u64::from_le_bytes(*a) & u64::from_le_bytes(*b)).count_ones()).sum()
    }

    /// Number of runs in ascending values: one more than the gaps between neighbours. 0 for none.
    pub(super) fn count_value_runs(values: &[u32]) -> usize {
        if values.is_empty() {
            return 0;
        }
        let gaps: u32 = values.iter().zip(&values[1..]).map(|(a, b)| u32::from(b.wrapping_sub(*a) != 1)).sum();
        gaps as usize + 1
    }

    /// Sets the bits of the lower halves of ascending values in an empty block.
    pub(super) fn fill_block(block: &mut Block, values: &[u32]) {
        let mut word = 0u64;
        let mut at = 0;
        for value in values {
            let index = (value >> 6 & 1023) as usize;
            word = if index == at { word } else { 0 } | 1 << (value & 63);
            at = index;
            block[index] = word.to_le_bytes();
        }
    }

    /// Whether serialized values ascend strictly.
    pub(super) fn ascends(values: &[[u8; 2]]) -> bool {
        let value = |bytes: &[u8; 2]| u16::from_le_bytes(*bytes);
        let after = values.get(1..).unwrap_or_default();
        !values.iter().zip(after).fold(false, |bad, (a, b)| bad | (value(a) >= value(b)))
    }

    /// Ors serialized words into words in memory; stops at the shorter one.
    pub(super) fn or_block(words: &mut [u64], block: &Block) {
        for (word, bytes) in words.iter_mut().zip(block) {
            *word |= u64::from_le_bytes(*bytes);
        }
    }
}

/// Sets the bits `first..=last`; the part beyond the end of `words` is ignored.
pub(super) fn set_range(words: &mut [u64], first: usize, last: usize) {
    let bits = words.len() * 64;
    if first >= bits {
        return;
    }
    let last = last.min(bits - 1);
    let (head, tail) = (first / 64, last / 64);
    let head_mask = u64::MAX << (first % 64);
    let tail_mask = u64::MAX >> (63 - last % 64);
    if head == tail {
        words[head] |= head_mask & tail_mask;
        return;
    }
    words[head] |= head_mask;
    words[head + 1..tail].fill(u64::MAX);
    words[tail] |= tail_mask;
}
