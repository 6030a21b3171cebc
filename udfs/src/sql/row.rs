//! The arguments of a call, read row by row.

use super::function::{Function, Kind};
use super::input::{Bitmaps, Depth};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use std::fmt::Display;
use tagmill_bitmap::{BitmapRef, Expanded, and_cardinality};

/// A bitmap without values.
const EMPTY: [u8; 8] = [0; 8];

/// One argument over a batch.
pub(super) enum Column<'a> {
    Bitmaps(Bitmaps<'a>),
    Values { array: ArrayRef, is_constant: bool },
}

impl<'a> Column<'a> {
    /// Reads the argument at a place of the call.
    ///
    /// # Errors
    /// An execution error for a constant bitmap with a defect.
    pub(super) fn read(
        function: &'static Function,
        at: usize,
        value: &'a ColumnarValue,
    ) -> Result<Self> {
        let kind = function.argument(at).map(|argument| argument.kind);
        let depth = match kind {
            Some(Kind::Bitmap) => Some(Depth::Everything),
            Some(Kind::Headers) => Some(Depth::Headers),
            Some(Kind::BitmapOrElement) if !value.data_type().is_integer() => {
                Some(Depth::Everything)
            }
            _ => None,
        };
        if let Some(depth) = depth {
            return Ok(Self::Bitmaps(Bitmaps::of_value(
                function.name,
                at + 1,
                depth,
                value,
            )?));
        }
        let is_constant = matches!(value, ColumnarValue::Scalar(_));
        Ok(Self::Values {
            array: value.to_array(1)?,
            is_constant,
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Bitmaps(bitmaps) => bitmaps.is_null(row),
            Self::Values { array, is_constant } => {
                array.is_null(if *is_constant { 0 } else { row })
            }
        }
    }
}

/// How many values two bitmaps have, and how many are in both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) first: u64,
    pub(super) second: u64,
    pub(super) shared: u64,
}

impl Sizes {
    /// Number of values in either.
    pub(super) fn either(self) -> u64 {
        (self.first + self.second).saturating_sub(self.shared)
    }

    /// Number of values in exactly one.
    pub(super) fn one(self) -> u64 {
        (self.first + self.second).saturating_sub(2 * self.shared)
    }

    /// Number of values that are in the first only.
    pub(super) fn first_only(self) -> u64 {
        self.first.saturating_sub(self.shared)
    }
}

/// One row of a call. An accessor of a missing or NULL argument is an error: a function asks first,
/// or spreads NULLs.
pub(super) struct Row<'c> {
    pub(super) function: &'static Function,
    pub(super) columns: &'c [Column<'c>],
    pub(super) row: usize,
}

impl<'c> Row<'c> {
    /// Whether any argument is NULL.
    pub(super) fn has_null(&self) -> bool {
        self.columns.iter().any(|column| column.is_null(self.row))
    }

    /// Whether the argument is missing or NULL.
    pub(super) fn is_null(&self, at: usize) -> bool {
        self.columns
            .get(at)
            .is_none_or(|column| column.is_null(self.row))
    }

    /// An error that names the function and the row.
    #[cold]
    pub(super) fn error(&self, what: impl Display) -> DataFusionError {
        exec_datafusion_err!(
            "{}: row {} of the batch: {what}",
            self.function.name,
            self.row
        )
    }

    /// Whether the argument is a bitmap column.
    pub(super) fn is_bitmap(&self, at: usize) -> bool {
        matches!(self.columns.get(at), Some(Column::Bitmaps(_)))
    }

