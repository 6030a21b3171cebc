//! One test per defect.

use crate::text::hex;
use crate::{formats, read, write};
use tagmill_bitmap::Defect;
use tagmill_bitmap::wire::{Format, Integer, WireDefect};

const ONE: &str = "3a300000 01000000 0000 0000 10000000 0100";
const UINT8: Format = Format::ClickHouse(Integer::UInt8);
const UINT64: Format = Format::ClickHouse(Integer::UInt64);

fn defect(format: Format, bytes: &str) -> WireDefect {
    read(format, &hex(bytes)).unwrap_err()
}

#[test]
fn nothing_is_appended_on_an_error() {
    for format in formats() {
        let mut out = vec![7];
        format
            .decode(&hex(&format!("02 {ONE} 00")), &mut out)
            .unwrap_err();
        assert_eq!(out, [7], "{format:?}");
    }
}

#[test]
fn rejects_no_bytes() {
    for format in formats() {
        assert!(
            matches!(
                read(format, &[]),
                Err(WireDefect::Bitmap(Defect::Truncated { at: 0, left: 0, .. }))
            ),
            "{format:?}"
        );
    }
}

#[test]
fn rejects_unknown_codes() {
    let found = |format, bytes| match defect(format, bytes) {
        WireDefect::UnknownCode { at, found, .. } => (at, found),
        other => panic!("{other}"),
    };
    assert_eq!(found(UINT64, "02"), (0, 2));
    assert_eq!(found(Format::Doris, "06"), (0, 6));
    assert_eq!(found(Format::StarRocks, "05 00"), (0, 5));
    assert_eq!(found(Format::JavaLegacy, "02 00000000"), (0, 2));
    assert_eq!(found(Format::Doris, "0c 03"), (1, 3));
}

#[test]
fn rejects_too_many_listed_values() {
    assert_eq!(
        defect(UINT8, "00 21"),
        WireDefect::TooManyListed {
            at: 1,
            found: 33,
            most: 32
        }
    );
    assert_eq!(
        defect(UINT8, "00 ffffffffffffffffff01"),
        WireDefect::TooManyListed {
            at: 1,
            found: u64::MAX,
            most: 32
        }
    );
    assert_eq!(
        defect(Format::Doris, "05 21"),
        WireDefect::TooManyListed {
            at: 1,
            found: 33,
            most: 32
        }
    );
}

#[test]
fn rejects_values_listed_twice() {
    assert_eq!(
        defect(UINT8, "00 03 07 01 07"),
        WireDefect::ListedTwice { value: 7 }
    );
    let twice = "02000000 0900000000000000 0900000000000000";
    assert_eq!(
        defect(Format::StarRocks, &format!("0a {twice}")),
        WireDefect::ListedTwice { value: 9 }
    );
}

#[test]
fn rejects_numbers_that_are_too_long() {
    assert_eq!(defect(UINT8, "00 8100"), WireDefect::BadNumber { at: 1 });
    assert_eq!(
        defect(UINT8, "00 ffffffffffffffffff02"),
        WireDefect::BadNumber { at: 1 }
    );
    assert_eq!(
        defect(UINT8, "01 80808080808080808080 01"),
        WireDefect::BadNumber { at: 1 }
    );
}

#[test]
fn rejects_lengths_that_are_wrong() {
    assert_eq!(
        defect(UINT8, &format!("01 13 {ONE}")),
        Defect::Truncated {
            at: 2,
            wanted: 19,
            left: 18
        }
        .into()
    );
    assert_eq!(
        defect(UINT8, &format!("01 11 {ONE}")),
        Defect::TrailingBytes { at: 19, count: 1 }.into()
    );
    assert_eq!(
        defect(UINT8, &format!("01 13 {ONE} 00")),
        Defect::TrailingBytes { at: 20, count: 1 }.into()
    );
    assert_eq!(
        defect(UINT8, "01 ffffffffffffffffff01"),
        Defect::Truncated {
            at: 11,
            wanted: usize::MAX,
            left: 0
        }
        .into()
    );
}

#[test]
fn rejects_counts_that_the_bytes_can_not_hold() {
    let too_many = |found| WireDefect::Bitmap(Defect::TooManyBuckets { found, most: 0 });
    assert_eq!(
        defect(Format::Doris, "04 ffffffffffffffffff01"),
        too_many(u64::MAX)
    );
    assert_eq!(defect(Format::Doris, "0d 01"), too_many(1));
    assert_eq!(
        defect(Format::JavaLegacy, "00 ffffffff"),
        too_many(u64::from(u32::MAX))
    );
    assert_eq!(
        defect(Format::Portable64, "ffffffffffffffff"),
        too_many(u64::MAX)
    );
    assert_eq!(
        defect(Format::StarRocks, "0a ffffffff"),
        Defect::Truncated {
            at: 5,
            wanted: 8 * u32::MAX as usize,
            left: 0
        }
        .into()
    );
    assert_eq!(
        defect(Format::StarRocks, "0c 01 ffffffff"),
        Defect::Truncated {
            at: 6,
            wanted: 4 * u32::MAX as usize,
            left: 0
        }
        .into()
    );
}

