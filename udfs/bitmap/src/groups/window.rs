//! Values of a batch that lie close together, as those of sorted input do: which of them each group
//! has is gathered in flags first.
//!
//! A flag is a byte, which is set without a look at what it was. Bits would have to be read, and
//! wait for the row before.

/// The most flags of all groups: they stay in the fastest cache.
const MOST: usize = 1 << 15;
/// And how many for a row.
const MOST_OF_ROW: usize = 4;

/// The values that a batch seems to lie among, the same for each group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// The first value without its lowest six bits.
    pub(crate) first: u64,
    /// How many words of 64 bits they fill.
    pub(crate) width: usize,
}

impl Window {
    /// What lies between the first value and the last one; `None` if gathering there does not pay.
    pub(crate) fn of(values: &[u64], groups: usize) -> Option<Self> {
        let (first, last) = (values.first()? >> 6, values.last()? >> 6);
        let width = usize::try_from(first.abs_diff(last)).ok()?.checked_add(1)?;
        let flags = width.checked_mul(groups)?.checked_mul(64)?;
        (flags <= MOST.min(values.len() * MOST_OF_ROW)).then_some(Self {
            first: first.min(last),
            width,
        })
    }

    /// Sets the flag of each value, those of group 0 first, after all have been cleared; calls
    /// `other` with each row that does not lie in the window.
    pub(crate) fn gather(
        &self,
        groups: &[usize],
        values: &[u64],
        count: usize,
        flags: &mut Vec<u8>,
        mut other: impl FnMut(usize, u64),
    ) {
        let (first, span) = (self.first << 6, self.width * 64);
        flags.clear();
        flags.resize(count * span, 0);
        for (group, value) in groups.iter().zip(values) {
            let place = value.wrapping_sub(first);
            if place < span as u64
                && let Some(flag) = flags.get_mut(group * span + place as usize)
            {
                *flag = 1;
            } else {
                other(*group, *value);
            }
        }
    }
}

/// Flags as words, a bit each.
pub(crate) fn words_of(flags: &[u8]) -> impl Iterator<Item = u64> {
    flags.as_chunks::<64>().0.iter().map(|flags| {
        let bytes = flags.as_chunks::<8>().0.iter().enumerate();
        // Flag i is at bit 8i: the product has it, and no other, at bit 56 + i.
        bytes.fold(0, |word, (index, flags)| {
            word | (u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56)
                << (index * 8)
        })
    })
}
