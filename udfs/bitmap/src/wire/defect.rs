//! What can be wrong with another system's bytes, or with a set that is to become such bytes.

use crate::Defect;

/// Why bytes are not a set in some format, or a set has no bytes in it. Positions (`at`) count
/// bytes from the start of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireDefect {
    /// The Roaring part, or the framing around it.
    #[error(transparent)]
    Bitmap(#[from] Defect),
    /// A byte that says what follows says nothing known.
    #[error("{what} {found} at byte {at}, expected {expected}")]
    UnknownCode {
        /// What the byte is.
        what: &'static str,
        /// Where it stands.
        at: usize,
        /// What was read.
        found: u8,
        /// What is known.
        expected: &'static str,
    },
    /// More values are listed one by one than a system lists.
    #[error("{found} listed values at byte {at}, expected at most {most}")]
    TooManyListed {
        /// Where the count stands.
        at: usize,
        /// The count that was read.
        found: u64,
        /// The most there can be.
        most: u64,
    },
    /// A list of distinct values has one twice.
    #[error("value {value} is listed twice")]
    ListedTwice {
        /// The value.
        value: u64,
    },
    /// Ascending values do not ascend (duplicates included).
    #[error("value {found} at byte {at} does not come after {previous}")]
    UnorderedValues {
        /// Where the value stands.
        at: usize,
        /// The value that was read.
        found: u32,
        /// The one before it.
        previous: u32,
    },
    /// A number of variable length is more than 64 bits long, or longer than it has to be.
    #[error("number at byte {at} is no shortest LEB128 of at most 64 bits")]
    BadNumber {
        /// Where it starts.
        at: usize,
    },
    /// A value that the format's integers can not be.
    #[error("value {value} does not fit into {target}, expected {expected}")]
    DoesNotFit {
        /// The smallest such value.
        value: u64,
        /// The format's integer.
        target: &'static str,
        /// What fits.
        expected: &'static str,
    },
}
