//! Sorted rows, delta-encoded into about a third of their size.
//!
//! Bench: `build MiB` of 10,000 groups in `udfs/benches/sql_aggregates.rs`.
//!
//! ```text
//! row    := distance: number, if it is of the group of the row before
//!         | 0: number, group: number, value: number
//! number := its bits above two that say how many bytes it takes: 2, 3, 5 or 9, little endian
//! ```
//! Eight zero bytes follow the last row, so that a number can always be read as eight bytes.

use super::rows::LogRow;

/// Bytes of a number by its lowest two bits.
const LENGTHS: [usize; 4] = [2, 3, 5, 9];
/// Zero bytes at the end.
const PADDING: usize = 8;

fn put(number: u64, out: &mut Vec<u8>) {
    let code = usize::from(number >= 1 << 14)
        + usize::from(number >= 1 << 22)
        + usize::from(number >= 1 << 38);
    let end = out.len() + LENGTHS[code];
    out.extend_from_slice(&(number << 2 | code as u64).to_le_bytes());
    if code == 3 {
        out.push((number >> 62) as u8);
    }
    out.truncate(end);
}

#[inline(always)]
fn take(bytes: &[u8], at: &mut usize) -> u64 {
    let Some(word) = bytes
        .get(*at..)
        .and_then(|bytes| bytes.first_chunk())
        .map(|word| u64::from_le_bytes(*word))
    else {
        *at = bytes.len();
        return 0;
    };
    let code = (word & 3) as usize;
    let start = *at;
    *at += LENGTHS[code];
    if code == 3 {
        return word >> 2
            | bytes
                .get(start + 8)
                .map_or(0, |byte| u64::from(*byte) << 62);
    }
    (word & ((1 << (LENGTHS[code] * 8)) - 1)) >> 2
}

/// Packs sorted rows without duplicates; `scratch` is replaced.
pub(crate) fn pack<R: LogRow>(rows: &[R], scratch: &mut Vec<u8>) -> Box<[u8]> {
    scratch.clear();
    let mut before = None;
    for row in rows {
        let (group, value) = (row.group(), row.low());
        match before {
            Some((same, less)) if same == group => put(value - less, scratch),
            _ => {
                put(0, scratch);
                put(u64::from(group), scratch);
                put(value, scratch);
            }
        }
        before = Some((group, value));
    }
    scratch.extend_from_slice(&[0; PADDING]);
    scratch.as_slice().into()
}

/// Appends packed rows to `rows`.
pub(crate) fn unpack<R: LogRow>(bytes: &[u8], rows: &mut Vec<R>) {
    let (mut at, mut group, mut value) = (0, 0, 0);
    while at + PADDING < bytes.len() {
        match take(bytes, &mut at) {
            0 => {
                group = take(bytes, &mut at) as u32;
                value = take(bytes, &mut at);
            }
            distance => value += distance,
        }
        rows.push(R::new(group, value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::LogRow;
    use super::{pack, unpack};

    fn assert_returns<R: LogRow>(rows: impl IntoIterator<Item = (u32, u64)>) {
        let mut rows: Vec<R> = rows
            .into_iter()
            .map(|(group, value)| R::new(group, value))
            .collect();
        rows.sort();
        rows.dedup();
        let mut found: Vec<R> = Vec::new();
        unpack(&pack(&rows, &mut vec![7; 3]), &mut found);
        assert_eq!(found, rows);
    }

    #[test]
    fn what_is_packed_returns() {
        let steps = [
            1,
            2,
            300,
            (1 << 14) - 1,
            1 << 14,
            (1 << 22) - 1,
            1 << 22,
            1 << 31,
        ];
        let far = [
            (1 << 38) - 1,
            1 << 38,
            (1 << 62) - 1,
            1 << 62,
            (1 << 62) + 1,
            1 << 63,
            u64::MAX,
        ];
        let near = |group: u32| {
            steps
                .into_iter()
                .flat_map(move |step| [(group, step), (group, step + 1), (group, step * 2 - 1)])
        };
        assert_returns::<u64>([]);
        assert_returns::<u64>([(0, 0)]);
        assert_returns::<u64>(
            [0, 1, 1 << 20, u32::MAX]
                .into_iter()
                .flat_map(near)
                .chain([(0, 0), (5, 0)]),
        );
        assert_returns::<u128>(
            [0, 1, 1 << 20, u32::MAX]
                .into_iter()
                .flat_map(near)
                .chain(far.map(|value| (3, value))),
        );
        assert_returns::<u128>(far.map(|value| (u32::MAX, value)));
    }

    #[test]
    fn rows_take_little_more_than_two_bytes() {
        let rows: Vec<u64> = (0..8192)
            .map(|row| (row / 512) << 32 | (row % 512 * 9_001))
            .collect();
        assert!(pack(&rows, &mut Vec::new()).len() < 8192 * 5 / 2);
    }
}
