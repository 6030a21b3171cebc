//! The smallest value from some value on, found without decoding.

use crate::format::bucket::Bitmap32Ref;
use crate::format::container::{Container, run_bounds};
use crate::format::view::BitmapRef;

impl Container<'_> {
    /// The smallest value that is not below `least`.
    fn first_from(&self, least: u16) -> Option<u16> {
        match self {
            Self::Array(values) => {
                let at = values.partition_point(|bytes| u16::from_le_bytes(*bytes) < least);
                values.get(at).map(|bytes| u16::from_le_bytes(*bytes))
            }
            Self::Bitset(block, _) => {
                let head = usize::from(least >> 6);
                let words = block
                    .iter()
                    .enumerate()
                    .skip(head)
                    .map(|(index, bytes)| (index, u64::from_le_bytes(*bytes)));
                let masked = words.map(|(index, word)| {
                    (
                        index,
                        if index == head {
                            word & u64::MAX << (least & 63)
                        } else {
                            word
                        },
                    )
                });
                masked
                    .filter(|(_, word)| *word != 0)
                    .map(|(index, word)| (index as u16) << 6 | word.trailing_zeros() as u16)
                    .next()
            }
            Self::Run(runs, _) => {
                let at = runs.partition_point(|run| run_bounds(run).1 < least);
                runs.get(at).map(|run| run_bounds(run).0.max(least))
            }
        }
    }
}

impl Bitmap32Ref<'_> {
    /// The smallest value that is not below `least`.
    pub(crate) fn first_from(&self, least: u32) -> Option<u32> {
        (0..self.container_count())
            .filter_map(|index| Some((index, self.key(index)?)))
            .skip_while(|(_, key)| u32::from(*key) < least >> 16)
            .find_map(|(index, key)| {
                let least = if u32::from(key) == least >> 16 {
                    least as u16
                } else {
                    0
                };
                self.container_at(index)?
                    .first_from(least)
                    .map(|low| u32::from(key) << 16 | u32::from(low))
            })
    }
}

impl BitmapRef<'_> {
    /// The smallest value from `first` to `last`, both included.
    pub fn first_within(&self, first: u64, last: u64) -> Option<u64> {
        let buckets = self
            .buckets()
            .skip_while(|(high, _)| u64::from(*high) < first >> 32);
        let found = buckets
            .take_while(|(high, _)| u64::from(*high) <= last >> 32)
            .find_map(|(high, bucket)| {
                let upper = u64::from(high) << 32;
                bucket
                    .first_from(first.max(upper) as u32)
                    .map(|low| upper | u64::from(low))
            });
        found.filter(|value| *value <= last)
    }
}
