//! Merges two array containers, for union and symmetric difference, without a branch on the values.
//!
//! In both, a value comes at most twice: once from each array. A union keeps one of the twins, a
//! symmetric difference none.

use super::value::{Values, value};

/// Room that a merge may write to beyond what it returns.
pub(crate) const SLACK: usize = 16;
/// Beyond this ratio of lengths the longer array is copied in pieces.
const SKEW: usize = 32;

#[inline(always)]
fn next_of(values: &Values, at: usize) -> u16 {
    values.get(at).map_or(0, value)
}

#[inline(always)]
fn put(out: &mut Values, at: usize, next: u16) {
    if let Some(place) = out.get_mut(at) {
        *place = next.to_le_bytes();
    }
}

/// Copies values to `out` from `len` on; returns where they end.
#[inline(always)]
fn copy(values: &Values, out: &mut Values, len: usize) -> usize {
    match out.get_mut(len..len + values.len()) {
        Some(places) => {
            places.copy_from_slice(values);
            len + values.len()
        }
        None => len,
    }
}

/// Writes the merged values to `out`, which has room for all and [`SLACK`] more; returns how many.
#[inline(always)]
pub(crate) fn merge<const KEEPS_TWINS: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() * SKEW < long.len() {
        return insert::<KEEPS_TWINS>(short, long, out);
    }
    let (mut i, mut j, mut len) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let (next_a, next_b) = (next_of(a, i), next_of(b, j));
        put(out, len, next_a.min(next_b));
        len += usize::from(KEEPS_TWINS || next_a != next_b);
        i += usize::from(next_a <= next_b);
        j += usize::from(next_b <= next_a);
    }
    len = copy(&a[i..], out, len);
    copy(&b[j..], out, len)
}

/// Puts a few values in their places among many.
fn insert<const KEEPS_TWINS: bool>(few: &Values, many: &Values, out: &mut Values) -> usize {
    let (mut at, mut len) = (0, 0);
    for bytes in few {
        let wanted = value(bytes);
        let place = at + many[at..].partition_point(|bytes| value(bytes) < wanted);
        len = copy(&many[at..place], out, len);
        let is_twin = many.get(place) == Some(bytes);
        at = place + usize::from(is_twin);
        put(out, len, wanted);
        len += usize::from(KEEPS_TWINS || !is_twin);
    }
    copy(&many[at..], out, len)
}

/// The end of a merge that was made block by block.
pub(crate) struct Tail {
    /// The last value of the blocks, written in a union, held back in a symmetric difference.
    pub(crate) last: u32,
    /// The value before it.
    pub(crate) last_but_one: u32,
    /// How many were written.
    pub(crate) len: usize,
}

impl Tail {
    #[inline(always)]
    fn push<const KEEPS_TWINS: bool>(&mut self, next: u16, out: &mut Values) {
        let next = u32::from(next);
        if KEEPS_TWINS {
            put(out, self.len, next as u16);
            self.len += usize::from(next != self.last);
        } else {
            put(out, self.len, self.last as u16);
            self.len += usize::from(self.last != next && self.last != self.last_but_one);
            self.last_but_one = self.last;
        }
        self.last = next;
    }

    /// Takes the eight values that the blocks held back and the rest of both arrays, one of which
    /// is shorter than a block; returns how many values are in the output.
    #[inline(always)]
    pub(crate) fn finish<const KEEPS_TWINS: bool>(
        mut self,
        held: &[[u8; 2]; 8],
        a: &Values,
        b: &Values,
        out: &mut Values,
    ) -> usize {
        let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        let mut both = [[0; 2]; 16];
        let (mut i, mut j) = (0, 0);
        let count = (held.len() + short.len()).min(both.len());
        for place in &mut both[..count] {
            let (next_held, next_short) = (held.get(i), short.get(j));
            let is_held = next_short
                .is_none_or(|short| next_held.is_some_and(|held| value(held) <= value(short)));
            *place = *if is_held { next_held } else { next_short }.unwrap_or(&[0; 2]);
            i += usize::from(is_held);
            j += usize::from(!is_held);
        }
        let both = &both[..count];
        let (mut i, mut j) = (0, 0);
        while i < both.len() && j < long.len() {
            let (next_both, next_long) = (next_of(both, i), next_of(long, j));
            self.push::<KEEPS_TWINS>(next_both.min(next_long), out);
            i += usize::from(next_both <= next_long);
            j += usize::from(next_long < next_both);
        }
        both[i..]
            .iter()
            .for_each(|bytes| self.push::<KEEPS_TWINS>(value(bytes), out));
        // One value meets the last one, and its twin; the others ascend among themselves.
        let (first, rest) = long[j..].split_at(2.min(long.len() - j));
        first
            .iter()
            .for_each(|bytes| self.push::<KEEPS_TWINS>(value(bytes), out));
        if !KEEPS_TWINS {
            put(out, self.len, self.last as u16);
            self.len += usize::from(self.last != self.last_but_one);
        }
        copy(rest, out, self.len)
    }
}
