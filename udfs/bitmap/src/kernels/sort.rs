//! Sorts rows by an integer, in place: by their most significant differing bits until a part fits the
//! cache, then by the rest.
//!
//! Bench: `sort` in `benches/kernels.rs`, beside the standard library.

/// Parts of at most this many rows are sorted with a second buffer of their size.
const CACHED: usize = 1 << 18;
/// Below this many rows a comparison sort is faster.
const FEW: usize = 192;
/// Bits of a digit where a buffer is used.
const DIGIT: u32 = 12;
/// If the rows differ in this many bits more above the lowest digit than it takes to number them,
/// that digit is left out at first: next to none are out of place then.
const SPARE: u32 = 7;

/// An integer that rows are sorted by.
pub trait SortKey: Copy + Ord {
    /// The bits in which it differs from another, as the lowest of 128.
    fn differing(self, other: Self) -> u128;
    /// The bits from `shift` on, as many as fit.
    fn digit(self, shift: u32) -> usize;
}

impl SortKey for u64 {
    #[inline(always)]
    fn differing(self, other: Self) -> u128 {
        u128::from(self ^ other)
    }

    #[inline(always)]
    fn digit(self, shift: u32) -> usize {
        (self >> shift) as usize
    }
}

impl SortKey for u128 {
    #[inline(always)]
    fn differing(self, other: Self) -> u128 {
        self ^ other
    }

    #[inline(always)]
    fn digit(self, shift: u32) -> usize {
        (self >> shift) as usize
    }
}

/// A row that sorts by an integer: the integer itself, or a pair that begins with it.
pub trait SortRow: Copy + Default {
    /// The integer's type.
    type Key: SortKey;
    /// The integer.
    fn key(&self) -> Self::Key;
}

impl SortRow for u64 {
    type Key = Self;

    #[inline(always)]
    fn key(&self) -> Self {
        *self
    }
}

impl SortRow for u128 {
    type Key = Self;

    #[inline(always)]
    fn key(&self) -> Self {
        *self
    }
}

impl<T: Copy + Default> SortRow for (u64, T) {
    type Key = u64;

    #[inline(always)]
    fn key(&self) -> u64 {
        self.0
    }
}

/// The bits in which any row's key differs from the first one's.
fn differing<R: SortRow>(rows: &[R]) -> u128 {
    let [first, rest @ ..] = rows else { return 0 };
    let first = first.key();
    rest.iter()
        .fold(0, |bits, row| bits | row.key().differing(first))
}

/// Sorts rows by their keys, ascending; rows with equal keys end in any order. Needs no memory
/// beyond `buffer`, which grows to at most 262,144 rows and whose contents do not matter.
pub fn sort_rows<R: SortRow>(rows: &mut [R], buffer: &mut Vec<R>) {
    if !rows.is_sorted_by_key(R::key) {
        sort_part(rows, buffer);
    }
}

/// Sorts ascending; bits below `from` have to ascend already. Needs no more memory than 262,144
/// rows beyond the vector and the buffer, whose contents do not matter.
pub(crate) fn sort<R: SortRow>(rows: &mut Vec<R>, from: u32, buffer: &mut Vec<R>) {
    if rows.is_sorted_by_key(R::key) {
        return;
    }
    if rows.len() < FEW || rows.len() > CACHED {
        return sort_part(rows, buffer);
    }
    let bits = differing(rows) & u128::MAX << from;
    if sort_cached(rows, bits, buffer) {
        buffer.truncate(rows.len());
        std::mem::swap(rows, buffer);
    }
}

fn sort_part<R: SortRow>(rows: &mut [R], buffer: &mut Vec<R>) {
    if rows.len() < FEW {
        rows.sort_unstable_by_key(R::key);
        return;
    }
    let differing = differing(rows);
    if differing == 0 {
        return;
    }
    if rows.len() <= CACHED {
        if sort_cached(rows, differing, buffer) {
            rows.copy_from_slice(&buffer[..rows.len()]);
        }
        return;
    }
    let bits = 128 - differing.leading_zeros();
    let width = (rows.len() / (CACHED / 2)).ilog2().clamp(3, 8).min(bits);
    let shift = bits - width;
    let mut start = 0;
    for end in distribute(rows, shift, width) {
        sort_part(&mut rows[start..end], buffer);
        start = end;
    }
}

/// Moves the rows, in place, to the order of the digit; returns where the rows of each digit end.
fn distribute<R: SortRow>(rows: &mut [R], shift: u32, width: u32) -> Vec<usize> {
    let mask = (1 << width) - 1;
    let mut ends = vec![0; mask + 1];
    for row in rows.iter() {
        ends[row.key().digit(shift) & mask] += 1;
    }
    let mut next = Vec::with_capacity(mask + 1);
    let mut sum = 0;
    for end in &mut ends {
        next.push(sum);
        sum += *end;
        *end = sum;
    }
    for digit in 0..=mask {
        while next[digit] < ends[digit] {
            let mut row = rows[next[digit]];
            loop {
                let wanted = row.key().digit(shift) & mask;
                let place = next[wanted];
                next[wanted] += 1;
                if wanted == digit {
                    rows[place] = row;
                    break;
                }
                row = std::mem::replace(&mut rows[place], row);
            }
        }
    }
    ends
}

