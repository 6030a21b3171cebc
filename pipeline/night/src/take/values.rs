//! The values of one typed column, encoded while batches stream in: value -> run-local code.
//!
//! Code 0 is null; the others count up in the order of arrival and mean nothing outside the shard.
//! [`Values::ranks`] turns them into positions in typed order, which do not depend on arrival.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{ArrowNativeType, DataType, Date32Type, Int32Type, Int64Type};
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::value::{Value, ValueType};
use xxhash_rust::xxh3::xxh3_64;

use super::interner::Interner;
use super::number_codes::NumberCodes;
use super::numbers::Numbers;
use crate::scan::{NumberKind, is_same, texts};

/// The code of null.
pub const NULL_CODE: u32 = 0;
/// Recently seen short strings: a hit saves hashing and comparing.
const RECENT: usize = 1 << 10;

/// Value -> code for one column.
pub struct Values {
    pub(super) value_type: ValueType,
    strings: Interner,
    numbers: Numbers,
    /// Of numbers that are kept as texts, or are no doubles yet.
    pub(super) written: NumberCodes,
    /// Rows of what was encoded last that had an infinity.
    pub(super) infinite: Vec<usize>,
    recent: Vec<(u128, u32)>,
    /// Dictionaries of recent batches: one a row group that is being read.
    coded: VecDeque<Coded>,
}

/// A dictionary of a batch, with the codes of the values that rows had.
struct Coded {
    values: ArrayRef,
    codes: Vec<u32>,
}

/// Dictionaries that are remembered.
const MOST_CODED: usize = 16;
/// The code of a dictionary's value that no row had yet.
const UNSEEN: u32 = u32::MAX;

impl Values {
    /// An empty encoder for values of this type.
    pub fn new(value_type: ValueType) -> Self {
        let is_string = value_type == ValueType::String;
        let recent = if is_string {
            vec![(0, NULL_CODE); RECENT]
        } else {
            Vec::new()
        };
        Self {
            value_type,
            strings: Interner::default(),
            numbers: Numbers::default(),
            written: NumberCodes::default(),
            infinite: Vec::new(),
            recent,
            coded: VecDeque::new(),
        }
    }

    /// An empty encoder of which there will be thousands.
    pub fn new_small(value_type: ValueType) -> Self {
        Self {
            value_type,
            strings: Interner::empty(),
            numbers: Numbers::empty(),
            written: NumberCodes::default(),
            infinite: Vec::new(),
            recent: Vec::new(),
            coded: VecDeque::new(),
        }
    }

    /// The type of the values.
    pub fn value_type(&self) -> ValueType {
        self.value_type
    }

    /// How many codes there are, null included.
    pub fn len(&self) -> usize {
        1 + if self.value_type == ValueType::String {
            self.strings.len()
        } else {
            self.numbers.len()
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        let coded: usize = self
            .coded
            .iter()
            .map(|coded| coded.codes.capacity() * 4)
            .sum();
        let written = self.written.size();
        self.strings.size() + self.numbers.size() + self.recent.len() * 32 + coded + written
    }

    /// The rows of the array that was encoded last that had an infinity, which is no value.
    pub fn take_infinite(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.infinite)
    }

    /// Appends one code a row of `array`, which is of the column's type or always has a value of it.
    /// Numbers become text as [`tagmill_schemas::number`] says.
    pub fn encode(&mut self, array: &ArrayRef, out: &mut Vec<u32>) -> Result<()> {
        self.infinite.clear();
        if let DataType::Dictionary(_, _) = array.data_type() {
            return self.encode_dictionary(array, out);
        }
        match self.value_type {
            ValueType::String => self.encode_strings(array, out),
            ValueType::Integer => {
                let array = as_type(array, &DataType::Int64)?;
                let values = array.as_primitive::<Int64Type>();
                out.extend(
                    values
                        .iter()
                        .map(|v| v.map_or(NULL_CODE, |v| self.numbers.intern(v as u64) + 1)),
                );
                Ok(())
            }
            ValueType::Double => self.encode_doubles(array, out),
            ValueType::Date => {
                let array = as_type(array, &DataType::Date32)?;
                let values = array.as_primitive::<Date32Type>();
                out.extend(values.iter().map(|v| {
                    v.map_or(NULL_CODE, |v| self.numbers.intern(i64::from(v) as u64) + 1)
                }));
                Ok(())
            }
            ValueType::Boolean => {
                let array = as_type(array, &DataType::Boolean)?;
                out.extend(
                    array
                        .as_boolean()
                        .iter()
                        .map(|v| v.map_or(NULL_CODE, |v| self.numbers.intern(u64::from(v)) + 1)),
                );
                Ok(())
            }
        }
    }

