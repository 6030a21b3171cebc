//! Which keys a 32-bit bitmap has, as bits: what two bitmaps share is found without a walk over
//! their keys.

/// Key of the container that a descriptor describes.
#[inline]
pub(crate) fn key_of(descriptor: &[u8; 4]) -> u16 {
    u16::from_le_bytes([descriptor[0], descriptor[1]])
}

/// Bits of a [`Keys`].
const BITS: u16 = 128;

/// Bit `key % 128` of every key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys(u128);

impl Keys {
    /// The keys of these descriptors.
    #[inline]
    pub(crate) fn of(descriptors: &[[u8; 4]]) -> Self {
        Self(descriptors.iter().fold(0, |bits, descriptor| {
            bits | 1 << (key_of(descriptor) % BITS)
        }))
    }

    /// Whether the bits alone show that no key is in both.
    #[inline]
    pub(crate) fn are_apart(self, other: Self) -> bool {
        self.0 & other.0 == 0
    }

    /// Whether each bit stands for one key, the last of which is this.
    #[inline(always)]
    pub(crate) fn are_exact(last: Option<u16>) -> bool {
        last.is_some_and(|last| last < BITS)
    }

    /// Calls `visit` with both indices of every key in both; both are exact.
    #[inline(always)]
    pub(crate) fn for_each_shared(self, other: Self, mut visit: impl FnMut(usize, usize)) {
        let mut shared = self.0 & other.0;
        while shared != 0 {
            let before = (shared & shared.wrapping_neg()) - 1;
            visit(
                (self.0 & before).count_ones() as usize,
                (other.0 & before).count_ones() as usize,
            );
            shared &= shared - 1;
        }
    }
}
