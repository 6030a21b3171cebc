//! How many values a set operation gives, from the serialized operands, without computing its result.

use super::algebra::{for_each_shared_bucket, for_each_shared_key};
use super::combine;
use super::view::BitmapRef;

/// Number of values in both.
pub fn and_cardinality(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> u64 {
    let mut count = 0;
    for_each_shared_bucket(a, b, |_, left, right| {
        for_each_shared_key(left, right, |_, i, j| {
            if let (Some(left), Some(right)) = (left.container_at(i), right.container_at(j)) {
                count += u64::from(combine::and_count(&left, &right));
            }
        });
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