    /// The code of one value of the column's type.
    pub fn code_of(&mut self, value: &Value) -> u32 {
        match value {
            Value::String(text) => self.string_code(text.as_bytes()),
            Value::Integer(v) => self.numbers.intern(*v as u64) + 1,
            Value::Double(v) => self.double_code(*v),
            Value::Date(v) => self.numbers.intern(i64::from(*v) as u64) + 1,
            Value::Boolean(v) => self.numbers.intern(u64::from(*v)) + 1,
        }
    }

    /// The code of a string.
    pub fn string_code(&mut self, bytes: &[u8]) -> u32 {
        self.strings.intern(xxh3_64(bytes), bytes) + 1
    }

    /// The bytes of a string code; empty for null.
    pub fn bytes(&self, code: u32) -> &[u8] {
        code.checked_sub(1)
            .map_or(&[], |number| self.strings.get(number))
    }

    /// The value with this code; `None` for null.
    pub fn value(&self, code: u32) -> Option<Value> {
        let number = code.checked_sub(1)?;
        Some(match self.value_type {
            ValueType::String => {
                Value::String(String::from_utf8_lossy(self.strings.get(number)).into_owned())
            }
            ValueType::Integer => Value::Integer(self.numbers.get(number) as i64),
            ValueType::Double => Value::Double(f64::from_bits(self.numbers.get(number))),
            ValueType::Date => Value::Date(self.numbers.get(number) as i64 as i32),
            ValueType::Boolean => Value::Boolean(self.numbers.get(number) != 0),
        })
    }

    /// Codes in typed order, null first.
    pub fn sorted_codes(&self) -> Vec<u32> {
        let mut codes: Vec<u32> = (0..self.len() as u32).collect();
        let rest = &mut codes[1..];
        match self.value_type {
            ValueType::String => {
                rest.sort_unstable_by(|&a, &b| self.strings.get(a - 1).cmp(self.strings.get(b - 1)))
            }
            ValueType::Double => {
                rest.sort_unstable_by(|&a, &b| self.double(a).total_cmp(&self.double(b)))
            }
            _ => rest.sort_unstable_by_key(|&code| self.numbers.get(code - 1) as i64),
        }
        codes
    }

    /// For every code its position in typed order; null is 0.
    pub fn ranks(&self) -> Vec<u32> {
        positions(&self.sorted_codes())
    }

    fn double(&self, code: u32) -> f64 {
        f64::from_bits(self.numbers.get(code - 1))
    }

    /// Minus zero is zero; not-a-number and infinities are no value.
    pub(super) fn double_code(&mut self, value: f64) -> u32 {
        if value.is_finite() {
            self.numbers.intern((value + 0.0).to_bits()) + 1
        } else {
            NULL_CODE
        }
    }

    fn encode_dictionary(&mut self, array: &ArrayRef, out: &mut Vec<u32>) -> Result<()> {
        let dictionary = array.as_any_dictionary();
        let known = self
            .coded
            .iter()
            .position(|coded| is_same(&coded.values, dictionary.values()))
            .and_then(|at| self.coded.remove(at));
        let mut coded = known.unwrap_or_else(|| Coded::of(dictionary.values()));
        out.reserve(array.len());
        match array.as_dictionary_opt::<Int32Type>() {
            Some(typed) => self.encode_keys(&mut coded, typed.keys(), out)?,
            None => {
                for (row, key) in dictionary.normalized_keys().into_iter().enumerate() {
                    out.push(if dictionary.keys().is_valid(row) {
                        self.coded_value(&mut coded, key)?
                    } else {
                        NULL_CODE
                    });
                }
            }
        }
        self.coded.truncate(MOST_CODED - 1);
        self.coded.push_front(coded);
        Ok(())
    }

    /// All rows at once; then those whose value had no code yet.
    fn encode_keys(
        &mut self,
        coded: &mut Coded,
        keys: &Int32Array,
        out: &mut Vec<u32>,
    ) -> Result<()> {
        let first = out.len();
        out.extend(
            keys.values()
                .iter()
                .map(|key| coded.codes.get(key.as_usize()).copied().unwrap_or(UNSEEN)),
        );
        let codes = &mut out[first..];
        if let Some(nulls) = keys.nulls() {
            codes
                .iter_mut()
                .zip(nulls)
                .filter(|(_, is_valid)| !is_valid)
                .for_each(|(code, _)| *code = NULL_CODE);
        }
        if codes.contains(&UNSEEN) {
            for (code, key) in codes
                .iter_mut()
                .zip(keys.values())
                .filter(|(code, _)| **code == UNSEEN)
            {
                *code = self.coded_value(coded, key.as_usize())?;
            }
        }
        Ok(())
    }

    /// The code of a dictionary's value; only values that rows have become codes.
    #[inline]
    fn coded_value(&mut self, coded: &mut Coded, key: usize) -> Result<u32> {
        match coded.codes[key] {
            UNSEEN => {
                coded.codes[key] = self.new_code(&coded.values, key)?;
                Ok(coded.codes[key])
            }
            code => Ok(code),
        }
    }

