//! Radix sort of records by an integer key: the one sort of the night that sees every event.
//!
//! Large arrays are split by their highest bits first, so that the passes over each part stay in
//! the cache.

/// Most bits a pass sorts by: as many streams as stay in the nearest cache.
const DIGIT_BITS: u32 = 8;
/// Bits of the split, and from how many records on it pays. Few: the split swaps over the whole
/// array.
const SPLIT_BITS: u32 = 6;
const LARGE: usize = 1 << 17;
/// Below this a comparison sort is faster than clearing the histograms.
const SMALL: usize = 1 << 9;

/// Sorts `items` by the low `bits` bits of `key`, which must hold the whole key; equal keys must be
/// interchangeable. `scratch` is grown to the largest part and keeps its memory.
pub fn radix_sort<T: Copy + Default>(
    items: &mut [T],
    scratch: &mut Vec<T>,
    bits: u32,
    key: impl Fn(&T) -> u64 + Copy,
) {
    if items.len() < SMALL {
        items.sort_unstable_by_key(key);
        return;
    }
    if items.len() < LARGE || bits <= DIGIT_BITS {
        return sort_part(items, scratch, bits, key);
    }
    let rest = bits - SPLIT_BITS;
    let ends = split(items, 1 << SPLIT_BITS, |item| {
        (key(item) >> rest) as usize & ((1 << SPLIT_BITS) - 1)
    });
    let mut start = 0;
    for end in ends {
        sort_part(&mut items[start..end as usize], scratch, rest, key);
        start = end as usize;
    }
}

/// Puts items into their buckets where they stand, in any order inside; returns the ends of the
/// buckets.
fn split<T: Copy>(items: &mut [T], buckets: usize, bucket: impl Fn(&T) -> usize) -> Vec<u32> {
    let mut places = vec![0u32; buckets];
    for item in items.iter() {
        places[bucket(item)] += 1;
    }
    let total = starts(&mut places);
    let ends: Vec<u32> = places.iter().skip(1).copied().chain([total]).collect();
    for own in 0..buckets {
        while places[own] < ends[own] {
            let mut item = items[places[own] as usize];
            let mut to = bucket(&item);
            while to != own {
                std::mem::swap(&mut item, &mut items[places[to] as usize]);
                places[to] += 1;
                to = bucket(&item);
            }
            items[places[own] as usize] = item;
            places[own] += 1;
        }
    }
    ends
}

/// Sorts by the low bits, lowest digit first.
fn sort_part<T: Copy + Default>(
    items: &mut [T],
    scratch: &mut Vec<T>,
    bits: u32,
    key: impl Fn(&T) -> u64 + Copy,
) {
    if items.len() < SMALL {
        let mask = 1u64.checked_shl(bits).map_or(u64::MAX, |bit| bit - 1);
        return items.sort_unstable_by_key(|item| key(item) & mask);
    }
    if scratch.len() < items.len() {
        scratch.resize(items.len(), T::default());
    }
    let scratch = &mut scratch[..items.len()];
    let passes = bits.div_ceil(DIGIT_BITS);
    let digit_bits = bits.div_ceil(passes.max(1));
    let (mut from, mut to) = (items, scratch);
    for pass in 0..passes {
        scatter(from, to, 1 << digit_bits, |item| {
            (key(item) >> (pass * digit_bits)) as usize & ((1 << digit_bits) - 1)
        });
        std::mem::swap(&mut from, &mut to);
    }
    if passes % 2 == 1 {
        to.copy_from_slice(from);
    }
}

/// Writes items in order of their bucket, keeping the order inside; returns the ends of the
/// buckets.
fn scatter<T: Copy>(
    from: &[T],
    to: &mut [T],
    buckets: usize,
    bucket: impl Fn(&T) -> usize,
) -> Vec<u32> {
    let mut places = vec![0u32; buckets];
    for item in from {
        places[bucket(item)] += 1;
    }
    starts(&mut places);
    for item in from {
        let place = &mut places[bucket(item)];
        to[*place as usize] = *item;
        *place += 1;
    }
    places
}

/// Counts -> first places, in place; returns the sum.
pub fn starts(counts: &mut [u32]) -> u32 {
    let mut next = 0;
    for count in counts {
        next += std::mem::replace(count, next);
    }
    next
}

/// How many bits numbers below `count` need.
pub fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_standard_sort(mut items in prop::collection::vec(0u64..1 << 40, 0..3000), bits in 40u32..=64) {
            let mut expected = items.clone();
            expected.sort_unstable();
            radix_sort(&mut items, &mut Vec::new(), bits, |&k| k);
            prop_assert_eq!(items, expected);
        }
    }

    #[test]
    fn large_arrays_are_sorted_too() {
        let mut items: Vec<u64> = (0..3 * LARGE as u64)
            .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 26)
            .collect();
        let mut expected = items.clone();
        expected.sort_unstable();
        radix_sort(&mut items, &mut Vec::new(), 38, |&k| k);
        assert_eq!(items, expected);
    }

    #[test]
    fn bits_cover_every_number() {
        assert_eq!([0, 1, 2, 3, 256, 257].map(bits_for), [0, 0, 1, 2, 8, 9]);
    }
}
