//! A column as runs of equal cells: what rows in order of a key mostly are.

use arrow::datatypes::DataType;
use parquet::errors::{ParquetError, Result};

use super::cell::Cell;
use super::distinct::{Distinct, Kind, Numbers, Texts};

/// Stands for null among the numbers of values.
pub(super) const NULL: u32 = u32::MAX;

/// The runs of one column in one row group.
#[derive(Debug)]
pub(super) struct RunColumn {
    pub(super) values: Distinct,
    /// The first row of each run.
    starts: Vec<u32>,
    /// The value of each run; neighbours differ.
    numbers: Vec<u32>,
}

impl RunColumn {
    /// # Errors
    /// A type that no key has.
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        let kind = match data_type {
            DataType::Utf8 => return Ok(Self::of(Distinct::Texts(Texts::default()))),
            DataType::Boolean => Kind::Bool,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Date32 => Kind::Signed32,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => Kind::Unsigned32,
            DataType::Int64 => Kind::Signed64,
            DataType::UInt64 => Kind::Unsigned64,
            DataType::Float64 => Kind::Double,
            other => return Err(ParquetError::General(format!("a key of type {other}"))),
        };
        Ok(Self::of(Distinct::Numbers(kind, Numbers::default())))
    }

    fn of(values: Distinct) -> Self {
        Self {
            values,
            starts: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// From `row` on, which is no row before the last run's, the column has this cell. Returns the
    /// bytes of a new value.
    ///
    /// # Errors
    /// A cell of another type.
    #[inline]
    pub(super) fn set(&mut self, row: u32, cell: Cell<'_>) -> Result<usize> {
        let (number, bytes) = match (&mut self.values, cell) {
            (_, Cell::Null) => (NULL, 0),
            (Distinct::Texts(texts), Cell::Text(text)) => match self.numbers.last() {
                Some(&last) if last != NULL && texts.get(last) == text.as_bytes() => return Ok(0),
                _ => texts.intern(text.as_bytes()),
            },
            (Distinct::Numbers(Kind::Bool, numbers), Cell::Bool(is_set)) => {
                numbers.intern(u64::from(is_set))
            }
            (Distinct::Numbers(Kind::Double, numbers), Cell::Double(value)) => {
                numbers.intern(value.to_bits())
            }
            (Distinct::Numbers(kind, numbers), Cell::Int(value))
                if !matches!(kind, Kind::Bool | Kind::Double) =>
            {
                numbers.intern(value as u64)
            }
            (_, cell) => {
                return Err(ParquetError::General(format!(
                    "cell {cell:?} does not fit its column"
                )));
            }
        };
        self.begin(row, number);
        Ok(bytes)
    }

    #[inline]
    fn begin(&mut self, row: u32, number: u32) {
        if self.starts.last() == Some(&row) {
            self.starts.pop();
            self.numbers.pop();
        }
        if self.numbers.last() != Some(&number) {
            self.starts.push(row);
            self.numbers.push(number);
        }
    }

    /// Whether every row from the first on has a cell.
    pub(super) fn is_set(&self) -> bool {
        self.starts.first() == Some(&0)
    }

    /// The runs of the rows `0..rows`: (number of the value or [`NULL`], end).
    pub(super) fn runs(&self, rows: u32) -> impl Iterator<Item = (u32, u32)> {
        let ends = self.starts.iter().skip(1).copied().chain([rows]);
        self.numbers.iter().copied().zip(ends)
    }

    /// Begins a row group: the cell of the last row stays set.
    pub(super) fn restart(&mut self) {
        let last = self.numbers.last().copied();
        self.starts.clear();
        self.numbers.clear();
        let kept = last
            .filter(|&number| number != NULL)
            .map(|number| match &self.values {
                Distinct::Texts(texts) => Kept::Text(texts.get(number).to_vec()),
                Distinct::Numbers(_, numbers) => Kept::Bits(numbers.get(number)),
            });
        self.values.clear();
        let number = match (&mut self.values, kept) {
            (Distinct::Texts(texts), Some(Kept::Text(text))) => texts.intern(&text).0,
            (Distinct::Numbers(_, numbers), Some(Kept::Bits(bits))) => numbers.intern(bits).0,
            _ => NULL,
        };
        if last.is_some() {
            self.begin(0, number);
        }
    }
}

/// A value that outlives its row group.
enum Kept {
    Text(Vec<u8>),
    Bits(u64),
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn texts(column: &RunColumn, rows: u32) -> Vec<(Option<String>, u32)> {
        let Distinct::Texts(texts) = &column.values else {
            panic!("no texts")
        };
        let text = |number| {
            (number != NULL).then(|| String::from_utf8(texts.get(number).to_vec()).unwrap())
        };
        column
            .runs(rows)
            .map(|(number, end)| (text(number), end))
            .collect()
    }

    #[test]
    fn equal_neighbours_are_one_run_and_the_last_cell_of_a_row_counts() {
        let mut column = RunColumn::new(&DataType::Utf8).unwrap();
        assert!(!column.is_set());
        for (row, cell) in [
            (0, Cell::Text("a")),
            (3, Cell::Text("a")),
            (4, Cell::Text("b")),
            (4, Cell::Text("a")),
            (5, Cell::Null),
            (6, Cell::Text("b")),
        ] {
            column.set(row, cell).unwrap();
        }
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            texts(&column, 9),
            [(some("a"), 5), (None, 6), (some("b"), 9)]
        );
        column.restart();
        assert_eq!(
            (texts(&column, 2), column.values.len()),
            (vec![(some("b"), 2)], 1)
        );
        assert!(column.is_set());
    }

    #[test]
    fn a_null_stays_null_and_other_types_are_refused() {
        let mut column = RunColumn::new(&DataType::Int16).unwrap();
        column.set(0, Cell::Int(-1)).unwrap();
        column.set(1, Cell::Null).unwrap();
        column.restart();
        assert_eq!(column.runs(1).collect::<Vec<_>>(), [(NULL, 1)]);
        assert!(
            column.set(0, Cell::Text("x")).is_err() && column.set(0, Cell::Bool(true)).is_err()
        );
        assert!(RunColumn::new(&DataType::Binary).is_err());
    }
}
