//! Loops over two array containers, serialized: ascending little-endian u16.

use super::cpu::per_cpu;
#[cfg(target_arch = "x86_64")]
use super::cpu::{Level, level};
#[cfg(target_arch = "x86_64")]
use super::lanes;
use super::merge;
pub(crate) use super::merge::SLACK;
#[cfg(target_arch = "x86_64")]
use super::merge_lanes;
use super::value::{Values, value};

/// Beyond this ratio of lengths the longer array is searched, not walked.
const SKEW: usize = 24;
/// Values compared at once.
const LANES: usize = 8;
/// A long array is searched in parts of this many values; an array container has at most as many
/// parts.
const PART: usize = 64;
/// So few values are searched in any array.
const FEW: usize = 2;
/// For fewer values the parts are not worth their setting up.
const LEAST_FOR_PARTS: usize = 4;

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
            found[lane] |= if a[lane] == b[(lane + turn) % LANES] {
                u16::MAX
            } else {
                0
            };
        }
    }
}

/// Calls `block` for every full block of `a` with the marks of its values that are in `b`, as far
/// as `b` has full blocks; returns how far both were consumed. The marks of a block that is not
/// complete are given back.
#[inline(always)]
fn walk_blocks(
    a: &Values,
    b: &Values,
    mut block: impl FnMut(&[u16; LANES], &[u16; LANES]),
) -> (usize, usize, [u16; LANES]) {
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

/// Calls `visit` for the values of `a` with whether each is in `b`; `found` are marks known for the
/// first ones.
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
pub(crate) fn gallop(values: &Values, wanted: u16) -> usize {
    let mut high = 1;
    while high < values.len() && value(&values[high]) < wanted {
        high *= 2;
    }
    let low = high / 2;
    let end = values.len().min(high + 1);
    low + values[low.min(end)..end].partition_point(|bytes| value(bytes) < wanted)
}

/// Calls `visit` for the values of the short `a` with whether each is in the long `b`. The searches
/// do not depend on each other, so the processor runs several at once.
#[inline(always)]
fn walk_skewed(a: &Values, b: &Values, mut visit: impl FnMut(u16, bool)) {
    let Some(tail) = b
        .last_chunk::<PART>()
        .filter(|_| a.len() >= LEAST_FOR_PARTS && b.len() <= PART * PART)
    else {
        for bytes in a {
            let wanted = value(bytes);
            let at = b.partition_point(|bytes| value(bytes) < wanted);
            visit(
                wanted,
                b.get(at).is_some_and(|bytes| value(bytes) == wanted),
            );
        }
        return;
    };
    let parts = b.as_chunks::<PART>().0;
    let mut lasts = [u16::MAX; PART];
    for (last, part) in lasts.iter_mut().zip(parts) {
        *last = value(&part[PART - 1]);
    }
    for bytes in a {
        let wanted = value(bytes);
        let before: u16 = lasts.iter().map(|last| u16::from(*last < wanted)).sum();
        let part = parts.get(usize::from(before)).unwrap_or(tail);
        visit(
            wanted,
            part.iter()
                .fold(0, |found, bytes| found | u16::from(value(bytes) == wanted))
                != 0,
        );
    }
}

/// Number of values in both; the portable loop.
fn count_in_order(a: &Values, b: &Values) -> u32 {
    let mut lanes = [0u16; LANES];
    let (i, j, found) = walk_blocks(a, b, |_, found| {
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].wrapping_sub(found[lane]);
        }
    });
    let mut count = lanes.iter().map(|lane| u32::from(*lane)).sum();
    walk_rest(&a[i..], &b[j..], &found, |_, is_in| {
        count += u32::from(is_in)
    });
    count
}

