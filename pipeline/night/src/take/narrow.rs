//! Columns of numbers in as few bytes as they need: there are billions, and memory that is touched
//! for the first time is dear.

/// A growing column of numbers, most of them below 2^24: three bytes each, four from the first
/// larger one on. Planes: 16 low bits, 8 high ones, and the rest only when there is one.
#[derive(Default)]
pub struct NarrowColumn {
    low: Vec<u16>,
    high: Vec<u8>,
    /// Empty as long as every number is below 2^24.
    top: Vec<u8>,
}

impl NarrowColumn {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.low.len()
    }

    /// Heap bytes held, without room that was reserved.
    pub fn size(&self) -> usize {
        self.len() * 3 + self.top.len()
    }

    /// Makes room; what is not used is not touched.
    pub fn reserve(&mut self, numbers: usize) {
        self.low.reserve(numbers);
        self.high.reserve(numbers);
    }

    /// Appends numbers.
    pub fn extend(&mut self, numbers: &[u32]) {
        if !self.top.is_empty() || numbers.iter().any(|number| number >> 24 != 0) {
            self.top.resize(self.len(), 0);
            self.top
                .extend(numbers.iter().map(|number| (number >> 24) as u8));
        }
        self.low.extend(numbers.iter().map(|&number| number as u16));
        self.high
            .extend(numbers.iter().map(|number| (number >> 16) as u8));
    }

    /// Calls `each(row, number)` for every number in order.
    pub fn for_each(&self, mut each: impl FnMut(usize, u32)) {
        let number = |(low, high): (&u16, &u8)| u32::from(*low) | u32::from(*high) << 16;
        let lower = self.low.iter().zip(&self.high).map(number).enumerate();
        if self.top.is_empty() {
            lower.for_each(|(row, number)| each(row, number));
        } else {
            lower
                .zip(&self.top)
                .for_each(|((row, number), top)| each(row, number | u32::from(*top) << 24));
        }
    }
}

/// Numbers by place, in one, two or four bytes each: what the largest of them needs.
pub enum NarrowTable {
    /// Below 2^8.
    One(Vec<u8>),
    /// Below 2^16.
    Two(Vec<u16>),
    /// Any.
    Four(Vec<u32>),
}

impl Default for NarrowTable {
    fn default() -> Self {
        Self::One(Vec::new())
    }
}

impl NarrowTable {
    /// The number at this place; 0 beyond the last.
    #[inline]
    pub fn get(&self, place: usize) -> u32 {
        match self {
            Self::One(numbers) => numbers.get(place).map_or(0, |&number| number.into()),
            Self::Two(numbers) => numbers.get(place).map_or(0, |&number| number.into()),
            Self::Four(numbers) => numbers.get(place).copied().unwrap_or(0),
        }
    }

    /// Puts a number at a place; places before it that have none get 0.
    #[inline]
    pub fn set(&mut self, place: usize, number: u32) {
        if place >= self.len() {
            self.reach(place + 1);
        }
        match self {
            Self::One(numbers) if number <= 0xff => numbers[place] = number as u8,
            Self::Two(numbers) if number <= 0xffff => numbers[place] = number as u16,
            Self::Four(numbers) => numbers[place] = number,
            _ => {
                self.widen(number);
                self.set(place, number);
            }
        }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        match self {
            Self::One(numbers) => numbers.len(),
            Self::Two(numbers) => numbers.len(),
            Self::Four(numbers) => numbers.len(),
        }
    }

    /// Makes room for so many more places; what is not used is not touched.
    pub fn reserve(&mut self, places: usize) {
        match self {
            Self::One(numbers) => numbers.reserve(places),
            Self::Two(numbers) => numbers.reserve(places),
            Self::Four(numbers) => numbers.reserve(places),
        }
    }

    /// Gives at least so many places a number, 0.
    pub fn reach(&mut self, len: usize) {
        let len = len.max(self.len());
        match self {
            Self::One(numbers) => numbers.resize(len, 0),
            Self::Two(numbers) => numbers.resize(len, 0),
            Self::Four(numbers) => numbers.resize(len, 0),
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        match self {
            Self::One(numbers) => numbers.capacity(),
            Self::Two(numbers) => numbers.capacity() * 2,
            Self::Four(numbers) => numbers.capacity() * 4,
        }
    }

    #[cold]
    fn widen(&mut self, number: u32) {
        let room = match self {
            Self::One(numbers) => numbers.capacity(),
            Self::Two(numbers) => numbers.capacity(),
            Self::Four(numbers) => numbers.capacity(),
        };
        let numbers = (0..self.len()).map(|place| self.get(place));
        *self = if number <= 0xffff {
            let mut wider = Vec::with_capacity(room);
            wider.extend(numbers.map(|number| number as u16));
            Self::Two(wider)
        } else {
            let mut wider = Vec::with_capacity(room);
            wider.extend(numbers);
            Self::Four(wider)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn gives_back_what_was_appended(parts in prop::collection::vec(prop::collection::vec(prop_oneof![4 => 0u32..1 << 24, 1 => any::<u32>()], 0..20), 0..10)) {
            let mut column = NarrowColumn::default();
            parts.iter().for_each(|part| column.extend(part));
            let mut found = Vec::new();
            column.for_each(|row, number| found.push((row, number)));
            let expected: Vec<(usize, u32)> = parts.concat().into_iter().enumerate().collect();
            prop_assert_eq!(column.len(), expected.len());
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn a_table_agrees_with_a_map(writes in prop::collection::vec((0usize..200, prop_oneof![0u32..256, 0u32..65_536, any::<u32>()]), 0..100)) {
            let (mut table, mut oracle) = (NarrowTable::default(), std::collections::BTreeMap::new());
            for (place, number) in writes {
                table.set(place, number);
                oracle.insert(place, number);
            }
            for place in 0..250 {
                prop_assert_eq!(table.get(place), oracle.get(&place).copied().unwrap_or(0));
            }
        }
    }
}
