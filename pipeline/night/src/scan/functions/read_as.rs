//! `tagmill_read`: what a file has, as the type that all files have together, where that is more
//! than a cast.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, MapArray, StringViewArray, StructArray,
    new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Fields, TimeUnit};
use chrono_tz::Tz;
use datafusion::common::nested_struct::cast_column;
use datafusion::common::{ScalarValue, exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use super::wall_clock::WallClock;

/// Bytes of a UUID.
const UUID: i32 = 16;

/// Whether a cast would not do: times that get a zone, dates that become times, decimals that
/// become doubles, raw UUIDs that become text.
pub fn is_more_than_a_cast(found: &DataType, wanted: &DataType) -> bool {
    let inside =
        |found: &Field, wanted: &Field| is_more_than_a_cast(found.data_type(), wanted.data_type());
    match (found, wanted) {
        (DataType::Timestamp(_, None), DataType::Timestamp(_, Some(_)))
        | (DataType::Date32 | DataType::Date64, DataType::Timestamp(_, Some(_))) => true,
        (DataType::FixedSizeBinary(UUID), text) => text.is_string(),
        (decimal, DataType::Float64) => decimal.is_decimal(),
        (DataType::List(found), DataType::List(wanted)) => inside(found, wanted),
        (DataType::Map(found, _), DataType::Map(wanted, _)) => inside(found, wanted),
        (DataType::Struct(found), DataType::Struct(wanted)) => found.iter().any(|field| {
            let wanted = wanted.find(field.name());
            wanted.is_some_and(|(_, wanted)| inside(field, wanted))
        }),
        _ => false,
    }
}

/// The expression as this type; its times without a zone are of `naive`, its dates begin in
/// `local`.
///
/// # Errors
/// A type that has no null.
pub fn read_as(expression: Expr, wanted: &DataType, naive: Tz, local: Tz) -> Result<Expr> {
    let null = Expr::Literal(ScalarValue::try_from(wanted)?, None);
    let zones = [naive, local].map(|zone| lit(zone.name()));
    let [naive, local] = zones;
    Ok(ScalarUDF::from(ReadAs::default()).call(vec![expression, null, naive, local]))
}

/// `tagmill_read(column, null of the wanted type, zone of naive times, zone of dates)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ReadAs {
    signature: Signature,
}

