//! `tagmill_instant` and `tagmill_date`: texts as instants and as dates. A text with an offset is
//! an instant, and its date the local one; a day is its local midnight.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, ListArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use tagmill_schemas::local_day::{instant_of, start_of};
use tagmill_schemas::reading::day_of;

use super::read_as::zone;

/// A text as an instant; one without an offset is of zone `naive`. What is none is null, or an error
/// where that is strict.
pub fn instant_of_text(text: Expr, naive: Tz, local: Tz, is_strict: bool) -> Expr {
    let zones = [naive, local].map(|zone| lit(zone.name()));
    let [naive, local] = zones;
    let arguments = vec![text, naive, local, lit(is_strict)];
    ScalarUDF::from(InstantOfText::default()).call(arguments)
}

/// A text, or a list of texts, as dates, those of its instant where it is a time; what is none is
/// null, or an error where that is strict.
pub fn date_of_text(text: Expr, naive: Tz, local: Tz, is_strict: bool) -> Expr {
    let zones = [naive, local].map(|zone| lit(zone.name()));
    let [naive, local] = zones;
    let arguments = vec![text, naive, local, lit(is_strict)];
    ScalarUDF::from(DateOfText::default()).call(arguments)
}

/// `tagmill_instant(text, zone of texts without an offset, local zone, whether what is no time is an
/// error)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct InstantOfText {
    signature: Signature,
}

impl Default for InstantOfText {
    fn default() -> Self {
        Self {
            signature: Signature::any(4, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for InstantOfText {
    fn name(&self) -> &'static str {
        "tagmill_instant"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("UTC".into()),
        ))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text, naive, local, is_strict] = args.args.as_slice() else {
            return exec_err!(
                "tagmill_instant: found {} arguments, expected 4",
                args.args.len()
            );
        };
        let (naive, local) = (zone(naive, self.name())?, zone(local, self.name())?);
        let texts = text.clone().into_array(args.number_rows)?;
        let texts = cast(&texts, &DataType::Utf8View)?;
        let instants: TimestampMicrosecondArray = texts
            .as_string_view()
            .iter()
            .map(|text| instant(text?, naive, local).map(|instant| instant.timestamp_micros()))
            .collect();
        let instants: ArrayRef = Arc::new(instants.with_timezone("UTC"));
        if is_true(is_strict) {
            refuse_lost(&texts, &instants, "Timestamp")?;
        }
        Ok(ColumnarValue::Array(instants))
    }
}

fn instant(text: &str, naive: Tz, local: Tz) -> Option<DateTime<Utc>> {
    let parsed = string_to_datetime(&Utc, text).ok()?;
    Some(match text.len() {
        _ if has_offset(text) => parsed,
        DAY => start_of(parsed.date_naive(), local),
        _ => instant_of(parsed.naive_utc(), naive),
    })
}

/// Bytes of `2026-11-19`.
const DAY: usize = 10;

/// Whether a text that is a time says its zone behind it.
fn has_offset(text: &str) -> bool {
    let time = text.as_bytes().get(DAY + 1..).unwrap_or_default();
    time.iter()
        .any(|byte| matches!(byte, b'+' | b'-') || byte.is_ascii_alphabetic())
}

/// `tagmill_date(text or list of texts, zone of times without an offset, local zone, whether what is
/// no date is an error)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct DateOfText {
    signature: Signature,
}

impl Default for DateOfText {
    fn default() -> Self {
        Self {
            signature: Signature::any(4, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for DateOfText {
    fn name(&self) -> &'static str {
        "tagmill_date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match arguments.first() {
            Some(DataType::List(_)) => DataType::new_list(DataType::Date32, true),
            _ => DataType::Date32,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text, naive, local, is_strict] = args.args.as_slice() else {
            return exec_err!(
                "tagmill_date: found {} arguments, expected 4",
                args.args.len()
            );
        };
        let zones = (zone(naive, self.name())?, zone(local, self.name())?);
        let texts = text.clone().into_array(args.number_rows)?;
        let Some(list) = texts.as_list_opt::<i32>() else {
            let dates = dates(&texts, zones)?;
            if is_true(is_strict) {
                refuse_lost(&texts, &dates, "Date32")?;
            }
            return Ok(ColumnarValue::Array(dates));
        };
        let item = Arc::new(Field::new_list_field(DataType::Date32, true));
        let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
        let dates = ListArray::try_new(item, offsets, dates(list.values(), zones)?, nulls)?;
        Ok(ColumnarValue::Array(Arc::new(dates)))
    }
}

fn is_true(argument: &ColumnarValue) -> bool {
    matches!(
        argument,
        ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))
    )
}

