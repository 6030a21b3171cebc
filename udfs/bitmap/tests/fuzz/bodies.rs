//! What a fuzzer does with bytes: each function takes any bytes and panics only if the library is
//! wrong.
//!
//! Shared by the targets of `udfs/bitmap/fuzz` and by the bounded run of `cargo test`.

use std::collections::BTreeSet;
use tagmill_bitmap::wire::{Format, Integer};
use tagmill_bitmap::{
    BitmapRef, Expanded, GroupSets, and, and_cardinality, and_many, and_not, and_not_cardinality,
    or, or_cardinality, or_many, write_sorted_u64, xor, xor_cardinality,
};

/// Sets with more values than this take too long to compare.
const MOST: u64 = 1 << 17;

/// Every format.
pub const FORMATS: [Format; 15] = [
    Format::Portable32,
    Format::Portable64,
    Format::Doris,
    Format::StarRocks,
    Format::JavaLegacy,
    Format::ClickHouse(Integer::UInt8),
    Format::ClickHouse(Integer::UInt16),
    Format::ClickHouse(Integer::UInt32),
    Format::ClickHouse(Integer::UInt64),
    Format::ClickHouse(Integer::Int8),
    Format::ClickHouse(Integer::Int16),
    Format::ClickHouse(Integer::Int32),
    Format::ClickHouse(Integer::Int64),
    Format::ClickHouseNullable(Integer::Int8),
    Format::ClickHouseNullable(Integer::UInt64),
];

type Combine = fn(&BitmapRef<'_>, &BitmapRef<'_>, &mut Vec<u8>);
type Count = fn(&BitmapRef<'_>, &BitmapRef<'_>) -> u64;

fn canonical(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let values: Vec<u64> = values.into_iter().collect();
    let mut bytes = Vec::new();
    write_sorted_u64(&values, &mut bytes);
    bytes
}

/// The values of a bitmap, unless they are too many.
fn values(bitmap: &BitmapRef<'_>) -> Option<BTreeSet<u64>> {
    (bitmap.cardinality() <= MOST).then(|| bitmap.iter().collect())
}

/// Any bytes are refused, or a bitmap whose values, cardinality and canonical form agree. Bytes of
/// which only the layout was checked are read without a panic.
pub fn decode(data: &[u8]) {
    if let Ok(bitmap) = BitmapRef::parse_layout(data)
        && bitmap.cardinality() <= MOST
    {
        bitmap.iter().for_each(drop);
        let mut out = Vec::new();
        or(&bitmap, &bitmap, &mut out);
        and_cardinality(&bitmap, &bitmap);
        Expanded::from(&bitmap).and_cardinality(&bitmap);
        bitmap.first_within(7, u64::MAX);
    }
    let Ok(bitmap) = BitmapRef::parse(data) else {
        return;
    };
    let Some(set) = values(&bitmap) else { return };
    assert_eq!(set.len() as u64, bitmap.cardinality());
    assert!(set.iter().all(|value| bitmap.contains(*value)));
    let mut out = Vec::new();
    or_many(&[bitmap], &mut out);
    assert_eq!(out, canonical(set));
}

/// The first byte chooses a format: the others are refused, or a set that is written and read back
/// the same.
pub fn wire(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let format = FORMATS[usize::from(*choice) % FORMATS.len()];
    let mut bitmap = Vec::new();
    if format.decode(data, &mut bitmap).is_err() {
        assert!(bitmap.is_empty());
        return;
    }
    let view = BitmapRef::parse(&bitmap).expect("a decoded bitmap has no defect");
    assert!(
        bitmap.len() <= 30 + data.len() * 8,
        "{} bytes from {}",
        bitmap.len(),
        data.len()
    );
    let (mut written, mut again) = (Vec::new(), Vec::new());
    format
        .encode(&view, &mut written)
        .expect("what was read fits");
    format
        .decode(&written, &mut again)
        .expect("what was written is read");
    assert_eq!(again, bitmap);
}

