//! `tagmill_key`: what says that two events are one.

use std::sync::Arc;

use arrow::array::{Array, FixedSizeBinaryBuilder};
use arrow::datatypes::DataType;
use arrow::row::{Row, RowConverter, SortField};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use xxhash_rust::xxh3::xxh3_128;

use super::text::{is_text, text};
use crate::plan::columns::NO_KEY;

/// `tagmill_key(column, ...)`: XXH3-128 of a row's columns, null and types included, as 16 bytes;
/// Zero where all are null.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct KeyFunction {
    signature: Signature,
}

impl Default for KeyFunction {
    fn default() -> Self {
        Self {
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for KeyFunction {
    fn name(&self) -> &'static str {
        "tagmill_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::FixedSizeBinary(16))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let mut keys = FixedSizeBinaryBuilder::with_capacity(args.number_rows, 16);
        // By the type alone: what is hashed must not depend on what else is in a batch.
        if let [one] = arrays.as_slice()
            && is_text(one.data_type())
        {
            text(one)?.iter().try_for_each(|text| {
                keys.append_value(
                    text.map_or(NO_KEY, |text| xxh3_128(text.as_bytes()))
                        .to_be_bytes(),
                )
            })?;
            return Ok(ColumnarValue::Array(Arc::new(keys.finish())));
        }
        let nulls: Vec<_> = arrays.iter().map(|array| array.logical_nulls()).collect();
        let is_none = |row: usize| {
            nulls
                .iter()
                .all(|nulls| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)))
        };
        let fields = arrays
            .iter()
            .map(|array| SortField::new(array.data_type().clone()))
            .collect();
        let rows = RowConverter::new(fields)?.convert_columns(&arrays)?;
        let key = |(number, row): (usize, Row<'_>)| {
            if is_none(number) {
                NO_KEY
            } else {
                xxh3_128(row.as_ref())
            }
        };
        rows.iter()
            .enumerate()
            .map(key)
            .try_for_each(|key| keys.append_value(key.to_be_bytes()))?;
        Ok(ColumnarValue::Array(Arc::new(keys.finish())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray};
    use arrow::compute::cast;
    use arrow::datatypes::{Field, Int32Type};

    fn keys(columns: Vec<ArrayRef>) -> Vec<u128> {
        let rows = columns[0].len();
        let arg_fields = columns
            .iter()
            .map(|column| Arc::new(Field::new("k", column.data_type().clone(), true)))
            .collect();
        let args = columns.into_iter().map(ColumnarValue::Array).collect();
        let return_field = Arc::new(Field::new("key", DataType::FixedSizeBinary(16), true));
        let args = ScalarFunctionArgs {
            args,
            arg_fields,
            number_rows: rows,
            return_field,
            config_options: Arc::default(),
        };
        let keys = KeyFunction::default()
            .invoke_with_args(args)
            .unwrap()
            .into_array(rows)
            .unwrap();
        keys.as_fixed_size_binary()
            .iter()
            .map(|key| u128::from_be_bytes(key.unwrap().try_into().unwrap()))
            .collect()
    }

    #[test]
    fn a_key_does_not_depend_on_its_batch() {
        let texts = || StringArray::from(vec![Some("a"), None, Some("b")]);
        let all = keys(vec![Arc::new(texts())]);
        assert_eq!(all[1], NO_KEY);
        assert_eq!(keys(vec![Arc::new(texts().slice(2, 1))]), [all[2]]);
        assert_eq!(
            keys(vec![cast(&texts(), &DataType::Utf8View).unwrap()]),
            all
        );
        let coded: DictionaryArray<Int32Type> = texts().iter().collect();
        assert_eq!(keys(vec![Arc::new(coded)]), all);
    }

    #[test]
    fn a_key_of_several_columns_is_none_where_all_are_null() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, None, Some("a")]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(1), None, None]));
        let keys = keys(vec![texts, numbers]);
        assert_eq!(
            keys.iter().map(|key| *key == NO_KEY).collect::<Vec<_>>(),
            [false, false, true, false]
        );
        assert_eq!(keys[0], keys[3]);
        assert_ne!(keys[0], keys[1]);
    }
}
