//! The rows of all groups without a bitset: eight bytes per row while all values share one high
//! word, sixteen from then on.

use super::dense::Dense;
use super::parts::{Parts, Walk};
use super::rows::{GroupRows, LogRow};

/// The rows.
#[derive(Debug)]
pub(crate) enum Logs {
    /// The high word of all values, and rows of (group, low word).
    Narrow(u32, Parts<u64>),
    /// Rows of (group, value).
    Wide(Parts<u128>),
}

impl Default for Logs {
    fn default() -> Self {
        Self::Narrow(0, Parts::default())
    }
}

impl Logs {
    /// Adds a row.
    #[inline]
    pub(crate) fn push(&mut self, group: u32, value: u64, dense: &mut Dense) {
        match self {
            Self::Narrow(high, parts) if u64::from(*high) == value >> 32 => {
                parts.push(LogRow::new(group, value), *high, dense)
            }
            Self::Narrow(..) => self.push_other_high(group, value, dense),
            Self::Wide(parts) => parts.push(LogRow::new(group, value), 0, dense),
        }
    }

    #[cold]
    #[inline(never)]
    fn push_other_high(&mut self, group: u32, value: u64, dense: &mut Dense) {
        if let Self::Narrow(high, parts) = self {
            if parts.is_empty() {
                *high = (value >> 32) as u32;
            } else {
                let upper = u64::from(*high) << 32;
                *self = Self::Wide(parts.map(|row| LogRow::new(row.group(), upper | row.low())));
            }
        }
        self.push(group, value, dense);
    }

    /// Compacts the log that holds a group's rows.
    pub(crate) fn compact_group(&mut self, group: u32, dense: &mut Dense) {
        match self {
            Self::Narrow(high, parts) => parts.compact_group(group, *high, dense),
            Self::Wide(parts) => parts.compact_group(group, 0, dense),
        }
    }

    /// The rows of a group; they stay in the log.
    pub(crate) fn of_group(&mut self, group: u32) -> GroupRows<'_> {
        match self {
            Self::Narrow(high, parts) => GroupRows::Narrow(*high, parts.of_group(group)),
            Self::Wide(parts) => GroupRows::Wide(parts.of_group(group)),
        }
    }

    /// Bytes held; O(1).
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Narrow(_, parts) => parts.bytes(),
            Self::Wide(parts) => parts.bytes(),
        }
    }

    /// Splits off the rows of the first `count` groups; the remaining groups are renumbered from 0.
    pub(crate) fn split_first(&mut self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match self {
            Self::Narrow(high, parts) => Self::Narrow(*high, parts.split_first(count)),
            Self::Wide(parts) => Self::Wide(parts.split_first(count)),
        }
    }

    /// Walks the rows group by group.
    pub(crate) fn into_walk(self) -> LogsWalk {
        match self {
            Self::Narrow(high, parts) => LogsWalk::Narrow(high, parts.into_walk()),
            Self::Wide(parts) => LogsWalk::Wide(parts.into_walk()),
        }
    }
}

/// The rows group by group.
#[derive(Debug)]
pub(crate) enum LogsWalk {
    Narrow(u32, Walk<u64>),
    Wide(Walk<u128>),
}

impl LogsWalk {
    /// The rows of a group; to be called with ascending groups.
    #[inline]
    pub(crate) fn of_group(&mut self, group: u32) -> GroupRows<'_> {
        match self {
            Self::Narrow(high, walk) => GroupRows::Narrow(*high, walk.of_group(group)),
            Self::Wide(walk) => GroupRows::Wide(walk.of_group(group)),
        }
    }
}
