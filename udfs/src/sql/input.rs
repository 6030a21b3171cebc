//! Bitmap and number arguments: which types are accepted, and how a row is read.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, LargeBinaryArray};
use arrow::datatypes::DataType;
use datafusion::common::{exec_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;
use std::cell::{Cell, OnceCell};
use tagmill_bitmap::{BitmapRef, Defect, Expanded};

/// The type a bitmap argument is read as.
///
/// # Errors
/// A plan error for a type that holds no bytes.
pub(super) fn bitmap_type(function: &str, argument: usize, found: &DataType) -> Result<DataType> {
    match found {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Ok(found.clone()),
        DataType::FixedSizeBinary(_) => Ok(DataType::Binary),
        DataType::Null => Ok(DataType::BinaryView),
        _ => plan_err!(
            "{function}: argument {argument} is {found}, expected a bitmap (Binary, LargeBinary \
             or BinaryView)"
        ),
    }
}

/// The type an argument that is a set's element is read as.
///
/// # Errors
/// A plan error for a type that is no integer.
pub(super) fn element_type(function: &str, argument: usize, found: &DataType) -> Result<DataType> {
    match found {
        // Decimals without a fraction are what SQL makes of integers of both signs up to 2^64.
        DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0) | DataType::Null => {
            Ok(DataType::UInt64)
        }
        integer if integer.is_integer() => Ok(DataType::UInt64),
        _ => plan_err!(
            "{function}: argument {argument} is {found}, expected an integer from 0 to \
             18446744073709551615"
        ),
    }
}

/// The type that numbers of a type are read as; `None` for a type that is not read.
pub(super) type ReadAs = fn(&DataType) -> Option<DataType>;

/// The type an argument of numbers is read as.
///
/// # Errors
/// A plan error for a type that is not read.
pub(super) fn number_type(
    function: &str,
    argument: usize,
    found: &DataType,
    read: ReadAs,
    expected: &str,
) -> Result<DataType> {
    match read(found) {
        Some(data_type) => Ok(data_type),
        None => plan_err!("{function}: argument {argument} is {found}, expected {expected}"),
    }
}

/// Checks the number of arguments.
///
/// # Errors
/// A plan error for another number.
pub(super) fn expect_arguments(
    function: &str,
    found: &[DataType],
    least: usize,
    most: usize,
) -> Result<()> {
    if (least..=most).contains(&found.len()) {
        return Ok(());
    }
    let expected = match most {
        most if most == least => format!("{least}"),
        usize::MAX => format!("at least {least}"),
        most => format!("{least} to {most}"),
    };
    plan_err!("{function}: {} arguments, expected {expected}", found.len())
}

#[derive(Debug)]
enum Column<'a> {
    Binary(&'a BinaryArray),
    Large(&'a LargeBinaryArray),
    View(&'a BinaryViewArray),
    Constant(Option<Box<Constant<'a>>>),
}

/// After so many rows a constant is expanded: that pays from then on.
const ROWS_BEFORE_EXPANDING: u32 = 8;

/// A bitmap that is the same for all rows.
#[derive(Debug)]
struct Constant<'a> {
    bitmap: BitmapRef<'a>,
    rows: Cell<u32>,
    expanded: OnceCell<Expanded<'a>>,
}

/// How far the bytes of an argument are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Everything is checked.
    Everything,
    /// Only what cardinalities need.
    Headers,
}

impl Depth {
    fn parse(self, bytes: &[u8]) -> Result<BitmapRef<'_>, Defect> {
        match self {
            Self::Everything => BitmapRef::parse(bytes),
            Self::Headers => BitmapRef::parse_layout(bytes),
        }
    }
}

/// One bitmap argument of a function over a batch.
#[derive(Debug)]
pub(super) struct Bitmaps<'a> {
    function: &'static str,
    argument: usize,
    depth: Depth,
    column: Column<'a>,
}

impl<'a> Bitmaps<'a> {
    /// A column whose bitmaps are checked completely.
    ///
    /// # Errors
    /// An execution error if the column is not binary.
    pub(super) fn of_array(
        function: &'static str,
        argument: usize,
        array: &'a ArrayRef,
    ) -> Result<Self> {
        let column = match array.data_type() {
            DataType::Binary => Column::Binary(array.as_binary()),
            DataType::LargeBinary => Column::Large(array.as_binary()),
            DataType::BinaryView => Column::View(array.as_binary_view()),
            other => {
                return Err(exec_datafusion_err!(
                    "{function}: argument {argument} is {other}, expected a bitmap"
                ));
            }
        };
        Ok(Self {
            function,
            argument,
            depth: Depth::Everything,
            column,
        })
    }

