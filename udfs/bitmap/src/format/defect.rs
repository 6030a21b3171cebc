//! What can be wrong with serialized bitmap bytes.

/// Why bytes are not a portable 64-bit Roaring bitmap. Positions (`at`) count bytes from the start
/// of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The bytes end inside something they announce.
    #[error("truncated: {wanted} bytes wanted at byte {at}, {left} left")]
    Truncated {
        /// Where the missing part starts.
        at: usize,
        /// Its size in bytes.
        wanted: usize,
        /// How many bytes there are.
        left: usize,
    },
    /// Bytes are left after the last bucket.
    #[error("{count} trailing bytes after the bitmap's end at byte {at}")]
    TrailingBytes {
        /// Where the bitmap ends.
        at: usize,
        /// How many bytes follow.
        count: usize,
    },
    /// The bucket count is more than the bytes that follow can hold.
    #[error("bucket count {found} is more than the {most} that the remaining bytes can hold")]
    TooManyBuckets {
        /// The count that was read.
        found: u64,
        /// The most there can be.
        most: u64,
    },
    /// High words do not ascend strictly (duplicates included).
    #[error("high word {found} at byte {at} does not come after {previous}")]
    UnorderedHighs {
        /// Where the high word stands.
        at: usize,
        /// The high word that was read.
        found: u32,
        /// The one before it.
        previous: u32,
    },
    /// A 32-bit bitmap starts with neither cookie.
    #[error("bad cookie {found} at byte {at}, expected 12346 or 12347")]
    BadCookie {
        /// Where the cookie stands.
        at: usize,
        /// What was read.
        found: u32,
    },
    /// More containers than a 32-bit bitmap can have.
    #[error("container count {found} at byte {at}, expected at most 65536")]
    TooManyContainers {
        /// Where the count stands.
        at: usize,
        /// The count that was read.
        found: u32,
    },
    /// A run flag is set beyond the last container.
    #[error("run flags at byte {at} are set beyond the last container")]
    StrayRunFlags {
        /// Where the last byte of the flags stands.
        at: usize,
    },
    /// Container keys do not ascend strictly (duplicates included).
    #[error("container key {found} at byte {at} does not come after {previous}")]
    UnorderedKeys {
        /// Where the key stands.
        at: usize,
        /// The key that was read.
        found: u16,
        /// The one before it.
        previous: u16,
    },
    /// An offset does not point at its container.
    #[error("offset {found} of container {key}, expected {expected}")]
    WrongOffset {
        /// The container's key.
        key: u16,
        /// The offset that was read.
        found: u32,
        /// Where the container is.
        expected: u32,
    },
    /// An array container's values do not ascend strictly (duplicates included).
    #[error("array container {key} does not ascend")]
    UnorderedArray {
        /// The container's key.
        key: u16,
    },
    /// A container holds another number of values than its descriptor says.
    #[error("container {key} holds {found} values, its descriptor says {declared}")]
    WrongCardinality {
        /// The container's key.
        key: u16,
        /// What the descriptor says.
        declared: u32,
        /// What was counted.
        found: u32,
    },
    /// A run container has no runs.
    #[error("run container {key} has no runs")]
    NoRuns {
        /// The container's key.
        key: u16,
    },
    /// A run starts inside or right after the run before it, or before it.
    #[error("run {run} of container {key} overlaps, touches or precedes the run before it")]
    UnorderedRuns {
        /// The container's key.
        key: u16,
        /// The number of the run, from 0.
        run: u16,
    },
    /// A run reaches beyond the 65,536 values of its container.
    #[error("run {run} of container {key} reaches beyond the container")]
    RunTooLong {
        /// The container's key.
        key: u16,
        /// The number of the run, from 0.
        run: u16,
    },
}
