//! The functions that the scan computes for every row: hash of the id, status, hash of the dedupe
//! key.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryBuilder, Int64Array, StringBuilder,
    StringViewArray, UInt64Array, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::row::{Row, RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use serde::{Deserialize, Serialize};
use tagmill_schemas::shard::{append_scoped, hash_of_id};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::lost_elements::LostElements;
use crate::NO_KEY;
use crate::exchange::RouteFunction;

/// Ids longer than this are rejected.
pub const LONGEST_ID: usize = 1 << 20;

/// Registers the functions of the scan, for plans that are sent to another process.
pub fn register_functions(context: &SessionContext) {
    context.register_udf(ScalarUDF::from(HashFunction::default()));
    context.register_udf(ScalarUDF::from(KeyFunction::default()));
    context.register_udf(ScalarUDF::from(StatusFunction::default()));
    context.register_udf(ScalarUDF::from(LostElements::default()));
    context.register_udf(ScalarUDF::from(RouteFunction::default()));
}

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

/// `tagmill_key(column, ...)`: XXH3-128 of a row's columns, null and types included, as 16 bytes;
/// [`NO_KEY`] where all are null.
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

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => other.is_string(),
    }
}

/// What the arguments of [`StatusFunction`] are, in this order: id, then as told here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StatusSpec {
    /// Whether an app column follows.
    pub has_app: bool,
    /// Whether an event column follows.
    pub has_event: bool,
    /// Whether a time column follows, and the seconds since 1970 between which it is today.
    pub day: Option<DayBounds>,
    /// Whether a filter follows: rows for which it is not true are left out.
    pub has_filter: bool,
    /// One boolean column a reason follows: rows for which it is true are rejected.
    pub reasons: Vec<String>,
    /// The rest are these columns, to describe rejected rows.
    pub columns: Vec<String>,
}

/// The run's date in the configured zone, and what becomes of earlier events.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DayBounds {
    /// First second.
    pub start: i64,
    /// Behind the last second.
    pub end: i64,
    /// Whether earlier events are rejected; else they count today.
    pub rejects_late: bool,
}

/// `tagmill_status(spec, id, ...)`: null for accepted rows, `filtered`, or the reason of a
/// rejection, a line feed and the row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct StatusFunction {
    signature: Signature,
}

impl Default for StatusFunction {
    fn default() -> Self {
        Self {
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for StatusFunction {
    fn name(&self) -> &'static str {
        "tagmill_status"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(spec)))) = args.args.first() else {
            return Err(DataFusionError::Plan(
                "tagmill_status: argument 1 is the description of the others".into(),
            ));
        };
        let spec: StatusSpec =
            serde_json::from_str(spec).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let arrays: Vec<ArrayRef> = args.args[1..]
            .iter()
            .map(|value| value.clone().into_array(args.number_rows))
            .collect::<Result<_>>()?;
        let mut verdicts = Verdicts {
            rows: args.number_rows,
            reasons: Vec::new(),
        };
        judge(&spec, &arrays, &mut verdicts)?;
        if verdicts.reasons.is_empty() {
            return Ok(ColumnarValue::Array(new_null_array(
                &DataType::Utf8,
                args.number_rows,
            )));
        }
        let mut statuses = StringBuilder::with_capacity(args.number_rows, 0);
        let described = &arrays[arrays.len() - spec.columns.len()..];
        for (row, verdict) in verdicts.reasons.into_iter().enumerate() {
            match verdict {
                None => statuses.append_null(),
                Some(crate::FILTERED) => statuses.append_value(crate::FILTERED),
                Some(reason) => statuses.append_value(format!(
                    "{reason}\n{}",
                    describe(&spec.columns, described, row)
                )),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(statuses.finish())))
    }
}

/// The first reason against each row, in a fixed order.
fn judge<'a>(spec: &'a StatusSpec, arrays: &[ArrayRef], verdicts: &mut Verdicts<'a>) -> Result<()> {
    let mut arrays = arrays.iter();
    let mut next = || {
        arrays.next().ok_or_else(|| {
            DataFusionError::Plan("tagmill_status: fewer arguments than described".into())
        })
    };
    judge_id(next()?, verdicts)?;
    if spec.has_app {
        judge_app(next()?, verdicts)?;
    }
    if spec.has_event {
        judge_text(next()?, "no_event", verdicts)?;
    }
    let time = spec
        .day
        .map(|day| next().map(|time| (day, time)))
        .transpose()?;
    if spec.has_filter {
        let keep = next()?;
        let keep = keep.as_boolean();
        mark(verdicts, crate::FILTERED, |row| {
            keep.is_null(row) || !keep.value(row)
        });
    }
    for reason in &spec.reasons {
        let array = next()?;
        let holds: &BooleanArray = array.as_boolean();
        if holds.true_count() > 0 {
            mark(verdicts, reason, |row| {
                holds.is_valid(row) && holds.value(row)
            });
        }
    }
    if let Some((day, time)) = time {
        judge_time(time, day, verdicts)?;
    }
    Ok(())
}

