//! Other systems' formats: their published bytes, every defect, damage, round trips.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damage;
mod defects;
mod golden;
mod round_trips;
#[path = "../bitmap/sets.rs"]
mod sets;
mod text;

use tagmill_bitmap::BitmapRef;
use tagmill_bitmap::wire::{Format, Integer, WireDefect};

/// Every format.
fn formats() -> impl Iterator<Item = Format> {
    let others = [
        Format::Portable32,
        Format::Portable64,
        Format::Doris,
        Format::StarRocks,
        Format::JavaLegacy,
    ];
    others
        .into_iter()
        .chain(Integer::ALL.map(Format::ClickHouse))
        .chain(Integer::ALL.map(Format::ClickHouseNullable))
}

/// The values that bytes of a format hold; the bytes decoded are canonical.
fn read(format: Format, bytes: &[u8]) -> Result<Vec<u64>, WireDefect> {
    let mut canonical = Vec::new();
    format.decode(bytes, &mut canonical)?;
    let values: Vec<u64> = BitmapRef::parse(&canonical).unwrap().iter().collect();
    let mut expected = Vec::new();
    tagmill_bitmap::write_sorted_u64(&values, &mut expected);
    assert!(canonical == expected, "{format:?}: not canonical");
    Ok(values)
}

/// A set as bytes of a format.
fn write(format: Format, values: &[u64]) -> Result<Vec<u8>, WireDefect> {
    let (mut bitmap, mut out) = (Vec::new(), Vec::new());
    tagmill_bitmap::write_sorted_u64(values, &mut bitmap);
    format.encode(&BitmapRef::parse(&bitmap).unwrap(), &mut out)?;
    Ok(out)
}