impl Default for ReadAs {
    fn default() -> Self {
        Self {
            signature: Signature::any(4, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ReadAs {
    fn name(&self) -> &'static str {
        "tagmill_read"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments.get(1) {
            Some(wanted) => Ok(wanted.clone()),
            None => exec_err!("tagmill_read: found no argument 2, expected the type"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [column, wanted, naive, local] = args.args.as_slice() else {
            return exec_err!(
                "tagmill_read: found {} arguments, expected 4",
                args.args.len()
            );
        };
        let mut zones = Zones {
            naive: WallClock::new(zone(naive, "tagmill_read")?),
            local: WallClock::new(zone(local, "tagmill_read")?),
        };
        let array = column.clone().into_array(args.number_rows)?;
        let array = read(&array, &wanted.data_type(), &mut zones)?;
        Ok(ColumnarValue::Array(array))
    }
}

/// A zone that is an argument.
///
/// # Errors
/// What is no zone.
pub fn zone(argument: &ColumnarValue, function: &str) -> Result<Tz> {
    let name = match argument {
        ColumnarValue::Scalar(value) => value.try_as_str().flatten(),
        ColumnarValue::Array(_) => None,
    };
    name.and_then(|name| Tz::from_str(name).ok())
        .ok_or_else(|| exec_datafusion_err!("{function}: found {argument}, expected a time zone"))
}

struct Zones {
    naive: WallClock,
    local: WallClock,
}

fn read(array: &ArrayRef, wanted: &DataType, zones: &mut Zones) -> Result<ArrayRef> {
    if !is_more_than_a_cast(array.data_type(), wanted) {
        return cast_column(array, wanted, &Default::default());
    }
    match (array.data_type(), wanted) {
        (DataType::Timestamp(..), DataType::Timestamp(unit, Some(_))) => {
            let naive = cast(array, &DataType::Timestamp(*unit, None))?;
            let clock = &mut zones.naive;
            times(&naive, wanted, |time| {
                clock.instant(time, per_second(*unit))
            })
        }
        (_, DataType::Timestamp(unit, Some(_))) => {
            let days = cast(array, &DataType::Date32)?;
            let start = |days| {
                let start = zones.local.start(days);
                start.saturating_mul(per_second(*unit))
            };
            let starts: Int64Array = days.as_primitive::<Date32Type>().unary(start);
            times(&(Arc::new(starts) as ArrayRef), wanted, |time| time)
        }
        (DataType::FixedSizeBinary(_), _) => {
            let ids = array.as_fixed_size_binary();
            let texts: StringViewArray = ids.iter().map(|id| id.map(dashed)).collect();
            Ok(cast(&texts, wanted)?)
        }
        // Through text: the nearest double of the decimal's digits.
        (_, DataType::Float64) => Ok(cast(&cast(array, &DataType::Utf8View)?, wanted)?),
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            Ok(Arc::new(ListArray::try_new(
                Arc::clone(item),
                list.offsets().clone(),
                read(list.values(), item.data_type(), zones)?,
                list.nulls().cloned(),
            )?))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let found = array.as_struct();
            let columns = columns(found, fields, zones)?;
            let nulls = found.nulls().cloned();
            Ok(Arc::new(StructArray::try_new(
                fields.clone(),
                columns,
                nulls,
            )?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let map = array.as_map();
            let found: ArrayRef = Arc::new(map.entries().clone());
            let read = read(&found, entries.data_type(), zones)?;
            Ok(Arc::new(MapArray::try_new(
                Arc::clone(entries),
                map.offsets().clone(),
                read.as_struct().clone(),
                map.nulls().cloned(),
                *sorted,
            )?))
        }
        (found, wanted) => exec_err!("tagmill_read: found {found}, expected {wanted}"),
    }
}

fn columns(found: &StructArray, wanted: &Fields, zones: &mut Zones) -> Result<Vec<ArrayRef>> {
    let column = |field: &Arc<Field>| match found.column_by_name(field.name()) {
        Some(column) => read(column, field.data_type(), zones),
        None => Ok(new_null_array(field.data_type(), found.len())),
    };
    wanted.iter().map(column).collect()
}

/// The integers of times, each changed, as times of another type of the same unit.
fn times(
    array: &ArrayRef,
    wanted: &DataType,
    mut change: impl FnMut(i64) -> i64,
) -> Result<ArrayRef> {
    let integers = as_integers(array)?;
    let values: Vec<i64> = integers.values().iter().map(|&time| change(time)).collect();
    let changed = Int64Array::new(values.into(), integers.nulls().cloned());
    let data = changed.to_data().into_builder();
    Ok(arrow::array::make_array(
        data.data_type(wanted.clone()).build()?,
    ))
}

fn as_integers(array: &ArrayRef) -> Result<Int64Array> {
    let data = array.to_data().into_builder();
    Ok(Int64Array::from(data.data_type(DataType::Int64).build()?))
}

/// How many units a second has.
pub fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// `8-4-4-4-12` digits, as everybody writes UUIDs.
fn dashed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use arrow::array::{
        Date32Array, Decimal128Array, FixedSizeBinaryArray, TimestampMicrosecondArray,
    };

    fn shown(array: ArrayRef, wanted: &DataType, naive: Tz, local: Tz) -> Vec<String> {
        assert!(is_more_than_a_cast(array.data_type(), wanted));
        let mut zones = Zones {
            naive: WallClock::new(naive),
            local: WallClock::new(local),
        };
        let read = read(&array, wanted, &mut zones).unwrap();
        assert_eq!(read.data_type(), wanted);
        let text = |row| arrow::util::display::array_value_to_string(&read, row).unwrap();
        (0..read.len()).map(text).collect()
    }

    #[test]
    fn times_get_their_zone_at_every_depth() {
        let local = Tz::America__New_York;
        let zoned = |unit| DataType::Timestamp(unit, Some(local.name().into()));
        // 02:30 on the day when there is none.
        let skipped = 1_772_937_000_000_000;
        let naive: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![
            Some(skipped),
            None,
            Some(0),
        ]));
        let expected = ["2026-03-08T03:30:00-04:00", "", "1970-01-01T00:00:00-05:00"];
        let milliseconds = zoned(TimeUnit::Millisecond);
        assert_eq!(
            shown(Arc::clone(&naive), &milliseconds, local, local),
            expected
        );
        let item = Arc::new(Field::new("element", naive.data_type().clone(), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([3]);
        let list = Arc::new(ListArray::new(item, offsets, naive, None));
        let wanted = DataType::new_list(zoned(TimeUnit::Microsecond), true);
        assert_eq!(
            shown(list, &wanted, local, local),
            [format!("[{}, , {}]", expected[0], expected[2])]
        );
        let days = Arc::new(Date32Array::from(vec![20_520]));
        assert_eq!(
            shown(days, &zoned(TimeUnit::Second), Tz::UTC, local),
            ["2026-03-08T00:00:00-05:00"]
        );
    }

    #[test]
    fn uuids_are_dashed_and_decimals_the_nearest_double() {
        let bytes = (0..16).map(|digit| digit * 17).collect::<Vec<u8>>();
        let ids = FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap();
        assert_eq!(
            shown(Arc::new(ids), &DataType::Utf8View, Tz::UTC, Tz::UTC),
            ["00112233-4455-6677-8899-aabbccddeeff"]
        );
        let amounts = Decimal128Array::from(vec![2_805_000_000_000_000_000_000]);
        let amounts = amounts.with_precision_and_scale(38, 18).unwrap();
        assert_eq!(
            shown(Arc::new(amounts), &DataType::Float64, Tz::UTC, Tz::UTC),
            ["2805.0"]
        );
    }
}
