//! Which rows of a Parquet file with large rows are read together.
//!
//! A row group is read as a whole before its first row is seen. Bitmaps make row groups that are
//! one batch and yet a hundred MiB: threads can not share them, and what was read first has left
//! the processor's caches when it is used. Pages say where to cut.

use std::ops::Range;

use datafusion::parquet::file::metadata::ParquetMetaData;

/// Bytes of a piece: each is opened for itself, and reads the dictionaries of its row groups.
const LEAST: u64 = 4 << 20;
const MOST: u64 = 12 << 20;
/// Pieces for each thread, if they are large enough, so that all threads end at about the same
/// time.
const FOR_EACH_THREAD: u64 = 4;

/// Rows, and how many bytes are read for them.
struct Part {
    end: usize,
    bytes: u64,
}

/// The rows of each piece, in order and without a gap; `None` if no row group of at most `batch`
/// rows is larger than a piece, or the pages are not known. `columns` are the numbers of the leaf
/// columns that are read.
pub(super) fn pieces(
    footer: &ParquetMetaData,
    columns: &[usize],
    batch: usize,
    threads: usize,
) -> Option<Vec<Range<usize>>> {
    let pages = footer.offset_index()?;
    let size_of = |group: usize, column: usize| {
        u64::try_from(footer.row_group(group).column(column).compressed_size()).unwrap_or(0)
    };
    let group_size = |group: usize| {
        columns
            .iter()
            .map(|column| size_of(group, *column))
            .sum::<u64>()
    };
    let total: u64 = (0..footer.num_row_groups()).map(group_size).sum();
    let size = (total / (threads as u64 * FOR_EACH_THREAD)).clamp(LEAST, MOST);
    let mut parts = Vec::new();
    let (mut start, mut is_any_cut) = (0, false);
    for group in 0..footer.num_row_groups() {
        let rows = usize::try_from(footer.row_group(group).num_rows()).ok()?;
        let widest = columns
            .iter()
            .copied()
            .max_by_key(|column| size_of(group, *column))?;
        if rows <= batch && group_size(group) > size {
            let locations = pages.get(group)?.get(widest)?.page_locations();
            for (page, location) in locations.iter().enumerate() {
                let end = locations.get(page + 1).map_or(rows, |next| {
                    usize::try_from(next.first_row_index).unwrap_or(rows)
                });
                parts.push(Part {
                    end: start + end,
                    bytes: u64::try_from(location.compressed_page_size).unwrap_or(0),
                });
            }
            is_any_cut |= locations.len() > 1;
        } else {
            parts.push(Part {
                end: start + rows,
                bytes: group_size(group),
            });
        }
        start += rows;
    }
    is_any_cut.then(|| join(&parts, size))
}

/// Puts neighbours together up to a size.
fn join(parts: &[Part], size: u64) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, part) in parts.iter().enumerate() {
        bytes += part.bytes;
        let next = parts.get(at + 1).map_or(size, |next| next.bytes);
        if bytes + next / 2 >= size && part.end > start {
            pieces.push(start..part.end);
            (start, bytes) = (part.end, 0);
        }
    }
    if let Some(last) = parts.last().filter(|last| last.end > start) {
        pieces.push(start..last.end);
    }
    pieces
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "lists of one range are meant"
)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_up_to_a_size_without_gaps() {
        let parts = [
            (3, 10),
            (4, 90),
            (4, 0),
            (6, 40),
            (7, 30),
            (9, 500),
            (10, 1),
        ]
        .map(|(end, bytes)| Part { end, bytes });
        assert_eq!(join(&parts, 100), [0..4, 4..7, 7..9, 9..10]);
        assert_eq!(join(&parts, 1_000), [0..10]);
        assert_eq!(join(&parts[..1], 1), [0..3]);
        assert_eq!(join(&[], 1), Vec::<Range<usize>>::new());
    }
}
