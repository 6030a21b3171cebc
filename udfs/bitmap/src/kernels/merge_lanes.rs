//! Merges two array containers eight values a step, with the instructions of x86-64 processors that
//! have AVX2; [`super::merge`] has the same for every processor.

use super::lanes::{Block, LANES, are_long, load, split, store_lanes};
use super::merge::{self, Tail};
use super::value::{Values, value};
use std::arch::x86_64::*;
use std::hint::select_unpredictable;

/// What fills blocks up: the largest value, which is merged apart.
const NOTHING: [u8; 2] = [0xFF; 2];
/// Up to this many blocks are merged as blocks at the end; of more, most are copied.
const REST: usize = 4;

/// A walk over the full blocks of two arrays that merges them.
struct Merge<'v, 'o, const KEEPS_TWINS: bool> {
    a: &'v [Block],
    b: &'v [Block],
    i: usize,
    j: usize,
    /// The larger half of what was merged so far, ascending.
    held: __m128i,
    /// The smaller half of the last step, ascending.
    before: __m128i,
    out: &'o mut Values,
    len: usize,
}

/// The lower and the upper half of two ascending vectors, each ascending: every lane of one meets
/// every lane of the other. (The network of Inoue and others that CRoaring uses.)
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn merge_lanes(a: __m128i, b: __m128i) -> (__m128i, __m128i) {
    let (mut low, mut high) = (_mm_min_epu16(a, b), _mm_max_epu16(a, b));
    for _ in 1..LANES {
        let turned = _mm_alignr_epi8::<2>(low, low);
        (low, high) = (_mm_min_epu16(turned, high), _mm_max_epu16(turned, high));
    }
    (_mm_alignr_epi8::<2>(low, low), high)
}

impl<'v, 'o, const KEEPS_TWINS: bool> Merge<'v, 'o, KEEPS_TWINS> {
    /// Both arrays have a full block.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn new(a: &'v [Block], b: &'v [Block], out: &'o mut Values) -> Self {
        let (low, held) = merge_lanes(load(&a[0]), load(&b[0]));
        let mut walk = Self {
            a,
            b,
            i: 1,
            j: 1,
            held,
            before: _mm_set1_epi16(-1),
            out,
            len: 0,
        };
        walk.put(low);
        walk
    }

    /// Takes the next ascending lanes: for a union writes those that do not equal the one before,
    /// for a symmetric difference writes, one lane late, those that equal neither neighbour.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn put(&mut self, lanes: __m128i) {
        let shifted = _mm_alignr_epi8::<14>(lanes, self.before);
        let twins = _mm_cmpeq_epi16(shifted, lanes);
        let (written, dropped) = if KEEPS_TWINS {
            (lanes, twins)
        } else {
            let twice_shifted = _mm_alignr_epi8::<12>(lanes, self.before);
            (
                shifted,
                _mm_or_si128(twins, _mm_cmpeq_epi16(shifted, twice_shifted)),
            )
        };
        let kept =
            !(_mm_movemask_epi8(_mm_packs_epi16(dropped, _mm_setzero_si128())) as u32) & 0xFF;
        store_lanes(written, kept, self.out, self.len);
        self.len += kept.count_ones() as usize;
        self.before = lanes;
    }

    /// Merges the next block; false when either array has no full one. Without a branch on the
    /// values.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn step(&mut self) -> bool {
        let (Some(a), Some(b)) = (self.a.get(self.i), self.b.get(self.j)) else {
            return false;
        };
        let is_a = value(&a[0]) <= value(&b[0]);
        let next = select_unpredictable(is_a, a, b);
        self.i += usize::from(is_a);
        self.j += usize::from(!is_a);
        let (low, held) = merge_lanes(load(next), self.held);
        self.put(low);
        self.held = held;
        true
    }

    /// Merges what is left of the whole arrays; returns how many values are in the output.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn finish(self, a: &Values, b: &Values) -> usize {
        let (a_rest, b_rest) = (&a[self.i * LANES..], &b[self.j * LANES..]);
        if a_rest.len().max(b_rest.len()) <= REST * LANES {
            return self.finish_in_blocks(a_rest, b_rest);
        }
        let lanes = |vector: __m128i| {
            let mut lanes = [[0; 2]; LANES];
            // SAFETY: the lanes have the 16 bytes that are written.
            unsafe { _mm_storeu_si128(lanes.as_mut_ptr().cast(), vector) };
            lanes
        };
        let before = lanes(self.before);
        let tail = Tail {
            last: u32::from(value(&before[LANES - 1])),
            last_but_one: u32::from(value(&before[LANES - 2])),
            len: self.len,
        };
        tail.finish::<KEEPS_TWINS>(&lanes(self.held), a_rest, b_rest, self.out)
    }

    /// Merges rests that are filled up to blocks with [`NOTHING`].
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn finish_in_blocks(mut self, a: &Values, b: &Values) -> usize {
        let (mut lefts, mut rights) = ([[NOTHING; LANES]; REST + 1], [[NOTHING; LANES]; REST + 1]);
        lefts.as_flattened_mut()[..a.len()].copy_from_slice(a);
        rights.as_flattened_mut()[..b.len()].copy_from_slice(b);
        let (mut i, mut j) = (0, 0);
        for _ in 0..a.len().div_ceil(LANES) + b.len().div_ceil(LANES) {
            let (left, right) = (&lefts[i.min(REST)], &rights[j.min(REST)]);
            let is_left = value(&left[0]) < value(&right[0]);
            i += usize::from(is_left);
            j += usize::from(!is_left);
            let (low, held) =
                merge_lanes(load(select_unpredictable(is_left, left, right)), self.held);
            self.put(low);
            self.held = held;
        }
        self.put(self.held);
        if !KEEPS_TWINS {
            self.put(_mm_set1_epi16(-1));
        }
        self.len - usize::from(self.len > 0 && self.out.get(self.len - 1) == Some(&NOTHING))
    }
}

