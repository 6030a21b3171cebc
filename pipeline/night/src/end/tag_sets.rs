//! The users of every value of one tag of one app: what tag bitmaps are written from and rules are
//! evaluated on.
//!
//! ```text
//! values: v0 v1 v2 ...            in typed order
//! starts: 0  3  3+n1 ...          seats[starts[i]..starts[i+1]] have value i; seats count from the app's first
//! ```

use std::ops::Range;

use tagmill_schemas::value::{Value, ValueType};

use super::cutter::Cutter;
use crate::take::attributes::TagColumn;
use crate::take::values::{Values, positions};

/// A tag whose values are codes.
pub struct EncodedTag<'a> {
    /// Its name.
    pub name: &'a str,
    /// The encoder of its values.
    pub values: &'a Values,
    /// Whether a user can have several values.
    pub multi: bool,
    /// Decimal digits of doubles in the bit-sliced index.
    pub scale: Option<u8>,
}

/// One tag of one app in one shard.
pub struct TagSets {
    /// Name of the tag.
    pub name: String,
    /// Type of its values.
    pub value_type: ValueType,
    /// Whether a user can have several values.
    pub multi: bool,
    /// Decimal digits of doubles in the bit-sliced index.
    pub scale: Option<u8>,
    /// Distinct values, in order.
    pub values: Vec<Value>,
    starts: Vec<u32>,
    seats: Vec<u32>,
}

impl TagSets {
    /// The sets of one column for an app whose seats, in order, have these provisional numbers.
    /// `order` is that of the column's values.
    pub fn of_column(
        column: &TagColumn,
        provisional: &[u32],
        order: &CodeOrder,
        cutter: &mut Cutter,
    ) -> Self {
        for (seat, &provisional) in provisional.iter().enumerate() {
            for code in column.codes(provisional) {
                cutter.push(order.ranks[code as usize], seat as u32);
            }
        }
        let tag = EncodedTag {
            name: &column.name,
            values: &column.values,
            multi: column.multi,
            scale: column.scale,
        };
        Self::cut(&tag, order, cutter)
    }

    /// The sets of the pairs in `cutter`, whose keys are ranks.
    pub fn cut(tag: &EncodedTag<'_>, order: &CodeOrder, cutter: &mut Cutter) -> Self {
        let mut sets = Self {
            name: tag.name.to_owned(),
            value_type: tag.values.value_type(),
            multi: tag.multi,
            scale: tag.scale,
            values: Vec::new(),
            starts: vec![0],
            seats: Vec::with_capacity(cutter.len()),
        };
        let done = cutter.cut(order.codes.len() as u64, |rank, seats| {
            let code = order.codes[rank as usize];
            sets.values.extend(tag.values.value(code));
            sets.seats.extend_from_slice(seats);
            sets.starts.push(sets.seats.len() as u32);
            Ok::<_, std::convert::Infallible>(())
        });
        match done {
            Ok(()) => sets,
            Err(never) => match never {},
        }
    }

    /// The seats that have value number `i`, ascending.
    pub fn seats(&self, i: usize) -> &[u32] {
        &self.seats[self.starts[i] as usize..self.starts[i + 1] as usize]
    }

    /// Sets the bit of every seat that has a value.
    pub fn fill_all(&self, words: &mut [u64]) {
        fill(&self.seats, words);
    }

    /// Sets the bit of every seat with one of the values that stand in these ranges.
    pub fn fill(&self, words: &mut [u64], values: &[Range<usize>]) {
        for range in values {
            fill(
                &self.seats[self.starts[range.start] as usize..self.starts[range.end] as usize],
                words,
            );
        }
    }

    /// For a single-valued tag: (seat, number of its value), seats ascending.
    pub fn by_seat(&self, seats: usize) -> Vec<(u32, u32)> {
        let mut value_of = vec![u32::MAX; seats];
        for i in 0..self.values.len() {
            self.seats(i)
                .iter()
                .for_each(|&seat| value_of[seat as usize] = i as u32);
        }
        value_of
            .iter()
            .enumerate()
            .filter(|(_, value)| **value != u32::MAX)
            .map(|(seat, &value)| (seat as u32, value))
            .collect()
    }
}

/// The typed order of an encoder's codes, computed once for all apps.
pub struct CodeOrder {
    codes: Vec<u32>,
    ranks: Vec<u32>,
}

impl CodeOrder {
    /// The order of these values.
    pub fn of(values: &Values) -> Self {
        let codes = values.sorted_codes();
        Self {
            ranks: positions(&codes),
            codes,
        }
    }

    /// The code at a position.
    pub fn code(&self, rank: u32) -> u32 {
        self.codes[rank as usize]
    }

    /// The position of a code.
    pub fn rank(&self, code: u32) -> u32 {
        self.ranks[code as usize]
    }
}

fn fill(seats: &[u32], words: &mut [u64]) {
    for &seat in seats {
        words[seat as usize / 64] |= 1 << (seat % 64);
    }
}
