//! Bytes that are fixed: the format specification's files, and small ones spelled out.

use tagmill_bitmap::{BitmapRef, or_many, write_sorted, write_sorted_u64};

/// The values of the specification's 32-bit files.
fn values32() -> Vec<u32> {
    let tripled = (100_000..200_000).map(|k| 3 * k);
    let mut values: Vec<u32> = (0..100_000)
        .step_by(1000)
        .chain(tripled)
        .chain(700_000..800_000)
        .collect();
    values.sort_unstable();
    values
}

/// A 32-bit bitmap as the only bucket of a 64-bit one.
fn framed(high: u32, bitmap32: &[u8]) -> Vec<u8> {
    [&1u64.to_le_bytes()[..], &high.to_le_bytes(), bitmap32].concat()
}

#[test]
fn writes_the_specifications_file_with_runs() {
    let mut bytes = Vec::new();
    write_sorted(0, &values32(), &mut bytes);
    assert!(bytes == framed(0, include_bytes!("../data/bitmapwithruns.bin")));
}

#[test]
fn reads_the_specifications_file_without_runs() {
    let bytes = framed(0, include_bytes!("../data/bitmapwithoutruns.bin"));
    let bitmap = BitmapRef::parse(&bytes).unwrap();
    assert!(bitmap.iter().eq(values32().into_iter().map(u64::from)));
    let mut canonical = Vec::new();
    or_many(&[bitmap], &mut canonical);
    assert!(canonical == framed(0, include_bytes!("../data/bitmapwithruns.bin")));
}

#[test]
fn writes_the_specifications_64_bit_file() {
    let values: Vec<u64> = (0..65_536)
        .step_by(2)
        .chain((1 << 32)..(1 << 32) + 1_000_000)
        .chain([1 << 48])
        .collect();
    let mut bytes = Vec::new();
    write_sorted_u64(&values, &mut bytes);
    assert!(bytes == include_bytes!("../data/bitmap64.bin"));
}

#[test]
fn one_value_takes_thirty_bytes() {
    let mut bytes = Vec::new();
    write_sorted(2, &[0x0003_0005], &mut bytes);
    assert_eq!(
        bytes,
        [
            1, 0, 0, 0, 0, 0, 0, 0, // buckets
            2, 0, 0, 0, // high word
            0x3A, 0x30, 0, 0, 1, 0, 0, 0, // cookie without runs, containers
            3, 0, 0, 0, // key, cardinality - 1
            16, 0, 0, 0, // offset
            5, 0, // value
        ]
    );
}

#[test]
fn a_range_takes_twenty_seven_bytes() {
    let mut bytes = Vec::new();
    write_sorted(0, &(10..1_000).collect::<Vec<u32>>(), &mut bytes);
    assert_eq!(
        bytes,
        [
            1, 0, 0, 0, 0, 0, 0, 0, // buckets
            0, 0, 0, 0, // high word
            0x3B, 0x30, 0, 0,
            1, // cookie with runs, containers - 1, run flags; no offsets below four containers
            0, 0, 0xDD, 3, // key, cardinality - 1
            1, 0, 10, 0, 0xDD, 3, // runs, start, length - 1
        ]
    );
}

#[test]
fn ties_go_to_the_array_then_to_the_bitset() {
    let kind = |values: &[u32]| {
        let mut bytes = Vec::new();
        write_sorted(0, values, &mut bytes);
        (bytes.len(), u16::from_le_bytes([bytes[12], bytes[13]]))
    };
    assert_eq!(
        kind(&[1, 2, 3]),
        (34, 12346),
        "array of 6 bytes, run of 6 bytes"
    );
    assert_eq!(
        kind(&[1, 2, 3, 4]),
        (27, 12347),
        "array of 8 bytes, run of 6 bytes"
    );
    let array: Vec<u32> = (0..4096).map(|value| value * 2).collect();
    assert_eq!(kind(&array), (28 + 8192, 12346), "array of 8,192 bytes");
    let runs = |count: u32| {
        (0..count)
            .flat_map(|run| (run * 32)..(run * 32 + 3))
            .collect::<Vec<u32>>()
    };
    assert_eq!(
        kind(&runs(2047)),
        (21 + 2 + 2047 * 4, 12347),
        "run of 8,190 bytes, bitset of 8,192"
    );
    assert_eq!(
        kind(&runs(2048)),
        (28 + 8192, 12346),
        "run of 8,194 bytes, bitset of 8,192"
    );
}
