//! Questions about two bitmaps that are answered by yes or no, as soon as the answer is known.

use super::combine;
use crate::format::bucket::Bitmap32Ref;
use crate::format::container::Container;
use crate::format::view::BitmapRef;

/// Whether all values of `b` are in `a`.
pub fn has_all(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> bool {
    if b.cardinality() > a.cardinality() {
        return false;
    }
    let mut met = 0;
    for (left, right) in shared_buckets(a, b) {
        for (left, right) in shared_containers(&left, &right) {
            if combine::and_count(&left, &right) != right.cardinality() {
                return false;
            }
            met += u64::from(right.cardinality());
        }
    }
    met == b.cardinality()
}

/// Whether any value is in both.
pub fn has_any(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> bool {
    shared_buckets(a, b).any(|(left, right)| {
        shared_containers(&left, &right).any(|(left, right)| combine::and_count(&left, &right) > 0)
    })
}

/// Whether both hold the same values, however they are written.
pub fn equals(a: &BitmapRef<'_>, b: &BitmapRef<'_>) -> bool {
    a.as_bytes() == b.as_bytes() || a.cardinality() == b.cardinality() && has_all(a, b)
}

/// The buckets with the same high word.
fn shared_buckets<'b>(
    a: &BitmapRef<'b>,
    b: &BitmapRef<'b>,
) -> impl Iterator<Item = (Bitmap32Ref<'b>, Bitmap32Ref<'b>)> {
    let (mut lefts, mut rights) = (a.buckets().peekable(), b.buckets().peekable());
    std::iter::from_fn(move || {
        loop {
            let (left, right) = (lefts.peek()?.0, rights.peek()?.0);
            if left == right {
                return Some((lefts.next()?.1, rights.next()?.1));
            } else if left < right {
                lefts.next();
            } else {
                rights.next();
            }
        }
    })
}

/// The containers with the same key.
fn shared_containers<'b>(
    a: &Bitmap32Ref<'b>,
    b: &Bitmap32Ref<'b>,
) -> impl Iterator<Item = (Container<'b>, Container<'b>)> {
    let (a, b) = (*a, *b);
    let (mut i, mut j) = (0, 0);
    std::iter::from_fn(move || {
        loop {
            let (left, right) = (a.key(i)?, b.key(j)?);
            i += usize::from(left <= right);
            j += usize::from(right <= left);
            if left == right {
                return Some((a.container_at(i - 1)?, b.container_at(j - 1)?));
            }
        }
    })
}