    /// A column of whose bitmaps only cardinalities are asked.
    ///
    /// # Errors
    /// As [`Bitmaps::of_array`].
    pub(super) fn of_headers(
        function: &'static str,
        argument: usize,
        array: &'a ArrayRef,
    ) -> Result<Self> {
        Ok(Self {
            depth: Depth::Headers,
            ..Self::of_array(function, argument, array)?
        })
    }

    /// An argument that may be a constant, which is parsed once.
    ///
    /// # Errors
    /// As [`Bitmaps::of_array`], and for a constant with a defect.
    pub(super) fn of_value(
        function: &'static str,
        argument: usize,
        depth: Depth,
        value: &'a ColumnarValue,
    ) -> Result<Self> {
        let bytes = match value {
            ColumnarValue::Array(array) => {
                return Ok(Self {
                    depth,
                    ..Self::of_array(function, argument, array)?
                });
            }
            ColumnarValue::Scalar(
                ScalarValue::Binary(bytes)
                | ScalarValue::LargeBinary(bytes)
                | ScalarValue::BinaryView(bytes),
            ) => bytes.as_deref(),
            ColumnarValue::Scalar(other) => {
                let found = other.data_type();
                return Err(exec_datafusion_err!(
                    "{function}: argument {argument} is {found}, expected a bitmap"
                ));
            }
        };
        let constant = bytes.map(|bytes| depth.parse(bytes)).transpose();
        let constant = constant
            .map_err(|defect| exec_datafusion_err!("{function}: argument {argument}: {defect}"))?;
        let constant = constant.map(|bitmap| {
            Box::new(Constant {
                bitmap,
                rows: Cell::new(0),
                expanded: OnceCell::new(),
            })
        });
        Ok(Self {
            function,
            argument,
            depth,
            column: Column::Constant(constant),
        })
    }

    /// The bitmap of a row; `None` for NULL.
    ///
    /// # Errors
    /// An execution error that names function, argument, row of the batch and defect.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Result<Option<BitmapRef<'a>>> {
        let bytes = match &self.column {
            Column::Binary(array) if array.is_valid(row) => array.value(row),
            Column::Large(array) if array.is_valid(row) => array.value(row),
            Column::View(array) if array.is_valid(row) => array.value(row),
            Column::Constant(constant) => {
                return Ok(constant.as_ref().map(|constant| constant.bitmap));
            }
            _ => return Ok(None),
        };
        self.depth
            .parse(bytes)
            .map(Some)
            .map_err(|defect| self.error(row, defect))
    }

    /// Whether the row is NULL.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match &self.column {
            Column::Binary(array) => array.is_null(row),
            Column::Large(array) => array.is_null(row),
            Column::View(array) => array.is_null(row),
            Column::Constant(constant) => constant.is_none(),
        }
    }

    /// A constant in the form that many rows are best counted with; `None` for a column, and for
    /// the first rows.
    pub(super) fn expanded(&self) -> Option<&Expanded<'a>> {
        let Column::Constant(Some(constant)) = &self.column else {
            return None;
        };
        let rows = constant.rows.get();
        if rows < ROWS_BEFORE_EXPANDING {
            constant.rows.set(rows + 1);
            return None;
        }
        Some(
            constant
                .expanded
                .get_or_init(|| Expanded::from(&constant.bitmap)),
        )
    }

    #[cold]
    fn error(&self, row: usize, defect: Defect) -> datafusion::error::DataFusionError {
        exec_datafusion_err!(
            "{}: argument {}, row {row} of the batch: {defect}",
            self.function,
            self.argument
        )
    }
}

/// Number of rows to compute: one if all arguments are constants.
pub(super) fn row_count(values: &[ColumnarValue], batch: usize) -> usize {
    if values
        .iter()
        .all(|value| matches!(value, ColumnarValue::Scalar(_)))
    {
        1
    } else {
        batch
    }
}

/// A column as the result, or its only row if all arguments are constants.
///
/// # Errors
/// None for a column of at least one row.
pub(super) fn as_result(column: ArrayRef, values: &[ColumnarValue]) -> Result<ColumnarValue> {
    if values
        .iter()
        .all(|value| matches!(value, ColumnarValue::Scalar(_)))
    {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
            &column, 0,
        )?));
    }
    Ok(ColumnarValue::Array(column))
}
