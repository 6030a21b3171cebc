//! One container of a serialized bitmap: up to 65,536 values that share their upper 48 bits, read
//! in place.

use crate::kernels::arrays;
use crate::kernels::words;
use crate::kernels::words::Block;

/// The runs of a run container in place.
pub(crate) type Serialized = [[u8; 4]];

/// The serialized values of one container, of which [`BitmapRef`](crate::BitmapRef) has checked
/// size and runs.
#[derive(Debug, Clone, Copy)]
pub enum Container<'a> {
    /// At most 4,096 ascending values, little endian.
    Array(&'a [[u8; 2]]),
    /// 65,536 bits, little endian, and how many are set.
    Bitset(&'a [[u8; 8]; 1024], u32),
    /// Ascending runs { start: u16, length - 1: u16 }, little endian, and how many values they
    /// hold.
    Run(&'a [[u8; 4]], u32),
}

/// First and last value of a serialized run, which has been checked not to reach beyond the
/// container.
#[inline]
pub(crate) fn run_bounds(run: &[u8; 4]) -> (u16, u16) {
    let run = u32::from_le_bytes(*run);
    (run as u16, (run as u16).wrapping_add((run >> 16) as u16))
}

/// Whether a bit is set in a serialized bitset.
#[inline]
pub(crate) fn has_bit(block: &Block, value: u16) -> bool {
    let byte = block[usize::from(value >> 6)][usize::from(value >> 3 & 7)];
    byte >> (value & 7) & 1 == 1
}

impl Container<'_> {
    /// Number of values, 1 to 65,536.
    #[inline]
    pub fn cardinality(&self) -> u32 {
        match self {
            Self::Array(values) => values.len() as u32,
            Self::Bitset(_, cardinality) | Self::Run(_, cardinality) => *cardinality,
        }
    }

    /// Whether the value is in the container.
    pub fn contains(&self, value: u16) -> bool {
        match self {
            Self::Array(values) => values
                .binary_search_by_key(&value, |v| u16::from_le_bytes(*v))
                .is_ok(),
            Self::Bitset(block, _) => has_bit(block, value),
            Self::Run(runs, _) => {
                let after = runs.partition_point(|run| run_bounds(run).0 <= value);
                after > 0 && value <= run_bounds(&runs[after - 1]).1
            }
        }
    }

    /// Number of maximal runs of consecutive values.
    pub(crate) fn count_runs(&self) -> u32 {
        match self {
            Self::Array(values) => arrays::count_runs(values),
            Self::Bitset(block, _) => words::count_block_runs(block),
            Self::Run(runs, _) => runs.len() as u32,
        }
    }

    /// Calls `visit` with every value, ascending.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(u16)) {
        match self {
            Self::Array(values) => values
                .iter()
                .for_each(|value| visit(u16::from_le_bytes(*value))),
            Self::Bitset(block, _) => {
                for (index, bytes) in block.iter().enumerate() {
                    let mut word = u64::from_le_bytes(*bytes);
                    while word != 0 {
                        visit((index * 64) as u16 | word.trailing_zeros() as u16);
                        word &= word - 1;
                    }
                }
            }
            Self::Run(runs, _) => {
                for run in *runs {
                    let (first, last) = run_bounds(run);
                    (first..=last).for_each(&mut visit);
                }
            }
        }
    }

    /// Appends `upper | value` for every value, ascending.
    pub(crate) fn append_to(&self, upper: u32, out: &mut Vec<u32>) {
        match self {
            Self::Array(values) => out.extend(
                values
                    .iter()
                    .map(|value| upper | u32::from(u16::from_le_bytes(*value))),
            ),
            Self::Bitset(_, cardinality) => {
                let start = out.len();
                out.resize(start + *cardinality as usize, 0);
                let mut places = out[start..].iter_mut();
                self.for_each(|value| {
                    if let Some(place) = places.next() {
                        *place = upper | u32::from(value);
                    }
                });
            }
            Self::Run(runs, _) => {
                for run in *runs {
                    let (first, last) = run_bounds(run);
                    out.extend((upper | u32::from(first))..=(upper | u32::from(last)));
                }
            }
        }
    }
}