#[test]
fn rejects_unordered_high_words() {
    let unordered = |at, found, previous| {
        WireDefect::Bitmap(Defect::UnorderedHighs {
            at,
            found,
            previous,
        })
    };
    assert_eq!(
        defect(
            Format::Doris,
            &format!("04 02 07000000 {ONE} 07000000 {ONE}")
        ),
        unordered(24, 7, 7)
    );
    assert_eq!(
        defect(
            Format::JavaLegacy,
            &format!("00 00000002 80000000 {ONE} 00000007 {ONE}")
        ),
        unordered(27, 7, 1 << 31)
    );
    assert_eq!(
        defect(
            Format::JavaLegacy,
            &format!("01 00000002 00000007 {ONE} 80000000 {ONE}")
        ),
        unordered(27, 1 << 31, 7)
    );
}

#[test]
fn rejects_values_of_version_2_that_do_not_ascend() {
    let unordered = WireDefect::UnorderedValues {
        at: 10,
        found: 3,
        previous: 3,
    };
    assert_eq!(
        defect(Format::StarRocks, "0c 01 02000000 03000000 03000000"),
        unordered
    );
}

#[test]
fn rejects_trailing_bytes() {
    let trailing = |at| WireDefect::Bitmap(Defect::TrailingBytes { at, count: 1 });
    assert_eq!(defect(Format::Doris, "00 00"), trailing(1));
    assert_eq!(defect(Format::Doris, "01 00000000 00"), trailing(5));
    assert_eq!(defect(Format::Doris, "03 0000000000000000 00"), trailing(9));
    assert_eq!(defect(Format::Doris, &format!("02 {ONE} 00")), trailing(19));
    assert_eq!(
        defect(Format::Portable32, &format!("{ONE} 00")),
        trailing(18)
    );
    assert_eq!(defect(Format::JavaLegacy, "00 00000000 00"), trailing(5));
}

#[test]
fn positions_count_from_the_start_of_the_value() {
    assert_eq!(
        defect(Format::Doris, "02 00000000"),
        Defect::BadCookie { at: 1, found: 0 }.into()
    );
    assert_eq!(
        defect(UINT64, "01 14 0100000000000000 00000000 00000000 00000000"),
        Defect::BadCookie { at: 14, found: 0 }.into()
    );
}

#[test]
fn rejects_values_beyond_the_type() {
    let misfit = |format, value| match write(format, &[1, value]).unwrap_err() {
        WireDefect::DoesNotFit { value, .. } => value,
        other => panic!("{other}"),
    };
    for (integer, value) in [
        (Integer::UInt8, 256),
        (Integer::UInt16, 65_536),
        (Integer::UInt32, 1 << 32),
        (Integer::Int32, 1 << 32),
    ] {
        assert_eq!(misfit(Format::ClickHouse(integer), value), value);
    }
    for (integer, value) in [
        (Integer::Int8, 256),
        (Integer::Int8, 0xFFFF_FFFF),
        (Integer::Int16, 65_536),
        (Integer::Int16, 0xFFFF_7FFF),
        (Integer::Int8, 1 << 40),
    ] {
        assert_eq!(misfit(Format::ClickHouse(integer), value), value);
    }
    assert_eq!(misfit(Format::Portable32, 1 << 32), 1 << 32);
    assert_eq!(
        write(Format::Portable32, &[1 << 33])
            .unwrap_err()
            .to_string(),
        "value 8589934592 does not fit into a 32-bit bitmap, expected 0 to 4294967295"
    );
    assert_eq!(
        defect(UINT8, "01 12 3a300000 01000000 0000 0000 10000000 0001").to_string(),
        "value 256 does not fit into UInt8, expected 0 to 255"
    );
    assert_eq!(
        defect(
            Format::ClickHouse(Integer::Int8),
            "01 12 3a300000 01000000 0000 0000 10000000 8000"
        )
        .to_string(),
        "value 128 does not fit into Int8, expected a signed integer of its bits"
    );
    assert_eq!(
        defect(Format::ClickHouseNullable(Integer::UInt8), "02").to_string(),
        "flag 2 at byte 0, expected 0 (no value) or 1"
    );
}