/// The reason against each row of a batch; nothing is allocated for a batch without any.
struct Verdicts<'a> {
    rows: usize,
    reasons: Vec<Option<&'a str>>,
}

fn mark<'a>(verdicts: &mut Verdicts<'a>, reason: &'a str, is_bad: impl Fn(usize) -> bool) {
    for row in (0..verdicts.rows).filter(|&row| is_bad(row)) {
        if verdicts.reasons.is_empty() {
            verdicts.reasons.resize(verdicts.rows, None);
        }
        verdicts.reasons[row] = verdicts.reasons[row].or(Some(reason));
    }
}

fn judge_id(array: &ArrayRef, verdicts: &mut Verdicts<'_>) -> Result<()> {
    let ids = text(array)?;
    let is_plain = ids.null_count() == 0
        && ids
            .views()
            .iter()
            .all(|&view| (1..=LONGEST_ID as u32).contains(&(view as u32)));
    if !is_plain {
        mark(verdicts, "no_user", |row| {
            ids.is_null(row) || ids.value(row).is_empty()
        });
        mark(verdicts, "long_user", |row| {
            ids.value(row).len() > LONGEST_ID
        });
    }
    Ok(())
}

fn judge_app(array: &ArrayRef, verdicts: &mut Verdicts<'_>) -> Result<()> {
    judge_text(array, "no_app", verdicts)?;
    let bad = distinct(array)?;
    if (0..bad.len()).any(|at| bad.is_valid(at) && bad.value(at).contains('\0')) {
        let apps = text(array)?;
        mark(verdicts, "bad_app", |row| {
            apps.is_valid(row) && apps.value(row).contains('\0')
        });
    }
    Ok(())
}

fn judge_text(array: &ArrayRef, reason: &'static str, verdicts: &mut Verdicts<'_>) -> Result<()> {
    let values = distinct(array)?;
    let may_be_bad = array.null_count() > 0
        || values.null_count() > 0
        || values.views().iter().any(|&view| view as u32 == 0);
    if may_be_bad {
        let texts = text(array)?;
        mark(verdicts, reason, |row| {
            texts.is_null(row) || texts.value(row).is_empty()
        });
    }
    Ok(())
}

/// The values of a dictionary, or all of them: a check of these spares the rows.
fn distinct(array: &ArrayRef) -> Result<StringViewArray> {
    match array.as_any_dictionary_opt() {
        Some(dictionary) => text(dictionary.values()),
        None => text(array),
    }
}

fn judge_time(array: &ArrayRef, day: DayBounds, verdicts: &mut Verdicts<'_>) -> Result<()> {
    let (times, per_second) = instants(array)?;
    let (start, end) = (
        day.start.saturating_mul(per_second),
        day.end.saturating_mul(per_second),
    );
    if times.null_count() == 0
        && times
            .values()
            .iter()
            .all(|time| (start..end).contains(time))
    {
        return Ok(());
    }
    mark(verdicts, "no_time", |row| times.is_null(row));
    mark(verdicts, "future", |row| times.value(row) >= end);
    if day.rejects_late {
        mark(verdicts, "late", |row| times.value(row) < start);
    }
    Ok(())
}

/// Times as integers and how many of them a second has. A time without a zone is UTC.
fn instants(array: &ArrayRef) -> Result<(Int64Array, i64)> {
    let (array, per_second) = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => (Arc::clone(array), 1),
        DataType::Timestamp(TimeUnit::Millisecond, _) => (Arc::clone(array), 1_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => (Arc::clone(array), 1_000_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => (Arc::clone(array), 1_000_000_000),
        _ => (
            cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
            1_000_000,
        ),
    };
    let integers = array
        .to_data()
        .into_builder()
        .data_type(DataType::Int64)
        .build()?;
    Ok((Int64Array::from(integers), per_second))
}

fn text(array: &ArrayRef) -> Result<StringViewArray> {
    match array.as_string_view_opt() {
        Some(views) => Ok(views.clone()),
        None => Ok(cast(array, &DataType::Utf8View)?.as_string_view().clone()),
    }
}

fn describe(names: &[String], arrays: &[ArrayRef], row: usize) -> String {
    let cell = |array: &ArrayRef| match array.is_null(row) {
        true => serde_json::Value::Null,
        false => array_value_to_string(array, row)
            .map_or(serde_json::Value::Null, serde_json::Value::String),
    };
    let object: serde_json::Map<_, _> = names
        .iter()
        .zip(arrays)
        .map(|(name, array)| (name.clone(), cell(array)))
        .collect();
    serde_json::Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Int32Array, StringArray};
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
