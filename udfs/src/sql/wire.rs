//! `bitmap_to_<system>` and `bitmap_from_<system>`: bitmaps in the formats of [`tagmill_bitmap::wire`].

use super::input::{Bitmaps, Depth, as_result, bitmap_type, expect_arguments, row_count};
use super::output::BitmapColumn;
use super::wire_documentation::documentation;
use arrow::array::{Array, ArrayRef, AsArray, new_empty_array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{exec_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;
use tagmill_bitmap::wire::{Format, WireDefect};

/// A format by its name, before the type of a ClickHouse state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum System {
    ClickHouse,
    Doris,
    StarRocks,
    Portable32,
    Portable64,
    JavaLegacy,
}

impl System {
    const ALL: [Self; 6] = [
        Self::ClickHouse,
        Self::Doris,
        Self::StarRocks,
        Self::Portable32,
        Self::Portable64,
        Self::JavaLegacy,
    ];

    /// The format; `state` is that of a ClickHouse state.
    fn format(self, state: Option<Format>) -> Option<Format> {
        Some(match self {
            Self::ClickHouse => state?,
            Self::Doris => Format::Doris,
            Self::StarRocks => Format::StarRocks,
            Self::Portable32 => Format::Portable32,
            Self::Portable64 => Format::Portable64,
            Self::JavaLegacy => Format::JavaLegacy,
        })
    }
}

/// Which way a function goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    From,
    To,
}

/// A function that reads or writes one format.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapWire {
    system: System,
    direction: Direction,
    aliases: Vec<String>,
    signature: Signature,
}

/// The functions of all formats.
pub(super) fn all() -> impl Iterator<Item = BitmapWire> {
    System::ALL.into_iter().flat_map(|system| {
        [Direction::To, Direction::From].map(|direction| BitmapWire::new(system, direction))
    })
}

impl BitmapWire {
    fn new(system: System, direction: Direction) -> Self {
        let aliases = match (system, direction) {
            (System::Portable32, Direction::To) => vec!["bitmap_to_pg".to_owned()],
            (System::Portable32, Direction::From) => vec!["bitmap_from_pg".to_owned()],
            (System::Portable64, Direction::To) => vec!["bitmap_to_pg64".to_owned()],
            (System::Portable64, Direction::From) => vec!["bitmap_from_pg64".to_owned()],
            _ => Vec::new(),
        };
        Self {
            system,
            direction,
            aliases,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn function(&self) -> &'static str {
        match (self.system, self.direction) {
            (System::ClickHouse, Direction::To) => "bitmap_to_clickhouse",
            (System::ClickHouse, Direction::From) => "bitmap_from_clickhouse",
            (System::Doris, Direction::To) => "bitmap_to_doris",
            (System::Doris, Direction::From) => "bitmap_from_doris",
            (System::StarRocks, Direction::To) => "bitmap_to_starrocks",
            (System::StarRocks, Direction::From) => "bitmap_from_starrocks",
            (System::Portable32, Direction::To) => "bitmap_to_portable32",
            (System::Portable32, Direction::From) => "bitmap_from_portable32",
            (System::Portable64, Direction::To) => "bitmap_to_portable64",
            (System::Portable64, Direction::From) => "bitmap_from_portable64",
            (System::JavaLegacy, Direction::To) => "bitmap_to_java_legacy",
            (System::JavaLegacy, Direction::From) => "bitmap_from_java_legacy",
        }
    }

    /// The format of a ClickHouse state, from the second argument.
    fn state_format(&self, name: Option<&ScalarValue>) -> Result<Option<Format>> {
        if self.system != System::ClickHouse {
            return Ok(None);
        }
        let function = self.function();
        let Some(Some(Some(name))) = name.map(ScalarValue::try_as_str) else {
            return plan_err!(
                "{function}: argument 2 is no constant text, expected the type of the state, such \
                 as 'UInt64'"
            );
        };
        Format::of_clickhouse_type(name)
            .map(Some)
            .map_err(|found| plan_datafusion_err!("{function}: argument 2 is {found}"))
    }

    #[cold]
    fn error(&self, row: usize, defect: WireDefect) -> DataFusionError {
        exec_datafusion_err!(
            "{}: argument 1, row {row} of the batch: {defect}",
            self.function()
        )
    }

    fn read(&self, format: Format, value: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
        let bytes = value.to_array(rows)?;
        let bytes = bytes.as_binary_view_opt().ok_or_else(|| {
            exec_datafusion_err!(
                "{}: argument 1 is {}, expected BinaryView",
                self.function(),
                bytes.data_type()
            )
        })?;
        let mut column = BitmapColumn::default();
        for row in 0..rows {
            column.push(|out| {
                let is_value = bytes.is_valid(row);
                if is_value {
                    format
                        .decode(bytes.value(row), out)
                        .map_err(|defect| self.error(row, defect))?;
                }
                Ok(is_value)
            })?;
        }
        column.finish()
    }

    fn write(&self, format: Format, value: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
        let bitmaps = Bitmaps::of_value(self.function(), 1, Depth::Everything, value)?;
        let mut column = BitmapColumn::default();
        for row in 0..rows {
            column.push(|out| {
                let bitmap = bitmaps.get(row)?;
                if let Some(bitmap) = &bitmap {
                    format
                        .encode(bitmap, out)
                        .map_err(|defect| self.error(row, defect))?;
                }
                Ok(bitmap.is_some())
            })?;
        }
        column.finish()
    }
}

impl ScalarUDFImpl for BitmapWire {
    fn name(&self) -> &str {
        self.function()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let count = if self.system == System::ClickHouse {
            2
        } else {
            1
        };
        expect_arguments(self.function(), types, count, count)?;
        let bitmap = bitmap_type(self.function(), 1, &types[0])?;
        let first = if self.direction == Direction::From {
            DataType::BinaryView
        } else {
            bitmap
        };
        Ok([first, DataType::Utf8].into_iter().take(count).collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.state_format(args.scalar_arguments.get(1).copied().flatten())?;
        Ok(Arc::new(Field::new(
            self.function(),
            DataType::BinaryView,
            true,
        )))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = match args.args.get(1) {
            Some(ColumnarValue::Scalar(name)) => Some(name.clone()),
            // The plan has checked that it is a constant; datafusion-ffi spreads constants over the
            // rows.
            Some(ColumnarValue::Array(names)) if names.is_empty() => {
                return Ok(ColumnarValue::Array(new_empty_array(&DataType::BinaryView)));
            }
            Some(ColumnarValue::Array(names)) => Some(ScalarValue::try_from_array(names, 0)?),
            None => None,
        };
        let format = self.system.format(self.state_format(name.as_ref())?);
        let format = format.ok_or_else(|| {
            exec_datafusion_err!("{}: the type of the state is unknown", self.function())
        })?;
        let rows = row_count(&args.args, args.number_rows);
        let column = match self.direction {
            Direction::From => self.read(format, &args.args[0], rows)?,
            Direction::To => self.write(format, &args.args[0], rows)?,
        };
        as_result(column, &args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        documentation(self.system, self.direction)
    }
}
