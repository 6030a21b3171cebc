//! Sets with every kind of container, for property tests.

use proptest::prelude::*;
use std::collections::BTreeSet;
use tagmill_bitmap::write_sorted_u64;

/// What one container is made of.
#[derive(Debug, Clone)]
enum Shape {
    Few(Vec<u16>),
    Range(u16, u16),
    Stride { start: u16, step: u16 },
    Scattered { seed: u64, count: u16 },
    Bursts { seed: u64, count: u16 },
}

impl Shape {
    fn values(&self) -> Vec<u16> {
        match self {
            Self::Few(values) => values.clone(),
            Self::Range(first, more) => (*first..=first.saturating_add(*more)).collect(),
            Self::Stride { start, step } => {
                (*start..=u16::MAX).step_by(usize::from(*step)).collect()
            }
            Self::Scattered { seed, count } => random(*seed)
                .take(usize::from(*count))
                .map(|bits| bits as u16)
                .collect(),
            Self::Bursts { seed, count } => random(*seed)
                .take(usize::from(*count))
                .flat_map(|bits| {
                    (bits as u16)..=(bits as u16).saturating_add((bits >> 32) as u16 % 40)
                })
                .collect(),
        }
    }
}

/// Endless pseudo-random numbers.
pub fn random(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        3 => prop::collection::vec(any::<u16>(), 0..40).prop_map(Shape::Few),
        1 => prop::collection::vec(0u16..60, 0..40).prop_map(Shape::Few),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(first, more)| Shape::Range(first, more)),
        1 => Just(Shape::Range(0, u16::MAX)),
        1 => (any::<u16>(), 1u16..40).prop_map(|(start, step)| Shape::Stride { start, step }),
        2 => (any::<u64>(), 0u16..12_000).prop_map(|(seed, count)| Shape::Scattered { seed, count }),
        2 => (any::<u64>(), 0u16..1_500).prop_map(|(seed, count)| Shape::Bursts { seed, count }),
    ]
}

/// Values of up to five containers under few keys, so that two sets often share some.
pub fn sets() -> impl Strategy<Value = BTreeSet<u64>> {
    let high = prop::sample::select(vec![0u64, 0, 0, 1, 70_000, u64::from(u32::MAX)]);
    let key = prop::sample::select(vec![0u64, 1, 2, 3, 65_535]);
    prop::collection::vec((high, key, shape()), 0..6).prop_map(|chunks| {
        let values = chunks.iter().flat_map(|(high, key, shape)| {
            let upper = high << 32 | key << 16;
            shape
                .values()
                .into_iter()
                .map(move |low| upper | u64::from(low))
        });
        values.collect()
    })
}

/// Canonical bytes of a set.
pub fn bytes_of(set: &BTreeSet<u64>) -> Vec<u8> {
    let values: Vec<u64> = set.iter().copied().collect();
    let mut out = Vec::new();
    write_sorted_u64(&values, &mut out);
    out
}
