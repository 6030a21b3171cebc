//! In which types the reader is asked for the columns of one file.
//!
//! What writers choose freely is made one: every list is a `List`, text inside others is `Utf8`,
//! and what is an instant names the warehouse's zone, which costs nothing. 96-bit times are
//! microseconds, which hold every year.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, TimeUnit};
use chrono_tz::Tz;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{ConvertedType, Encoding, EncodingMask, LogicalType, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;

use super::times::Times;

/// From here on not every integer is a double.
const EXACT_IN_DOUBLE: i128 = 1 << 53;
/// Decimals of so many digits are doubles and back.
const DIGITS_IN_DOUBLE: u8 = 15;

/// What a footer says of a file's columns.
#[derive(Debug, Clone)]
pub(super) struct Physical {
    /// In which types they are read.
    pub schema: SchemaRef,
    /// Top-level text columns of which every page is encoded by a dictionary.
    pub coded: BTreeSet<String>,
    /// Top-level columns of raw UUIDs.
    pub uuids: BTreeSet<String>,
    /// Top-level columns of times that name no zone.
    pub naive: BTreeSet<String>,
    /// Columns of whole numbers or decimals that a double may not hold.
    pub beyond_double: BTreeSet<String>,
}

impl Physical {
    /// Of a footer, for a source with these zones.
    pub fn of(metadata: &ArrowReaderMetadata, times: &Times) -> Self {
        let int96 = columns_where(metadata.metadata(), |column| {
            column.physical_type() == Type::INT96
        });
        let is_naive = |field: &&FieldRef| {
            matches!(field.data_type(), DataType::Timestamp(_, None))
                && !int96.contains(field.name())
        };
        let naive = metadata.schema().fields().iter().filter(is_naive);
        Self {
            naive: naive.map(|field| field.name().clone()).collect(),
            schema: wanted_schema(metadata, &int96, times),
            coded: coded_columns(metadata.metadata()),
            uuids: columns_where(metadata.metadata(), |column| {
                column.path().parts().len() == 1
                    && column.max_rep_level() == 0
                    && matches!(column.logical_type_ref(), Some(LogicalType::Uuid))
            }),
            beyond_double: beyond_double(metadata),
        }
    }
}

/// Names of the top-level columns with such a leaf.
fn columns_where(
    metadata: &ParquetMetaData,
    is_wanted: impl Fn(&ColumnDescriptor) -> bool,
) -> BTreeSet<String> {
    let columns = metadata.file_metadata().schema_descr().columns().iter();
    columns
        .filter(|column| is_wanted(column))
        .filter_map(|column| column.path().parts().first().cloned())
        .collect()
}

/// The types asked for; those that the file itself gives where the reader can not give others.
fn wanted_schema(
    metadata: &ArrowReaderMetadata,
    int96: &BTreeSet<String>,
    times: &Times,
) -> SchemaRef {
    let own = metadata.schema();
    let fields = own.fields().iter().map(|field| {
        let is_int96 = int96.contains(field.name());
        let wanted = match field.data_type() {
            text if is_text(text) => text.clone(),
            other => plain(other, is_int96, times),
        };
        Arc::new(field.as_ref().clone().with_data_type(wanted))
    });
    let wanted = Arc::new(Schema::new_with_metadata(
        fields.collect::<Vec<_>>(),
        own.metadata().clone(),
    ));
    let options = ArrowReaderOptions::new().with_schema(Arc::clone(&wanted));
    match ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options) {
        Ok(_) => wanted,
        Err(_) => Arc::clone(own),
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_text(value),
        other => other.is_string(),
    }
}

