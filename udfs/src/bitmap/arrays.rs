//! Loops over two array containers, serialized: ascending little-endian u16.

use super::cpu::per_cpu;
pub(super) use super::merge::SLACK;
use super::merge::merge;

/// Beyond this ratio of lengths the longer array is searched, not walked.
const SKEW: usize = 48;
/// Values compared at once.
const LANES: usize = 8;

/// Values of an array container where they lie.
pub(super) type Values = [[u8; 2]];

#[inline(always)]
pub(super) fn value(bytes: &[u8; 2]) -> u16 {
    u16::from_le_bytes(*bytes)
}

#[inline(always)]
fn load(block: &[[u8; 2]; LANES]) -> [u16; LANES] {
    let mut lanes = [0; LANES];
    for (lane, bytes) in lanes.iter_mut().zip(block) {
        *lane = value(bytes);
    }
    lanes
}

/// Marks the lanes of `a` that equal any lane of `b` with ones.
#[inline(always)]
fn mark_equal(a: &[u16; LANES], b: &[u16; LANES], found: &mut [u16; LANES]) {
    for turn in 0..LANES {
        for lane in 0..LANES {
            found[lane] |= if a[lane] == b[(lane + turn) % LANES] { u16::MAX } else { 0 };
        }
    }
}

/// Calls `block` for every full block of `a` with the marks of its values that are in `b`, as far as `b` has full
/// blocks; returns how far both were consumed. The marks of a block that is not complete are given back.
#[inline(always)]
fn walk_blocks(a: &Values, b: &Values, mut block: impl FnMut(&[u16; LANES], &[u16; LANES])) -> (usize, usize, [u16; LANES]) {
    let (a_blocks, b_blocks) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
    let (mut i, mut j) = (0, 0);
    let mut found = [0; LANES];
    while let (Some(left), Some(right)) = (a_blocks.get(i), b_blocks.get(j)) {
        let (left, right) = (load(left), load(right));
        mark_equal(&left, &right, &mut found);
        let (left_last, right_last) = (left[LANES - 1], right[LANES - 1]);
        if left_last <= right_last {
            block(&left, &found);
            found = [0; LANES];
            i += 1;
        }
        j += usize::from(right_last <= left_last);
    }
    (i * LANES, j * LANES, found)
}

/// Calls `visit` for the values of `a` with whether each is in `b`; `found` are marks known for the first ones.
#[inline(always)]
fn walk_rest(a: &Values, b: &Values, found: &[u16; LANES], mut visit: impl FnMut(u16, bool)) {
    let mut j = 0;
    for (i, bytes) in a.iter().enumerate() {
        let wanted = value(bytes);
        while j < b.len() && value(&b[j]) < wanted {
            j += 1;
        }
        let is_marked = i < LANES && found[i] != 0;
        visit(wanted, is_marked || j < b.len() && value(&b[j]) == wanted);
    }
}

/// Index of the first value that is not below `wanted`, searched from the front in growing steps.
#[inline(always)]
pub(super) fn gallop(values: &Values, wanted: u16) -> usize {
    let mut high = 1;
    while high < values.len() && value(&values[high]) < wanted {
        high *= 2;
    }
    let low = high / 2;
    let end = values.len().min(high + 1);
    low + values[low.min(end)..end].partition_point(|bytes| value(bytes) < wanted)
}

/// Calls `visit` for the values of the short `a` with whether each is in the long `b`. The searches do not depend on
/// each other, so the processor runs several at once.
#[inline(always)]
fn walk_skewed(a: &Values, b: &Values, mut visit: impl FnMut(u16, bool)) {
    for bytes in a {
        let wanted = value(bytes);
        let at = b.partition_point(|bytes| value(bytes) < wanted);
        visit(wanted, b.get(at).is_some_and(|bytes| value(bytes) == wanted));
    }
}

#[inline(always)]
fn count_in_order(a: &Values, b: &Values) -> u32 {
    let mut count = 0;
    if a.len() * SKEW < b.len() {
        walk_skewed(a, b, |_, is_in| count += u32::from(is_in));
        return count;
    }
    let mut lanes = [0u16; LANES];
    let (i, j, found) = walk_blocks(a, b, |_, found| {
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].wrapping_sub(found[lane]);
        }
    });
    count = lanes.iter().map(|lane| u32::from(*lane)).sum();
    walk_rest(&a[i..], &b[j..], &found, |_, is_in| count += u32::from(is_in));
    count
}

/// Writes the values of `a` whose being in `b` equals `WANTED` to `out`, which has room for all of `a` and [`SLACK`] more.
#[inline(always)]
fn filter<const WANTED: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    let mut len = 0;
    if a.len() * SKEW < b.len() {
        walk_skewed(a, b, |value, is_in| keep(out, &mut len, value, is_in == WANTED));
        return len;
    }
    let (i, j, found) = walk_blocks(a, b, |values, found| {
        let is_any_in = *found != [0; LANES];
        let Some(room) = out.get_mut(len..).and_then(|room| room.first_chunk_mut::<LANES>()) else { return };
        if is_any_in {
            let mut kept = 0;
            for lane in 0..LANES {
                room[kept % LANES] = values[lane].to_le_bytes();
                kept += usize::from((found[lane] != 0) == WANTED);
            }
            len += kept;
        } else if !WANTED {
            *room = values.map(u16::to_le_bytes);
            len += LANES;
        }
    });
    walk_rest(&a[i..], &b[j..], &found, |value, is_in| keep(out, &mut len, value, is_in == WANTED));
    len
}

/// Writes a value at `len`, where it stays if `is_kept`.
#[inline(always)]
fn keep(out: &mut Values, len: &mut usize, value: u16, is_kept: bool) {
    if let Some(place) = out.get_mut(*len) {
        *place = value.to_le_bytes();
    }
    *len += usize::from(is_kept);
}

per_cpu! {
    /// Number of values in both.
    pub(super) fn and_count(a: &Values, b: &Values) -> u32 {
        if a.len() <= b.len() { count_in_order(a, b) } else { count_in_order(b, a) }
    }

    /// Writes the values in both to `out`, which has room for all of the shorter one and [`SLACK`] more; returns how many.
    pub(super) fn and(a: &Values, b: &Values, out: &mut Values) -> usize {
        if a.len() <= b.len() { filter::<true>(a, b, out) } else { filter::<true>(b, a, out) }
    }

    /// Writes the values of `a` that are not in `b` to `out`, which has room for all of `a` and [`SLACK`] more; returns how many.
    pub(super) fn and_not(a: &Values, b: &Values, out: &mut Values) -> usize {
        filter::<false>(a, b, out)
    }

    /// Writes the values in either to `out`, which has room for all and [`SLACK`] more; returns how many.
    pub(super) fn or(a: &Values, b: &Values, out: &mut Values) -> usize {
        merge::<true>(a, b, out)
    }

    /// Writes the values in exactly one to `out`, which has room for all and [`SLACK`] more; returns how many.
    pub(super) fn xor(a: &Values, b: &Values, out: &mut Values) -> usize {
        merge::<false>(a, b, out)
    }

    /// Number of maximal runs of consecutive values.
    pub(super) fn count_runs(values: &Values) -> u32 {
        if values.is_empty() {
            return 0;
        }
        let pairs = values.iter().zip(&values[1..]);
        1 + u32::from(pairs.map(|(a, b)| u16::from(value(b).wrapping_sub(value(a)) != 1)).sum::<u16>())
    }
}
