//! A dense window for batches whose values are close together, as in sorted input: membership is
//! first collected in one flag per group and value.
//!
//! A flag is a byte, so that setting it is a blind store. Setting a bit is a read-modify-write,
//! which depends on the row before.

/// The most flags of all groups together: they fit the L1 cache.
const MOST: usize = 1 << 15;
/// The most flags per row of the batch: beyond, clearing them costs more than they save.
const MOST_OF_ROW: usize = 4;

/// The range of values of a batch, the same for every group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Index of the first word: the first value divided by 64.
    pub(crate) first: u64,
    /// Width in words of 64 bits.
    pub(crate) width: usize,
}

impl Window {
    /// The window from the first value to the last one; `None` if it does not pay.
    pub(crate) fn of(values: &[u64], groups: usize) -> Option<Self> {
        let (first, last) = (values.first()? >> 6, values.last()? >> 6);
        let width = usize::try_from(first.abs_diff(last)).ok()?.checked_add(1)?;
        let flags = width.checked_mul(groups)?.checked_mul(64)?;
        (flags <= MOST.min(values.len() * MOST_OF_ROW)).then_some(Self {
            first: first.min(last),
            width,
        })
    }

    /// Clears the flags, group-major, and sets that of each row; calls `other` with each row
    /// outside the window.
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

/// Packs flags into words, one bit each.
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
