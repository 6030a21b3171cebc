//! Union and intersection of any number of serialized bitmaps, chunk by chunk.

use super::algebra::write_bucket;
use super::chunks::Chunks;
use super::combine;
use crate::format::bucket::Bitmap32Ref;
use crate::format::container::{Container, has_bit};
use crate::format::encode::{array_room, end_array, write_container, write_words};
use crate::format::runs;
use crate::format::stretches::Stretches;
use crate::format::unite;
use crate::format::view::BitmapRef;
use crate::format::writer::Writer;
use crate::kernels::arrays;
use crate::kernels::value::Values;
use crate::kernels::value::value;
use crate::kernels::words;

/// Up to this many values, arrays of one chunk are sorted together; beyond, they go through words.
const FEW_VALUES: usize = 128;

/// Appends the canonical bitmap of the values in any of the bitmaps to `out`; an empty one for no
/// bitmaps.
pub fn or_many(bitmaps: &[BitmapRef<'_>], out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    let mut found = Stretches::default();
    let chunks = Chunks::of(bitmaps);
    let chunks: Vec<(u64, &[Container<'_>])> = chunks.iter().collect();
    for bucket in chunks.chunk_by(|a, b| a.0 >> 16 == b.0 >> 16) {
        let has_runs = bucket
            .iter()
            .any(|(_, containers)| is_mostly_runs(containers));
        writer.begin_bucket((bucket[0].0 >> 16) as u32, bucket.len(), has_runs);
        for (chunk, containers) in bucket {
            or_chunk(&mut writer, *chunk as u16, containers, &mut found);
        }
        writer.end_bucket();
    }
    writer.finish();
}

/// Whether the union will likely be runs.
fn is_mostly_runs(containers: &[Container<'_>]) -> bool {
    containers
        .iter()
        .filter(|container| matches!(container, Container::Run(..)))
        .count()
        * 2
        > containers.len()
}

fn or_chunk(
    writer: &mut Writer<'_>,
    key: u16,
    containers: &[Container<'_>],
    found: &mut Stretches,
) {
    match containers {
        [] => {}
        [only] => write_container(writer, key, only),
        [a, b] => combine::or(writer, key, a, b, found),
        several if several.iter().map(few_values).sum::<usize>() <= FEW_VALUES => {
            or_few(writer, key, several)
        }
        several => {
            let mut words = [0; 1024];
            unite::or_all(&mut words, several);
            write_words(writer, key, &words);
        }
    }
}

/// Number of values of an array; of anything else, too many.
fn few_values(container: &Container<'_>) -> usize {
    match container {
        Container::Array(values) => values.len(),
        _ => FEW_VALUES + 1,
    }
}

fn or_few(writer: &mut Writer<'_>, key: u16, containers: &[Container<'_>]) {
    let mut values = [0; FEW_VALUES];
    let mut len = 0;
    for container in containers {
        container.for_each(|value| {
            values[len] = value;
            len += 1;
        });
    }
    values[..len].sort_unstable();
    let from = writer.out.len();
    let room = array_room(writer, len);
    let mut kept = 0;
    for (index, value) in values[..len].iter().enumerate() {
        room[kept] = value.to_le_bytes();
        kept += usize::from(index + 1 == len || values[index + 1] != *value);
    }
    end_array(writer, key, from, kept);
}

/// Appends the canonical bitmap of the values in all of the bitmaps to `out`; an empty one for no
/// bitmaps.
pub fn and_many(bitmaps: &[BitmapRef<'_>], out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    if let Some(smallest) = bitmaps.iter().min_by_key(|bitmap| bitmap.cardinality()) {
        for (high, first) in smallest.buckets() {
            let buckets: Vec<Bitmap32Ref<'_>> = bitmaps
                .iter()
                .filter_map(|bitmap| bitmap.bucket(high))
                .collect();
            if buckets.len() < bitmaps.len() {
            } else if buckets.len() == 1 {
                write_bucket(&mut writer, high, &first);
            } else {
                and_buckets(&mut writer, high, &first, &buckets);
            }
        }
    }
    writer.finish();
}

fn and_buckets(
    writer: &mut Writer<'_>,
    high: u32,
    first: &Bitmap32Ref<'_>,
    buckets: &[Bitmap32Ref<'_>],
) {
    let has_runs = buckets.iter().all(Bitmap32Ref::may_have_runs);
    writer.begin_bucket(high, first.container_count(), has_runs);
    let mut found = Stretches::default();
    let mut containers = Vec::with_capacity(buckets.len());
    for (key, _) in first.containers() {
        containers.clear();
        containers.extend(buckets.iter().map_while(|bitmap| bitmap.container(key)));
        if containers.len() < buckets.len() {
            continue;
        }
        containers.sort_by_key(Container::cardinality);
        match containers.as_slice() {
            [a, b] => combine::and(writer, key, a, b, &mut found),
            [Container::Array(values), others @ ..] => and_values(writer, key, values, others),
            [smallest, others @ ..] => and_words(writer, key, smallest, others),
            [] => {}
        }
    }
    writer.end_bucket();
}

/// Narrows the values of an array down, container by container.
fn and_values(writer: &mut Writer<'_>, key: u16, values: &Values, others: &[Container<'_>]) {
    let mut kept = values.to_vec();
    for other in others {
        let before = std::mem::take(&mut kept);
        match other {
            Container::Array(values) => {
                kept.resize(before.len().min(values.len()) + arrays::SLACK, [0; 2]);
                let len = arrays::and(&before, values, &mut kept);
                kept.truncate(len);
            }
            Container::Bitset(block, _) => {
                kept = before;
                kept.retain(|bytes| has_bit(block, value(bytes)));
            }
            Container::Run(runs, _) => {
                runs::for_each_covered(&before, runs, |start, end| {
                    kept.extend_from_slice(&before[start..end])
                });
            }
        }
        if kept.is_empty() {
            return;
        }
    }
    let from = writer.out.len();
    writer.out.extend_from_slice(kept.as_flattened());
    end_array(writer, key, from, kept.len());
}

fn and_words(
    writer: &mut Writer<'_>,
    key: u16,
    smallest: &Container<'_>,
    others: &[Container<'_>],
) {
    let mut kept = [0; 1024];
    unite::or_into(&mut kept, smallest);
    for other in others {
        if let Container::Bitset(block, _) = other {
            words::and_block(&mut kept, block);
        } else {
            let mut mask = [0; 1024];
            unite::or_into(&mut mask, other);
            kept.iter_mut()
                .zip(mask)
                .for_each(|(word, mask)| *word &= mask);
        }
    }
    write_words(writer, key, &kept);
}
