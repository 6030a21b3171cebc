//! The columns of all files of a source: of each the type that holds what every file has, exactly.
//!
//! A file without rows decides nothing. Where no type holds all, whoever needs the column is told
//! the file, what was found, what was expected, and what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use tagmill_warehouse::store::Store;

use super::files::RawFile;
use super::times::Times;
use super::type_names::{in_words, two_in_words};

/// What is wrong with a column, the file, and what to do.
#[derive(Debug, Clone)]
pub(super) struct Conflict {
    pub what: String,
    pub place: String,
    pub fix: &'static str,
}

/// Columns that can not be read as one, by name.
pub(super) type Conflicts = BTreeMap<String, Conflict>;

const SAME_TYPE: &str = "write the file again with the type of the others";

/// The columns of all files with rows; a column that some files lack is null there, unless a rule
/// of the source needs it.
pub(super) fn agree(store: &Store, files: &[RawFile], times: &Times) -> (Schema, Conflicts) {
    let with_rows: Vec<&RawFile> = files.iter().filter(|file| file.rows > 0).collect();
    if with_rows.is_empty() {
        return without_rows(store, files, times);
    }
    agree_on(store, &with_rows, times)
}

/// Nothing is read: what the files do not agree on is nothing as well.
fn without_rows(store: &Store, files: &[RawFile], times: &Times) -> (Schema, Conflicts) {
    let files: Vec<&RawFile> = files.iter().collect();
    let (schema, conflicts) = agree_on(store, &files, times);
    let fields = schema
        .fields()
        .iter()
        .map(|field| match conflicts.contains_key(field.name()) {
            true => Arc::new(Field::new(field.name(), DataType::Null, true)),
            false => Arc::clone(field),
        });
    (Schema::new(fields.collect::<Vec<_>>()), Conflicts::new())
}

fn agree_on(store: &Store, files: &[&RawFile], times: &Times) -> (Schema, Conflicts) {
    let mut fields: Vec<Field> = Vec::new();
    let mut seen: BTreeMap<&str, (usize, &RawFile)> = BTreeMap::new();
    let mut conflicts = Conflicts::new();
    for &file in files {
        let mut own = BTreeSet::new();
        for field in file.schema.fields() {
            let name = field.name();
            if !own.insert(name) {
                let what = format!("column {name:?} is there twice, expected one of each name");
                let fix = "write the file again with names of their own";
                refuse(&mut conflicts, store, file, name, what, fix);
                continue;
            }
            let found = readable(file, field, times);
            let Some(&(at, first)) = seen.get(name.as_str()) else {
                seen.insert(name, (fields.len(), file));
                fields.push(Field::new(name, found, true));
                continue;
            };
            let known = fields[at].data_type().clone();
            match common_type(&known, &found) {
                Some(wanted) => fields[at] = Field::new(name, wanted, true),
                None => {
                    let place = store.name_of(&first.found.path);
                    let told = two_in_words(field.data_type(), &known);
                    let what = format!(
                        "column {name:?} is {}, expected {} as in {place}",
                        told.0, told.1
                    );
                    refuse(&mut conflicts, store, file, name, what, SAME_TYPE);
                }
            }
        }
    }
    refuse_inexact(store, files, &fields, &mut conflicts);
    (Schema::new(fields), conflicts)
}

fn refuse(
    conflicts: &mut Conflicts,
    store: &Store,
    file: &RawFile,
    column: &str,
    what: String,
    fix: &'static str,
) {
    let place = store.name_of(&file.found.path);
    conflicts
        .entry(column.to_owned())
        .or_insert(Conflict { what, place, fix });
}

/// Numbers that are read as doubles, because they are in another file, have to be ones.
fn refuse_inexact(store: &Store, files: &[&RawFile], fields: &[Field], conflicts: &mut Conflicts) {
    for field in fields {
        if *field.data_type() != DataType::Float64 {
            continue;
        }
        let name = field.name();
        let Some(file) = files.iter().find(|file| file.beyond_double.contains(name)) else {
            continue;
        };
        let found = file.schema.field_with_name(name).map(Field::data_type);
        let found = found.map_or_else(|_| "whole numbers".to_owned(), in_words);
        let what = format!(
            "column {name:?} is {found} and may have numbers that a double does not hold, expected \
             smaller ones beside files where it is a floating-point number"
        );
        let fix = "write the column with one type in all files, as decimal or 64-bit integer";
        refuse(conflicts, store, file, name, what, fix);
    }
}

/// The type in which a column is read: text as views, raw UUIDs as text, and times without a zone
/// as the instants that they are.
fn readable(file: &RawFile, field: &Field, times: &Times) -> DataType {
    if file.uuids.contains(field.name()) {
        return DataType::Utf8View;
    }
    match field.data_type() {
        text if is_text(text) => DataType::Utf8View,
        other if times.are_instants => with_zone(other, times),
        other => other.clone(),
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_text(value),
        other => other.is_string(),
    }
}

