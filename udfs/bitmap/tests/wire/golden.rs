//! Bytes that other systems are known to write.

use crate::text::{base64, hex};
use crate::{read, write};
use tagmill_bitmap::wire::{Format, Integer};

const HIGH: u64 = 1 << 32;

fn assert_reads(format: Format, bytes: &[u8], values: &[u64]) {
    assert_eq!(
        read(format, bytes).as_deref(),
        Ok(values),
        "{format:?} {bytes:02x?}"
    );
}

/// The bytes are read as these values, and these values are written as the bytes.
fn assert_same(format: Format, bytes: &[u8], values: &[u64]) {
    assert_reads(format, bytes, values);
    assert_eq!(
        write(format, values).unwrap(),
        bytes,
        "{format:?} {values:?}"
    );
}

/// States that ClickHouse 26.9 wrote.
#[test]
fn clickhouse_states() {
    let format = Format::ClickHouse(Integer::UInt64);
    assert_same(format, &hex("0000"), &[]);
    assert_same(format, &hex("00010100000000000000"), &[1]);
    let to_33: Vec<u64> = (1..=33).collect();
    assert_same(
        Format::ClickHouse(Integer::UInt32),
        &hex("010f3b3000000100002000010001002000"),
        &to_33,
    );
    assert_same(
        format,
        &hex("011b0100000000000000000000003b3000000100002000010001002000"),
        &to_33,
    );
}

#[test]
fn clickhouse_lists_up_to_32_values_in_the_width_of_the_type() {
    let widths = [
        (Integer::UInt8, "00 02 05 ff", 255),
        (Integer::UInt16, "00 02 0500 ffff", 65_535),
        (Integer::UInt32, "00 02 05000000 ffffffff", 4_294_967_295),
    ];
    for (integer, bytes, last) in widths {
        assert_same(Format::ClickHouse(integer), &hex(bytes), &[5, last]);
    }
    let values: Vec<u64> = (0..32).collect();
    assert_eq!(
        write(Format::ClickHouse(Integer::UInt8), &values).unwrap()[..3],
        [0, 32, 0]
    );
    assert_reads(
        Format::ClickHouse(Integer::UInt8),
        &hex("00 03 09 01 05"),
        &[1, 5, 9],
    );
}

#[test]
fn negative_values_of_clickhouse_have_the_bits_of_their_type() {
    assert_same(
        Format::ClickHouse(Integer::Int8),
        &hex("00 02 01 ff"),
        &[1, 0xFF],
    );
    assert_same(
        Format::ClickHouse(Integer::Int16),
        &hex("00 02 0100 feff"),
        &[1, 0xFFFE],
    );
    assert_same(
        Format::ClickHouse(Integer::Int32),
        &hex("00 01 00000080"),
        &[0x8000_0000],
    );
    assert_same(
        Format::ClickHouse(Integer::Int64),
        &hex("00 01 ffffffffffffffff"),
        &[u64::MAX],
    );
}

/// groupBitmapState(toInt8(toInt64(number) - 20)) and so on over 40 numbers, from ClickHouse 26.9.
#[test]
fn clickhouse_states_of_signed_types() {
    let narrow = hex("0119 3b300100 03 00001300 ffff1300 0100 0000 1300 0100 ecff 1300");
    for (integer, bits) in [
        (Integer::Int8, 8),
        (Integer::Int16, 16),
        (Integer::Int32, 32),
    ] {
        let values: Vec<u64> = (0..20).chain((1 << bits) - 20..1 << bits).collect();
        assert_same(Format::ClickHouse(integer), &narrow, &values);
    }
    let wide = hex(
        "012e 0200000000000000 00000000 3b300000 01 00001300 0100 0000 1300 ffffffff 3b300000 01 \
         ffff1300 0100 ecff 1300",
    );
    let values: Vec<u64> = (0..20).chain(u64::MAX - 19..=u64::MAX).collect();
    assert_same(Format::ClickHouse(Integer::Int64), &wide, &values);
}

/// groupBitmapState of Nullable columns, from ClickHouse 26.9.
#[test]
fn clickhouse_states_of_nullable_types() {
    let wide = Format::ClickHouseNullable(Integer::UInt64);
    assert_same(wide, &hex("00"), &[]);
    assert_same(wide, &hex("01 00 01 0100000000000000"), &[1]);
    assert_same(
        wide,
        &hex("01 01 1b 0100000000000000 00000000 3b300000 01 00002700 0100 0000 2700"),
        &(0..40).collect::<Vec<u64>>(),
    );
    assert_same(
        Format::ClickHouseNullable(Integer::Int8),
        &hex("01 00 05 00 01 fd fe ff"),
        &[0, 1, 253, 254, 255],
    );
    for name in ["Nullable(UInt64)", " nullable( uint64 ) "] {
        assert_eq!(Format::of_clickhouse_type(name), Ok(wide));
    }
    let narrow = Format::ClickHouse(Integer::UInt8);
    assert_eq!(Format::of_clickhouse_type("UInt8"), Ok(narrow));
    for name in ["Nullable(Text)", "Array(UInt8)", "Nullable(UInt8"] {
        assert!(Format::of_clickhouse_type(name).is_err(), "{name}");
    }
}