    /// The bitmap.
    pub(super) fn bitmap(&self, at: usize) -> Result<BitmapRef<'c>> {
        self.bitmap_or_null(at)?.ok_or_else(|| self.unexpected(at))
    }

    /// The bitmap, or `None` for NULL.
    pub(super) fn bitmap_or_null(&self, at: usize) -> Result<Option<BitmapRef<'c>>> {
        match self.columns.get(at) {
            Some(Column::Bitmaps(bitmaps)) => bitmaps.get(self.row),
            _ => Err(self.unexpected(at)),
        }
    }

    /// The bitmap, or an empty one for NULL.
    pub(super) fn bitmap_or_empty(&self, at: usize) -> Result<BitmapRef<'c>> {
        match self.bitmap_or_null(at)? {
            Some(bitmap) => Ok(bitmap),
            None => BitmapRef::parse_layout(&EMPTY).map_err(|defect| self.error(defect)),
        }
    }

    /// How many values the first two arguments, which are bitmaps, have and share.
    pub(super) fn sizes(&self) -> Result<Sizes> {
        let (first, second) = (self.bitmap(0)?, self.bitmap(1)?);
        let shared = match (self.expanded(0), self.expanded(1)) {
            (Some(expanded), _) => expanded.and_cardinality(&second),
            (None, Some(expanded)) => expanded.and_cardinality(&first),
            (None, None) => and_cardinality(&first, &second),
        };
        Ok(Sizes {
            first: first.cardinality(),
            second: second.cardinality(),
            shared,
        })
    }

    fn expanded(&self, at: usize) -> Option<&'c Expanded<'c>> {
        match self.columns.get(at) {
            Some(Column::Bitmaps(bitmaps)) => bitmaps.expanded(),
            _ => None,
        }
    }

    /// All arguments, which are bitmaps; without those that are NULL.
    pub(super) fn bitmaps(&self) -> Result<Vec<BitmapRef<'c>>> {
        (0..self.columns.len())
            .filter_map(|at| self.bitmap_or_null(at).transpose())
            .collect()
    }

    #[cold]
    fn unexpected(&self, at: usize) -> DataFusionError {
        self.error(format_args!(
            "argument {} is NULL or of another type",
            at + 1
        ))
    }

    /// The column and where the row is in it.
    fn values(&self, at: usize) -> Result<(&'c ArrayRef, usize)> {
        match self.columns.get(at) {
            Some(Column::Values { array, is_constant }) => {
                let row = if *is_constant { 0 } else { self.row };
                if array.is_valid(row) {
                    Ok((array, row))
                } else {
                    Err(self.unexpected(at))
                }
            }
            _ => Err(self.unexpected(at)),
        }
    }

    /// Number of arguments.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The element. Wrapped ones are counted from 2^bits down if negative.
    pub(super) fn element(&self, at: usize) -> Result<u64> {
        let (array, row) = self.values(at)?;
        if let Some(array) = array.as_primitive_opt::<UInt64Type>() {
            let value = array.value(row);
            return if self.function.bits() == 64 {
                Ok(value)
            } else {
                self.wrap(at, i128::from(value))
            };
        }
        let array = array
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(|| self.unexpected(at))?;
        self.wrap(at, i128::from(array.value(row)))
    }

    fn wrap(&self, at: usize, value: i128) -> Result<u64> {
        let bits = self.function.bits();
        let wrapped = if value < 0 {
            value + (1 << bits)
        } else {
            value
        };
        if (0..1 << bits).contains(&wrapped) {
            return Ok(wrapped as u64);
        }
        Err(self.error(format_args!(
            "argument {}: {value}, expected an integer of {bits} bits",
            at + 1
        )))
    }

    /// The integer.
    pub(super) fn integer(&self, at: usize) -> Result<i64> {
        let (array, row) = self.values(at)?;
        Ok(array
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(|| self.unexpected(at))?
            .value(row))
    }

    /// The boolean.
    pub(super) fn flag(&self, at: usize) -> Result<bool> {
        let (array, row) = self.values(at)?;
        Ok(array
            .as_boolean_opt()
            .ok_or_else(|| self.unexpected(at))?
            .value(row))
    }

    /// The text.
    pub(super) fn text(&self, at: usize) -> Result<&'c str> {
        let (array, row) = self.values(at)?;
        Ok(array
            .as_string_view_opt()
            .ok_or_else(|| self.unexpected(at))?
            .value(row))
    }

    /// The bytes.
    pub(super) fn bytes(&self, at: usize) -> Result<&'c [u8]> {
        let (array, row) = self.values(at)?;
        match array.data_type() {
            DataType::Binary => Ok(array.as_binary::<i32>().value(row)),
            DataType::LargeBinary => Ok(array.as_binary::<i64>().value(row)),
            DataType::BinaryView => Ok(array.as_binary_view().value(row)),
            _ => Err(self.unexpected(at)),
        }
    }

    /// The elements of an array. NULL elements are skipped; where they are wrapped, refused.
    pub(super) fn elements(&self, at: usize) -> Result<Vec<u64>> {
        let (array, row) = self.values(at)?;
        let list = array
            .as_list_opt::<i32>()
            .ok_or_else(|| self.unexpected(at))?
            .value(row);
        if let Some(values) = list.as_primitive_opt::<UInt64Type>() {
            return Ok(values.iter().flatten().collect());
        }
        let values = list
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(|| self.unexpected(at))?;
        if values.null_count() > 0 {
            return Err(self.error(format_args!(
                "argument {} has a NULL element, expected none",
                at + 1
            )));
        }
        values
            .values()
            .iter()
            .map(|value| self.wrap(at, i128::from(*value)))
            .collect()
    }

    /// The integers of an array, without NULLs.
    pub(super) fn integers(&self, at: usize) -> Result<Vec<i64>> {
        let (array, row) = self.values(at)?;
        let list = array
            .as_list_opt::<i32>()
            .ok_or_else(|| self.unexpected(at))?
            .value(row);
        Ok(list
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(|| self.unexpected(at))?
            .iter()
            .flatten()
            .collect())
    }
}
