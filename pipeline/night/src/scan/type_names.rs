//! Types of columns in the words of people who deliver files.

use arrow::datatypes::DataType;

/// `text`, `list of text`, `timestamp in UTC`.
pub(super) fn in_words(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "null in every row".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        integer if integer.is_integer() => "integer".to_owned(),
        float if float.is_floating() => "floating-point number".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision}, {scale})"),
        text if text.is_string() => "text".to_owned(),
        bytes if bytes.is_binary() => "bytes".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time of day".to_owned(),
        DataType::Timestamp(_, None) => "timestamp without a zone".to_owned(),
        DataType::Timestamp(_, Some(zone)) => format!("timestamp in {zone}"),
        DataType::Duration(_) | DataType::Interval(_) => "interval".to_owned(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("list of {}", in_words(item.data_type())),
        DataType::Struct(_) => "struct".to_owned(),
        DataType::Map(..) => "map".to_owned(),
        DataType::Dictionary(_, value) => in_words(value),
        other => other.to_string(),
    }
}

/// Two types that differ; as the library writes them where the words do not tell them apart.
pub(super) fn two_in_words(a: &DataType, b: &DataType) -> (String, String) {
    let words = (in_words(a), in_words(b));
    match words.0 == words.1 {
        true => (a.to_string(), b.to_string()),
        false => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::TimeUnit;

    #[test]
    fn types_are_said_in_words() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        for (data_type, words) in [
            (DataType::Utf8View, "text"),
            (DataType::UInt8, "integer"),
            (DataType::Decimal128(10, 2), "decimal(10, 2)"),
            (DataType::new_list(DataType::Utf8, true), "list of text"),
            (utc, "timestamp in UTC"),
            (DataType::FixedSizeBinary(16), "bytes"),
        ] {
            assert_eq!(in_words(&data_type), words);
        }
    }
}
