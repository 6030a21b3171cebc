//! When an artifact that runs append to gets fewer, larger files: by geometric merging, so that a
//! row is written again about log2 times at most and a reader opens about log2 files.
//!
//! ```text
//! parts, newest first     new rows 10:  12 < 2 × 10 absorbed   40 < 2 × 22 absorbed   900 stays
//! ```

/// How many of the newest parts a file with `rows` new rows absorbs: while a part has fewer than
/// twice the rows that are written already, or none. Of rows alone: equal releases make equal
/// files.
pub fn absorbed_parts(rows: u64, newest_first: impl IntoIterator<Item = u64>) -> usize {
    let mut written = rows;
    let parts = newest_first.into_iter().take_while(|part| {
        let is_absorbed = *part == 0 || *part < written.saturating_mul(2);
        written = written.saturating_add(if is_absorbed { *part } else { 0 });
        is_absorbed
    });
    parts.count()
}

#[cfg(test)]
mod tests {
    use super::absorbed_parts;

    #[test]
    fn parts_are_absorbed_while_they_are_small() {
        assert_eq!(absorbed_parts(10, [12, 40, 900]), 2);
        assert_eq!(absorbed_parts(10, [20, 1]), 0);
        assert_eq!(absorbed_parts(0, [0, 0, 1, 0]), 2);
    }

    #[test]
    fn a_thousand_nights_leave_about_log2_parts() {
        for nightly in [[1, 1, 1], [7, 0, 3], [1_000, 1, 40]] {
            let mut newest_first: Vec<u64> = Vec::new();
            let mut total = 0;
            for rows in nightly.into_iter().cycle().take(1_000) {
                let absorbed = absorbed_parts(rows, newest_first.iter().copied());
                let merged: u64 = newest_first.drain(..absorbed).sum();
                newest_first.insert(0, rows + merged);
                total += rows;
            }
            assert_eq!(newest_first.iter().sum::<u64>(), total);
            assert!(newest_first.len() as u32 <= u64::BITS - total.leading_zeros() + 1);
        }
    }
}
