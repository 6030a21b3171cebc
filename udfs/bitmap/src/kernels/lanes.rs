//! Loops over two array containers eight values a step, with the instructions of x86-64 processors
//! that have AVX2; [`super::arrays`] has the same for every processor.

use super::value::{Values, value};
use std::arch::x86_64::*;
use std::hint::select_unpredictable;

/// Values in one step.
pub(crate) const LANES: usize = 8;
/// From this many values on in both arrays, their lower and upper halves are walked at once:
/// neither waits for the other.
const LEAST_FOR_TWO: usize = 64;

pub(crate) type Block = [[u8; 2]; LANES];

/// For each set of lanes, the bytes of a vector that bring these lanes to the front.
static COMPRESS: [[u8; 16]; 256] = compress_table();

const fn compress_table() -> [[u8; 16]; 256] {
    let mut table = [[0xFF; 16]; 256];
    let mut set = 0;
    while set < 256 {
        let (mut lane, mut place) = (0, 0);
        while lane < 8 {
            if set >> lane & 1 == 1 {
                table[set][place * 2] = lane as u8 * 2;
                table[set][place * 2 + 1] = lane as u8 * 2 + 1;
                place += 1;
            }
            lane += 1;
        }
        set += 1;
    }
    table
}

#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(crate) fn load(block: &Block) -> __m128i {
    // SAFETY: a block has the 16 bytes that are read, wherever it lies.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

/// Writes the lanes of the set to the front of `out`, and anything behind them.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(crate) fn store_lanes(lanes: __m128i, set: u32, out: &mut Values, at: usize) {
    let order = COMPRESS[set as usize & 0xFF].as_ptr();
    // SAFETY: an entry of the table has the 16 bytes that are read.
    let order = unsafe { _mm_loadu_si128(order.cast()) };
    if let Some(room) = out
        .get_mut(at..)
        .and_then(|room| room.first_chunk_mut::<LANES>())
    {
        // SAFETY: the room has the 16 bytes that are written.
        unsafe { _mm_storeu_si128(room.as_mut_ptr().cast(), _mm_shuffle_epi8(lanes, order)) };
    }
}

/// Values in blocks, of which zeros fill up the last one. The values are not zero themselves.
struct Blocks<'v> {
    full: &'v [Block],
    last: Block,
    /// Values in the last block, if it is not full.
    rest: usize,
    /// Number of blocks.
    count: usize,
}

impl<'v> Blocks<'v> {
    #[inline]
    fn new(values: &'v Values) -> Self {
        let (full, rest) = values.as_chunks();
        let mut last = [[0; 2]; LANES];
        last[..rest.len()].copy_from_slice(rest);
        Self {
            full,
            last,
            rest: rest.len(),
            count: full.len() + usize::from(!rest.is_empty()),
        }
    }

    /// A block and its largest value.
    #[inline(always)]
    fn get(&self, index: usize) -> (&Block, u16) {
        match self.full.get(index) {
            Some(block) => (block, value(&block[LANES - 1])),
            None => (
                &self.last,
                value(&self.last[self.rest.wrapping_sub(1) % LANES]),
            ),
        }
    }
}

/// The lanes of `a` that equal any lane of `b`; zero ends both.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn shared_lanes(a: &Block, b: &Block) -> u32 {
    let shared = _mm_cmpistrm::<{ _SIDD_UWORD_OPS | _SIDD_CMP_EQUAL_ANY | _SIDD_BIT_MASK }>(
        load(b),
        load(a),
    );
    _mm_cvtsi128_si32(shared) as u32
}

/// A walk over the full blocks of two arrays that counts the values in both.
struct Count<'v> {
    a: &'v [Block],
    b: &'v [Block],
    i: usize,
    j: usize,
    count: u32,
}

impl<'v> Count<'v> {
    #[inline]
    fn new(a: &'v Values, b: &'v Values) -> Self {
        Self {
            a: a.as_chunks().0,
            b: b.as_chunks().0,
            i: 0,
            j: 0,
            count: 0,
        }
    }

    /// Compares two blocks and steps over the one that ends first; false at the end. Without a
    /// branch on the values.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn step(&mut self) -> bool {
        let (Some(a), Some(b)) = (self.a.get(self.i), self.b.get(self.j)) else {
            return false;
        };
        let (a_last, b_last) = (value(&a[LANES - 1]), value(&b[LANES - 1]));
        self.count += shared_lanes(a, b).count_ones();
        self.i += usize::from(a_last <= b_last);
        self.j += usize::from(b_last <= a_last);
        true
    }

    /// Counts on in what is left of the whole arrays.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn finish(self, a: &Values, b: &Values) -> u32 {
        let (lefts, rights) = (
            Blocks::new(&a[self.i * LANES..]),
            Blocks::new(&b[self.j * LANES..]),
        );
        let (mut i, mut j, mut count) = (0, 0, self.count);
        while i < lefts.count && j < rights.count {
            let ((left, left_last), (right, right_last)) = (lefts.get(i), rights.get(j));
            count += shared_lanes(left, right).count_ones();
            i += usize::from(left_last <= right_last);
            j += usize::from(right_last <= left_last);
        }
        count
    }
}

/// The values without a leading zero, and whether there was one.
#[inline]
fn without_zero(values: &Values) -> (&Values, bool) {
    let has_zero = values.first() == Some(&[0; 2]);
    (&values[usize::from(has_zero)..], has_zero)
}

/// Splits both where the middle value of `a` is or would be.
#[inline]
pub(crate) fn split<'v>(a: &'v Values, b: &'v Values) -> [(&'v Values, &'v Values); 2] {
    let half = a.len() / 2;
    let pivot = a.get(half).map_or(0, value);
    let (a_low, a_high) = a.split_at(half);
    let (b_low, b_high) = b.split_at(b.partition_point(|bytes| value(bytes) < pivot));
    [(a_low, b_low), (a_high, b_high)]
}

