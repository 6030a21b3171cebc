//! Members of a set by ordinal -> bits by seat.

use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::BitmapRef;

/// The users of one app in one shard.
#[derive(Debug, Clone, Copy)]
pub struct AppSeatWords<'a> {
    /// The shard.
    pub shard: u32,
    /// Ordinal of each seat, ascending.
    pub ordinals: &'a [u32],
}

impl AppSeatWords<'_> {
    /// Words of a bitset of the app's seats.
    pub fn words(&self) -> usize {
        self.ordinals.len().div_ceil(64)
    }

    /// The seats of these ordinals, which ascend; users who are none of the app's are left out.
    pub fn of_ordinals(&self, members: &[u32]) -> Vec<u64> {
        let mut words = vec![0; self.words()];
        let mut set = |seat: usize| words[seat / 64] |= 1 << (seat % 64);
        let (Some(&first), Some(&last)) = (self.ordinals.first(), self.ordinals.last()) else {
            return words;
        };
        let is_dense = (last - first) as usize + 1 == self.ordinals.len();
        if is_dense {
            let of_app = members
                .iter()
                .filter(|member| (first..=last).contains(member));
            of_app.for_each(|member| set((member - first) as usize));
            return words;
        }
        let mut from = 0;
        for member in members {
            from += gallop(&self.ordinals[from..], *member);
            if self.ordinals.get(from) == Some(member) {
                set(from);
            }
        }
        words
    }

    /// The seats of the members of a published bitmap.
    ///
    /// # Errors
    /// A bitmap that is damaged.
    pub fn of_bitmap(&self, bytes: &[u8]) -> Result<Vec<u64>> {
        let damaged = |e| {
            let shard = self.shard;
            DataFusionError::Execution(format!(
                "a published bitmap of shard {shard} is damaged: {e}"
            ))
        };
        let mut members = Vec::new();
        if let Some(bucket) = BitmapRef::parse(bytes).map_err(damaged)?.bucket(self.shard) {
            bucket.append_to(&mut members);
        }
        Ok(self.of_ordinals(&members))
    }
}

/// Where the first is that is not less: near the start it costs little.
fn gallop(sorted: &[u32], number: u32) -> usize {
    let mut step = 1;
    while step < sorted.len() && sorted[step] < number {
        step *= 2;
    }
    let (from, to) = (step / 2, sorted.len().min(step + 1));
    let from = from.min(to);
    from + sorted[from..to].partition_point(|other| *other < number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn seats_are_places_among_the_ordinals_of_the_app(
            app in prop::collection::btree_set(0u32..400, 0..200),
            members in prop::collection::btree_set(0u32..400, 0..200),
            dense in any::<bool>(),
        ) {
            let app: BTreeSet<u32> = if dense { (7..200).collect() } else { app };
            let ordinals: Vec<u32> = app.into_iter().collect();
            let seats = AppSeatWords { shard: 0, ordinals: &ordinals };
            let words = seats.of_ordinals(&Vec::from_iter(members.iter().copied()));
            for (seat, ordinal) in ordinals.iter().enumerate() {
                prop_assert_eq!(words[seat / 64] >> (seat % 64) & 1 == 1, members.contains(ordinal));
            }
        }
    }
}
