//! Loops over two array containers, serialized: ascending little-endian u16.

use super::cpu::per_cpu;

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

/// Calls `visit` for the values of the short `a` with whether each is in the long `b`.
#[inline(always)]
fn walk_skewed(a: &Values, b: &Values, mut visit: impl FnMut(u16, bool)) {
    let mut rest = b;
    for bytes in a {
        let wanted = value(bytes);
        rest = &rest[gallop(rest, wanted)..];
        visit(wanted, rest.first().is_some_and(|bytes| value(bytes) == wanted));
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

/// Writes the values of `a` whose being in `b` equals `wanted` to `out`, which has room for all of `a`.
#[inline(always)]
fn filter(a: &Values, b: &Values, wanted: bool, out: &mut Values) -> usize {
    let mut len = 0;
    let mut keep = |value: u16, is_in: bool| {
        if let Some(place) = out.get_mut(len) {
            *place = value.to_le_bytes();
        }
        len += usize::from(is_in == wanted);
    };
    if a.len() * SKEW < b.len() {
        walk_skewed(a, b, keep);
        return len;
    }
    let unwanted = if wanted { [0; LANES] } else { [u16::MAX; LANES] };
    let (i, j, found) = walk_blocks(a, b, |values, found| {
        if *found != unwanted {
            for lane in 0..LANES {
                keep(values[lane], found[lane] != 0);
            }
        }
    });
    walk_rest(&a[i..], &b[j..], &found, keep);
    len
}

per_cpu! {
    /// Number of values in both.
    pub(super) fn and_count(a: &Values, b: &Values) -> u32 {
        if a.len() <= b.len() { count_in_order(a, b) } else { count_in_order(b, a) }
    }

    /// Writes the values in both to `out`, which has room for all of the shorter one; returns how many.
    pub(super) fn and(a: &Values, b: &Values, out: &mut Values) -> usize {
        if a.len() <= b.len() { filter(a, b, true, out) } else { filter(b, a, true, out) }
    }

    /// Writes the values of `a` that are not in `b` to `out`, which has room for all of `a`; returns how many.
    pub(super) fn and_not(a: &Values, b: &Values, out: &mut Values) -> usize {
        filter(a, b, false, out)
    }

    /// Writes the values in either to `out`, which has room for all; returns how many.
    pub(super) fn or(a: &Values, b: &Values, out: &mut Values) -> usize {
        let (mut i, mut j, mut len) = (0, 0, 0);
        while i < a.len() && j < b.len() && len < out.len() {
            let (left, right) = (value(&a[i]), value(&b[j]));
            out[len] = left.min(right).to_le_bytes();
            len += 1;
            i += usize::from(left <= right);
            j += usize::from(right <= left);
        }
        append_rest(&a[i..], &b[j..], out, len)
    }

    /// Writes the values in exactly one to `out`, which has room for all; returns how many.
    pub(super) fn xor(a: &Values, b: &Values, out: &mut Values) -> usize {
        let (mut i, mut j, mut len) = (0, 0, 0);
        while i < a.len() && j < b.len() && len < out.len() {
            let (left, right) = (value(&a[i]), value(&b[j]));
            out[len] = left.min(right).to_le_bytes();
            len += usize::from(left != right);
            i += usize::from(left <= right);
            j += usize::from(right <= left);
        }
        append_rest(&a[i..], &b[j..], out, len)
    }

    /// Number of maximal runs of consecutive values.
    pub(super) fn count_runs(values: &Values) -> u32 {
        if values.is_empty() {
            return 0;
        }
        let pairs = values.iter().zip(&values[1..]);
        1 + pairs.map(|(a, b)| u32::from(value(b).wrapping_sub(value(a)) != 1)).sum::<u32>()
    }
}

/// Copies what is left of one array, and nothing of the other, to `out` from `len` on.
#[inline(always)]
fn append_rest(a: &Values, b: &Values, out: &mut Values, mut len: usize) -> usize {
    for rest in [a, b] {
        if let Some(places) = out.get_mut(len..len + rest.len()) {
            places.copy_from_slice(rest);
            len += rest.len();
        }
    }
    len
}