    #[cold]
    fn new_code(&mut self, values: &ArrayRef, row: usize) -> Result<u32> {
        if let (ValueType::String, Some(texts)) = (
            self.value_type,
            values
                .as_string_opt::<i32>()
                .filter(|texts| texts.is_valid(row)),
        ) {
            return Ok(self.string_code(texts.value(row).as_bytes()));
        }
        let mut code = Vec::with_capacity(1);
        self.encode(&values.slice(row, 1), &mut code)?;
        Ok(code[0])
    }

    fn encode_strings(&mut self, array: &ArrayRef, out: &mut Vec<u32>) -> Result<()> {
        out.reserve(array.len());
        if let Some(views) = array.as_string_view_opt() {
            self.encode_views(views, out);
        } else if let Some(strings) = array.as_any().downcast_ref::<StringArray>() {
            out.extend(
                strings
                    .iter()
                    .map(|v| v.map_or(NULL_CODE, |v| self.string_code(v.as_bytes()))),
            );
        } else if NumberKind::of(array.data_type()).is_some() {
            self.encode_numbers(array, out)?;
        } else {
            self.encode_views(&texts(array)?, out);
        }
        Ok(())
    }

    /// A string of up to 12 bytes is stored inside its 16-byte view, so no buffer is read.
    /// Neighbours are often equal.
    fn encode_views(&mut self, array: &StringViewArray, out: &mut Vec<u32>) {
        let has_nulls = array.null_count() > 0;
        let (mut last, mut last_code) = (0, None);
        for (row, &view) in array.views().iter().enumerate() {
            if has_nulls && array.is_null(row) {
                out.push(NULL_CODE);
                continue;
            }
            let code = match last_code {
                Some(code) if view == last => code,
                _ => self.view_code(view, || array.value(row).as_bytes()),
            };
            (last, last_code) = (view, Some(code));
            out.push(code);
        }
    }

    fn view_code<'b>(&mut self, view: u128, bytes: impl FnOnce() -> &'b [u8]) -> u32 {
        if view as u32 > 12 || self.recent.is_empty() {
            return self.string_code(bytes());
        }
        let place = recent_place(view);
        let (seen, code) = self.recent[place];
        if seen == view && code != NULL_CODE {
            return code;
        }
        let code = self.string_code(bytes());
        self.recent[place] = (view, code);
        code
    }
}

impl Coded {
    fn of(values: &ArrayRef) -> Self {
        Self {
            values: ArrayRef::clone(values),
            codes: vec![UNSEEN; values.len()],
        }
    }
}

/// For every item of a permutation its position.
pub fn positions(order: &[u32]) -> Vec<u32> {
    let mut positions = vec![0; order.len()];
    for (at, &item) in order.iter().enumerate() {
        positions[item as usize] = at as u32;
    }
    positions
}

fn recent_place(view: u128) -> usize {
    let mixed = (view as u64 ^ (view >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - RECENT.trailing_zeros())) as usize
}

pub(super) fn as_type(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if array.data_type() == wanted {
        return Ok(ArrayRef::clone(array));
    }
    cast(array, wanted).map_err(DataFusionError::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Float64Array, Int64Array};
    use std::sync::Arc;

    #[test]
    fn one_string_has_one_code_in_every_encoding() {
        let mut values = Values::new(ValueType::String);
        let rows = vec![
            Some("北京"),
            None,
            Some("a long value beyond twelve bytes"),
            Some("北京"),
            Some(""),
        ];
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(StringViewArray::from(rows.clone())),
            Arc::new(StringArray::from(rows.clone())),
            Arc::new(rows.iter().copied().collect::<DictionaryArray<Int32Type>>()),
        ];
        for array in arrays {
            let mut codes = Vec::new();
            values.encode(&array, &mut codes).unwrap();
            assert_eq!(codes, [1, 0, 2, 1, 3]);
        }
        assert_eq!(values.ranks(), [0, 3, 2, 1]);
    }

    #[test]
    fn numbers_rank_in_typed_order_with_null_first() {
        let mut values = Values::new(ValueType::Integer);
        let mut codes = Vec::new();
        values
            .encode(
                &(Arc::new(Int64Array::from(vec![
                    Some(7),
                    Some(-3),
                    None,
                    Some(100_000),
                ])) as ArrayRef),
                &mut codes,
            )
            .unwrap();
        assert_eq!(codes, [1, 2, 0, 3]);
        assert_eq!(values.ranks(), [0, 2, 1, 3]);
    }

    #[test]
    fn not_a_number_is_null_and_minus_zero_is_zero() {
        let mut values = Values::new(ValueType::Double);
        let mut codes = Vec::new();
        values
            .encode(
                &(Arc::new(Float64Array::from(vec![
                    0.0,
                    -0.0,
                    f64::NAN,
                    -1.5,
                    f64::INFINITY,
                ])) as ArrayRef),
                &mut codes,
            )
            .unwrap();
        assert_eq!(codes, [1, 1, 0, 2, 0]);
        assert_eq!(values.ranks(), [0, 2, 1]);
    }
}
