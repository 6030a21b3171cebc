//! The adaptor from a [`Function`] to DataFusion.

use super::documentation::document;
use super::function::{Answer, Function, Kind, Nulls, Returns, changes};
use super::index_columns::{DECIMAL, decimals, maps, number_lists, pair_lists};
use super::index_value::{Numbers, index_column, read_index_type, read_map_type};
use super::input::{ReadAs, as_result, bitmap_type, expect_arguments, number_type, row_count};
use super::output::BitmapColumn;
use super::row::{Column, Row};
use super::whole::{ELEMENT, cut_type, loose_type, narrow_type, whole_type};
use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
    UInt8Array, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{exec_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What arguments of numbers are expected to be.
const INTEGER: &str = "an integer";
const NUMBER: &str = "a number";

/// A function of a table of functions.
#[derive(Debug)]
pub(super) struct Scalar {
    function: &'static Function,
    signature: Signature,
    documentation: Documentation,
}

impl From<&'static Function> for Scalar {
    fn from(function: &'static Function) -> Self {
        let arguments: Vec<(&str, &str)> = function
            .arguments
            .iter()
            .map(|argument| (argument.name, argument.about))
            .collect();
        let documentation = document(
            function.about,
            function.syntax,
            &arguments,
            function.example,
        );
        Self {
            function,
            signature: Signature::user_defined(Volatility::Immutable),
            documentation,
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

fn text_type(function: &str, at: usize, found: &DataType) -> Result<DataType> {
    match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            Ok(DataType::Utf8View)
        }
        DataType::Dictionary(_, value) if value.is_string() => Ok(DataType::Utf8View),
        _ => plan_err!("{function}: argument {at} is {found}, expected text"),
    }
}

/// The type of what is written in one way only; another is asked for as text.
fn any_text_type(function: &str, at: usize, found: &DataType) -> Result<DataType> {
    let is_written = |found: &DataType| {
        found.is_integer()
            || found.is_decimal()
            || matches!(found, DataType::Date32 | DataType::Date64)
    };
    match found {
        DataType::Boolean => Ok(DataType::Boolean),
        found if is_written(found) => Ok(DataType::Utf8View),
        DataType::Dictionary(_, value) if is_written(value) => Ok(DataType::Utf8View),
        found => text_type(function, at, found).map_err(|_| {
            plan_datafusion_err!(
                "{function}: argument {at} is {found}, which systems write in different ways: \
                 expected text, an integer, a decimal, a boolean or a date"
            )
        }),
    }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// The type of an array of numbers that are read as `read` says.
fn elements_type(
    function: &str,
    at: usize,
    found: &DataType,
    read: ReadAs,
    expected: &str,
) -> Result<DataType> {
    match found {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => {
            number_type(function, at, item.data_type(), read, expected).map(list_of)
        }
        DataType::Null => number_type(function, at, found, read, expected).map(list_of),
        _ => plan_err!("{function}: argument {at} is {found}, expected an array of integers"),
    }
}

impl Kind {
    fn coerce(self, function: &str, at: usize, found: &DataType) -> Result<DataType> {
        let number = |read, expected| number_type(function, at, found, read, expected);
        let array = |read, expected| elements_type(function, at, found, read, expected);
        match self {
            Self::Bitmap | Self::Headers | Self::Bytes => bitmap_type(function, at, found),
            Self::BitmapOrElement if found.is_null() || whole_type(found).is_none() => {
                bitmap_type(function, at, found)
            }
            Self::BitmapOrElement | Self::Wrapped | Self::Integer | Self::Bound => {
                number(whole_type, INTEGER)
            }
            Self::Element => number(whole_type, ELEMENT),
            Self::Cut => number(cut_type, NUMBER),
            Self::ElementTextOrFlag => number(loose_type, INTEGER),
            Self::Flag if matches!(found, DataType::Boolean | DataType::Null) => {
                Ok(DataType::Boolean)
            }
            Self::Flag => plan_err!("{function}: argument {at} is {found}, expected a boolean"),
            Self::Text => text_type(function, at, found),
            Self::AnyText => any_text_type(function, at, found),
            Self::Elements => array(whole_type, ELEMENT),
            Self::WrappedElements | Self::FittingElements => array(whole_type, INTEGER),
            Self::NarrowElements => array(narrow_type, INTEGER),
            Self::Numbers => array(whole_type, INTEGER),
            Self::NumberMap => read_map_type(function, at, found),
            Self::IndexOrInteger if !found.is_null() && whole_type(found).is_some() => {
                number(whole_type, INTEGER)
            }
            Self::Index | Self::IndexOrInteger => read_index_type(function, at, found),
            Self::BitmapOrInteger if !found.is_null() && whole_type(found).is_some() => {
                number(whole_type, INTEGER)
            }
            Self::BitmapOrInteger => bitmap_type(function, at, found),
        }
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let function = self.function;
        let most = if function.is_variadic {
            usize::MAX
        } else {
            function.arguments.len()
        };
        expect_arguments(
            function.name,
            types,
            function.arguments.len() - function.optional,
            most,
        )?;
        let coerced = types
            .iter()
            .enumerate()
            .map(|(at, found)| match function.argument(at) {
                Some(argument) => argument.kind.coerce(function.name, at + 1, found),
                None => Ok(found.clone()),
            });
        coerced.collect()
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.function.returns.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = args
            .args
            .iter()
            .enumerate()
            .map(|(at, value)| Column::read(self.function, at, value));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let rows = row_count(&args.args, args.number_rows);
        let call = Calls {
            function: self.function,
            columns: &columns,
            rows,
        };
        as_result(call.column()?, &args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// A function over the rows of a batch.
struct Calls<'c> {
    function: &'static Function,
    columns: &'c [Column<'c>],
    rows: usize,
}

impl Calls<'_> {
    fn call(&self, row: usize, out: &mut Vec<u8>) -> Result<Answer> {
        let row = Row {
            function: self.function,
            columns: self.columns,
            row,
        };
        if self.function.nulls == Nulls::Spread && row.has_null() {
            return Ok(Answer::Null);
        }
        (self.function.call)(&row, out)
    }

    /// The answers of all rows, where `pick` finds the value of one.
    fn values<T>(&self, pick: impl Fn(Answer) -> Option<T>) -> Result<Vec<Option<T>>> {
        let mut scratch = Vec::new();
        let answers = (0..self.rows).map(|row| {
            scratch.clear();
            Ok(match self.call(row, &mut scratch)? {
                Answer::Null => None,
                answer => Some(pick(answer).ok_or_else(|| {
                    exec_datafusion_err!(
                        "{}: an answer of another type than {:?}",
                        self.function.name,
                        self.function.returns
                    )
                })?),
            })
        });
        answers.collect()
    }

    fn flags(&self) -> Result<Vec<Option<bool>>> {
        self.values(|answer| {
            if let Answer::Flag(flag) = answer {
                Some(flag)
            } else {
                None
            }
        })
    }

    /// Members and their numbers.
    fn pairs(&self) -> Result<Vec<Option<Numbers>>> {
        self.values(|answer| match answer {
            Answer::Pairs(numbers) | Answer::Index(numbers) => Some(numbers),
            _ => None,
        })
    }

    fn column(&self) -> Result<ArrayRef> {
        Ok(match self.function.returns {
            Returns::Bitmap => {
                let mut column = BitmapColumn::default();
                for row in 0..self.rows {
                    column.push(|out| Ok(matches!(self.call(row, out)?, Answer::Bitmap)))?;
                }
                column.finish()?
            }
            Returns::Count => Arc::new(UInt64Array::from(self.values(|answer| {
                if let Answer::Count(count) = answer {
                    Some(count)
                } else {
                    None
                }
            })?)),
            Returns::Integer => Arc::new(Int64Array::from(self.values(|answer| {
                if let Answer::Integer(value) = answer {
                    Some(value)
                } else {
                    None
                }
            })?)),
            Returns::Float => Arc::new(Float64Array::from(self.values(|answer| {
                if let Answer::Float(value) = answer {
                    Some(value)
                } else {
                    None
                }
            })?)),
            Returns::Flag => Arc::new(BooleanArray::from(self.flags()?)),
            Returns::Byte => Arc::new(
                self.flags()?
                    .into_iter()
                    .map(|flag| flag.map(u8::from))
                    .collect::<UInt8Array>(),
            ),
            Returns::Text => Arc::new(StringArray::from(self.values(|answer| {
                if let Answer::Text(text) = answer {
                    Some(text)
                } else {
                    None
                }
            })?)),
            Returns::Bitmaps => self.bitmaps()?,
            Returns::Changes => self.changes()?,
            Returns::Decimal => decimals(
                self.values(|answer| {
                    if let Answer::Decimal(number) = answer {
                        Some(number)
                    } else {
                        None
                    }
                })?,
                DECIMAL,
            )?,
            Returns::Numbers => number_lists(&self.values(|answer| {
                if let Answer::Numbers(numbers) = answer {
                    Some(numbers)
                } else {
                    None
                }
            })?)?,
            Returns::Pairs => pair_lists(&self.pairs()?)?,
            Returns::Map => maps(&self.pairs()?)?,
            Returns::Index => index_column(&self.pairs()?)?,
        })
    }

    fn bitmaps(&self) -> Result<ArrayRef> {
        let lists = self.values(|answer| {
            if let Answer::Bitmaps(bitmaps) = answer {
                Some(bitmaps)
            } else {
                None
            }
        })?;
        if lists.iter().flatten().map(Vec::len).sum::<usize>() > i32::MAX as usize {
            return Err(exec_datafusion_err!(
                "{}: more than 2147483647 bitmaps in a batch, expected less; lower \
                 datafusion.execution.batch_size",
                self.function.name
            ));
        }
        let offsets =
            OffsetBuffer::from_lengths(lists.iter().map(|list| list.as_ref().map_or(0, Vec::len)));
        let is_valid: NullBuffer = lists.iter().map(Option::is_some).collect();
        let mut column = BitmapColumn::default();
        for bytes in lists.into_iter().flatten().flatten() {
            push_bytes(&mut column, Some(&bytes))?;
        }
        let item = Arc::new(Field::new_list_field(DataType::BinaryView, true));
        Ok(Arc::new(ListArray::try_new(
            item,
            offsets,
            column.finish()?,
            Some(is_valid),
        )?))
    }

    fn changes(&self) -> Result<ArrayRef> {
        let pairs = self.values(|answer| {
            if let Answer::Changes(entered, left) = answer {
                Some((entered, left))
            } else {
                None
            }
        })?;
        let (mut entered, mut left) = (BitmapColumn::default(), BitmapColumn::default());
        for pair in &pairs {
            push_bytes(&mut entered, pair.as_ref().map(|(bytes, _)| bytes))?;
            push_bytes(&mut left, pair.as_ref().map(|(_, bytes)| bytes))?;
        }
        let is_valid: NullBuffer = pairs.iter().map(Option::is_some).collect();
        Ok(Arc::new(StructArray::try_new(
            changes(),
            vec![entered.finish()?, left.finish()?],
            Some(is_valid),
        )?))
    }
}

/// Adds a bitmap that is already written.
pub(super) fn push_bytes(column: &mut BitmapColumn, bytes: Option<&Vec<u8>>) -> Result<()> {
    column.push(|out| {
        out.extend_from_slice(bytes.map_or(&[], Vec::as_slice));
        Ok(bytes.is_some())
    })
}
