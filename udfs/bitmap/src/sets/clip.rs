//! The part of a bitmap that lies in a range of values, and the part that lies outside.

use super::algebra::write_bucket;
use super::combine;
use crate::format::bucket::Bitmap32Ref;
use crate::format::container::Container;
use crate::format::encode::write_container;
use crate::format::stretches::Stretches;
use crate::format::view::BitmapRef;
use crate::format::writer::Writer;

/// Appends the canonical bitmap of the values from `first` to `last`, both included, to `out`.
///
/// Containers outside are skipped by their keys.
pub fn range(bitmap: &BitmapRef<'_>, first: u64, last: u64, out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    let mut found = Stretches::default();
    for (high, bucket) in bitmap.buckets() {
        match place(high, first, last) {
            Place::Outside => {}
            Place::Inside => write_bucket(&mut writer, high, &bucket),
            Place::Across(first, last) => {
                write_inside(&mut writer, high, &bucket, (first, last), &mut found)
            }
        }
    }
    writer.finish();
}

/// Appends the canonical bitmap of the values below `first` or above `last` to `out`.
pub fn clear(bitmap: &BitmapRef<'_>, first: u64, last: u64, out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    let mut found = Stretches::default();
    for (high, bucket) in bitmap.buckets() {
        match place(high, first, last) {
            Place::Outside => write_bucket(&mut writer, high, &bucket),
            Place::Inside => {}
            Place::Across(first, last) => {
                write_outside(&mut writer, high, &bucket, (first, last), &mut found)
            }
        }
    }
    writer.finish();
}

/// Appends the canonical bitmap of `count` values to `out`, skipping the `offset` smallest ones.
pub fn page(bitmap: &BitmapRef<'_>, offset: u64, count: u64, out: &mut Vec<u8>) {
    let end = offset.saturating_add(count).min(bitmap.cardinality());
    match (
        bitmap.select(offset),
        end.checked_sub(1).and_then(|last| bitmap.select(last)),
    ) {
        (Some(first), Some(last)) if offset < end => range(bitmap, first, last, out),
        _ => Writer::new(out).finish(),
    }
}

/// Where a bucket lies.
enum Place {
    Outside,
    Inside,
    /// Partly inside: from the first to the last low word.
    Across(u32, u32),
}

fn place(high: u32, first: u64, last: u64) -> Place {
    let start = u64::from(high) << 32;
    let end = start | u64::from(u32::MAX);
    if first > last || last < start || end < first {
        Place::Outside
    } else if first <= start && end <= last {
        Place::Inside
    } else {
        Place::Across(first.max(start) as u32, last.min(end) as u32)
    }
}

/// The low halves of a range that fall into one container; `None` if the whole container does.
fn within(key: u16, (first, last): (u32, u32)) -> Option<(u16, u16)> {
    let start = u32::from(key) << 16;
    let bounds = (first.max(start) as u16, last.min(start | 0xFFFF) as u16);
    (bounds != (0, u16::MAX)).then_some(bounds)
}

/// A run as the bytes of a container.
fn run((first, last): (u16, u16)) -> [u8; 4] {
    (u32::from(first) | u32::from(last - first) << 16).to_le_bytes()
}

fn as_container(run: &[u8; 4]) -> Container<'_> {
    let cardinality = u32::from(u16::from_le_bytes([run[2], run[3]])) + 1;
    Container::Run(std::slice::from_ref(run), cardinality)
}

fn write_inside(
    writer: &mut Writer<'_>,
    high: u32,
    bucket: &Bitmap32Ref<'_>,
    (first, last): (u32, u32),
    found: &mut Stretches,
) {
    let indices = bucket.indices((first >> 16) as u16, (last >> 16) as u16);
    writer.begin_bucket(high, indices.len(), bucket.may_have_runs());
    for index in indices {
        let (Some(key), Some(container)) = (bucket.key(index), bucket.container_at(index)) else {
            continue;
        };
        match within(key, (first, last)) {
            None => write_container(writer, key, &container),
            Some(bounds) => {
                combine::and(writer, key, &container, &as_container(&run(bounds)), found)
            }
        }
    }
    writer.end_bucket();
}

fn write_outside(
    writer: &mut Writer<'_>,
    high: u32,
    bucket: &Bitmap32Ref<'_>,
    (first, last): (u32, u32),
    found: &mut Stretches,
) {
    writer.begin_bucket(high, bucket.container_count(), bucket.may_have_runs());
    for (key, container) in bucket.containers() {
        if u32::from(key) < first >> 16 || u32::from(key) > last >> 16 {
            write_container(writer, key, &container);
        } else if let Some(bounds) = within(key, (first, last)) {
            combine::and_not(writer, key, &container, &as_container(&run(bounds)), found);
        }
    }
    writer.end_bucket();
}
