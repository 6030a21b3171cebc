//! Loops over a bitset container: 1,024 words in memory, or as 1,024 little-endian words in place.

use super::cpu::per_cpu;

/// A bitset container while it is worked on.
pub(crate) type Words = [u64; 1024];
/// A bitset container where it lies in serialized bytes.
pub(crate) type Block = [[u8; 8]; 1024];

/// Values of a long and of a short block whose order is looked at at once.
const LONG: usize = 32;
const SHORT: usize = 8;

/// Whether any value is not below the one after it.
#[inline(always)]
fn is_bad(before: &[[u8; 2]], after: &[[u8; 2]]) -> bool {
    before
        .iter()
        .zip(after)
        .fold(false, |bad, (before, after)| {
            bad | (u16::from_le_bytes(*before) >= u16::from_le_bytes(*after))
        })
}

per_cpu! {
    /// Number of set bits.
    pub(crate) fn count(block: &Block) -> u32 {
        block.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum()
    }

    /// Number of set bits, and of runs of them.
    pub(crate) fn count_words_and_runs(words: &Words) -> (u32, u32) {
        let (mut bits, mut runs) = (words[0].count_ones(), (words[0] & !(words[0] << 1)).count_ones());
        for (before, word) in words.iter().zip(&words[1..]) {
            bits += word.count_ones();
            runs += (word & !(word << 1 | before >> 63)).count_ones();
        }
        (bits, runs)
    }

    /// Number of set bits.
    pub(crate) fn count_words(words: &Words) -> u32 {
        words.iter().map(|word| word.count_ones()).sum()
    }

    /// Number of runs of set bits.
    pub(crate) fn count_block_runs(block: &Block) -> u32 {
        let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        let first = (word(&block[0]) & !(word(&block[0]) << 1)).count_ones();
        let others = block.iter().map(word).zip(block[1..].iter().map(word));
        first + others.map(|(before, word)| (word & !(word << 1 | before >> 63)).count_ones()).sum::<u32>()
    }

    /// Number of bits set in both.
    pub(crate) fn and_count(a: &Block, b: &Block) -> u32 {
        a.iter().zip(b).map(|(a, b)| (u64::from_le_bytes(*a) & u64::from_le_bytes(*b)).count_ones()).sum()
    }

    /// Number of serialized values that are set.
    pub(crate) fn count_values(block: &Block, values: &[[u8; 2]]) -> u32 {
        let is_set = |value: u16| u64::from_le_bytes(block[usize::from(value >> 6)]) >> (value & 63) & 1;
        values.iter().map(|bytes| is_set(u16::from_le_bytes(*bytes))).sum::<u64>() as u32
    }

    /// Number of runs in ascending values: one more than the gaps between neighbours. 0 for none.
    pub(crate) fn count_value_runs(values: &[u32]) -> usize {
        if values.is_empty() {
            return 0;
        }
        let gaps: u32 = values.iter().zip(&values[1..]).map(|(a, b)| u32::from(b.wrapping_sub(*a) != 1)).sum();
        gaps as usize + 1
    }

    /// Sets the bits of the lower halves of ascending values in an empty block.
    pub(crate) fn fill_block(block: &mut Block, values: &[u32]) {
        let mut word = 0u64;
        let mut at = 0;
        for value in values {
            let index = (value >> 6 & 1023) as usize;
            word = if index == at { word } else { 0 } | 1 << (value & 63);
            at = index;
            block[index] = word.to_le_bytes();
        }
    }

    /// Whether serialized values ascend strictly. What no full block is left of is looked at in a
    /// block that overlaps.
    pub(crate) fn ascends(values: &[[u8; 2]]) -> bool {
        let after = values.get(1..).unwrap_or_default();
        let before = &values[..after.len()];
        match (before.last_chunk::<LONG>(), after.last_chunk::<LONG>()) {
            (Some(before_last), Some(after_last)) => {
                let blocks = before.as_chunks::<LONG>().0.iter().zip(after.as_chunks::<LONG>().0);
                !blocks.fold(is_bad(before_last, after_last), |bad, (before, after)| bad | is_bad(before, after))
            }
            _ => match (before.last_chunk::<SHORT>(), after.last_chunk::<SHORT>()) {
                (Some(before_last), Some(after_last)) => {
                    let blocks = before.as_chunks::<SHORT>().0.iter().zip(after.as_chunks::<SHORT>().0);
                    !blocks.fold(is_bad(before_last, after_last), |bad, (before, after)| bad | is_bad(before, after))
                }
                _ => !is_bad(before, after),
            },
        }
    }

    /// Number of set bits in part of a block.
    pub(crate) fn count_part(part: &[[u8; 8]]) -> u32 {
        part.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum()
    }

    /// Bits whose membership differs from that of the bit before: where runs start and where they
    /// have ended.
    pub(crate) fn changes(words: &Words) -> Words {
        let mut changes = *words;
        changes[0] ^= words[0] << 1;
        for (change, (before, word)) in changes[1..].iter_mut().zip(words.iter().zip(&words[1..])) {
            *change = word ^ (word << 1 | before >> 63);
        }
        changes
    }

    /// The bits set in both.
    pub(crate) fn and(a: &Block, b: &Block) -> Words {
        let mut words = [0; 1024];
        for (word, (a, b)) in words.iter_mut().zip(a.iter().zip(b)) {
            *word = u64::from_le_bytes(*a) & u64::from_le_bytes(*b);
        }
        words
    }

    /// Keeps the bits that are also set in the block.
    pub(crate) fn and_block(words: &mut Words, block: &Block) {
        for (word, bytes) in words.iter_mut().zip(block) {
            *word &= u64::from_le_bytes(*bytes);
        }
    }

    /// Clears the bits that are set in the block.
    pub(crate) fn and_not_block(words: &mut Words, block: &Block) {
        for (word, bytes) in words.iter_mut().zip(block) {
            *word &= !u64::from_le_bytes(*bytes);
        }
    }

    /// Flips the bits that are set in the block.
    pub(crate) fn xor_block(words: &mut Words, block: &Block) {
        for (word, bytes) in words.iter_mut().zip(block) {
            *word ^= u64::from_le_bytes(*bytes);
        }
    }

    /// Ors serialized words into words in memory; stops at the shorter one.
    pub(crate) fn or_block(words: &mut [u64], block: &Block) {
        for (word, bytes) in words.iter_mut().zip(block) {
            *word |= u64::from_le_bytes(*bytes);
        }
    }
}

