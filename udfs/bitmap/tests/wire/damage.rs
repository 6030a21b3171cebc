//! Every truncation and every changed bit of samples: an error or a set, never a panic.

use crate::{formats, read, write};
use tagmill_bitmap::wire::{Format, Integer, WireDefect};

/// Sets of every shape that a format tells apart: empty, one value, few, many; arrays, runs, a
/// bitset, several high words.
fn samples() -> Vec<Vec<u64>> {
    let bitset = (0..9_000).map(|value| value * 7);
    vec![
        vec![],
        vec![77],
        vec![1, 3, 90],
        (0..40).map(|value| value * 3).collect(),
        (5..120).collect(),
        bitset.collect(),
        vec![1 << 40],
        vec![9, 70_000, 1 << 33, (1 << 33) + 1, u64::MAX],
        (0..3)
            .flat_map(|high| (0..50).map(move |low| high << 32 | low))
            .collect(),
    ]
}

/// Bytes of every format, with codes and kinds that are not written but read.
fn bytes_of_samples() -> Vec<(Format, Vec<u8>)> {
    let mut all = Vec::new();
    for format in formats() {
        all.extend(
            samples()
                .iter()
                .filter_map(|values| write(format, values).ok())
                .map(|bytes| (format, bytes)),
        );
    }
    let of = |value: u64| value.to_le_bytes();
    for format in [Format::Doris, Format::StarRocks] {
        all.push((
            format,
            [&[10, 2, 0, 0, 0][..], &of(9), &of(1 << 50)].concat(),
        ));
        all.push((
            format,
            [&[12, 1, 2, 0, 0, 0][..], &of(9 | 10 << 32)].concat(),
        ));
        let portable = write(Format::Portable32, &[5, 6, 99]).unwrap();
        all.push((
            format,
            [
                &[13, 2, 0, 0, 0, 0, 2][..],
                &portable,
                &[1, 0, 0, 0, 1, 1, 0, 0, 0, 7, 0, 0, 0],
            ]
            .concat(),
        ));
    }
    all.push((Format::Doris, [&[5, 2][..], &of(9), &of(3)].concat()));
    let java = write(Format::JavaLegacy, &[1, 1 << 40]).unwrap();
    all.push((Format::JavaLegacy, [&[1][..], &java[1..]].concat()));
    all
}

#[test]
fn samples_are_sets() {
    for (format, bytes) in bytes_of_samples() {
        assert!(read(format, &bytes).is_ok(), "{format:?} {bytes:02x?}");
    }
}

#[test]
fn every_truncation_is_refused() {
    for (format, bytes) in bytes_of_samples() {
        for len in 0..bytes.len() {
            let found = read(format, &bytes[..len]).unwrap_err();
            assert!(
                matches!(found, WireDefect::Bitmap(_)),
                "{format:?} {len} of {}: {found}",
                bytes.len()
            );
        }
    }
}

#[test]
fn every_changed_bit_is_refused_or_a_set() {
    for (format, mut bytes) in bytes_of_samples() {
        // The inside of a bitset is a set whatever its bits are: a sample of them does.
        let step = if bytes.len() > 2_000 { 97 } else { 1 };
        for bit in (0..bytes.len() * 8).filter(|bit| *bit < 400 || bit % step == 0) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let _ = read(format, &bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// What is read in one format is not by chance read in another: at most it is a set there too.
#[test]
fn bytes_of_other_formats_never_panic() {
    let all = bytes_of_samples();
    for (_, bytes) in &all {
        for format in formats() {
            let _ = read(format, bytes);
        }
    }
}

#[test]
fn types_are_known_by_name() {
    for integer in Integer::ALL {
        assert_eq!(integer.name().parse(), Ok(integer));
        assert_eq!(integer.name().to_lowercase().parse(), Ok(integer));
    }
    assert_eq!(
        "UInt128".parse::<Integer>().unwrap_err(),
        "type \"UInt128\", expected one of UInt8, UInt16, UInt32, UInt64, Int8, Int16, Int32, \
         Int64"
    );
}
