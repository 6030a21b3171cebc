//! The codes of numbers that are kept as texts, or become doubles through their text: each distinct
//! number is written once.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use hashbrown::HashMap;
use tagmill_schemas::value::ValueType;

use super::values::{NULL_CODE, Values, as_type};
use crate::scan::{NumberKind, Sense, each_number, texts};

/// Numbers that are remembered; more are written again.
const MOST: usize = 1 << 20;

/// Number -> code for one column.
#[derive(Default)]
pub struct NumberCodes {
    codes: HashMap<(NumberKind, i128), u32>,
}

/// What a number of a row becomes.
pub enum Coded {
    /// This code.
    Code(u32),
    /// No value.
    Nothing,
    /// No value, and worth counting.
    Infinite,
}

impl NumberCodes {
    /// The code of a number; `write` gives that of one that is not known yet.
    pub fn code(
        &mut self,
        kind: NumberKind,
        bits: i128,
        write: impl FnOnce(NumberKind, i128) -> u32,
    ) -> Coded {
        if let Some(&code) = self.codes.get(&(kind, bits)) {
            return Coded::Code(code);
        }
        match kind.sense(bits) {
            Sense::Nothing => Coded::Nothing,
            Sense::Infinite => Coded::Infinite,
            Sense::Finite => {
                let code = write(kind, bits);
                if self.codes.len() < MOST {
                    self.codes.insert((kind, bits), code);
                }
                Coded::Code(code)
            }
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.codes.capacity() * size_of::<((NumberKind, i128), u32)>()
    }
}

impl Values {
    /// Doubles, and numbers that become the nearest one.
    pub(super) fn encode_doubles(&mut self, array: &ArrayRef, out: &mut Vec<u32>) -> Result<()> {
        match (array.data_type(), NumberKind::of(array.data_type())) {
            (DataType::Decimal256(..), _) => {
                let texts = texts(array)?;
                let doubles = texts.iter().map(|text| text.and_then(|t| t.parse().ok()));
                out.extend(doubles.map(|v| v.map_or(NULL_CODE, |v| self.double_code(v))));
                return Ok(());
            }
            (_, Some(NumberKind::Float | NumberKind::Decimal(_))) => {
                return self.encode_numbers(array, out);
            }
            _ => {}
        }
        let array = as_type(array, &DataType::Float64)?;
        for (row, value) in array.as_primitive::<Float64Type>().iter().enumerate() {
            let code = value.map_or(NULL_CODE, |v| self.double_code(v));
            if code == NULL_CODE && value.is_some_and(f64::is_infinite) {
                self.infinite.push(row);
            }
            out.push(code);
        }
        Ok(())
    }

    /// Numbers by their text, or by the double that is nearest to it.
    pub(super) fn encode_numbers(&mut self, array: &ArrayRef, out: &mut Vec<u32>) -> Result<()> {
        let Some(kind) = NumberKind::of(array.data_type()) else {
            return Ok(());
        };
        let mut written = std::mem::take(&mut self.written);
        let first = out.len();
        let encoded = each_number(array, |bits| {
            let write = |kind: NumberKind, bits| match self.value_type {
                ValueType::String => self.string_code(kind.text(bits).as_bytes()),
                _ => self.double_code(kind.double(bits)),
            };
            let coded = bits.map(|bits| written.code(kind, bits, write));
            if let Some(Coded::Infinite) = coded {
                self.infinite.push(out.len() - first);
            }
            out.push(match coded {
                Some(Coded::Code(code)) => code,
                _ => NULL_CODE,
            });
        });
        self.written = written;
        encoded
    }
}
