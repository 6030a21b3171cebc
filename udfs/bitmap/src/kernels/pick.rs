//! The values whose bit is set: from a bitset over places to what stands there.

#[cfg(target_arch = "x86_64")]
use super::cpu::{Level, level};

/// Bits of a word.
const WORD: usize = u64::BITS as usize;
/// Values that are written at once, beyond those that are kept.
const LANES: usize = 16;

/// Replaces `out` by the values whose bit is set: value `i` has bit `i % 64` of word `i / 64`. Bits
/// without a value are ignored.
pub fn pick(words: &[u64], values: &[u32], out: &mut Vec<u32>) {
    let count: usize = words.iter().map(|word| word.count_ones() as usize).sum();
    out.resize(count + LANES, 0);
    let (whole, rest) = values.as_chunks::<WORD>();
    let mut len = pick_words(words, whole, out);
    if let Some(last) = words.get(whole.len()) {
        for (bit, value) in rest.iter().enumerate() {
            if last >> bit & 1 == 1 {
                out[len] = *value;
                len += 1;
            }
        }
    }
    out.truncate(len);
}

/// The same of whole words, into a slice that has room for [`LANES`] more; returns how many.
fn pick_words(words: &[u64], values: &[[u32; WORD]], out: &mut [u32]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        // SAFETY: `level` found every feature that the function is compiled for.
        return unsafe { compress::pick_words(words, values, out) };
    }
    pick_each(words, values, out)
}

/// The portable loop.
fn pick_each(words: &[u64], values: &[[u32; WORD]], out: &mut [u32]) -> usize {
    let mut len = 0;
    for (word, values) in words.iter().zip(values) {
        if *word == u64::MAX {
            out[len..len + WORD].copy_from_slice(values);
            len += WORD;
            continue;
        }
        let mut left = *word;
        while left != 0 {
            out[len] = values[left.trailing_zeros() as usize];
            len += 1;
            left &= left - 1;
        }
    }
    len
}

/// Sixteen values at a time, with the instructions of x86-64 processors that have AVX-512.
#[cfg(target_arch = "x86_64")]
mod compress {
    use super::{LANES, WORD};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,popcnt")]
    pub(crate) fn pick_words(words: &[u64], values: &[[u32; WORD]], out: &mut [u32]) -> usize {
        let mut len = 0;
        for (word, values) in words.iter().zip(values).filter(|(word, _)| **word != 0) {
            for (part, values) in values.as_chunks::<LANES>().0.iter().enumerate() {
                let mask = (word >> (part * LANES)) as u16;
                let Some(room) = out
                    .get_mut(len..)
                    .and_then(|room| room.first_chunk_mut::<LANES>())
                else {
                    return len;
                };
                // SAFETY: both arrays have the 64 bytes that are read and written.
                unsafe {
                    let picked = _mm512_maskz_compress_epi32(
                        mask,
                        _mm512_loadu_si512(values.as_ptr().cast()),
                    );
                    _mm512_storeu_si512(room.as_mut_ptr().cast(), picked);
                }
                len += mask.count_ones() as usize;
            }
        }
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_set_bits_are_picked() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for count in [0, 1, 63, 64, 65, 130, 1_000, 6_400] {
            let values: Vec<u32> = (0..count).map(|_| next() as u32).collect();
            for round in 0..5 {
                // Bits beyond the values, and words, too.
                let words: Vec<u64> = (0..values.len().div_ceil(WORD) + 1)
                    .map(|_| [0, next(), next() & next(), next() | next(), u64::MAX][round])
                    .collect();
                let expected: Vec<u32> = values
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| words[at / WORD] >> (at % WORD) & 1 == 1)
                    .map(|(_, value)| *value)
                    .collect();
                let mut out = vec![7; 9];
                pick(&words, &values, &mut out);
                assert_eq!(out, expected);
                let whole = values.as_chunks::<WORD>().0;
                let mut out = vec![0; expected.len() + LANES];
                let len = pick_each(&words, whole, &mut out);
                assert_eq!(out[..len], expected[..len]);
            }
        }
    }
}
