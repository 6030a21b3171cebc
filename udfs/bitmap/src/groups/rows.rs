//! A (group, value) row as one integer that sorts by group, then by value.

use crate::format::sorted::{write_bucket, write_sorted};
use crate::format::writer::Writer;
use crate::kernels::sort::SortRow;

/// A row of a log.
pub(crate) trait LogRow: SortRow + Ord + std::fmt::Debug {
    /// Number of low bits that hold the value.
    const VALUE_BITS: u32;
    /// The row of a value, truncated to its lowest [`LogRow::VALUE_BITS`].
    fn new(group: u32, value: u64) -> Self;
    /// The group.
    fn group(self) -> u32;
    /// The value's low bits.
    fn low(self) -> u64;
    /// Group, and value without its lowest 16 bits.
    fn chunk(self) -> u128;
}

impl LogRow for u64 {
    const VALUE_BITS: u32 = 32;

    #[inline(always)]
    fn new(group: u32, value: u64) -> Self {
        u64::from(group) << 32 | value & 0xFFFF_FFFF
    }

    #[inline(always)]
    fn group(self) -> u32 {
        (self >> 32) as u32
    }

    #[inline(always)]
    fn low(self) -> u64 {
        self & 0xFFFF_FFFF
    }

    #[inline(always)]
    fn chunk(self) -> u128 {
        u128::from(self >> 16)
    }
}

impl LogRow for u128 {
    const VALUE_BITS: u32 = 64;

    #[inline(always)]
    fn new(group: u32, value: u64) -> Self {
        u128::from(group) << 64 | u128::from(value)
    }

    #[inline(always)]
    fn group(self) -> u32 {
        (self >> 64) as u32
    }

    #[inline(always)]
    fn low(self) -> u64 {
        self as u64
    }

    #[inline(always)]
    fn chunk(self) -> u128 {
        self >> 16
    }
}

/// The rows of one group, ascending, without duplicates.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GroupRows<'r> {
    /// The high word of all values, and the rows.
    Narrow(u32, &'r [u64]),
    /// Rows with their high words.
    Wide(&'r [u128]),
}

impl GroupRows<'_> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Narrow(_, rows) => rows.is_empty(),
            Self::Wide(rows) => rows.is_empty(),
        }
    }

    /// High word of the first row.
    #[inline]
    pub(crate) fn high(&self) -> Option<u32> {
        match self {
            Self::Narrow(high, rows) => rows.first().map(|_| *high),
            Self::Wide(rows) => rows.first().map(|row| (row >> 32) as u32),
        }
    }

    /// Removes the leading rows with this high word and replaces `lows` by their low words.
    #[inline]
    pub(crate) fn take_bucket(&mut self, high: u32, lows: &mut Vec<u32>) {
        lows.clear();
        match self {
            Self::Narrow(found, _) if *found != high => {}
            Self::Narrow(_, rows) => {
                lows.extend(rows.iter().map(|row| *row as u32));
                *rows = &[];
            }
            Self::Wide(rows) => {
                lows.extend(
                    rows.iter()
                        .take_while(|row| (**row >> 32) as u32 == high)
                        .map(|row| *row as u32),
                );
                *rows = &rows[lows.len()..];
            }
        }
    }

    /// Appends the canonical bitmap of the rows to `out`; nothing if there are no rows.
    #[inline]
    pub(crate) fn write(mut self, lows: &mut Vec<u32>, out: &mut Vec<u8>) {
        let Some(high) = self.high() else { return };
        self.take_bucket(high, lows);
        if self.is_empty() {
            write_sorted(high, lows, out);
            return;
        }
        let mut writer = Writer::new(out);
        write_bucket(&mut writer, high, lows);
        while let Some(high) = self.high() {
            self.take_bucket(high, lows);
            write_bucket(&mut writer, high, lows);
        }
        writer.finish();
    }
}
