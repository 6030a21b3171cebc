//! Members of a set by ordinal -> bits by seat.

use tagmill_bitmap::{BitmapRef, Defect};

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

    /// Sets the seats of these ordinals, which ascend; users who are none of the app's are left out.
    pub fn set(&self, members: &[u32], words: &mut [u64]) {
        let mut set = |seat: usize| words[seat / 64] |= 1 << (seat % 64);
        let (Some(&first), Some(&last)) = (self.ordinals.first(), self.ordinals.last()) else {
            return;
        };
        let is_dense = (last - first) as usize + 1 == self.ordinals.len();
        if is_dense {
            let from = members.partition_point(|member| *member < first);
            let to = members.partition_point(|member| *member <= last);
            let of_app = members[from..to].iter();
            of_app.for_each(|member| set((member - first) as usize));
            return;
        }
        let mut from = 0;
        for member in members {
            from += gallop(&self.ordinals[from..], *member);
            if self.ordinals.get(from) == Some(member) {
                set(from);
            }
        }
    }
}

/// Replaces `members` by the ordinals of a published bitmap.
///
/// # Errors
/// A bitmap that is damaged.
pub fn read_members(bytes: &[u8], shard: u32, members: &mut Vec<u32>) -> Result<(), Defect> {
    members.clear();
    if let Some(bucket) = BitmapRef::parse(bytes)?.bucket(shard) {
        bucket.append_to(members);
    }
    Ok(())
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
            let mut words = vec![0; seats.words()];
            seats.set(&Vec::from_iter(members.iter().copied()), &mut words);
            for (seat, ordinal) in ordinals.iter().enumerate() {
                prop_assert_eq!(words[seat / 64] >> (seat % 64) & 1 == 1, members.contains(ordinal));
            }
        }
    }
}