/// A set told by bytes: five a step, a shape, a chunk and two numbers.
fn told(data: &[u8]) -> BTreeSet<u64> {
    let mut set = BTreeSet::new();
    for step in data.chunks_exact(5).take(64) {
        let (from, more) = (
            u64::from(step[2]) << 8 | u64::from(step[3]),
            u64::from(step[4]),
        );
        let upper = u64::from(step[1] & 1) << 32 | u64::from(step[1] >> 1 & 3) << 16;
        let shape: Box<dyn Iterator<Item = u64>> = match step[0] % 5 {
            0 => Box::new(from..from + 1),
            1 => Box::new(from..from + more),
            2 => Box::new(from..from + more * 256),
            3 => Box::new((from..0x1_0000).step_by(2 + more as usize)),
            _ => Box::new((0..more * 4).map(move |at| from + at * at * 7)),
        };
        set.extend(shape.filter(|low| *low < 0x1_0000).map(|low| upper | low));
    }
    set
}

fn expect_same(a: &BitmapRef<'_>, b: &BitmapRef<'_>, left: &BTreeSet<u64>, right: &BTreeSet<u64>) {
    let results: [(Combine, Count, Vec<u64>); 4] = [
        (
            and,
            and_cardinality,
            left.intersection(right).copied().collect(),
        ),
        (or, or_cardinality, left.union(right).copied().collect()),
        (
            xor,
            xor_cardinality,
            left.symmetric_difference(right).copied().collect(),
        ),
        (
            and_not,
            and_not_cardinality,
            left.difference(right).copied().collect(),
        ),
    ];
    assert_eq!(
        Expanded::from(a).and_cardinality(b),
        left.intersection(right).count() as u64
    );
    for (number, (combine, count, expected)) in results.into_iter().enumerate() {
        assert_eq!(
            count(a, b),
            expected.len() as u64,
            "count of operation {number}"
        );
        let mut out = Vec::new();
        combine(a, b, &mut out);
        assert_eq!(out, canonical(expected), "operation {number}");
    }
}

/// Every operation on two or three sets, told by the two halves of the bytes, gives what the
/// standard library's sets give.
pub fn operations(data: &[u8]) {
    let (first, second) = data.split_at(data.len() / 2);
    let (left, right) = (told(first), told(second));
    let bytes = [
        canonical(left.iter().copied()),
        canonical(right.iter().copied()),
    ];
    let [a, b] = [&bytes[0], &bytes[1]]
        .map(|bytes| BitmapRef::parse(bytes).expect("what is written is read"));
    expect_same(&a, &b, &left, &right);
    let third = told(data);
    let bytes = canonical(third.iter().copied());
    let c = BitmapRef::parse(&bytes).expect("what is written is read");
    let mut out = Vec::new();
    or_many(&[a, b, c], &mut out);
    assert_eq!(
        out,
        canonical(
            left.iter()
                .chain(&right)
                .chain(&third)
                .copied()
                .collect::<BTreeSet<u64>>()
        ),
        "union of three"
    );
    out.clear();
    and_many(&[a, b, c], &mut out);
    assert_eq!(
        out,
        canonical(
            left.iter()
                .filter(|value| right.contains(value) && third.contains(value))
                .copied()
        ),
        "intersection of three"
    );
    out.clear();
    let mut groups = GroupSets::default();
    groups.insert_all(left.iter().map(|value| (0, *value)));
    groups.merge(0, &b);
    assert_eq!(
        groups.drain().write_next(&mut out),
        !(left.is_empty() && right.is_empty())
    );
    let both: Vec<u64> = left.union(&right).copied().collect();
    assert_eq!(
        out,
        if both.is_empty() {
            Vec::new()
        } else {
            canonical(both)
        },
        "a group"
    );
}

/// As [`operations`], on any two valid bitmaps, canonical or not: the first two bytes say where the
/// second begins.
pub fn operations_on_bytes(data: &[u8]) {
    let Some((at, data)) = data.split_first_chunk() else {
        return;
    };
    let (first, second) = data.split_at(usize::from(u16::from_le_bytes(*at)).min(data.len()));
    let (Ok(a), Ok(b)) = (BitmapRef::parse(first), BitmapRef::parse(second)) else {
        return;
    };
    if let (Some(left), Some(right)) = (values(&a), values(&b)) {
        expect_same(&a, &b, &left, &right);
    }
}
