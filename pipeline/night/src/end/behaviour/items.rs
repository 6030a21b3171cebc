//! What the users of an app did of one event: their combinations with counts, and sums of measures.

use crate::take::measure::sum;

/// One user's combination of one event.
#[derive(Debug, Clone, Copy)]
pub struct Combination {
    /// The user.
    pub ordinal: u32,
    /// Its number among the user's combinations of the event.
    pub number: u32,
    /// Its values.
    pub tuple: u32,
    /// How often the user did it.
    pub count: u32,
}

/// The sum of one measure over one user's combination.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// The user.
    pub ordinal: u32,
    /// The number of the combination.
    pub number: u32,
    /// The scaled sum; [`crate::take::measure::NO_SUM`] where it does not fit into 64 bits.
    pub sum: i64,
}

/// What the users of an app did of one event.
#[derive(Default)]
pub struct EventItems {
    /// Ascending by user and number.
    pub combinations: Vec<Combination>,
    /// By measure slot, ascending by user and number.
    pub sums: Vec<Vec<Sum>>,
    /// The greatest number of a combination.
    pub most: u32,
    /// Where the last user's overflow began.
    overflow: Option<usize>,
}

impl EventItems {
    /// Without items, with room for `most` combinations.
    pub fn emptied(mut self, slots: usize, most: usize) -> Self {
        self.combinations.clear();
        self.combinations.reserve(most);
        self.sums.iter_mut().for_each(Vec::clear);
        self.sums.resize(slots, Vec::new());
        (self.most, self.overflow) = (0, None);
        self
    }

    /// Rows of events.
    pub fn rows(&self) -> u64 {
        self.combinations
            .iter()
            .map(|item| u64::from(item.count))
            .sum()
    }

    /// Adds a combination; in the overflow the counts of one user are added up on the first.
    pub fn add(&mut self, item: Combination, limit: u32) {
        self.most = self.most.max(item.number);
        if item.number < limit {
            self.combinations.push(item);
            return;
        }
        let first = self
            .overflow
            .filter(|&at| self.combinations[at].ordinal == item.ordinal);
        match first {
            Some(at) => {
                self.combinations[at].count += item.count;
                self.combinations.push(Combination { count: 0, ..item });
            }
            None => {
                self.overflow = Some(self.combinations.len());
                self.combinations.push(item);
            }
        }
    }

    /// Adds to the sum of a measure slot; equal combinations come one after the other.
    pub fn add_sum(&mut self, slot: usize, more: Sum) {
        match self.sums[slot].last_mut() {
            Some(last) if (last.ordinal, last.number) == (more.ordinal, more.number) => {
                last.sum = sum(last.sum, more.sum);
            }
            _ => self.sums[slot].push(more),
        }
    }
}
