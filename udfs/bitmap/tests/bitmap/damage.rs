//! Damaged bytes: an error or a bitmap that CRoaring reads alike, never a panic.

use crate::sets::{bytes_of, sets};
use croaring::{Bitmap64, Portable};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tagmill_bitmap::{
    BitmapRef, Bsi, GroupSets, Slice, and, and_cardinality, and_cardinality_many, and_many,
    and_not, clear, equals, flip, has_all, has_any, or, or_cardinality_many, or_many, page, range,
    remap_in_turn, xor, xor_cardinality_many,
};
use tagmill_bitmap::{fill, remap, sample, shift};

/// A change of one byte, or a cut.
#[derive(Debug, Clone)]
enum Damage {
    Byte { at: prop::sample::Index, value: u8 },
    HeaderByte { at: usize, value: u8 },
    Cut { at: prop::sample::Index },
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let damage = prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>())
            .prop_map(|(at, value)| Damage::Byte { at, value }),
        (0usize..80, any::<u8>()).prop_map(|(at, value)| Damage::HeaderByte { at, value }),
        any::<prop::sample::Index>().prop_map(|at| Damage::Cut { at }),
    ];
    prop::collection::vec(damage, 0..4)
}

fn damaged(set: &BTreeSet<u64>, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = bytes_of(set);
    for damage in damages {
        match damage {
            _ if bytes.is_empty() => {}
            Damage::Byte { at, value } => *at.get_mut(&mut bytes) = *value,
            Damage::HeaderByte { at, value } => {
                let at = *at % bytes.len();
                bytes[at] = *value;
            }
            Damage::Cut { at } => bytes.truncate(at.index(bytes.len())),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn damaged_bytes_are_refused_or_read_as_croaring_does(set in sets(), damages in damages()) {
        let bytes = damaged(&set, &damages);
        if let Ok(bitmap) = BitmapRef::parse(&bytes) {
            let other = Bitmap64::try_deserialize::<Portable>(&bytes);
            prop_assert!(other.is_some_and(|other| bitmap.iter().eq(other.iter())));
        }
    }

    #[test]
    fn unchecked_contents_never_panic(a in sets(), b in sets(), damages in damages()) {
        let (a, b) = (damaged(&a, &damages), bytes_of(&b));
        let (Ok(left), Ok(right)) = (BitmapRef::parse_layout(&a), BitmapRef::parse_layout(&b)) else { return Ok(()) };
        let mut out = Vec::new();
        for combine in [and, or, xor, and_not] {
            combine(&left, &right, &mut out);
            combine(&right, &left, &mut out);
        }
        or_many(&[left, right, left], &mut out);
        and_many(&[left, right, left], &mut out);
        and_cardinality(&left, &right);
        left.contains(77);
        left.iter().for_each(drop);
        let mut groups = GroupSets::default();
        groups.merge(0, &left);
        groups.drain().write_next(&mut out);
    }

}

proptest! {
    #[test]
    fn unchecked_contents_never_panic_in_parts_and_edits(a in sets(), b in sets(), damages in damages(), value in any::<u64>(), small in 0u64..300_000) {
        let (a, b) = (damaged(&a, &damages), bytes_of(&b));
        let (Ok(left), Ok(right)) = (BitmapRef::parse_layout(&a), BitmapRef::parse_layout(&b)) else { return Ok(()) };
        let mut out = Vec::new();
        let _ = (left.min(), left.max(), left.rank(value), left.rank(small), left.select(small), left.select(value));
        let _ = (has_all(&left, &right), has_all(&right, &left), has_any(&left, &right), equals(&left, &right));
        for bitmaps in [&[left, right][..], &[left, right, left]] {
            let _ = (and_cardinality_many(bitmaps), or_cardinality_many(bitmaps), xor_cardinality_many(bitmaps));
        }
        for (first, last) in [(small, small + 70_000), (0, value), (value, u64::MAX)] {
            range(&left, first, last, &mut out);
            clear(&left, first, last, &mut out);
        }
        let _ = (fill(&left, small, small + 70_000, &mut out), flip(&left, small, small + 70_000, &mut out));
        page(&left, small % 1000, small, &mut out);
        shift(&left, value as i64, &mut out);
        shift(&left, small as i64 - 150_000, &mut out);
        sample(&left, small, value, &mut out);
        let _ = (remap(&left, [(small, value)].into_iter(), &mut out), remap_in_turn(&left, [(small, value)].into_iter(), &mut out));
        let slices = [(Slice::Exists, a.clone()), (Slice::Plus(0), b.clone()), (Slice::Plus(3), a.clone()), (Slice::Minus(2), b.clone())];
        if let Ok(bsi) = Bsi::of(slices) {
            let _ = (bsi.sum(), bsi.nth(small), bsi.number(value), bsi.top(small), bsi.between(1, 5));
        }
    }
}
