//! A bijection of `0..n` chosen by a draw: rows come in an order of their own without being held or
//! sorted. Reads nothing, writes nothing. Rounds of xor-shift and odd multiplication on the next
//! power of two, walked until inside.

use crate::draw::Draw;

/// A keyed permutation of `0..len`.
#[derive(Debug, Clone, Copy)]
pub struct Shuffle {
    len: u64,
    mask: u64,
    shift: u32,
    keys: [u64; 3],
}

impl Shuffle {
    /// The permutation of `0..len` that `draw` names.
    pub fn new(len: u64, draw: Draw) -> Self {
        let bits = (64 - len.saturating_sub(1).leading_zeros()).max(2);
        let mask = if bits == 64 {
            u64::MAX
        } else {
            (1 << bits) - 1
        };
        let keys = [0, 1, 2].map(|round| draw.at(round).bits());
        Self {
            len,
            mask,
            shift: bits.div_ceil(2),
            keys,
        }
    }

    /// Where `position` (below `len`) goes: a value below `len`.
    #[inline]
    pub fn apply(&self, position: u64) -> u64 {
        let mut x = position;
        loop {
            for key in self.keys {
                x = (x ^ key) & self.mask;
                x = x.wrapping_mul(key | 1) & self.mask;
                x ^= x >> self.shift;
            }
            if x < self.len {
                return x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Stream;

    #[test]
    fn every_position_goes_somewhere_else() {
        for len in [1u64, 2, 3, 5, 64, 1000, 4097] {
            let shuffle = Shuffle::new(len, Draw::root(3, Stream::Order));
            let mut seen = vec![false; len as usize];
            for position in 0..len {
                seen[shuffle.apply(position) as usize] = true;
            }
            assert!(seen.into_iter().all(|s| s), "{len}");
        }
    }

    #[test]
    fn neighbours_part() {
        let shuffle = Shuffle::new(1 << 20, Draw::root(3, Stream::Order));
        let near = (0..1000)
            .filter(|&p| shuffle.apply(p).abs_diff(shuffle.apply(p + 1)) < 1000)
            .count();
        assert!(near < 20, "{near}");
    }
}
