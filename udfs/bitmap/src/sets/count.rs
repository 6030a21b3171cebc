//! How many values a set operation gives, from the serialized operands, without computing its
//! result.

use super::algebra::{for_each_shared_bucket, for_each_shared_key};
use super::combine;
use crate::format::bucket::Bitmap32Ref;
use crate::format::view::BitmapRef;
use crate::kernels::cpu::per_cpu;

/// Number of values in both.
pub fn and_cardinality(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> u64 {
    let mut count = 0;
    for_each_shared_bucket(a, b, |_, left, right| {
        if !left.keys().are_apart(right.keys()) {
            count += count_shared(left, right);
        }
    });
    count
}

per_cpu! {
    fn count_shared(a: &Bitmap32Ref<'_>, b: &Bitmap32Ref<'_>) -> u64 {
        sum_of_shared(a, b, |i, j| count_chunk(a, i, b, j))
    }
}

/// Adds up what `count` gives for the indices of the containers of each key in both.
#[inline(always)]
pub(crate) fn sum_of_shared(
    a: &Bitmap32Ref<'_>,
    b: &Bitmap32Ref<'_>,
    count: impl Fn(usize, usize) -> u32,
) -> u64 {
    let mut sum = 0;
    if a.has_exact_keys() && b.has_exact_keys() {
        a.keys()
            .for_each_shared(b.keys(), |i, j| sum += u64::from(count(i, j)));
    } else {
        for_each_shared_key(a, b, |_, i, j| sum += u64::from(count(i, j)));
    }
    sum
}

/// Number of values in a container of each. Not part of its callers, which need their registers.
#[inline(never)]
pub(crate) fn count_chunk(a: &Bitmap32Ref<'_>, i: usize, b: &Bitmap32Ref<'_>, j: usize) -> u32 {
    match (a.container_at(i), b.container_at(j)) {
        (Some(left), Some(right)) => combine::and_count(&left, &right),
        _ => 0,
    }
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