fn refuse_lost(texts: &ArrayRef, made: &ArrayRef, wanted: &str) -> Result<()> {
    let lost = (0..texts.len()).find(|&row| texts.is_valid(row) && made.is_null(row));
    let Some(row) = lost else { return Ok(()) };
    let text = array_value_to_string(texts, row)?;
    Err(ArrowError::CastError(format!(
        "Cannot cast string '{text}' to value of {wanted} type"
    ))
    .into())
}

/// The days of the texts; those of times are the local ones.
fn dates(texts: &ArrayRef, (naive, local): (Tz, Tz)) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8View)?;
    let texts: &StringViewArray = texts.as_string_view();
    let is_as_written = naive == local;
    let date = |text: &str| match text.len() > DAY && !is_as_written {
        true => instant(text, naive, local)
            .map(|instant| instant.with_timezone(&local).date_naive().to_epoch_days())
            .or_else(|| day_of(text)),
        false => date_with_offset(text, local).or_else(|| day_of(text)),
    };
    let dates = texts.iter().map(|text| text.map(str::trim).and_then(date));
    Ok(Arc::new(dates.collect::<Date32Array>()))
}

/// The local date of a text with an offset, in days since 1970; `None`: it is no such text.
pub fn date_with_offset(text: &str, local: Tz) -> Option<i32> {
    if !has_offset(text) {
        return None;
    }
    let instant = string_to_datetime(&Utc, text).ok()?;
    let date: NaiveDate = instant.with_timezone(&local).date_naive();
    Some(date.to_epoch_days())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use arrow::datatypes::Date32Type;

    #[test]
    fn a_text_is_an_instant_by_its_offset_or_the_zone_of_naive_ones() {
        let (shanghai, york) = (Tz::Asia__Shanghai, Tz::America__New_York);
        for (text, naive, expected) in [
            (
                "2026-11-19T00:30:00+08:00",
                york,
                "2026-11-18T16:30:00+00:00",
            ),
            ("2026-11-19 00:30:00Z", york, "2026-11-19T00:30:00+00:00"),
            ("2026-11-19 00:30:00", Tz::UTC, "2026-11-19T00:30:00+00:00"),
            (
                "2026-11-19 00:30:00.25",
                york,
                "2026-11-19T05:30:00.250+00:00",
            ),
            ("2026-03-08 02:30:00", york, "2026-03-08T07:30:00+00:00"),
            ("2026-11-01 01:30:00", york, "2026-11-01T05:30:00+00:00"),
            ("2026-11-19", york, "2026-11-18T16:00:00+00:00"),
        ] {
            let found = instant(text, naive, shanghai).unwrap().to_rfc3339();
            assert_eq!(found, expected, "{text}");
        }
        for wrong in ["", "noon", "2026-13-01", "2026-11-19 25:00:00"] {
            assert_eq!(instant(wrong, york, shanghai), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_is_the_local_one_where_there_is_an_offset_and_else_what_is_written() {
        let texts: StringViewArray = [
            Some("2026-11-19T00:30:00+08:00"),
            Some("2026-11-18T16:30:00Z"),
            Some("2026-11-18 23:30:00"),
            Some("2026-11-17"),
            Some("soon"),
            None,
        ]
        .into_iter()
        .collect();
        let texts: ArrayRef = Arc::new(texts);
        let found = dates(&texts, (Tz::Asia__Shanghai, Tz::Asia__Shanghai)).unwrap();
        let expected = [
            Some(20_776),
            Some(20_776),
            Some(20_775),
            Some(20_774),
            None,
            None,
        ];
        assert_eq!(
            found.as_primitive::<Date32Type>(),
            &expected.into_iter().collect::<Date32Array>()
        );
        let found = dates(&texts, (Tz::UTC, Tz::UTC)).unwrap();
        assert_eq!(found.as_primitive::<Date32Type>().value(0), 20_775);
        // 23:30 in UTC is the next day in Shanghai; a day is itself.
        let found = dates(&texts, (Tz::UTC, Tz::Asia__Shanghai)).unwrap();
        let found = found.as_primitive::<Date32Type>();
        assert_eq!([2, 3].map(|row| found.value(row)), [20_776, 20_774]);
    }
}