/// Writes the values of `a` whose being in `b` equals `WANTED` to `out`, which has room for all of
/// `a` and [`SLACK`] more; the portable loop.
fn filter_in_order<const WANTED: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    let mut len = 0;
    let (i, j, found) = walk_blocks(a, b, |values, found| {
        let is_any_in = *found != [0; LANES];
        let Some(room) = out
            .get_mut(len..)
            .and_then(|room| room.first_chunk_mut::<LANES>())
        else {
            return;
        };
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
    walk_rest(&a[i..], &b[j..], &found, |value, is_in| {
        keep(out, &mut len, value, is_in == WANTED)
    });
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

/// Whether one array ends before the other begins.
#[inline]
fn are_apart(a: &Values, b: &Values) -> bool {
    match (a, b) {
        ([a_first, .., a_last], [b_first, .., b_last]) => {
            value(a_last) < value(b_first) || value(b_last) < value(a_first)
        }
        _ => false,
    }
}

/// Whether the processor has what [`super::lanes`] needs.
#[cfg(target_arch = "x86_64")]
#[inline]
fn has_lanes() -> bool {
    level() != Level::Baseline
}

/// Number of values in both.
#[inline]
pub(crate) fn and_count(a: &Values, b: &Values) -> u32 {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if are_apart(a, b) {
        return 0;
    }
    if a.len() * SKEW < b.len() || a.len() <= FEW {
        return count_skewed(a, b);
    }
    #[cfg(target_arch = "x86_64")]
    if has_lanes() {
        // SAFETY: the processor has every feature that the function is compiled for.
        return unsafe { lanes::and_count(a, b) };
    }
    count_in_order(a, b)
}

/// Writes the values of `a` whose being in `b` equals `WANTED` to `out`, which has room for all of
/// `a` and [`SLACK`] more.
#[inline]
fn filter<const WANTED: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    if a.len() * SKEW < b.len() {
        return if WANTED {
            and_skewed(a, b, out)
        } else {
            and_not_skewed(a, b, out)
        };
    }
    #[cfg(target_arch = "x86_64")]
    if has_lanes() {
        // SAFETY: the processor has every feature that the function is compiled for.
        return unsafe { lanes::filter::<WANTED>(a, b, out) };
    }
    filter_in_order::<WANTED>(a, b, out)
}

#[inline]
fn merge<const KEEPS_TWINS: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    #[cfg(target_arch = "x86_64")]
    if has_lanes() {
        // SAFETY: the processor has every feature that the function is compiled for.
        return unsafe { merge_lanes::merge::<KEEPS_TWINS>(a, b, out) };
    }
    merge::merge::<KEEPS_TWINS>(a, b, out)
}

/// Writes the values in both to `out`, which has room for all of the shorter one and [`SLACK`]
/// more; returns how many.
#[inline]
pub(crate) fn and(a: &Values, b: &Values, out: &mut Values) -> usize {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if are_apart(a, b) {
        0
    } else {
        filter::<true>(a, b, out)
    }
}

/// Writes the values of `a` that are not in `b` to `out`, which has room for all of `a` and
/// [`SLACK`] more; returns how many.
#[inline]
pub(crate) fn and_not(a: &Values, b: &Values, out: &mut Values) -> usize {
    filter::<false>(a, b, out)
}

/// Writes the values in either to `out`, which has room for all and [`SLACK`] more; returns how
/// many.
#[inline]
pub(crate) fn or(a: &Values, b: &Values, out: &mut Values) -> usize {
    merge::<true>(a, b, out)
}

/// Writes the values in exactly one to `out`, which has room for all and [`SLACK`] more; returns
/// how many.
#[inline]
pub(crate) fn xor(a: &Values, b: &Values, out: &mut Values) -> usize {
    merge::<false>(a, b, out)
}

