//! `tagmill_hash`: what a row's shard follows from.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use tagmill_schemas::shard::{append_scoped, hash_of_id};
use xxhash_rust::xxh3::xxh3_64;

use super::text::text;

/// `tagmill_hash(id, status [, app])`: XXH3-64 of the id bytes; of the status where the id is null.
/// With an app the id bytes are app, a zero byte, id.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct HashFunction {
    signature: Signature,
}

impl Default for HashFunction {
    fn default() -> Self {
        Self {
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for HashFunction {
    fn name(&self) -> &'static str {
        "tagmill_hash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let ids = text(&arrays[0])?;
        let apps = arrays.get(2).map(text).transpose()?;
        let mut scoped = Vec::new();
        let mut hash = |row: usize| {
            if ids.is_null(row) {
                return status_hash(&arrays[1], row);
            }
            let Some(apps) = &apps else {
                return hash_of_id(ids.value(row).as_bytes());
            };
            let app = if apps.is_null(row) {
                ""
            } else {
                apps.value(row)
            };
            scoped.clear();
            append_scoped(app.as_bytes(), ids.value(row).as_bytes(), &mut scoped);
            hash_of_id(&scoped)
        };
        let hashes = UInt64Array::from_iter_values((0..ids.len()).map(&mut hash));
        Ok(ColumnarValue::Array(Arc::new(hashes)))
    }
}

fn status_hash(statuses: &ArrayRef, row: usize) -> u64 {
    match statuses.as_string_opt::<i32>() {
        Some(statuses) if statuses.is_valid(row) => xxh3_64(statuses.value(row).as_bytes()),
        _ => 0,
    }
}