/// The word masks of a range of bits: words from `head` to `tail`, mask of the first, mask of the
/// last.
#[inline]
fn range_masks(first: usize, last: usize) -> (usize, usize, u64, u64) {
    (
        first / 64,
        last / 64,
        u64::MAX << (first % 64),
        u64::MAX >> (63 - last % 64),
    )
}

/// Sets the bits `first..=last`; the part beyond the end of `words` is ignored.
pub(crate) fn set_range(words: &mut [u64], first: usize, last: usize) {
    let bits = words.len() * 64;
    if first >= bits {
        return;
    }
    let (head, tail, head_mask, tail_mask) = range_masks(first, last.min(bits - 1));
    if head == tail {
        words[head] |= head_mask & tail_mask;
        return;
    }
    words[head] |= head_mask;
    words[head + 1..tail].fill(u64::MAX);
    words[tail] |= tail_mask;
}

/// Clears the bits `first..=last` of a container.
pub(crate) fn clear_range(words: &mut Words, first: u16, last: u16) {
    let (head, tail, head_mask, tail_mask) = range_masks(usize::from(first), usize::from(last));
    if head == tail {
        words[head] &= !(head_mask & tail_mask);
        return;
    }
    words[head] &= !head_mask;
    words[head + 1..tail].fill(0);
    words[tail] &= !tail_mask;
}

/// Flips the bits `first..=last` of a container.
pub(crate) fn flip_range(words: &mut Words, first: u16, last: u16) {
    let (head, tail, head_mask, tail_mask) = range_masks(usize::from(first), usize::from(last));
    if head == tail {
        words[head] ^= head_mask & tail_mask;
        return;
    }
    words[head] ^= head_mask;
    words[head + 1..tail]
        .iter_mut()
        .for_each(|word| *word = !*word);
    words[tail] ^= tail_mask;
}
