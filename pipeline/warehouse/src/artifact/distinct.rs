//! The distinct values of a column in a row group, numbered in the order in which they come.

use std::cmp::Ordering;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// How the 64 bits of a number are stored and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// Four bytes.
    Signed32,
    Unsigned32,
    /// Eight bytes.
    Signed64,
    Unsigned64,
    Double,
}

/// Distinct texts or numbers.
#[derive(Debug)]
pub(super) enum Distinct {
    Texts(Texts),
    Numbers(Kind, Numbers),
}

impl Distinct {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.starts.len(),
            Self::Numbers(_, numbers) => numbers.bits.len(),
        }
    }

    /// What a value takes in Parquet's plain encoding; a boolean takes a bit and counts as nothing.
    pub(super) fn plain_bytes(&self, number: u32) -> usize {
        match self {
            Self::Texts(texts) => 4 + texts.get(number).len(),
            Self::Numbers(Kind::Bool, _) => 0,
            Self::Numbers(Kind::Signed32 | Kind::Unsigned32, _) => 4,
            Self::Numbers(..) => 8,
        }
    }

    /// Appends a value that is no boolean in Parquet's plain encoding.
    pub(super) fn append_plain(&self, number: u32, out: &mut Vec<u8>) {
        match self {
            Self::Texts(texts) => out.extend_from_slice(texts.plain(number)),
            Self::Numbers(..) => out.extend_from_slice(&self.bound(number)),
        }
    }

    /// A value as it stands in statistics.
    pub(super) fn bound(&self, number: u32) -> Vec<u8> {
        match self {
            Self::Texts(texts) => texts.get(number).to_vec(),
            Self::Numbers(Kind::Bool, numbers) => vec![numbers.get(number) as u8],
            Self::Numbers(Kind::Signed32 | Kind::Unsigned32, numbers) => {
                (numbers.get(number) as u32).to_le_bytes().to_vec()
            }
            Self::Numbers(_, numbers) => numbers.get(number).to_le_bytes().to_vec(),
        }
    }

    /// Whether a boolean is true.
    pub(super) fn is_true(&self, number: u32) -> bool {
        matches!(self, Self::Numbers(_, numbers) if numbers.get(number) == 1)
    }

    /// The order of Parquet's statistics.
    pub(super) fn compare(&self, a: u32, b: u32) -> Ordering {
        match self {
            Self::Texts(texts) => texts.get(a).cmp(texts.get(b)),
            Self::Numbers(kind, numbers) => {
                let (a, b) = (numbers.get(a), numbers.get(b));
                match kind {
                    Kind::Signed32 | Kind::Signed64 => (a as i64).cmp(&(b as i64)),
                    Kind::Bool | Kind::Unsigned32 | Kind::Unsigned64 => a.cmp(&b),
                    Kind::Double => f64::from_bits(a).total_cmp(&f64::from_bits(b)),
                }
            }
        }
    }

    /// Forgets every value.
    pub(super) fn clear(&mut self) {
        match self {
            Self::Texts(texts) => texts.clear(),
            Self::Numbers(_, numbers) => numbers.clear(),
        }
    }

    /// All values in Parquet's plain encoding: the dictionary page.
    pub(super) fn page(&self) -> Vec<u8> {
        match self {
            Self::Texts(texts) => texts.plain.clone(),
            Self::Numbers(..) => (0..self.len() as u32)
                .flat_map(|number| self.bound(number))
                .collect(),
        }
    }
}

/// Distinct texts, kept as they stand in a dictionary page: a length of four bytes before each.
#[derive(Debug, Default)]
pub(super) struct Texts {
    plain: Vec<u8>,
    starts: Vec<u32>,
    table: HashTable<u32>,
}

impl Texts {
    /// The number of a text, and how many bytes were added for it.
    pub(super) fn intern(&mut self, text: &[u8]) -> (u32, usize) {
        let Self {
            plain,
            starts,
            table,
        } = self;
        let hash = xxh3_64(text);
        let of = |number: u32| slice(plain, starts, number).split_at(4).1;
        match table.entry(
            hash,
            |&number| of(number) == text,
            |&number| xxh3_64(of(number)),
        ) {
            hashbrown::hash_table::Entry::Occupied(found) => (*found.get(), 0),
            hashbrown::hash_table::Entry::Vacant(free) => {
                let number = starts.len() as u32;
                free.insert(number);
                starts.push(plain.len() as u32);
                plain.extend_from_slice(&(text.len() as u32).to_le_bytes());
                plain.extend_from_slice(text);
                (number, 4 + text.len())
            }
        }
    }

    pub(super) fn get(&self, number: u32) -> &[u8] {
        self.plain(number).split_at(4).1
    }

    fn plain(&self, number: u32) -> &[u8] {
        slice(&self.plain, &self.starts, number)
    }

    fn clear(&mut self) {
        self.plain.clear();
        self.starts.clear();
        self.table.clear();
    }
}

fn slice<'p>(plain: &'p [u8], starts: &[u32], number: u32) -> &'p [u8] {
    let end = starts
        .get(number as usize + 1)
        .map_or(plain.len(), |end| *end as usize);
    &plain[starts[number as usize] as usize..end]
}

/// Numbers below this have a place of their own; the smallest is -[`BELOW_ZERO`].
const DIRECT: usize = 1 << 10;
const BELOW_ZERO: u64 = 1;
const UNSEEN: u32 = u32::MAX;

/// Distinct numbers of 64 bits.
#[derive(Debug)]
pub(super) struct Numbers {
    bits: Vec<u64>,
    direct: Vec<u32>,
    table: HashTable<u32>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            bits: Vec::new(),
            direct: vec![UNSEEN; DIRECT],
            table: HashTable::new(),
        }
    }
}

impl Numbers {
    /// The number of a value, and how many bytes were added for it.
    #[inline]
    pub(super) fn intern(&mut self, bits: u64) -> (u32, usize) {
        match self.direct.get_mut(bits.wrapping_add(BELOW_ZERO) as usize) {
            Some(number) if *number != UNSEEN => (*number, 0),
            Some(number) => {
                *number = self.bits.len() as u32;
                self.bits.push(bits);
                (*number, size_of::<u64>())
            }
            None => self.intern_large(bits),
        }
    }

    fn intern_large(&mut self, value: u64) -> (u32, usize) {
        let Self { bits, table, .. } = self;
        match table.entry(
            spread(value),
            |&number| bits[number as usize] == value,
            |&number| spread(bits[number as usize]),
        ) {
            hashbrown::hash_table::Entry::Occupied(found) => (*found.get(), 0),
            hashbrown::hash_table::Entry::Vacant(free) => {
                let number = bits.len() as u32;
                free.insert(number);
                bits.push(value);
                (number, size_of::<u64>())
            }
        }
    }

    pub(super) fn get(&self, number: u32) -> u64 {
        self.bits[number as usize]
    }

    fn clear(&mut self) {
        for bits in self.bits.drain(..) {
            if let Some(number) = self.direct.get_mut(bits.wrapping_add(BELOW_ZERO) as usize) {
                *number = UNSEEN;
            }
        }
        self.table.clear();
    }
}

/// A hash whose high and low bits both depend on every bit: what the table looks at.
fn spread(bits: u64) -> u64 {
    let product = u128::from(bits ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93_u128;
    (product >> 64) as u64 ^ product as u64
}
