//! Set operations on two serialized bitmaps: container by container, written once, in canonical
//! form.

use super::combine;
use crate::COOKIE_NO_RUNS;
use crate::format::bucket::Bitmap32Ref;
use crate::format::container::Container;
use crate::format::encode::write_container;
use crate::format::stretches::Stretches;
use crate::format::view::BitmapRef;
use crate::format::writer::Writer;
use std::cmp::Ordering;

/// What is in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    And,
    Or,
    Xor,
    AndNot,
}

impl Operation {
    /// Whether what is only in the first bitmap stays.
    fn keeps_left(self) -> bool {
        self != Self::And
    }

    /// Whether what is only in the second bitmap stays.
    fn keeps_right(self) -> bool {
        matches!(self, Self::Or | Self::Xor)
    }

    fn combine(
        self,
        writer: &mut Writer<'_>,
        key: u16,
        a: &Container<'_>,
        b: &Container<'_>,
        found: &mut Stretches,
    ) {
        match self {
            Self::And => combine::and(writer, key, a, b, found),
            Self::Or => combine::or(writer, key, a, b, found),
            Self::Xor => combine::xor(writer, key, a, b, found),
            Self::AndNot => combine::and_not(writer, key, a, b, found),
        }
    }
}

/// Appends the canonical bitmap of the values in both `a` and `b` to `out`.
pub fn and(a: &BitmapRef<'_>, b: &BitmapRef<'_>, out: &mut Vec<u8>) {
    write(Operation::And, a, b, out);
}

/// Appends the canonical bitmap of the values in `a`, `b` or both to `out`.
pub fn or(a: &BitmapRef<'_>, b: &BitmapRef<'_>, out: &mut Vec<u8>) {
    write(Operation::Or, a, b, out);
}

/// Appends the canonical bitmap of the values in exactly one of `a` and `b` to `out`.
pub fn xor(a: &BitmapRef<'_>, b: &BitmapRef<'_>, out: &mut Vec<u8>) {
    write(Operation::Xor, a, b, out);
}

/// Appends the canonical bitmap of the values in `a` that are not in `b` to `out`.
pub fn and_not(a: &BitmapRef<'_>, b: &BitmapRef<'_>, out: &mut Vec<u8>) {
    write(Operation::AndNot, a, b, out);
}

fn write(operation: Operation, a: &BitmapRef<'_>, b: &BitmapRef<'_>, out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    let mut found = Stretches::default();
    if operation == Operation::And {
        for_each_shared_bucket(a, b, |high, left, right| {
            write_shared(&mut writer, high, left, right, &mut found)
        });
    } else {
        merge(a.buckets(), b.buckets(), |high, left, right| {
            match (left, right) {
                (Some(left), Some(right)) => {
                    write_both(operation, &mut writer, high, &left, &right, &mut found)
                }
                (Some(only), None) if operation.keeps_left() => {
                    write_bucket(&mut writer, high, &only)
                }
                (None, Some(only)) if operation.keeps_right() => {
                    write_bucket(&mut writer, high, &only)
                }
                _ => {}
            }
        });
    }
    writer.finish();
}

/// Writes the intersection of two buckets.
fn write_shared(
    writer: &mut Writer<'_>,
    high: u32,
    a: &Bitmap32Ref<'_>,
    b: &Bitmap32Ref<'_>,
    found: &mut Stretches,
) {
    let most = a.container_count().min(b.container_count());
    writer.begin_bucket(high, most, a.may_have_runs() && b.may_have_runs());
    for_each_shared_key(a, b, |key, i, j| {
        if let (Some(left), Some(right)) = (a.container_at(i), b.container_at(j)) {
            combine::and(writer, key, &left, &right, found);
        }
    });
    writer.end_bucket();
}

fn write_both(
    operation: Operation,
    writer: &mut Writer<'_>,
    high: u32,
    a: &Bitmap32Ref<'_>,
    b: &Bitmap32Ref<'_>,
    found: &mut Stretches,
) {
    let (containers, expects_runs) = expect(operation, a, b);
    writer.begin_bucket(high, containers, expects_runs);
    merge_keys(a, b, |key, left, right| match (left, right) {
        (Some(left), Some(right)) => {
            if let (Some(left), Some(right)) = (a.container_at(left), b.container_at(right)) {
                operation.combine(writer, key, &left, &right, found);
            }
        }
        (Some(left), None) if operation.keeps_left() => copy(writer, key, a, left),
        (None, Some(right)) if operation.keeps_right() => copy(writer, key, b, right),
        _ => {}
    });
    writer.end_bucket();
}

fn copy(writer: &mut Writer<'_>, key: u16, bitmap: &Bitmap32Ref<'_>, index: usize) {
    if let Some(container) = bitmap.container_at(index) {
        write_container(writer, key, &container);
    }
}