/// From Doris's own tests of bitmap_to_base64 and bitmap_from_base64.
#[test]
fn doris_writes_codes_0_to_4() {
    let to_32: Vec<u64> = (0..=32).collect();
    let to_31_and_high: Vec<u64> = (0..32).chain([HIGH]).collect();
    let samples: [(&str, &[u64]); 7] = [
        ("AA==", &[]),
        ("AQEAAAA=", &[1]),
        ("AjowAAACAAAAAAAAAJgAAAAYAAAAGgAAAAEAf5Y=", &[1, 9_999_999]),
        ("AjswAAABAAAgAAEAAAAgAA==", &to_32),
        ("AwAAAAABAAAA", &[HIGH]),
        (
            "BAIAAAAAOjAAAAEAAAAAAAAAEAAAAAEAAQAAADowAAABAAAAAAAAABAAAAAAAA==",
            &[1, HIGH],
        ),
        (
            "BAIAAAAAOzAAAAEAAB8AAQAAAB8AAQAAADowAAABAAAAAAAAABAAAAAAAA==",
            &to_31_and_high,
        ),
    ];
    for (text, values) in samples {
        assert_same(Format::Doris, &base64(text), values);
        assert_same(Format::StarRocks, &base64(text), values);
    }
}

/// From the same tests, and from the documentation of bitmap_from_array.
#[test]
fn doris_lists_values() {
    assert_reads(
        Format::Doris,
        &base64("BQMBAAAAAAAAAAMAAAAAAAAABQAAAAAAAAA="),
        &[1, 3, 5],
    );
    assert_reads(
        Format::Doris,
        &base64("BQIBAAAAAAAAAH+WmAAAAAAA"),
        &[1, 9_999_999],
    );
    assert_reads(
        Format::Doris,
        &base64("BQIAAAAAAQAAAAEAAAAAAAAA"),
        &[1, HIGH],
    );
    assert_reads(
        Format::Doris,
        &base64("BQQAAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAADAAAAAAAAAA=="),
        &[0, 1, 2, 3],
    );
    for format in [Format::Doris, Format::StarRocks] {
        assert_reads(format, &base64("CgIAAAAAAAAAAAAAAAEAAAAAAAAA"), &[0, 1]);
    }
}

/// From the same tests: containers that are not run-optimised, and version 2, which embeds
/// CRoaring's own serialization.
#[test]
fn doris_and_starrocks_have_a_second_version() {
    let to_32: Vec<u64> = (0..=32).collect();
    let to_31_and_high: Vec<u64> = (0..32).chain([HIGH]).collect();
    let samples: [(&str, &[u64]); 6] = [
        (
            "AjowAAABAAAAAAAgABAAAAAAAAEAAgADAAQABQAGAAcACAAJAAoACwAMAA0ADgAPABAAEQASABMAFAAVABYAFwAYABkAGgAbABwAHQAeAB8AIAA=",
            &to_32,
        ),
        (
            "BAIAAAAAOjAAAAEAAAAAAB8AEAAAAAAAAQACAAMABAAFAAYABwAIAAkACgALAAwADQAOAA8AEAARABIAEwAUABUAFgAXABgAGQAaABsAHAAdAB4AHwABAAAAOjAAAAEAAAAAAAAAEAAAAAAA",
            &to_31_and_high,
        ),
        ("DAI7MAAAAQAAIAABAAAAIAA=", &to_32),
        (
            "DQIAAAAAAjswAAABAAAfAAEAAAAfAAEAAAABAQAAAAAAAAA=",
            &to_31_and_high,
        ),
        (
            "DAI6MAAAAQAAAAAAIAAQAAAAAAABAAIAAwAEAAUABgAHAAgACQAKAAsADAANAA4ADwAQABEAEgATABQAFQAWABcAGAAZABoAGwAcAB0AHgAfACAA",
            &to_32,
        ),
        (
            "DQIAAAAAAjowAAABAAAAAAAfABAAAAAAAAEAAgADAAQABQAGAAcACAAJAAoACwAMAA0ADgAPABAAEQASABMAFAAVABYAFwAYABkAGgAbABwAHQAeAB8AAQAAAAEBAAAAAAAAAA==",
            &to_31_and_high,
        ),
    ];
    for (text, values) in samples {
        assert_reads(Format::Doris, &base64(text), values);
        assert_reads(Format::StarRocks, &base64(text), values);
    }
}

/// The format specification's file, which Java and CRoaring write: 32-bit, bare as
/// pg_roaringbitmap's rb.
#[test]
fn portable_32_bit_files() {
    let file = include_bytes!("../data/bitmapwithruns.bin");
    let values = read(Format::Portable32, file).unwrap();
    assert_eq!(values.len(), 200_100);
    assert!(write(Format::Portable32, &values).unwrap() == file);
    assert_eq!(
        read(
            Format::Portable32,
            include_bytes!("../data/bitmapwithoutruns.bin")
        ),
        Ok(values)
    );
    assert_same(Format::Portable32, &hex("3a300000 00000000"), &[]);
}

#[test]
fn portable_64_bit_files() {
    let file = include_bytes!("../data/bitmap64.bin");
    let values = read(Format::Portable64, file).unwrap();
    assert!(write(Format::Portable64, &values).unwrap() == file);
    assert_same(Format::Portable64, &hex("0000000000000000"), &[]);
}

/// Laid out by hand after Roaring64NavigableMap.serializeLegacy: flag, then big-endian count and
/// high words.
#[test]
fn java_legacy_maps() {
    let one = "3a300000 01000000 0000 0000 10000000 0100";
    assert_same(Format::JavaLegacy, &hex("00 00000000"), &[]);
    assert_same(
        Format::JavaLegacy,
        &hex(&format!("00 00000002 00000001 {one} ffffffff {one}")),
        &[HIGH + 1, u64::MAX - HIGH + 2],
    );
    assert_reads(
        Format::JavaLegacy,
        &hex(&format!("01 00000002 ffffffff {one} 00000001 {one}")),
        &[HIGH + 1, u64::MAX - HIGH + 2],
    );
}
