//! What is written is read back, and by CRoaring too.

use crate::sets::{bytes_of, sets};
use crate::{formats, read, write};
use croaring::{Bitmap, Bitmap64, Native, Portable};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tagmill_bitmap::BitmapRef;
use tagmill_bitmap::wire::{Format, Integer, WireDefect};

/// Whether a format has room for the value, said in other words than the library does.
fn has_room(format: Format, value: u64) -> bool {
    let is_low = value <= u64::from(u32::MAX);
    match format {
        Format::Portable32 => is_low,
        Format::ClickHouse(integer) | Format::ClickHouseNullable(integer) => match integer {
            Integer::UInt8 | Integer::Int8 => value <= u64::from(u8::MAX),
            Integer::UInt16 | Integer::Int16 => value <= u64::from(u16::MAX),
            Integer::UInt32 | Integer::Int32 => is_low,
            Integer::UInt64 | Integer::Int64 => true,
        },
        _ => true,
    }
}

/// Sets that more often have few values, or small ones.
fn any_sets() -> impl Strategy<Value = BTreeSet<u64>> {
    let small = prop::collection::btree_set(
        prop_oneof![
            0u64..300,
            0xFFFF_FF00u64..0x1_0000_0001,
            any::<u64>(),
            30_000u64..70_000
        ],
        0..50,
    );
    prop_oneof![sets(), small, prop::collection::btree_set(0u64..140, 0..60)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_set_is_read_back_or_its_first_misfit_is_named(set in any_sets()) {
        let values: Vec<u64> = set.iter().copied().collect();
        for format in formats() {
            match (write(format, &values), values.iter().find(|value| !has_room(format, **value))) {
                (Ok(bytes), None) => prop_assert_eq!(read(format, &bytes), Ok(values.clone()), "{:?}", format),
                (Err(WireDefect::DoesNotFit { value, .. }), Some(misfit)) => prop_assert_eq!(value, *misfit, "{:?}", format),
                (found, misfit) => prop_assert!(false, "{format:?}: {found:?}, {misfit:?}"),
            }
        }
    }

    #[test]
    fn croaring_reads_what_is_written_and_is_read(set in sets()) {
        let values: Vec<u64> = set.iter().copied().collect();
        let bitmap = Bitmap64::try_deserialize::<Portable>(&write(Format::Portable64, &values).unwrap()).unwrap();
        prop_assert!(bitmap.iter().eq(values.iter().copied()));
        let lows: Vec<u32> = set.iter().filter_map(|value| u32::try_from(*value).ok()).collect();
        let low_values: Vec<u64> = lows.iter().map(|low| u64::from(*low)).collect();
        let theirs = Bitmap::of(&lows);
        prop_assert_eq!(Bitmap::try_deserialize::<Portable>(&write(Format::Portable32, &low_values).unwrap()).unwrap(), theirs.clone());
        prop_assert_eq!(read(Format::Portable32, &theirs.serialize::<Portable>()), Ok(low_values.clone()));
        let version_2 = [vec![12], theirs.serialize::<Native>()].concat();
        prop_assert_eq!(read(Format::StarRocks, &version_2), Ok(low_values));
    }

    #[test]
    fn the_first_value_of_a_range_is_found(set in any_sets(), bounds in (any::<u64>(), any::<u64>()), near in 0usize..60) {
        let bytes = bytes_of(&set);
        let bitmap = BitmapRef::parse(&bytes).unwrap();
        let start = set.iter().nth(near).copied().unwrap_or(bounds.0);
        for (first, last) in [(bounds.0.min(bounds.1), bounds.0.max(bounds.1)), (start, u64::MAX), (start.saturating_add(1), u64::MAX), (start.saturating_add(1), start.saturating_add(70_000))] {
            prop_assert_eq!(bitmap.first_within(first, last), set.range(first..=last).next().copied());
        }
    }
}