/// Appends the canonical 32-bit bitmap of the values to `out`; an empty one for none.
pub(crate) fn write_bitmap32(bitmap: Option<&Bitmap32Ref<'_>>, out: &mut Vec<u8>) {
    let Some(bitmap) = bitmap.filter(|bitmap| bitmap.container_count() > 0) else {
        out.extend_from_slice(&[COOKIE_NO_RUNS, 0].map(u32::to_le_bytes).concat());
        return;
    };
    let start = out.len();
    let mut writer = Writer::new(out);
    write_bucket(&mut writer, 0, bitmap);
    writer.finish();
    // Bucket count and high word stand before it.
    out.drain(start..start + 12);
}

/// Writes a bucket in its canonical form.
pub(crate) fn write_bucket(writer: &mut Writer<'_>, high: u32, bitmap: &Bitmap32Ref<'_>) {
    writer.begin_bucket(high, bitmap.container_count(), bitmap.may_have_runs());
    for (key, container) in bitmap.containers() {
        write_container(writer, key, &container);
    }
    writer.end_bucket();
}

/// Number of containers and kind of header that the result will most likely have.
fn expect(operation: Operation, a: &Bitmap32Ref<'_>, b: &Bitmap32Ref<'_>) -> (usize, bool) {
    if operation == Operation::AndNot {
        return (a.container_count(), a.may_have_runs());
    }
    let mut shared = 0;
    let (mut i, mut j) = (0, 0);
    while let (Some(left), Some(right)) = (a.key(i), b.key(j)) {
        shared += usize::from(left == right);
        i += usize::from(left <= right);
        j += usize::from(right <= left);
    }
    (
        a.container_count() + b.container_count() - shared,
        a.may_have_runs() || b.may_have_runs(),
    )
}

/// Calls `visit` for every high word in both bitmaps, ascending.
#[inline(always)]
pub(crate) fn for_each_shared_bucket<'b>(
    a: &BitmapRef<'b>,
    b: &BitmapRef<'b>,
    mut visit: impl FnMut(u32, &Bitmap32Ref<'b>, &Bitmap32Ref<'b>),
) {
    if let (Some((high, left)), Some((other, right))) = (a.only_bucket(), b.only_bucket()) {
        if high == other {
            visit(high, left, right);
        }
        return;
    }
    let (mut lefts, mut rights) = (a.buckets(), b.buckets());
    let (mut left, mut right) = (lefts.next(), rights.next());
    while let (Some((high, left_bucket)), Some((other, right_bucket))) = (&left, &right) {
        let order = high.cmp(other);
        if order.is_eq() {
            visit(*high, left_bucket, right_bucket);
        }
        if order.is_le() {
            left = lefts.next();
        }
        if order.is_ge() {
            right = rights.next();
        }
    }
}

/// Calls `visit` for every key in both bitmaps with the indices of its containers, ascending.
#[inline(always)]
pub(crate) fn for_each_shared_key(
    a: &Bitmap32Ref<'_>,
    b: &Bitmap32Ref<'_>,
    mut visit: impl FnMut(u16, usize, usize),
) {
    if a.keys().are_apart(b.keys()) {
        return;
    }
    let (mut i, mut j) = (0, 0);
    while let (Some(left), Some(right)) = (a.key(i), b.key(j)) {
        match left.cmp(&right) {
            Ordering::Equal => {
                visit(left, i, j);
                i += 1;
                j += 1;
            }
            Ordering::Less => i = a.advance(i, right),
            Ordering::Greater => j = b.advance(j, left),
        }
    }
}

/// Calls `visit` for every key in either bitmap with the indices of its containers, ascending.
#[inline(always)]
pub(crate) fn merge_keys(
    a: &Bitmap32Ref<'_>,
    b: &Bitmap32Ref<'_>,
    mut visit: impl FnMut(u16, Option<usize>, Option<usize>),
) {
    let (mut i, mut j) = (0, 0);
    loop {
        match (a.key(i), b.key(j)) {
            (None, None) => return,
            (Some(left), Some(right)) if left == right => {
                visit(left, Some(i), Some(j));
                i += 1;
                j += 1;
            }
            (Some(left), right) if right.is_none_or(|right| left < right) => {
                visit(left, Some(i), None);
                i += 1;
            }
            (_, Some(right)) => {
                visit(right, None, Some(j));
                j += 1;
            }
            (Some(_), None) => return,
        }
    }
}

/// Calls `visit` for every high word in either sequence, ascending.
#[inline(always)]
pub(crate) fn merge<T>(
    a: impl Iterator<Item = (u32, T)>,
    b: impl Iterator<Item = (u32, T)>,
    mut visit: impl FnMut(u32, Option<T>, Option<T>),
) {
    let (mut a, mut b) = (a, b);
    let (mut left, mut right) = (a.next(), b.next());
    loop {
        let order = match (&left, &right) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        let from_left = if order.is_le() { left.take() } else { None };
        let from_right = if order.is_ge() { right.take() } else { None };
        let high = from_left
            .as_ref()
            .or(from_right.as_ref())
            .map_or(0, |(high, _)| *high);
        visit(
            high,
            from_left.map(|(_, value)| value),
            from_right.map(|(_, value)| value),
        );
        if order.is_le() {
            left = a.next();
        }
        if order.is_ge() {
            right = b.next();
        }
    }
}
