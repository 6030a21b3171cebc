//! How many values a set operation gives, from the serialized operands, without computing its result.

use super::algebra::{merge, merge_keys};
use super::bucket::Bitmap32Ref;
use super::combine;
use super::view::BitmapRef;

/// Number of values in both.
pub fn and_cardinality(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> u64 {
    let mut count = 0;
    merge(a.buckets(), b.buckets(), |_, left, right| {
        if let (Some(left), Some(right)) = (left, right) {
            count += and_cardinality32(&left, &right);
        }
    });
    count
}

/// Number of values in `a`, `b` or both.
pub fn or_cardinality(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> u64 {
    (a.cardinality() + b.cardinality()).saturating_sub(and_cardinality(a, b))
}

/// Number of values in exactly one.
pub fn xor_cardinality(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> u64 {
    (a.cardinality() + b.cardinality()).saturating_sub(2 * and_cardinality(a, b))
}

/// Number of values in `a` that are not in `b`.
pub fn and_not_cardinality(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> u64 {
    a.cardinality().saturating_sub(and_cardinality(a, b))
}

fn and_cardinality32(a: &Bitmap32Ref<'_>, b: &Bitmap32Ref<'_>) -> u64 {
    let mut count = 0;
    merge_keys(a, b, |_, left, right| {
        let left = left.and_then(|index| a.container_at(index));
        let right = right.and_then(|index| b.container_at(index));
        if let (Some(left), Some(right)) = (left, right) {
            count += u64::from(combine::and_count(&left, &right));
        }
    });
    count
}