per_cpu! {
    fn count_skewed(a: &Values, b: &Values) -> u32 {
        let mut count = 0;
        walk_skewed(a, b, |_, is_in| count += u32::from(is_in));
        count
    }

    fn and_skewed(a: &Values, b: &Values, out: &mut Values) -> usize {
        let mut len = 0;
        walk_skewed(a, b, |value, is_in| keep(out, &mut len, value, is_in));
        len
    }

    fn and_not_skewed(a: &Values, b: &Values, out: &mut Values) -> usize {
        let mut len = 0;
        walk_skewed(a, b, |value, is_in| keep(out, &mut len, value, !is_in));
        len
    }

    /// Number of maximal runs of consecutive values.
    pub(crate) fn count_runs(values: &Values) -> u32 {
        if values.is_empty() {
            return 0;
        }
        let pairs = values.iter().zip(&values[1..]);
        1 + u32::from(pairs.map(|(a, b)| u16::from(value(b).wrapping_sub(value(a)) != 1)).sum::<u16>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Ascending values, about as many, below a bound; sometimes with zero.
    fn values(state: &mut u64, count: u64, bound: u64) -> Vec<[u8; 2]> {
        let mut next = || {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            *state
        };
        let found: BTreeSet<u16> = (0..count).map(|_| (next() % bound) as u16).collect();
        found.into_iter().map(u16::to_le_bytes).collect()
    }

    /// What a loop writes into room for `most` values and the slack.
    fn written(most: usize, fill: impl Fn(&mut Values) -> usize) -> Vec<[u8; 2]> {
        let mut out = vec![[0; 2]; most + SLACK];
        let len = fill(&mut out);
        out.truncate(len);
        out
    }

    /// The loops in use and the portable ones, against the standard library, for lengths around
    /// those where they change.
    #[test]
    fn loops_agree_with_sets() {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        let counts = [0, 1, 2, 7, 8, 9, 16, 40, 63, 64, 65, 130, 700, 3_000];
        for (a_count, b_count) in counts.into_iter().flat_map(|a| counts.map(|b| (a, b))) {
            for bound in [30, 300, 3_000, 65_536] {
                let (a, b) = (
                    values(&mut state, a_count, bound),
                    values(&mut state, b_count, bound),
                );
                let set = |values: &[[u8; 2]]| values.iter().map(value).collect::<BTreeSet<u16>>();
                let (left, right) = (set(&a), set(&b));
                let expect = |found: Vec<[u8; 2]>, values: Vec<u16>, what: &str| {
                    assert_eq!(
                        found.iter().map(value).collect::<Vec<u16>>(),
                        values,
                        "{what} of {a_count} and {b_count} below {bound}"
                    );
                };
                let both: Vec<u16> = left.intersection(&right).copied().collect();
                assert_eq!(
                    and_count(&a, &b) as usize,
                    both.len(),
                    "{a_count} and {b_count} below {bound}"
                );
                assert_eq!(count_in_order(&a, &b) as usize, both.len());
                expect(
                    written(a.len().min(b.len()), |out| and(&a, &b, out)),
                    both.clone(),
                    "and",
                );
                expect(
                    written(a.len(), |out| filter_in_order::<true>(&a, &b, out)),
                    both,
                    "portable and",
                );
                let only: Vec<u16> = left.difference(&right).copied().collect();
                expect(
                    written(a.len(), |out| and_not(&a, &b, out)),
                    only.clone(),
                    "and_not",
                );
                expect(
                    written(a.len(), |out| filter_in_order::<false>(&a, &b, out)),
                    only,
                    "portable and_not",
                );
                let either: Vec<u16> = left.union(&right).copied().collect();
                expect(
                    written(a.len() + b.len(), |out| or(&a, &b, out)),
                    either.clone(),
                    "or",
                );
                expect(
                    written(a.len() + b.len(), |out| merge::merge::<true>(&a, &b, out)),
                    either,
                    "portable or",
                );
                let one: Vec<u16> = left.symmetric_difference(&right).copied().collect();
                expect(
                    written(a.len() + b.len(), |out| xor(&a, &b, out)),
                    one.clone(),
                    "xor",
                );
                expect(
                    written(a.len() + b.len(), |out| merge::merge::<false>(&a, &b, out)),
                    one,
                    "portable xor",
                );
            }
        }
    }
}
