//! The values of a container that are among others, without making their intersection.

use crate::format::container::{Container, run_bounds};

/// With so many times more values than are asked for, each that is asked for is searched.
const SEARCH_FACTOR: u32 = 16;

impl Container<'_> {
    /// Calls `visit` with every value whose bit is set in `words` (bit `v % 64` of word `v / 64`;
    /// words that are missing have none), ascending.
    pub fn for_each_among(&self, words: &[u64], mut visit: impl FnMut(u16)) {
        let words = words.get(..1024).unwrap_or(words);
        match self {
            Self::Array(values) => {
                let wanted: u32 = words.iter().map(|word| word.count_ones()).sum();
                if wanted == 0 {
                    return;
                }
                if values.len() as u32 / SEARCH_FACTOR > wanted {
                    let bits = (0_u16..).zip(words.iter().copied());
                    return each_bit(bits, |value| {
                        if self.contains(value) {
                            visit(value);
                        }
                    });
                }
                for value in values.iter().map(|value| u16::from_le_bytes(*value)) {
                    let word = words.get(usize::from(value >> 6)).copied().unwrap_or(0);
                    if word >> (value & 63) & 1 == 1 {
                        visit(value);
                    }
                }
            }
            Self::Bitset(block, _) => {
                let both = block.iter().zip(words);
                let both = both.map(|(bytes, word)| u64::from_le_bytes(*bytes) & word);
                each_bit((0_u16..).zip(both), visit);
            }
            Self::Run(runs, _) => {
                for run in *runs {
                    let (first, last) = run_bounds(run);
                    each_bit(within(words, first, last), &mut visit);
                }
            }
        }
    }
}

/// Words with their places, of which the bits from `first` to `last` are left.
fn within(words: &[u64], first: u16, last: u16) -> impl Iterator<Item = (u16, u64)> + '_ {
    let (from, to) = (first >> 6, last >> 6);
    (from..=to).map(move |at| {
        let low = if at == from {
            u64::MAX << (first & 63)
        } else {
            u64::MAX
        };
        let high = if at == to {
            u64::MAX >> (63 - (last & 63))
        } else {
            u64::MAX
        };
        let word = words.get(usize::from(at)).copied().unwrap_or(0);
        (at, word & low & high)
    })
}

fn each_bit(words: impl Iterator<Item = (u16, u64)>, mut visit: impl FnMut(u16)) {
    for (at, mut word) in words {
        while word != 0 {
            visit(at << 6 | word.trailing_zeros() as u16);
            word &= word - 1;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use crate::{BitmapRef, write_sorted};

    /// The members of a set that are among others, found one by one.
    fn check(members: &[u32], wanted: &[u32], words: usize) {
        let mut bitmap = Vec::new();
        write_sorted(0, members, &mut bitmap);
        let bitmap = BitmapRef::parse(&bitmap).unwrap();
        let mut bits = vec![0_u64; words];
        let within = |value: &&u32| (**value as usize) < words * 64;
        for value in wanted.iter().filter(within) {
            bits[*value as usize / 64] |= 1 << (value % 64);
        }
        let (_, container) = bitmap.bucket(0).unwrap().containers().next().unwrap();
        let mut found = Vec::new();
        container.for_each_among(&bits, |value| found.push(u32::from(value)));
        let is_wanted = |value: &&u32| wanted.contains(value) && (**value as usize) < words * 64;
        let expected: Vec<u32> = members.iter().filter(is_wanted).copied().collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn members_among_others_are_those_of_both() {
        let every =
            |step: usize, from: u32, to: u32| -> Vec<u32> { (from..to).step_by(step).collect() };
        let array = every(97, 5, 65_536);
        let long_array = every(17, 3, 65_536);
        let bitset = every(3, 1, 65_536);
        let runs: Vec<u32> = (0..65_536)
            .filter(|v| v % 1000 < 700 || *v > 65_000)
            .collect();
        for members in [&array, &long_array, &bitset, &runs, &vec![65_535]] {
            for wanted in [
                &array,
                &every(5, 0, 65_536),
                &vec![3, 20, 65_535],
                &every(1, 60, 131),
                &vec![],
            ] {
                for words in [1024, 1000, 1, 0] {
                    check(members, wanted, words);
                }
            }
        }
    }
}
