//! `rejects`: a capped sample of the rows that were not accepted; exact counts are in quality.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Rejects, sorted by [Date, Source, App, Reason, Row];
    what "a capped sample of the rows that were not accepted; exact counts are in quality.";
    note "";
    Date "date": DataType::Date32 => "the night";
    Source "source": DataType::Utf8 => "the source's name";
    App "app": DataType::Utf8, null "when the row has none" => "the app";
    Reason "reason": DataType::Utf8 => "a reject rule's name or a built-in reason";
    Row "row": DataType::Utf8 => "the row as JSON";
    Shard "shard": DataType::UInt32 => "where it was routed";
}
