//! Text that was read as bytes, because some of it is no UTF-8: the text, and the rows that have
//! none.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, OffsetSizeTrait, StringViewBuilder, UInt64Array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::plan::columns::INVALID_TEXT;
use crate::scan::as_bytes::text_of;
use crate::scan::sample;

/// `tagmill_text(value)`: bytes, also in lists, maps and structs, as text; null in rows with bytes
/// that are no UTF-8.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TextOfBytes {
    signature: Signature,
}

impl Default for TextOfBytes {
    fn default() -> Self {
        Self {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl TextOfBytes {
    /// The call for a value.
    pub fn call(value: Expr) -> Expr {
        ScalarUDF::from(Self::default()).call(vec![value])
    }
}

impl ScalarUDFImpl for TextOfBytes {
    fn name(&self) -> &'static str {
        "tagmill_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [value] => Ok(text_of(value)),
            _ => plan_err!("tagmill_text: expected 1 argument"),
        }
    }

    fn return_field_from_args(
        &self,
        args: datafusion::logical_expr::ReturnFieldArgs<'_>,
    ) -> Result<Arc<Field>> {
        let types = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone());
        let returns = self.return_type(&types.collect::<Vec<_>>())?;
        Ok(Arc::new(Field::new(self.name(), returns, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let value = &arrays[0];
        let invalid = invalid(value);
        let valid = match &invalid {
            None => Arc::clone(value),
            // Of an invalid row nothing is left that a cast would meet.
            Some(invalid) => {
                let rows = (0..value.len() as u64).zip(invalid);
                let rows = rows.map(|(row, invalid)| (!invalid).then_some(row));
                take(value, &rows.collect::<UInt64Array>(), None)?
            }
        };
        Ok(ColumnarValue::Array(cast(
            &valid,
            &text_of(value.data_type()),
        )?))
    }
}

/// `tagmill_broken(names, value, ...)`: why a row is none, for rows of which a value has bytes that
/// are no UTF-8; null for others. `names` is a JSON array of the values' names.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct BrokenText {
    signature: Signature,
}

impl Default for BrokenText {
    fn default() -> Self {
        Self {
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl BrokenText {
    /// The call for these values, with their names.
    pub fn call(names: &[String], values: Vec<Expr>) -> Expr {
        let names = serde_json::Value::from(names).to_string();
        let arguments = std::iter::once(lit(names)).chain(values).collect();
        ScalarUDF::from(Self::default()).call(arguments)
    }
}

impl ScalarUDFImpl for BrokenText {
    fn name(&self) -> &'static str {
        "tagmill_broken"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(names)))) = args.args.first() else {
            return plan_err!("tagmill_broken: argument 1 is a JSON array of names");
        };
        let names: Vec<String> =
            serde_json::from_str(names).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let mut arrays = Vec::with_capacity(names.len());
        for value in &args.args[1..] {
            arrays.push(value.clone().into_array(args.number_rows)?);
        }
        let mut is_invalid = vec![false; args.number_rows];
        for invalid in arrays.iter().filter_map(invalid) {
            let rows = is_invalid.iter_mut().zip(invalid);
            rows.for_each(|(row, invalid)| *row |= invalid);
        }
        let mut broken = StringViewBuilder::with_capacity(args.number_rows);
        let shown: Vec<ArrayRef> = match is_invalid.contains(&true) {
            true => arrays.iter().map(shown).collect::<Result<_>>()?,
            false => Vec::new(),
        };
        for (row, &is_invalid) in is_invalid.iter().enumerate() {
            match is_invalid {
                true => {
                    let cells = names.iter().map(String::as_str).zip(&shown);
                    broken.append_value(format!("{INVALID_TEXT}\n{}", sample(cells, row)));
                }
                false => broken.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(broken.finish())))
    }
}

/// Bytes as text in which something stands for what is none.
fn shown(array: &ArrayRef) -> Result<ArrayRef> {
    if *array.data_type() != DataType::Binary {
        return Ok(Arc::clone(array));
    }
    let mut texts = StringViewBuilder::with_capacity(array.len());
    for bytes in array.as_binary::<i32>() {
        texts.append_option(bytes.map(String::from_utf8_lossy));
    }
    Ok(Arc::new(texts.finish()))
}

/// Rows with bytes that are no UTF-8; `None` without any.
fn invalid(array: &ArrayRef) -> Option<Vec<bool>> {
    let found: Vec<bool> = match array.data_type() {
        DataType::Binary => of_bytes(array.as_binary::<i32>().iter()),
        DataType::LargeBinary => of_bytes(array.as_binary::<i64>().iter()),
        DataType::BinaryView => of_bytes(array.as_binary_view().iter()),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            of_elements(list.value_offsets(), list.values())?
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            of_elements(list.value_offsets(), list.values())?
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            of_elements(map.value_offsets(), &entries)?
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns().iter().filter_map(invalid);
            columns.reduce(|mut one, other| {
                one.iter_mut()
                    .zip(other)
                    .for_each(|(row, other)| *row |= other);
                one
            })?
        }
        _ => return None,
    };
    let present: BooleanArray = arrow::compute::is_not_null(array).ok()?;
    let found: Vec<bool> = found
        .into_iter()
        .enumerate()
        .map(|(row, is_invalid)| is_invalid && present.value(row))
        .collect();
    found.contains(&true).then_some(found)
}

fn of_bytes<'b>(values: impl Iterator<Item = Option<&'b [u8]>>) -> Vec<bool> {
    let is_invalid = |bytes: Option<&[u8]>| bytes.is_some_and(|b| std::str::from_utf8(b).is_err());
    values.map(is_invalid).collect()
}

fn of_elements<O: OffsetSizeTrait>(offsets: &[O], values: &ArrayRef) -> Option<Vec<bool>> {
    let invalid = invalid(values)?;
    let of_row = |pair: &[O]| invalid[pair[0].as_usize()..pair[1].as_usize()].contains(&true);
    Some(offsets.windows(2).map(of_row).collect())
}
