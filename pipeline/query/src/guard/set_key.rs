//! `tagmill_set(table, key, ...)`: which set a row is a part of, as bytes that are equal for equal
//! keys.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The function; it is in plans only, no session knows it by name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SetKey {
    signature: Signature,
}

impl SetKey {
    /// The key of the values of these columns; NULL is a value.
    pub(super) fn of(columns: Vec<Expr>) -> Expr {
        let signature = Signature::variadic_any(Volatility::Immutable);
        ScalarUDF::from(Self { signature }).call(columns)
    }
}

impl ScalarUDFImpl for SetKey {
    fn name(&self) -> &'static str {
        "tagmill_set"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = args
            .args
            .into_iter()
            .map(|value| value.into_array(args.number_rows))
            .collect::<Result<Vec<ArrayRef>>>()?;
        Ok(ColumnarValue::Array(Arc::new(keys_of(&columns)?)))
    }
}

/// One key a row.
pub(super) fn keys_of(columns: &[ArrayRef]) -> Result<BinaryArray> {
    let fields = columns
        .iter()
        .map(|column| SortField::new(column.data_type().clone()));
    let converter = RowConverter::new(fields.collect())?;
    Ok(converter.convert_columns(columns)?.try_into_binary()?)
}