#[inline]
pub(crate) fn are_long(a: &Values, b: &Values) -> bool {
    a.len().min(b.len()) >= LEAST_FOR_TWO
}

/// Number of values in both.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(crate) fn and_count(a: &Values, b: &Values) -> u32 {
    let ((a, a_has_zero), (b, b_has_zero)) = (without_zero(a), without_zero(b));
    let zeros = u32::from(a_has_zero && b_has_zero);
    if !are_long(a, b) {
        let mut walk = Count::new(a, b);
        while walk.step() {}
        return zeros + walk.finish(a, b);
    }
    let [(a_low, b_low), (a_high, b_high)] = split(a, b);
    let (mut low, mut high) = (Count::new(a_low, b_low), Count::new(a_high, b_high));
    while low.step() & high.step() {}
    while low.step() {}
    while high.step() {}
    zeros + low.finish(a_low, b_low) + high.finish(a_high, b_high)
}

/// A walk over the full blocks of two arrays that writes the values of the first whose being in the
/// second equals `WANTED`.
struct Filter<'v, 'o, const WANTED: bool> {
    a: &'v [Block],
    b: &'v [Block],
    i: usize,
    j: usize,
    /// Lanes of the block of `a` that were found in blocks of `b` before this one.
    found: u32,
    out: &'o mut Values,
    len: usize,
}

impl<'v, 'o, const WANTED: bool> Filter<'v, 'o, WANTED> {
    #[inline]
    fn new(a: &'v Values, b: &'v Values, out: &'o mut Values) -> Self {
        Self {
            a: a.as_chunks().0,
            b: b.as_chunks().0,
            i: 0,
            j: 0,
            found: 0,
            out,
            len: 0,
        }
    }

    /// Compares a block of `a`, of which only the lanes in `valid` are values, with a block of `b`.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn compare(
        &mut self,
        (a, a_last, valid): (&Block, u16, u32),
        (b, b_last): (&Block, u16),
    ) -> (usize, usize) {
        let found = self.found | shared_lanes(a, b);
        let kept = if WANTED { found } else { !found & valid };
        store_lanes(load(a), kept, self.out, self.len);
        let is_done = a_last <= b_last;
        self.len += select_unpredictable(is_done, kept.count_ones() as usize, 0);
        self.found = select_unpredictable(is_done, 0, found);
        (usize::from(is_done), usize::from(b_last <= a_last))
    }

    /// Compares two blocks and steps over the one that ends first; false at the end. Without a
    /// branch on the values.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn step(&mut self) -> bool {
        let (Some(a), Some(b)) = (self.a.get(self.i), self.b.get(self.j)) else {
            return false;
        };
        let (a_last, b_last) = (value(&a[LANES - 1]), value(&b[LANES - 1]));
        let (i, j) = self.compare((a, a_last, 0xFF), (b, b_last));
        self.i += i;
        self.j += j;
        true
    }

    /// Goes on in what is left of the whole arrays; returns how many values are in the output.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn finish(mut self, a: &Values, b: &Values) -> usize {
        let (a, b) = (&a[self.i * LANES..], &b[self.j * LANES..]);
        let (lefts, rights) = (Blocks::new(a), Blocks::new(b));
        let valid = |i: usize| {
            if i < lefts.full.len() {
                0xFF
            } else {
                (1 << lefts.rest) - 1
            }
        };
        let (mut i, mut j) = (0, 0);
        while i < lefts.count && j < rights.count {
            let (left, left_last) = lefts.get(i);
            let (next_i, next_j) = self.compare((left, left_last, valid(i)), rights.get(j));
            i += next_i;
            j += next_j;
        }
        if i == lefts.count {
            return self.len;
        }
        // The rest of `a` is beyond `b`, but for what was found in its first block.
        let kept = if WANTED {
            self.found
        } else {
            !self.found & valid(i)
        };
        store_lanes(load(lefts.get(i).0), kept, self.out, self.len);
        self.len += kept.count_ones() as usize;
        let rest = a.get((i + 1) * LANES..).unwrap_or_default();
        if !WANTED && let Some(places) = self.out.get_mut(self.len..self.len + rest.len()) {
            places.copy_from_slice(rest);
            self.len += rest.len();
        }
        self.len
    }
}

/// Writes the values of `a` whose being in `b` equals `WANTED` to `out`, which has room for all of
/// `a` and [`super::merge::SLACK`] more.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(crate) fn filter<const WANTED: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    let ((a, a_has_zero), (b, b_has_zero)) = (without_zero(a), without_zero(b));
    let zeros = usize::from(a_has_zero && b_has_zero == WANTED);
    let out = match out.split_first_mut() {
        Some((first, rest)) if zeros == 1 => {
            *first = [0; 2];
            rest
        }
        _ => out,
    };
    if !are_long(a, b) {
        let mut walk = Filter::<WANTED>::new(a, b, out);
        while walk.step() {}
        return zeros + walk.finish(a, b);
    }
    let [(a_low, b_low), (a_high, b_high)] = split(a, b);
    let start = a_low.len() + LANES;
    let (out_low, out_high) = out.split_at_mut(start);
    let (mut low, mut high) = (
        Filter::<WANTED>::new(a_low, b_low, out_low),
        Filter::<WANTED>::new(a_high, b_high, out_high),
    );
    while low.step() & high.step() {}
    while low.step() {}
    while high.step() {}
    let (low, high) = (low.finish(a_low, b_low), high.finish(a_high, b_high));
    out.copy_within(start..start + high, low);
    zeros + low + high
}
