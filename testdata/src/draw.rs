//! Random draws without a state: a number is a pure function of the seed and of what it is drawn
//! for. Reads nothing, writes nothing. The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood
//! 2014).

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A point in the tree of draws: the root is the seed, every `at` goes one level down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw(u64);

impl Draw {
    /// The root of a stream of draws.
    pub fn root(seed: u64, stream: Stream) -> Self {
        Self(seed).at(0x7461_676d_696c_6c00 | stream as u64)
    }

    /// The draw for the `index`-th thing below this one.
    #[inline]
    pub fn at(self, index: u64) -> Self {
        Self(mix(self
            .0
            .wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN))))
    }

    /// 64 uniform bits.
    #[inline]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Uniform in `0..bound`; 0 when `bound` is 0.
    #[inline]
    pub fn below(self, bound: u64) -> u64 {
        ((u128::from(self.0) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform in `[0, 1)` with 53 bits.
    #[inline]
    pub fn unit(self) -> f64 {
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with the given probability.
    #[inline]
    pub fn chance(self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// An index into `steps`, whose entries are ascending upper bounds of a cumulative share, the
    /// last one 1.
    pub fn pick(self, steps: &[f64]) -> usize {
        let unit = self.unit();
        steps
            .partition_point(|&upper| upper <= unit)
            .min(steps.len().saturating_sub(1))
    }
}

/// What a root is for; two streams never share a draw.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub enum Stream {
    /// Which app a user belongs to.
    App = 1,
    /// The letters of a user's id.
    Id,
    /// How busy a user is.
    Weight,
    /// Whether a user is there on a day.
    Presence,
    /// Attribute values.
    Profile,
    /// Vertical tags.
    Label,
    /// Platform events.
    Event,
    /// What sticks to a user: cities, devices, channels.
    Habit,
    /// Merchants' events.
    Custom,
    /// Order of rows in a file.
    Order,
    /// Rules of groups.
    Rule,
    /// Uploaded lists.
    List,
}

#[inline]
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_pinned() {
        let draw = Draw::root(7, Stream::Event).at(1).at(2);
        assert_eq!(draw, Draw::root(7, Stream::Event).at(1).at(2));
        assert_ne!(draw, Draw::root(8, Stream::Event).at(1).at(2));
        assert_ne!(draw, Draw::root(7, Stream::Custom).at(1).at(2));
    }

    #[test]
    fn units_are_uniform() {
        let root = Draw::root(1, Stream::App);
        let mean = (0..100_000).map(|i| root.at(i).unit()).sum::<f64>() / 100_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((0..10_000).all(|i| root.at(i).below(7) < 7));
    }

    #[test]
    fn pick_follows_the_shares() {
        let root = Draw::root(1, Stream::App);
        let first = (0..100_000)
            .filter(|&i| root.at(i).pick(&[0.25, 1.0]) == 0)
            .count();
        assert!((24_000..26_000).contains(&first), "{first}");
    }
}
