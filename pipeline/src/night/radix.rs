//! Least-significant-digit radix sort of records by an integer key: the one sort of the night that sees every event.

/// Most bits a pass sorts by: that many streams a core can still write to.
const DIGIT_BITS: u32 = 11;
/// Below this a comparison sort is faster than clearing the histograms.
const SMALL: usize = 1 << 9;

/// Sorts `items` by the low `bits` bits of `key`, which must hold the whole key. Stable above a few hundred items; equal
/// keys must be interchangeable. `scratch` is grown to the same length and keeps its memory.
pub fn radix_sort<T: Copy + Default>(items: &mut Vec<T>, scratch: &mut Vec<T>, bits: u32, key: impl Fn(&T) -> u64) {
    if items.len() < SMALL {
        items.sort_unstable_by_key(key);
        return;
    }
    scratch.clear();
    scratch.resize(items.len(), T::default());
    let passes = bits.div_ceil(DIGIT_BITS);
    let digit_bits = bits.div_ceil(passes.max(1));
    for pass in 0..passes {
        let digit = |item: &T| (key(item) >> (pass * digit_bits)) as usize & ((1 << digit_bits) - 1);
        let mut places = vec![0u32; 1 << digit_bits];
        for item in items.iter() {
            places[digit(item)] += 1;
        }
        if places.iter().any(|&count| count as usize == items.len()) {
            continue;
        }
        starts(&mut places);
        for item in items.iter() {
            let place = &mut places[digit(item)];
            scratch[*place as usize] = *item;
            *place += 1;
        }
        std::mem::swap(items, scratch);
    }
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
        fn agrees_with_the_standard_sort(mut items in prop::collection::vec(0u64..1 << 40, 0..3000)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            radix_sort(&mut items, &mut Vec::new(), 40, |&k| k);
            prop_assert_eq!(items, expected);
        }
    }

    #[test]
    fn bits_cover_every_number() {
        assert_eq!([0, 1, 2, 3, 256, 257].map(bits_for), [0, 0, 1, 2, 8, 9]);
    }
}
