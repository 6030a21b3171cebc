//! Sorts integer rows in place: by their most significant differing bits until a part fits the cache, then by the rest.

/// Parts of at most this many rows are sorted with a second buffer of their size.
const CACHED: usize = 1 << 18;
/// Below this many rows a comparison sort is faster.
const FEW: usize = 192;
/// Bits of a digit where a buffer is used.
const DIGIT: u32 = 12;

/// A row that sorts as an integer.
pub(super) trait Row: Copy + Ord {
    /// Zero, to fill a buffer with.
    const ZERO: Self;
    /// The bits in which any row differs from the first.
    fn differing(rows: &[Self]) -> u128;
    /// The bits from `shift` on, as many as fit.
    fn digit(self, shift: u32) -> usize;
}

impl Row for u64 {
    const ZERO: Self = 0;

    fn differing(rows: &[Self]) -> u128 {
        u128::from(rows.iter().fold(0, |bits, row| bits | (row ^ rows[0])))
    }

    #[inline(always)]
    fn digit(self, shift: u32) -> usize {
        (self >> shift) as usize
    }
}

impl Row for u128 {
    const ZERO: Self = 0;

    fn differing(rows: &[Self]) -> u128 {
        rows.iter().fold(0, |bits, row| bits | (row ^ rows[0]))
    }

    #[inline(always)]
    fn digit(self, shift: u32) -> usize {
        (self >> shift) as usize
    }
}

/// Sorts ascending. Needs no more memory than 262,144 rows beyond the slice.
pub(super) fn sort<R: Row>(rows: &mut [R]) {
    if !rows.is_sorted() {
        sort_part(rows, &mut Vec::new());
    }
}

fn sort_part<R: Row>(rows: &mut [R], buffer: &mut Vec<R>) {
    if rows.len() < FEW {
        rows.sort_unstable();
        return;
    }
    let differing = R::differing(rows);
    if differing == 0 {
        return;
    }
    if rows.len() <= CACHED {
        sort_cached(rows, differing, buffer);
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
fn distribute<R: Row>(rows: &mut [R], shift: u32, width: u32) -> Vec<usize> {
    let mask = (1 << width) - 1;
    let mut ends = vec![0; mask + 1];
    for row in rows.iter() {
        ends[row.digit(shift) & mask] += 1;
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
                let wanted = row.digit(shift) & mask;
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

/// Sorts by the lowest digit first, between the rows and a buffer; bits in which no rows differ belong to no digit.
fn sort_cached<R: Row>(rows: &mut [R], differing: u128, buffer: &mut Vec<R>) {
    let mut shifts = Vec::with_capacity(11);
    let mut left = differing;
    while left != 0 {
        let shift = left.trailing_zeros();
        shifts.push(shift);
        left &= u128::MAX.checked_shl(shift + DIGIT).unwrap_or(0);
    }
    if shifts.len() << (DIGIT - 3) > rows.len() {
        rows.sort_unstable();
        return;
    }
    if buffer.len() < rows.len() {
        buffer.resize(rows.len(), R::ZERO);
    }
    let buffer = &mut buffer[..rows.len()];
    for (pass, shift) in shifts.iter().enumerate() {
        match pass % 2 {
            0 => scatter(rows, buffer, *shift),
            _ => scatter(buffer, rows, *shift),
        }
    }
    if shifts.len() % 2 == 1 {
        rows.copy_from_slice(buffer);
    }
}

#[inline(always)]
fn scatter<R: Row>(from: &[R], to: &mut [R], shift: u32) {
    let mask = (1 << DIGIT) - 1;
    let mut next = [0u32; 1 << DIGIT];
    for row in from {
        next[row.digit(shift) & mask] += 1;
    }
    let mut sum = 0;
    for place in &mut next {
        sum += std::mem::replace(place, sum);
    }
    for row in from {
        let place = &mut next[row.digit(shift) & mask];
        to[*place as usize] = *row;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, sort};

    fn assert_sorts<R: Row + std::fmt::Debug>(make: impl Fn(u64) -> R) {
        for (len, bits) in [(0, 1), (1, 1), (100, 60), (5_000, 12), (5_000, 63), (60_000, 20), (300_000, 46)] {
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
            sort(&mut rows);
            assert_eq!(rows, expected, "{len} rows of {bits} bits");
        }
    }

    #[test]
    fn sorts_like_the_standard_library() {
        assert_sorts(|value| value);
        assert_sorts(|value| u128::from(value) << 40 | u128::from(value % 977));
    }
}
