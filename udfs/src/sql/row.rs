//! The arguments of a call, read row by row.

use super::function::{Function, Kind};
use super::input::{Bitmaps, Depth};
use super::whole::{Elements, Misfit, whole, whole_type};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use std::borrow::Cow;
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
            Some(Kind::BitmapOrElement | Kind::BitmapOrInteger)
                if whole_type(&value.data_type()).is_none() =>
            {
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
    pub(super) fn unexpected(&self, at: usize) -> DataFusionError {
        self.error(format_args!(
            "argument {} is NULL or of another type",
            at + 1
        ))
    }

    /// The column and where the row is in it.
    pub(super) fn values(&self, at: usize) -> Result<(&'c ArrayRef, usize)> {
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

    #[cold]
    pub(super) fn misfit(&self, at: usize, misfit: &Misfit) -> DataFusionError {
        self.error(format_args!("argument {}: {misfit}", at + 1))
    }

    /// How the numbers of an argument become elements.
    fn rule(&self, at: usize) -> Elements {
        match self.function.argument(at).map(|argument| argument.kind) {
            Some(Kind::Wrapped | Kind::WrappedElements | Kind::BitmapOrElement) => {
                Elements::Wrapped(self.function.bits())
            }
            Some(Kind::NarrowElements) => Elements::Narrow,
            Some(Kind::FittingElements) => Elements::Fitting,
            _ => Elements::Checked,
        }
    }

    /// The element. Wrapped ones are counted from 2^bits down if negative.
    pub(super) fn element(&self, at: usize) -> Result<u64> {
        let (array, row) = self.values(at)?;
        self.rule(at)
            .of_row(array, row)
            .map_err(|misfit| self.misfit(at, &misfit))?
            .ok_or_else(|| self.unexpected(at))
    }

    /// The element; `None` if the number or the text is none.
    pub(super) fn element_if_any(&self, at: usize) -> Result<Option<u64>> {
        let (array, row) = self.values(at)?;
        Elements::Fitting
            .of_row(array, row)
            .map_err(|misfit| self.misfit(at, &misfit))
    }

    /// The whole number, of any size.
    pub(super) fn bound(&self, at: usize) -> Result<i128> {
        let (array, row) = self.values(at)?;
        whole(array, row).map_err(|misfit| self.misfit(at, &misfit))
    }

    /// The integer.
    pub(super) fn integer(&self, at: usize) -> Result<i64> {
        let number = self.bound(at)?;
        i64::try_from(number).map_err(|_| {
            self.error(format_args!(
                "argument {}: {number}, expected an integer from {} to {}",
                at + 1,
                i64::MIN,
                i64::MAX
            ))
        })
    }

    /// The whole number, or the nearest that has 64 bits.
    pub(super) fn saturated(&self, at: usize) -> Result<i64> {
        let nearest = self.bound(at)?.clamp(i64::MIN.into(), i64::MAX.into());
        Ok(nearest as i64)
    }

    /// The whole number as an element; `None` for a negative one.
    pub(super) fn natural(&self, at: usize) -> Result<Option<u64>> {
        if self.bound(at)? < 0 {
            return Ok(None);
        }
        self.element(at).map(Some)
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

    /// The text of a value that is written in one way only.
    pub(super) fn any_text(&self, at: usize) -> Result<Cow<'c, str>> {
        let (array, row) = self.values(at)?;
        match array.as_boolean_opt() {
            Some(flags) => Ok(Cow::Borrowed(if flags.value(row) { "1" } else { "0" })),
            None => self.text(at).map(Cow::Borrowed),
        }
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

    /// The elements of an array. NULL elements are skipped; where numbers wrap, they are refused.
    pub(super) fn elements(&self, at: usize) -> Result<Vec<u64>> {
        let (array, row) = self.values(at)?;
        let list = array
            .as_list_opt::<i32>()
            .ok_or_else(|| self.unexpected(at))?
            .value(row);
        let rule = self.rule(at);
        let is_refused = matches!(rule, Elements::Wrapped(_) | Elements::Narrow);
        if is_refused && list.null_count() > 0 {
            return Err(self.error(format_args!(
                "argument {} has a NULL element, expected none",
                at + 1
            )));
        }
        let elements = rule
            .of_column(&list)
            .map_err(|misfit| self.misfit(at, &misfit))?;
        Ok(elements.iter().flatten().collect())
    }
}
