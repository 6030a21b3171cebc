//! Union and intersection of any number of serialized bitmaps, chunk by chunk.

use super::algebra::write_bucket;
use super::arrays::{self, Values};
use super::bucket::Bitmap32Ref;
use super::container::{Container, has_bit};
use super::encode::{array_room, end_array, write_container, write_words};
use super::runs;
use super::stretches::Stretches;
use super::view::BitmapRef;
use super::writer::Writer;
use super::{combine, words};

/// Up to this many values, arrays of one chunk are sorted together; beyond, they go through words.
const FEW_VALUES: usize = 128;

/// A container that takes part in a union.
#[derive(Clone, Copy)]
struct Place {
    /// High word, then key.
    chunk: u64,
    /// Which bucket of all inputs' buckets.
    bucket: u32,
    /// Which of its containers.
    index: u32,
}

/// Appends the canonical bitmap of the values in any of the bitmaps to `out`; an empty one for no bitmaps.
pub fn or_many(bitmaps: &[BitmapRef<'_>], out: &mut Vec<u8>) {
    let buckets: Vec<(u32, Bitmap32Ref<'_>)> = bitmaps.iter().flat_map(BitmapRef::buckets).collect();
    let places = sorted(places(&buckets));
    let mut writer = Writer::new(out);
    let mut found = Stretches::default();
    let mut containers = Vec::new();
    for bucket in places.chunk_by(|a, b| a.chunk >> 16 == b.chunk >> 16) {
        let keys = 1 + bucket.windows(2).filter(|pair| pair[0].chunk != pair[1].chunk).count();
        let has_runs = bucket.iter().any(|place| buckets[place.bucket as usize].1.may_have_runs());
        writer.begin_bucket((bucket[0].chunk >> 16) as u32, keys, has_runs);
        for chunk in bucket.chunk_by(|a, b| a.chunk == b.chunk) {
            containers.clear();
            containers.extend(chunk.iter().filter_map(|at| buckets[at.bucket as usize].1.container_at(at.index as usize)));
            or_chunk(&mut writer, chunk[0].chunk as u16, &containers, &mut found);
        }
        writer.end_bucket();
    }
    writer.finish();
}

fn places(buckets: &[(u32, Bitmap32Ref<'_>)]) -> Vec<Place> {
    let mut places = Vec::with_capacity(buckets.iter().map(|(_, bitmap)| bitmap.container_count()).sum());
    for (bucket, (high, bitmap)) in buckets.iter().enumerate() {
        for index in 0..bitmap.container_count() {
            let key = u64::from(bitmap.key(index).unwrap_or(0));
            places.push(Place { chunk: u64::from(*high) << 16 | key, bucket: bucket as u32, index: index as u32 });
        }
    }
    places
}

/// Places in the order of their chunks. Bitmaps share most of their chunks, so there are few, which are counted.
fn sorted(mut places: Vec<Place>) -> Vec<Place> {
    let (least, most) = places.iter().fold((u64::MAX, 0), |(least, most), place| (least.min(place.chunk), most.max(place.chunk)));
    let span = most.saturating_sub(least);
    if span >= 2 * places.len() as u64 {
        places.sort_by_key(|place| place.chunk);
        return places;
    }
    let mut next = vec![0; span as usize + 2];
    places.iter().for_each(|place| next[(place.chunk - least) as usize + 1] += 1);
    for index in 1..next.len() {
        next[index] += next[index - 1];
    }
    let mut sorted = vec![Place { chunk: 0, bucket: 0, index: 0 }; places.len()];
    for place in places {
        let at = &mut next[(place.chunk - least) as usize];
        sorted[*at] = place;
        *at += 1;
    }
    sorted
}

fn or_chunk(writer: &mut Writer<'_>, key: u16, containers: &[Container<'_>], found: &mut Stretches) {
    match containers {
        [] => {}
        [only] => write_container(writer, key, only),
        [a, b] => combine::or(writer, key, a, b, found),
        several if several.iter().map(few_values).sum::<usize>() <= FEW_VALUES => or_few(writer, key, several),
        several => {
            let mut words = [0; 1024];
            several.iter().for_each(|container| container.or_into(&mut words));
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

/// Appends the canonical bitmap of the values in all of the bitmaps to `out`; an empty one for no bitmaps.
pub fn and_many(bitmaps: &[BitmapRef<'_>], out: &mut Vec<u8>) {
    let mut writer = Writer::new(out);
    if let Some(smallest) = bitmaps.iter().min_by_key(|bitmap| bitmap.cardinality()) {
        for (high, first) in smallest.buckets() {
            let buckets: Vec<Bitmap32Ref<'_>> = bitmaps.iter().filter_map(|bitmap| bitmap.bucket(high)).collect();
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

fn and_buckets(writer: &mut Writer<'_>, high: u32, first: &Bitmap32Ref<'_>, buckets: &[Bitmap32Ref<'_>]) {
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
                kept.retain(|value| has_bit(block, arrays::value(value)));
            }
            Container::Run(runs, _) => {
                runs::for_each_covered(&before, runs, |start, end| kept.extend_from_slice(&before[start..end]));
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

fn and_words(writer: &mut Writer<'_>, key: u16, smallest: &Container<'_>, others: &[Container<'_>]) {
    let mut kept = [0; 1024];
    smallest.or_into(&mut kept);
    for other in others {
        if let Container::Bitset(block, _) = other {
            words::and_block(&mut kept, block);
        } else {
            let mut mask = [0; 1024];
            other.or_into(&mut mask);
            kept.iter_mut().zip(mask).for_each(|(word, mask)| *word &= mask);
        }
    }
    write_words(writer, key, &kept);
}
