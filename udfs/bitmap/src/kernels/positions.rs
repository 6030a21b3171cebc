//! Writes out where the bits of a bitset container are set.

#[cfg(target_arch = "x86_64")]
use super::cpu::{Level, level};
use super::words::Words;

/// Positions that [`extract`] may write beyond those it returns.
pub(crate) const SLACK: usize = 64;
/// Positions of a word that the portable loop writes without a branch on the data.
const AT_ONCE: usize = 4;

/// Writes the positions of the set bits to `out`, which has room for all and [`SLACK`] more;
/// returns how many.
pub(crate) fn extract(words: &Words, out: &mut [[u8; 2]]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        // SAFETY: `level` found every feature that the function is compiled for.
        return unsafe { compress::extract(words, out) };
    }
    extract_each(words, out)
}

/// The portable loop.
fn extract_each(words: &Words, out: &mut [[u8; 2]]) -> usize {
    let mut len = 0;
    for (part, words) in words.as_chunks::<8>().0.iter().enumerate() {
        if words.iter().fold(0, |bits, word| bits | word) != 0 {
            for (index, word) in words.iter().enumerate() {
                len += extract_word(
                    (part * 8 + index) * 64,
                    *word,
                    out.get_mut(len..).unwrap_or_default(),
                );
            }
        }
    }
    len
}

/// Writes the positions of a word's bits; returns how many.
#[inline(always)]
fn extract_word(base: usize, word: u64, out: &mut [[u8; 2]]) -> usize {
    let count = word.count_ones() as usize;
    let Some((room, others)) = out.split_first_chunk_mut::<AT_ONCE>() else {
        return 0;
    };
    let mut left = word;
    let mut next = || {
        let position = base as u16 | (left.trailing_zeros() & 63) as u16;
        left &= left.wrapping_sub(1);
        position.to_le_bytes()
    };
    room.iter_mut().for_each(|place| *place = next());
    if count > AT_ONCE {
        others
            .iter_mut()
            .take(count - AT_ONCE)
            .for_each(|place| *place = next());
    }
    count
}

/// The same a word at a time, with the instructions of x86-64 processors that have AVX-512.
#[cfg(target_arch = "x86_64")]
mod compress {
    use super::{SLACK, Words};
    use std::arch::x86_64::*;

    /// Positions in one vector.
    const LANES: usize = 32;

    static PLACES: [u8; 64] = places();

    const fn places() -> [u8; 64] {
        let mut places = [0; 64];
        let mut place = 0;
        while place < 64 {
            places[place] = place as u8;
            place += 1;
        }
        places
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn store(positions: __m512i, room: &mut [[u8; 2]; LANES]) {
        // SAFETY: the room has the 64 bytes that are written.
        unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), positions) };
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(crate) fn extract(words: &Words, out: &mut [[u8; 2]]) -> usize {
        // SAFETY: the places have the 64 bytes that are read.
        let places = unsafe { _mm512_loadu_si512(PLACES.as_ptr().cast()) };
        let mut len = 0;
        let step = _mm512_set1_epi16(64);
        for (part, words) in words.as_chunks::<8>().0.iter().enumerate() {
            if words.iter().fold(0, |bits, word| bits | word) == 0 {
                continue;
            }
            let mut base = _mm512_set1_epi16((part * 512) as i16);
            for word in words {
                let Some(room) = out
                    .get_mut(len..)
                    .and_then(|room| room.first_chunk_mut::<SLACK>())
                else {
                    return len;
                };
                let Some((low, high)) = room.split_first_chunk_mut::<LANES>() else {
                    return len;
                };
                let set = _mm512_maskz_compress_epi8(*word, places);
                store(
                    _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(set)), base),
                    low,
                );
                if word.count_ones() as usize > LANES
                    && let Some(high) = high.first_chunk_mut()
                {
                    store(
                        _mm512_add_epi16(
                            _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64::<1>(set)),
                            base,
                        ),
                        high,
                    );
                }
                len += word.count_ones() as usize;
                base = _mm512_add_epi16(base, step);
            }
        }
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both loops, against asking for every bit, from no bit to all bits.
    #[test]
    fn positions_are_those_of_set_bits() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut cases = vec![[0; 1024], [u64::MAX; 1024]];
        for thinned in 0..12 {
            cases.push(std::array::from_fn(|index| {
                if index % 37 < 3 * thinned {
                    (0..thinned).fold(next(), |bits, _| bits & next())
                } else {
                    0
                }
            }));
            cases.push(std::array::from_fn(|_| {
                (0..thinned).fold(next(), |bits, _| bits | next())
            }));
        }
        for words in cases {
            let expected: Vec<[u8; 2]> = (0..=u16::MAX)
                .filter(|at| words[usize::from(at >> 6)] >> (at & 63) & 1 == 1)
                .map(u16::to_le_bytes)
                .collect();
            for loops in [extract, extract_each] {
                let mut out = vec![[0xFF; 2]; expected.len() + SLACK];
                let len = loops(&words, &mut out);
                assert_eq!(out[..len], expected);
            }
        }
    }
}