/// Sorts by the lowest digit first, between the rows and a buffer; bits in which no rows differ
/// belong to no digit. Returns whether the sorted rows are in the buffer.
fn sort_cached<R: SortRow>(rows: &mut [R], differing: u128, buffer: &mut Vec<R>) -> bool {
    let mut shifts = Vec::with_capacity(11);
    let mut left = differing;
    while left != 0 {
        let shift = left.trailing_zeros();
        shifts.push(shift);
        left &= u128::MAX.checked_shl(shift + DIGIT).unwrap_or(0);
    }
    if shifts.len() << (DIGIT - 3) > rows.len() {
        rows.sort_unstable_by_key(R::key);
        return false;
    }
    if buffer.len() < rows.len() {
        buffer.resize(rows.len(), R::default());
    }
    let buffer = &mut buffer[..rows.len()];
    let is_spare = |next: &u32| (differing >> next).count_ones() >= rows.len().ilog2() + SPARE;
    if shifts.get(1).is_some_and(is_spare) {
        let is_in_buffer = sort_by(&shifts[1..], rows, buffer);
        if settle(if is_in_buffer { buffer } else { rows }) {
            return is_in_buffer;
        }
        if is_in_buffer {
            rows.copy_from_slice(buffer);
        }
    }
    sort_by(&shifts, rows, buffer)
}

/// Sorts by digits, the first one first; returns whether the sorted rows are in the buffer.
fn sort_by<R: SortRow>(shifts: &[u32], rows: &mut [R], buffer: &mut [R]) -> bool {
    for (pass, shift) in shifts.iter().enumerate() {
        match pass % 2 {
            0 => scatter(rows, buffer, *shift),
            _ => scatter(buffer, rows, *shift),
        }
    }
    shifts.len() % 2 == 1
}

/// Puts right the few rows that stand behind larger ones; gives up, and returns false, if they are
/// not few.
fn settle<R: SortRow>(rows: &mut [R]) -> bool {
    let mut most_moves = rows.len();
    for at in 1..rows.len() {
        let row = rows[at];
        if rows[at - 1].key() <= row.key() {
            continue;
        }
        let mut to = at;
        while to > 0 && rows[to - 1].key() > row.key() && most_moves > 0 {
            rows[to] = rows[to - 1];
            to -= 1;
            most_moves -= 1;
        }
        rows[to] = row;
        if most_moves == 0 {
            return false;
        }
    }
    true
}

#[inline(always)]
fn scatter<R: SortRow>(from: &[R], to: &mut [R], shift: u32) {
    let mask = (1 << DIGIT) - 1;
    let mut next = [0u32; 1 << DIGIT];
    for row in from {
        next[row.key().digit(shift) & mask] += 1;
    }
    let mut sum = 0;
    for place in &mut next {
        sum += std::mem::replace(place, sum);
    }
    for row in from {
        let place = &mut next[row.key().digit(shift) & mask];
        to[*place as usize] = *row;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{SortRow, settle, sort, sort_rows};

    fn assert_sorts<R: SortRow + Ord + std::fmt::Debug>(make: impl Fn(u64) -> R) {
        for (len, bits) in [
            (0, 1),
            (1, 1),
            (100, 60),
            (5_000, 12),
            (5_000, 63),
            (60_000, 20),
            (300_000, 46),
        ] {
            let mut state = 0x9E37_79B9_7F4A_7C15u64;
            let mut rows: Vec<R> = (0..len)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    make(state & ((1 << bits) - 1))
                })
                .collect();
            let mut expected = rows.clone();
            expected.sort();
            sort(&mut rows, 0, &mut Vec::new());
            assert_eq!(rows, expected, "{len} rows of {bits} bits");
        }
    }

    #[test]
    fn neighbours_that_differ_in_low_bits_only_are_sorted_too() {
        let far = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24 << 24;
        let rows = |cluster: u64| {
            (0..50_000u64)
                .map(|row| far(row / cluster) | (row * 7919 % 4096))
                .collect::<Vec<_>>()
        };
        for cluster in [1, 2, 3, 5_000] {
            let mut sorted = rows(cluster);
            sort(&mut sorted, 0, &mut vec![1, 2, 3]);
            let mut expected = rows(cluster);
            expected.sort();
            assert_eq!(sorted, expected, "clusters of {cluster}");
        }
        assert!(settle(&mut [1u64, 3, 2, 4]));
        assert!(!settle(&mut (0..100u64).rev().collect::<Vec<_>>()));
    }

    #[test]
    fn sorts_like_the_standard_library() {
        assert_sorts(|value| value);
        assert_sorts(|value| u128::from(value) << 40 | u128::from(value % 977));
    }
    #[test]
    fn what_stands_beside_a_key_stays_with_it() {
        for len in [0u64, 1, 100, 5_000, 300_000] {
            let key = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 30;
            let mut rows: Vec<(u64, u64)> = (0..len).map(|row| (key(row), row)).collect();
            sort_rows(&mut rows, &mut Vec::new());
            assert!(rows.is_sorted_by_key(|row| row.0), "{len} rows");
            assert!(rows.iter().all(|row| row.0 == key(row.1)), "{len} rows");
            rows.sort_unstable_by_key(|row| row.1);
            assert!(rows.iter().map(|row| row.1).eq(0..len), "{len} rows");
        }
    }
}
