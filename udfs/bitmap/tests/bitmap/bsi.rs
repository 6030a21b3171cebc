//! Bit-sliced numbers against a map of numbers, in every form that slices can have.

use crate::sets::{bytes_of, random};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tagmill_bitmap::{BitmapRef, Bsi, Comparison, Slice};

/// How numbers are put into slices: any way in which the worths add up is the same index.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// What is below zero has digits of its own.
    SignAndMagnitude,
    /// What is below zero is that much above this power of two below zero.
    TwosComplement(u32),
    /// All are above an offset.
    Offset(i64),
}

/// The bits that a number has in slices of either sign.
fn bits_of(number: i64, form: Form) -> [u128; 2] {
    let wide = i128::from(number);
    match form {
        Form::SignAndMagnitude if number < 0 => [0, wide.unsigned_abs()],
        Form::TwosComplement(bit) if number < 0 => [(wide + (1 << bit)) as u128, 1 << bit],
        Form::SignAndMagnitude | Form::TwosComplement(_) => [wide as u128, 0],
        Form::Offset(offset) => {
            let own = (wide - i128::from(offset)) as u128;
            Slice::of_offset(offset).fold([own, 0], |[plus, minus], slice| match slice {
                Slice::Exists => [plus, minus],
                Slice::Plus(bit) => [plus | 1 << bit, minus],
                Slice::Minus(bit) => [plus, minus | 1 << bit],
            })
        }
    }
}

fn forms(numbers: &BTreeMap<u64, i64>) -> impl Strategy<Value = Form> + use<> {
    let least = numbers.values().copied().min().unwrap_or(0);
    let bit = (0..64u32)
        .find(|bit| -(1i128 << bit) <= i128::from(least))
        .unwrap_or(63);
    prop_oneof![
        Just(Form::SignAndMagnitude),
        (bit..64).prop_map(Form::TwosComplement),
        (0i64..1000).prop_map(move |more| Form::Offset(least.saturating_sub(more))),
    ]
}

/// The index of numbers, those of three shards each in a form of its own.
fn bsi_of(numbers: &BTreeMap<u64, i64>, forms: &[Form; 3]) -> Bsi {
    let mut slices: BTreeMap<Slice, BTreeSet<u64>> = BTreeMap::new();
    for (member, number) in numbers {
        let [plus, minus] = bits_of(*number, forms[(member % 3) as usize]);
        slices.entry(Slice::Exists).or_default().insert(*member);
        for bit in 0..65 {
            for (bits, slice) in [(plus, Slice::Plus(bit)), (minus, Slice::Minus(bit))] {
                if bits >> bit & 1 == 1 {
                    slices.entry(slice).or_default().insert(*member);
                }
            }
        }
    }
    Bsi::of(
        slices
            .into_iter()
            .map(|(slice, members)| (slice, bytes_of(&members))),
    )
    .unwrap()
}

fn numbers() -> impl Strategy<Value = (BTreeMap<u64, i64>, [Form; 3])> {
    let numbers = (any::<u64>(), 0usize..200, 0u32..64, any::<bool>()).prop_map(
        |(seed, count, bits, far)| {
            let pairs = random(seed).zip(random(seed ^ 7)).take(count);
            let mut numbers: BTreeMap<u64, i64> = pairs
                .map(|(member, number)| (member % 100_000, number as i64 >> bits))
                .collect();
            if far {
                numbers.extend([(3, i64::MIN), (4, i64::MAX), (5, 0), (7, -1)]);
            }
            numbers
        },
    );
    numbers.prop_flat_map(|numbers| {
        let forms = [forms(&numbers), forms(&numbers), forms(&numbers)];
        (Just(numbers), forms)
    })
}

fn values_of(bytes: &[u8]) -> BTreeSet<u64> {
    BitmapRef::parse(bytes).unwrap().iter().collect()
}

proptest! {
    #[test]
    fn sums_and_places_agree((numbers, forms) in numbers(), others in prop::collection::btree_set(0u64..100_000, 0..200)) {
        let mut bsi = bsi_of(&numbers, &forms);
        let mut sorted: Vec<i128> = numbers.values().map(|number| i128::from(*number)).collect();
        sorted.sort_unstable();
        prop_assert_eq!(bsi.count().unwrap(), numbers.len() as u64);
        prop_assert_eq!(bsi.sum().unwrap(), numbers.values().map(|number| i128::from(*number)).sum::<i128>());
        for index in (0..sorted.len() + 2).step_by(1 + sorted.len() / 40) {
            prop_assert_eq!(bsi.nth(index as u64).unwrap(), sorted.get(index).copied());
        }
        for member in numbers.keys().copied().take(20).chain(others.iter().copied().take(20)) {
            prop_assert_eq!(bsi.number(member).unwrap(), numbers.get(&member).map(|number| i128::from(*number)));
        }
        bsi.keep(&BitmapRef::parse(&bytes_of(&others)).unwrap()).unwrap();
        let kept = numbers.iter().filter(|(member, _)| others.contains(member));
        prop_assert_eq!(bsi.sum().unwrap(), kept.map(|(_, number)| i128::from(*number)).sum::<i128>());
    }

    #[test]
    fn comparisons_agree((numbers, forms) in numbers(), seed in any::<u64>()) {
        let bsi = bsi_of(&numbers, &forms);
        let near = numbers.values().take(1).flat_map(|number| [i128::from(*number) - 1, i128::from(*number), i128::from(*number) + 1]);
        for number in near.chain([-1, 0, 1, i128::from(u64::MAX) + 1, i128::from(i64::MIN), -(1 << 70), i128::from(random(seed).next().unwrap() as i64)]) {
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
    fn the_top_agrees((numbers, forms) in numbers(), count in 0usize..450) {
        let mut order: Vec<(u64, i64)> = numbers.iter().map(|(member, number)| (*member, *number)).collect();
        order.sort_by_key(|(member, number)| (std::cmp::Reverse(*number), *member));
        let expected: BTreeSet<u64> = order.iter().take(count).map(|(member, _)| *member).collect();
        prop_assert_eq!(values_of(&bsi_of(&numbers, &forms).top(count as u64).unwrap()), expected);
    }
}
