//! The number of a user: what bitmaps hold.
//!
//! ```text
//! 63        32 31         0
//! ┌───────────┬────────────┐
//! │   shard   │  ordinal   │   ordinals are dense per shard, appended, never reused
//! └───────────┴────────────┘
//! ```

use std::fmt;

/// A user's number, unique in the warehouse and never given to another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u64);

impl Uid {
    /// The user with this ordinal inside this shard.
    pub const fn new(shard: u32, ordinal: u32) -> Self {
        Self((shard as u64) << 32 | ordinal as u64)
    }

    /// The shard: the high word.
    pub const fn shard(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The ordinal inside the shard: the low word.
    pub const fn ordinal(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_into_shard_and_ordinal() {
        for (shard, ordinal) in [(0, 0), (0, u32::MAX), (65_535, 0), (65_535, u32::MAX)] {
            let uid = Uid::new(shard, ordinal);
            assert_eq!((uid.shard(), uid.ordinal()), (shard, ordinal));
        }
        assert_eq!(Uid::new(1, 2).0, 4_294_967_298);
    }

    #[test]
    fn orders_by_shard_then_ordinal() {
        assert!(Uid::new(0, u32::MAX) < Uid::new(1, 0));
    }
}