/// The values without the largest possible one, and whether it was there.
#[inline]
fn without_last(values: &Values) -> (&Values, bool) {
    let has_last = values.last() == Some(&NOTHING);
    (&values[..values.len() - usize::from(has_last)], has_last)
}

/// As [`merge::merge`]; the two halves are merged with a gap between them.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(crate) fn merge<const KEEPS_TWINS: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    let ((a, a_has_last), (b, b_has_last)) = (without_last(a), without_last(b));
    let len = merge_others::<KEEPS_TWINS>(a, b, out);
    let has_last = if KEEPS_TWINS {
        a_has_last || b_has_last
    } else {
        a_has_last != b_has_last
    };
    if let Some(place) = out.get_mut(len)
        && has_last
    {
        *place = NOTHING;
    }
    len + usize::from(has_last)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn merge_others<const KEEPS_TWINS: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    if a.len().min(b.len()) < LANES {
        return merge::merge::<KEEPS_TWINS>(a, b, out);
    }
    if !are_long(a, b) {
        return merge_once::<KEEPS_TWINS>(a, b, out);
    }
    let [(a_low, b_low), (a_high, b_high)] = split(a, b);
    if b_low.len().min(b_high.len()) < LANES {
        return merge_once::<KEEPS_TWINS>(a, b, out);
    }
    let start = a_low.len() + b_low.len() + LANES;
    let (out_low, out_high) = out.split_at_mut(start);
    let mut low = Merge::<KEEPS_TWINS>::new(a_low.as_chunks().0, b_low.as_chunks().0, out_low);
    let mut high = Merge::<KEEPS_TWINS>::new(a_high.as_chunks().0, b_high.as_chunks().0, out_high);
    while low.step() & high.step() {}
    while low.step() {}
    while high.step() {}
    let (low, high) = (low.finish(a_low, b_low), high.finish(a_high, b_high));
    out.copy_within(start..start + high, low);
    low + high
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn merge_once<const KEEPS_TWINS: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    let mut walk = Merge::<KEEPS_TWINS>::new(a.as_chunks().0, b.as_chunks().0, out);
    while walk.step() {}
    walk.finish(a, b)
}