fn plain(data_type: &DataType, is_int96: bool, times: &Times) -> DataType {
    let field = |field: &FieldRef| {
        let inner = plain(field.data_type(), is_int96, times);
        Arc::new(field.as_ref().clone().with_data_type(inner))
    };
    match data_type {
        DataType::Timestamp(unit, zone) => {
            let is_instant = match (zone, is_int96) {
                (Some(_), _) => true,
                (None, true) => times.int96() == Tz::UTC,
                (None, false) => times.naive == Tz::UTC,
            };
            let unit = match (unit, is_int96) {
                (TimeUnit::Nanosecond, true) => TimeUnit::Microsecond,
                (unit, _) => *unit,
            };
            DataType::Timestamp(unit, is_instant.then(|| times.local_name()))
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Dictionary(_, value) => plain(value, is_int96, times),
        text if text.is_string() => DataType::Utf8,
        other => other.clone(),
    }
}

/// Top-level text columns without a plain page. Where a writer fell back to plain pages a
/// dictionary would have to be made.
fn coded_columns(metadata: &ParquetMetaData) -> BTreeSet<String> {
    let columns = metadata
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .enumerate();
    let is_text = |column: &ColumnDescriptor| {
        column.path().parts().len() == 1
            && column.max_rep_level() == 0
            && column.converted_type() == ConvertedType::UTF8
    };
    let coded = columns.filter(|(at, column)| {
        is_text(column)
            && metadata
                .row_groups()
                .iter()
                .all(|group| is_coded(group.column(*at)))
    });
    coded.map(|(_, column)| column.name().to_owned()).collect()
}

fn is_coded(chunk: &ColumnChunkMetaData) -> bool {
    let is_dictionary = |mask: &EncodingMask| {
        mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
    };
    chunk.dictionary_page_offset().is_some()
        && chunk.page_encoding_stats_mask().is_some_and(is_dictionary)
}

/// Top-level columns of wide numbers, unless their statistics say that a double holds all.
fn beyond_double(metadata: &ArrowReaderMetadata) -> BTreeSet<String> {
    let is_wide = |data_type: &DataType| match data_type {
        DataType::Int64 | DataType::UInt64 => true,
        DataType::Decimal32(digits, _)
        | DataType::Decimal64(digits, _)
        | DataType::Decimal128(digits, _)
        | DataType::Decimal256(digits, _) => *digits > DIGITS_IN_DOUBLE,
        _ => false,
    };
    let footer = metadata.metadata();
    let wide = metadata
        .schema()
        .fields()
        .iter()
        .filter(|field| is_wide(field.data_type()));
    let leaves = footer.file_metadata().schema_descr().columns();
    let is_small = |field: &FieldRef| {
        let name = field.name().as_str();
        let leaf = leaves.iter().position(|leaf| leaf.path().parts() == [name]);
        let range = exact_range(field.data_type());
        leaf.is_some_and(|leaf| {
            let mut groups = footer.row_groups().iter();
            groups.all(|group| {
                let statistics = group.column(leaf).statistics();
                group.num_rows() == 0 || is_within(statistics, &range)
            })
        })
    };
    wide.filter(|field| !is_small(field))
        .map(|field| field.name().clone())
        .collect()
}

/// The numbers as they are stored whose whole part a double holds; what is behind the point becomes
/// the nearest double's. The statistics of large unsigned numbers look negative.
fn exact_range(data_type: &DataType) -> RangeInclusive<i128> {
    let scale = match data_type {
        DataType::UInt64 => return 0..=EXACT_IN_DOUBLE,
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => u32::try_from(*scale).unwrap_or(0),
        _ => 0,
    };
    let unit = 10i128.checked_pow(scale).unwrap_or(i128::MAX);
    let most = EXACT_IN_DOUBLE.saturating_mul(unit);
    -most..=most
}

fn is_within(statistics: Option<&Statistics>, range: &RangeInclusive<i128>) -> bool {
    let Some(statistics) = statistics else {
        return false;
    };
    let (least, most) = match statistics {
        Statistics::Int32(_) => return true,
        Statistics::Int64(values) => (
            values.min_opt().map(|value| i128::from(*value)),
            values.max_opt().map(|value| i128::from(*value)),
        ),
        Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) => (
            statistics.min_bytes_opt().and_then(big_endian),
            statistics.max_bytes_opt().and_then(big_endian),
        ),
        _ => return false,
    };
    least.zip(most).map_or(
        // All null.
        statistics.null_count_opt().is_some_and(|nulls| nulls > 0)
            && statistics.min_bytes_opt().is_none(),
        |(least, most)| range.contains(&least) && range.contains(&most),
    )
}

/// A number of up to 16 bytes in two's complement.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first().filter(|_| bytes.len() <= 16)?;
    let filled = if first & 0x80 == 0 { 0 } else { -1 };
    Some(
        bytes
            .iter()
            .fold(filled, |number, &byte| (number << 8) | i128::from(byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::Field;

    #[test]
    fn numbers_of_big_endian_bytes_have_their_sign() {
        assert_eq!(big_endian(&[0xff, 0xfe]), Some(-2));
        assert_eq!(big_endian(&[0x01, 0x00]), Some(256));
        assert_eq!(big_endian(&[]), None);
    }

    #[test]
    fn types_that_writers_choose_freely_become_one() {
        let times = Times {
            local: Tz::Asia__Shanghai,
            naive: Tz::UTC,
            are_instants: true,
            is_said: false,
        };
        let item = |inner| Arc::new(Field::new("element", inner, false));
        let shanghai = DataType::Timestamp(TimeUnit::Microsecond, Some("Asia/Shanghai".into()));
        for (found, expected) in [
            (
                DataType::LargeList(item(DataType::LargeUtf8)),
                DataType::List(item(DataType::Utf8)),
            ),
            (
                DataType::FixedSizeList(item(DataType::Utf8View), 2),
                DataType::List(item(DataType::Utf8)),
            ),
            (
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                shanghai.clone(),
            ),
            (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                shanghai.clone(),
            ),
        ] {
            assert_eq!(plain(&found, false, &times), expected, "{found}");
        }
        let nanoseconds = DataType::Timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(plain(&nanoseconds, true, &times), shanghai);
    }
}