/// The same type with the warehouse's zone at all times.
fn with_zone(data_type: &DataType, times: &Times) -> DataType {
    let field = |field: &FieldRef| {
        let inner = with_zone(field.data_type(), times);
        Arc::new(field.as_ref().clone().with_data_type(inner))
    };
    match data_type {
        DataType::Timestamp(unit, None) => DataType::Timestamp(*unit, Some(times.local_name())),
        DataType::List(item) => DataType::List(field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        other => other.clone(),
    }
}

/// The type that holds every value of both, and of times all years: see each kind below.
fn common_type(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Binary, Date32, Date64, LargeBinary, List, Map, Null, Struct, Timestamp, Utf8};
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Null, other) | (other, Null) => Some(other.clone()),
        _ if a.is_numeric() && b.is_numeric() => common_number(a, b),
        (Timestamp(a, zone_a), Timestamp(b, zone_b)) => Some(Timestamp(
            common_unit(*a, *b),
            zone_a.clone().or(zone_b.clone()),
        )),
        (Timestamp(unit, zone), Date32 | Date64) | (Date32 | Date64, Timestamp(unit, zone)) => {
            let unit = match unit {
                TimeUnit::Nanosecond => TimeUnit::Microsecond,
                other => *other,
            };
            Some(Timestamp(unit, zone.clone()))
        }
        (Date32 | Date64, Date32 | Date64) => Some(Date32),
        (Binary | LargeBinary, Binary | LargeBinary) => Some(Binary),
        // Text is bytes; which of the bytes are text is told row by row.
        (Binary | LargeBinary, text) | (text, Binary | LargeBinary) if text.is_string() => {
            Some(Binary)
        }
        _ if a.is_string() && b.is_string() => Some(Utf8),
        (List(a), List(b)) => {
            let item = common_inside(a.data_type(), b.data_type())?;
            Some(DataType::new_list(item, true))
        }
        (Struct(a), Struct(b)) => common_struct(a, b).map(Struct),
        (Map(a, a_sorted), Map(b, b_sorted)) if a_sorted == b_sorted => {
            common_map(a, b).map(|entries| Map(Arc::new(entries), *a_sorted))
        }
        _ => None,
    }
}

/// Inside lists, maps and structs nobody looks at statistics: wide integers stay integers.
fn common_inside(a: &DataType, b: &DataType) -> Option<DataType> {
    let is_wide = |data_type: &DataType| {
        matches!(data_type, DataType::Int64 | DataType::UInt64) || data_type.is_decimal()
    };
    let common = common_type(a, b)?;
    let is_lossy = common == DataType::Float64 && (is_wide(a) || is_wide(b));
    (!is_lossy).then_some(common)
}

/// Every field of both, each once; those that one of them lacks are null there.
fn common_struct(a: &Fields, b: &Fields) -> Option<Fields> {
    let mut fields: Vec<Field> = Vec::with_capacity(a.len());
    for field in a {
        let inner = match b.find(field.name()) {
            Some((_, other)) => common_inside(field.data_type(), other.data_type())?,
            None => field.data_type().clone(),
        };
        fields.push(Field::new(field.name(), inner, true));
    }
    let only_b = b.iter().filter(|field| a.find(field.name()).is_none());
    let only_b: Vec<Field> = only_b
        .map(|field| Field::new(field.name(), field.data_type().clone(), true))
        .collect();
    // Structs without a field in common are different things.
    if only_b.len() == b.len() && !b.is_empty() {
        return None;
    }
    fields.extend(only_b);
    Some(fields.into())
}

fn common_map(a: &Field, b: &Field) -> Option<Field> {
    let (DataType::Struct(a), DataType::Struct(b)) = (a.data_type(), b.data_type()) else {
        return None;
    };
    let ([a_key, a_value], [b_key, b_value]) = (a.as_ref(), b.as_ref()) else {
        return None;
    };
    let key = common_inside(a_key.data_type(), b_key.data_type())?;
    let value = common_inside(a_value.data_type(), b_value.data_type())?;
    let fields = vec![
        Field::new("key", key, false),
        Field::new("value", value, true),
    ];
    Some(Field::new(
        "entries",
        DataType::Struct(fields.into()),
        false,
    ))
}

