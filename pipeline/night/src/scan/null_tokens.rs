//! `tagmill_nulls`: the texts that mean null, wherever they stand: in bytes, in lists, in the values
//! of maps, in structs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeListArray, GenericListArray, MapArray,
    OffsetSizeTrait, StructArray,
};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

/// `tagmill_nulls(tokens, value)`: the value with null in place of every text that is one of the
/// tokens, a JSON array of texts. Keys of maps stay.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct NullTokens {
    signature: Signature,
}

impl Default for NullTokens {
    fn default() -> Self {
        Self {
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl NullTokens {
    /// Its name in plans.
    pub const NAME: &'static str = "tagmill_nulls";

    /// The call that makes `tokens` null in `value`.
    pub fn call(tokens: &[&str], value: Expr) -> Expr {
        let tokens = serde_json::Value::from(tokens.to_vec()).to_string();
        ScalarUDF::from(Self::default()).call(vec![lit(tokens), value])
    }
}

/// Whether values of this type can hold text.
pub fn holds_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => true,
        DataType::Dictionary(_, value) => holds_text(value),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            holds_text(item.data_type())
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields.last().is_some_and(|v| holds_text(v.data_type())),
            _ => false,
        },
        DataType::Struct(fields) => fields.iter().any(|field| holds_text(field.data_type())),
        _ => false,
    }
}

impl ScalarUDFImpl for NullTokens {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [_, value] => Ok(nullable(value)),
            _ => plan_err!("tagmill_nulls: expected 2 arguments"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(tokens))),
            value,
        ] = args.args.as_slice()
        else {
            return plan_err!("tagmill_nulls: argument 1 is a JSON array of texts");
        };
        let tokens: Vec<String> =
            serde_json::from_str(tokens).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let array = value.clone().into_array(args.number_rows)?;
        Ok(ColumnarValue::Array(without(&tokens, &array)?))
    }
}

/// The same type, where what may become null is nullable.
fn nullable(data_type: &DataType) -> DataType {
    let field = |field: &Arc<Field>| -> Arc<Field> {
        let inner = nullable(field.data_type());
        Arc::new(
            field
                .as_ref()
                .clone()
                .with_data_type(inner)
                .with_nullable(true),
        )
    };
    match data_type {
        DataType::List(item) => DataType::List(field(item)),
        DataType::LargeList(item) => DataType::LargeList(field(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(field(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let pair = vec![Arc::clone(&fields[0]), field(&fields[1])];
                let pair = DataType::Struct(pair.into());
                let entries = entries.as_ref().clone().with_data_type(pair);
                DataType::Map(Arc::new(entries), *sorted)
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

fn without(tokens: &[String], array: &ArrayRef) -> Result<ArrayRef> {
    let data_type = array.data_type();
    if !holds_text(data_type) {
        return Ok(Arc::clone(array));
    }
    match (data_type, nullable(data_type)) {
        (DataType::List(_), DataType::List(item)) => {
            list_without::<i32>(tokens, array.as_list::<i32>(), item)
        }
        (DataType::LargeList(_), DataType::LargeList(item)) => {
            list_without::<i64>(tokens, array.as_list::<i64>(), item)
        }
        (DataType::FixedSizeList(..), DataType::FixedSizeList(item, length)) => {
            let list = array.as_fixed_size_list();
            let values = without(tokens, list.values())?;
            let nulls = list.nulls().cloned();
            Ok(Arc::new(FixedSizeListArray::try_new(
                item, length, values, nulls,
            )?))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let (_, columns, nulls) = array.as_struct().clone().into_parts();
            let columns = columns
                .iter()
                .map(|column| without(tokens, column))
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new(fields, columns, nulls)?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let (_, offsets, pairs, nulls, _) = array.as_map().clone().into_parts();
            let values = without(tokens, pairs.column(1))?;
            let DataType::Struct(fields) = entries.data_type() else {
                return Ok(Arc::clone(array));
            };
            let columns = vec![Arc::clone(pairs.column(0)), values];
            let pairs = StructArray::try_new(fields.clone(), columns, None)?;
            Ok(Arc::new(MapArray::try_new(
                entries, offsets, pairs, nulls, sorted,
            )?))
        }
        _ => texts_without(tokens, array),
    }
}

fn list_without<O: OffsetSizeTrait>(
    tokens: &[String],
    list: &GenericListArray<O>,
    item: Arc<Field>,
) -> Result<ArrayRef> {
    let values = without(tokens, list.values())?;
    let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
    Ok(Arc::new(GenericListArray::try_new(
        item, offsets, values, nulls,
    )?))
}

/// Text and bytes: most batches have no token, and stay as they are.
fn texts_without(tokens: &[String], array: &ArrayRef) -> Result<ArrayRef> {
    let bytes = match array.data_type() {
        DataType::Dictionary(_, value) => cast(&cast(array, value)?, &DataType::BinaryView)?,
        _ => cast(array, &DataType::BinaryView)?,
    };
    let bytes = bytes.as_binary_view();
    let longest = tokens.iter().map(String::len).max().unwrap_or(0);
    let is_token = |bytes: &[u8]| {
        bytes.len() <= longest && tokens.iter().any(|token| token.as_bytes() == bytes)
    };
    let found: BooleanArray = bytes
        .iter()
        .map(|bytes| Some(bytes.is_some_and(is_token)))
        .collect();
    match found.true_count() {
        0 => Ok(Arc::clone(array)),
        _ => Ok(nullif(array, &found)?),
    }
}
