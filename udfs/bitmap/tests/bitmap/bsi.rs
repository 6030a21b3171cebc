//! Bit-sliced numbers against a map of numbers.

use crate::sets::{bytes_of, random};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tagmill_bitmap::{BitmapRef, Bsi, Comparison};

fn bsi_of(numbers: &BTreeMap<u64, u64>) -> Bsi {
    let mut slices = BTreeMap::new();
    for bit in 0..63 {
        let members: BTreeSet<u64> = numbers
            .iter()
            .filter(|(_, number)| *number >> bit & 1 == 1)
            .map(|(member, _)| *member)
            .collect();
        if !members.is_empty() {
            slices.insert(bit, bytes_of(&members));
        }
    }
    Bsi {
        members: bytes_of(&numbers.keys().copied().collect()),
        slices,
    }
}

fn numbers() -> impl Strategy<Value = BTreeMap<u64, u64>> {
    (any::<u64>(), 0usize..400, 0u32..62).prop_map(|(seed, count, bits)| {
        let pairs = random(seed).zip(random(seed ^ 7)).take(count);
        pairs
            .map(|(member, number)| (member % 100_000, number & ((1 << bits) - 1)))
            .collect()
    })
}

fn values_of(bytes: &[u8]) -> BTreeSet<u64> {
    BitmapRef::parse(bytes).unwrap().iter().collect()
}

proptest! {
    #[test]
    fn sums_and_places_agree(numbers in numbers(), others in prop::collection::btree_set(0u64..100_000, 0..200)) {
        let mut bsi = bsi_of(&numbers);
        let mut sorted: Vec<u64> = numbers.values().copied().collect();
        sorted.sort_unstable();
        prop_assert_eq!(bsi.count().unwrap(), numbers.len() as u64);
        prop_assert_eq!(bsi.sum().unwrap(), numbers.values().map(|number| u128::from(*number)).sum::<u128>());
        for index in (0..sorted.len() + 2).step_by(1 + sorted.len() / 40) {
            prop_assert_eq!(bsi.nth(index as u64).unwrap(), sorted.get(index).copied());
        }
        for member in numbers.keys().copied().take(20).chain(others.iter().copied().take(20)) {
            prop_assert_eq!(bsi.number(member).unwrap(), numbers.get(&member).copied());
        }
        bsi.keep(&BitmapRef::parse(&bytes_of(&others)).unwrap()).unwrap();
        let kept = numbers.iter().filter(|(member, _)| others.contains(member));
        prop_assert_eq!(bsi.sum().unwrap(), kept.map(|(_, number)| u128::from(*number)).sum::<u128>());
    }

    #[test]
    fn comparisons_agree(numbers in numbers(), seed in any::<u64>()) {
        let bsi = bsi_of(&numbers);
        let near = numbers.values().take(5).flat_map(|number| [i128::from(*number) - 1, i128::from(*number), i128::from(*number) + 1]);
        for number in near.chain([-1, 0, 1, i128::from(u64::MAX) + 1, i128::from(random(seed).next().unwrap())]) {
            let members = |keep: &dyn Fn(i128) -> bool| {
                numbers.iter().filter(|(_, found)| keep(i128::from(**found))).map(|(member, _)| *member).collect::<BTreeSet<u64>>()
            };
            let cases: [(Comparison, &dyn Fn(i128) -> bool); 6] = [
                (Comparison::Less, &|found| found < number),
                (Comparison::LessOrEqual, &|found| found <= number),
                (Comparison::Equal, &|found| found == number),
                (Comparison::NotEqual, &|found| found != number),
                (Comparison::GreaterOrEqual, &|found| found >= number),
                (Comparison::Greater, &|found| found > number),
            ];
            for (comparison, keep) in cases {
                prop_assert_eq!(values_of(&bsi.compare(comparison, number).unwrap()), members(keep), "{:?} \
                    {}", comparison, number);
            }
            prop_assert_eq!(values_of(&bsi.between(number, number + 100).unwrap()), members(&|found| (number..=number + 100).contains(&found)));
        }
    }

    #[test]
    fn the_top_agrees(numbers in numbers(), count in 0usize..450) {
        let mut order: Vec<(u64, u64)> = numbers.iter().map(|(member, number)| (*member, *number)).collect();
        order.sort_by_key(|(member, number)| (std::cmp::Reverse(*number), *member));
        let expected: BTreeSet<u64> = order.iter().take(count).map(|(member, _)| *member).collect();
        prop_assert_eq!(values_of(&bsi_of(&numbers).top(count as u64).unwrap()), expected);
    }
}