/// Of two integers the wider, of two decimals the one with the digits of both; a floating-point
/// number beside another is a double, which [`refuse_inexact`] checks.
fn common_number(a: &DataType, b: &DataType) -> Option<DataType> {
    if a.is_floating() || b.is_floating() {
        return Some(DataType::Float64);
    }
    if a.is_unsigned_integer() && b.is_unsigned_integer() {
        return Some(DataType::UInt64);
    }
    let has_wide_unsigned = [a, b].contains(&&DataType::UInt64);
    if a.is_integer() && b.is_integer() && !has_wide_unsigned {
        return Some(DataType::Int64);
    }
    let ((a_whole, a_scale), (b_whole, b_scale)) = (digits(a)?, digits(b)?);
    let scale = a_scale.max(b_scale);
    let precision = u8::try_from(a_whole.max(b_whole) + i16::from(scale)).ok()?;
    match precision {
        0..=38 => Some(DataType::Decimal128(precision, scale)),
        39..=76 => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}

/// Digits before the point, and behind it.
fn digits(data_type: &DataType) -> Option<(i16, i8)> {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            Some((i16::from(*precision) - i16::from(*scale), (*scale).max(0)))
        }
        DataType::UInt64 => Some((20, 0)),
        integer if integer.is_integer() => Some((19, 0)),
        _ => None,
    }
}

/// Microseconds hold every year that has four digits and more; nanoseconds end in 2262 and are cut
/// beside another unit.
fn common_unit(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    match (a, b) {
        _ if a == b => a,
        (TimeUnit::Second | TimeUnit::Millisecond, TimeUnit::Second | TimeUnit::Millisecond) => {
            TimeUnit::Millisecond
        }
        _ => TimeUnit::Microsecond,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use DataType::{
        Boolean, Date32, Decimal128, Decimal256, Float32, Float64, Int8, Int32, Int64, Null,
        Timestamp, UInt8, UInt64, Utf8, Utf8View,
    };

    #[test]
    fn the_common_type_holds_both() {
        let zoned = |unit| Timestamp(unit, Some("UTC".into()));
        for (a, b, expected) in [
            (Int32, UInt8, Some(Int64)),
            (UInt8, UInt64, Some(UInt64)),
            (Int8, UInt64, Some(Decimal128(20, 0))),
            (Int32, Float32, Some(Float64)),
            (
                Decimal128(10, 2),
                Decimal128(12, 4),
                Some(Decimal128(12, 4)),
            ),
            (
                Decimal128(10, 2),
                Decimal128(12, 0),
                Some(Decimal128(14, 2)),
            ),
            (Decimal128(10, 2), Int64, Some(Decimal128(21, 2))),
            (Decimal128(38, 18), Int64, Some(Decimal128(38, 18))),
            (Decimal128(38, 38), Int64, Some(Decimal256(57, 38))),
            (Decimal128(10, 2), Float64, Some(Float64)),
            (Null, Boolean, Some(Boolean)),
            (Int32, Utf8View, None),
            (Boolean, Int64, None),
            (
                zoned(TimeUnit::Nanosecond),
                zoned(TimeUnit::Microsecond),
                Some(zoned(TimeUnit::Microsecond)),
            ),
            (
                zoned(TimeUnit::Second),
                zoned(TimeUnit::Millisecond),
                Some(zoned(TimeUnit::Millisecond)),
            ),
            (
                Date32,
                zoned(TimeUnit::Millisecond),
                Some(zoned(TimeUnit::Millisecond)),
            ),
            (
                Timestamp(TimeUnit::Second, None),
                zoned(TimeUnit::Second),
                Some(zoned(TimeUnit::Second)),
            ),
        ] {
            assert_eq!(common_type(&a, &b), expected, "{a} and {b}");
            assert_eq!(common_type(&b, &a), expected, "{b} and {a}");
        }
    }

    #[test]
    fn nested_types_in_other_words_are_one() {
        let list = |name: &str, inner, nullable| {
            DataType::List(Arc::new(Field::new(name, inner, nullable)))
        };
        let texts = DataType::new_list(Utf8, true);
        assert_eq!(
            common_type(&list("element", Utf8, false), &list("item", Utf8, true)),
            Some(texts.clone())
        );
        assert_eq!(
            common_type(&list("item", Null, true), &list("element", Utf8, true)),
            Some(texts)
        );
        assert_eq!(
            common_type(&list("item", Int64, true), &list("item", Float64, true)),
            None
        );
        let fields = |names: &[&str]| {
            let field = |name: &&str| Field::new(*name, Int64, false);
            DataType::Struct(names.iter().map(field).collect())
        };
        let common = common_type(&fields(&["a", "b"]), &fields(&["b", "c"])).unwrap();
        let DataType::Struct(common) = common else {
            panic!("found {common}, expected a struct")
        };
        let names: Vec<&str> = common.iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(common.iter().all(|field| field.is_nullable()));
        assert_eq!(common_type(&fields(&["a"]), &fields(&["c"])), None);
    }
}
