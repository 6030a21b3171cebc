//! A dense table of groups by chunks that finds the bitset of a value by index, without a search;
//! for few groups and chunks.

/// No bitset.
pub(crate) const NONE: u32 = u32::MAX;

/// The most cells of the table.
const MOST: usize = 1 << 16;

/// The bitset number per group and chunk; empty once they are too many.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// `width` cells per group, group-major.
    slots: Vec<u32>,
    width: usize,
    /// The first chunk.
    base: u64,
    is_over: bool,
}

impl Grid {
    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
    }

    /// Whether all bitsets are in the table.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_over
    }

    /// The number of the bitset of a group's chunk, the value without its lowest 16 bits; [`NONE`]
    /// if it is not in the table.
    #[inline]
    pub(crate) fn find(&self, group: u32, chunk: u64) -> u32 {
        let column = chunk.wrapping_sub(self.base);
        if column >= self.width as u64 {
            return NONE;
        }
        self.slots
            .get(group as usize * self.width + column as usize)
            .copied()
            .unwrap_or(NONE)
    }

    /// Inserts a bitset's number.
    pub(crate) fn put(&mut self, group: u32, chunk: u64, slot: u32) {
        if self.is_over {
            return;
        }
        let rows = (self.slots.len() / self.width.max(1)).max(group as usize + 1);
        let fits = |start: u64, end: u64| {
            end - start <= MOST as u64 && rows * (end - start) as usize <= MOST
        };
        let (start, end, width) = (self.base, self.base + self.width as u64, self.width as u64);
        // Twice as wide, if there is room, so that ascending chunks do not move the table each
        // time.
        let (start, end) = match chunk {
            _ if width == 0 => (chunk, chunk + 1),
            _ if (start..end).contains(&chunk) => (start, end),
            _ if chunk < start && fits(chunk.min(start.saturating_sub(width)), end) => {
                (chunk.min(start.saturating_sub(width)), end)
            }
            _ if chunk >= end && fits(start, (chunk + 1).max(end + width)) => {
                (start, (chunk + 1).max(end + width))
            }
            _ => (start.min(chunk), end.max(chunk + 1)),
        };
        if !fits(start, end) {
            *self = Self {
                is_over: true,
                ..Self::default()
            };
            return;
        }
        self.lay_out(start, (end - start) as usize, rows);
        self.slots[group as usize * self.width + (chunk - self.base) as usize] = slot;
    }

    /// Resizes the table to these chunks and groups.
    fn lay_out(&mut self, base: u64, width: usize, rows: usize) {
        if width == self.width && base == self.base {
            self.slots.resize(self.slots.len().max(rows * width), NONE);
            return;
        }
        let mut slots = vec![NONE; rows * width];
        for (row, before) in slots
            .chunks_mut(width)
            .zip(self.slots.chunks(self.width.max(1)))
        {
            row[(self.base - base) as usize..][..before.len()].copy_from_slice(before);
        }
        (self.slots, self.width, self.base) = (slots, width, base);
    }
}

#[cfg(test)]
mod tests {
    use super::{Grid, NONE};

    #[test]
    fn finds_what_was_put() {
        let mut grid = Grid::default();
        let places = [(3, 1000), (0, 1000), (7, 998), (2, 1200), (9, 1001), (3, 5)];
        for (slot, (group, chunk)) in places.into_iter().enumerate() {
            grid.put(group, chunk, slot as u32);
            for (before, (group, chunk)) in places[..=slot].iter().enumerate() {
                assert_eq!(grid.find(*group, *chunk), before as u32);
            }
        }
        assert_eq!(
            (
                grid.find(3, 999),
                grid.find(4, 1000),
                grid.find(10, 1000),
                grid.find(3, 4)
            ),
            (NONE, NONE, NONE, NONE)
        );
        assert!(grid.is_whole());
        grid.put(3, u64::MAX >> 16, 6);
        assert!(!grid.is_whole());
        assert_eq!((grid.find(3, 1000), grid.bytes()), (NONE, 0));
    }
}
