//! Keys by which the rows of one dimension are cut: (value in order of its text, number of the
//! combination) as one integer of 32 bits.
//!
//! ```text
//! key = text rank * numbers + number          where such keys fit into 32 bits
//! key = position among the text ranks that occur * numbers + number          else
//! ```

use std::ops::Range;

use super::items::{Combination, EventItems};
use super::kept::Folded;
use super::text_order::TextOrder;

/// The rank of null, which stands before every value. Folded values are written as null.
const NULL_RANK: u32 = 0;

/// In place of the key of a combination without a value: there are fewer keys than this.
const NO_KEY: u32 = u32::MAX;

/// The keys of one dimension's values.
pub struct ValueKeys<'a> {
    order: &'a TextOrder,
    folded: Folded,
    used: UsedTextRanks,
    /// Numbers that combinations can have.
    numbers: u32,
}

impl<'a> ValueKeys<'a> {
    /// The keys of the values whose ranks in the combinations of `items` are `ranks`, by tuple.
    pub fn of(order: &'a TextOrder, folded: Folded, items: &EventItems, ranks: &[u32]) -> Self {
        let numbers = items.most + 1;
        let written_as = |rank: u32| text_rank(order, &folded, rank);
        let used = UsedTextRanks::of(order.len(), numbers, || {
            let combinations = items.combinations.iter();
            let occurring = combinations.map(|item| ranks[item.tuple as usize]);
            let valued = occurring.filter(|rank| *rank != NULL_RANK);
            valued.map(written_as)
        });
        Self {
            order,
            folded,
            used,
            numbers,
        }
    }

    /// Values, folded ones as one.
    pub fn values(&self) -> u32 {
        self.used.len()
    }

    /// Numbers that combinations can have.
    pub fn numbers(&self) -> u32 {
        self.numbers
    }

    /// All keys are below this.
    pub fn end(&self) -> u64 {
        u64::from(self.values()) * u64::from(self.numbers)
    }

    /// The key of number 0 of the value with this rank; [`NO_KEY`] for null.
    fn first(&self, rank: u32) -> u32 {
        if rank == NULL_RANK {
            NO_KEY
        } else {
            let text_rank = text_rank(self.order, &self.folded, rank);
            self.used.position(text_rank) * self.numbers
        }
    }

    /// The text rank and the number that a key stands for.
    pub fn parts(&self, key: u32) -> (u32, u32) {
        (self.used.text_rank(key / self.numbers), key % self.numbers)
    }
}

/// What a value is written as: folded ones are null.
fn text_rank(order: &TextOrder, folded: &Folded, rank: u32) -> u32 {
    order.text_rank(if folded.contains(rank) {
        NULL_RANK
    } else {
        rank
    })
}

/// The keys of an event's combinations.
pub struct CombinationKeys<'a> {
    values: &'a ValueKeys<'a>,
    /// By tuple.
    ranks: &'a [u32],
    first_tuple: usize,
    /// The first key of each of the event's tuples; empty where not every tuple is looked at.
    table: Vec<u32>,
}

impl<'a> CombinationKeys<'a> {
    /// The keys of `items`, whose tuples are among `tuples`. There are fewer than 2^32 keys.
    pub fn of(
        values: &'a ValueKeys<'a>,
        ranks: &'a [u32],
        tuples: Range<usize>,
        items: &EventItems,
    ) -> Self {
        let first_tuple = tuples.start;
        let table = if tuples.len() <= items.combinations.len() {
            let ranks = ranks[tuples].iter();
            ranks.map(|&rank| values.first(rank)).collect()
        } else {
            Vec::new()
        };
        Self {
            values,
            ranks,
            first_tuple,
            table,
        }
    }

    /// The key of a combination, `None` where it has no value.
    #[inline]
    pub fn key(&self, item: &Combination) -> Option<u32> {
        let tuple = item.tuple as usize;
        let first = self
            .table
            .get(tuple - self.first_tuple)
            .copied()
            .unwrap_or_else(|| self.values.first(self.ranks[tuple]));
        (first != NO_KEY).then(|| first + item.number)
    }
}

/// The text ranks that keys are made of: all, or, where keys of 32 bits could not hold them, those
/// that occur in the event.
enum UsedTextRanks {
    All(u32),
    Listed(Vec<u32>),
}

impl UsedTextRanks {
    fn of<I: Iterator<Item = u32>>(all: usize, numbers: u32, used: impl Fn() -> I) -> Self {
        if all as u64 * u64::from(numbers) <= u64::from(u32::MAX) {
            return Self::All(all as u32);
        }
        let mut used: Vec<u32> = used().collect();
        used.sort_unstable();
        used.dedup();
        Self::Listed(used)
    }

    fn len(&self) -> u32 {
        match self {
            Self::All(all) => *all,
            Self::Listed(used) => used.len() as u32,
        }
    }

    /// The position of a text rank that is used.
    fn position(&self, text_rank: u32) -> u32 {
        match self {
            Self::All(_) => text_rank,
            Self::Listed(used) => used.partition_point(|other| *other < text_rank) as u32,
        }
    }

    fn text_rank(&self, position: u32) -> u32 {
        match self {
            Self::All(_) => position,
            Self::Listed(used) => used[position as usize],
        }
    }
}
