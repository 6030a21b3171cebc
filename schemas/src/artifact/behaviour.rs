//! `behaviour`: what users did on a day: per event, per dimension value, per combination number.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Behaviour, sorted by [App, Date, Event, Dimension, Value, Combination, Overflow, Shard];
    what "what users did on a day: per event, per dimension value, per combination number.";
    note "";
    App "app": DataType::Utf8 => "the app";
    Date "date": DataType::Date32 => "the local day";
    Event "event": DataType::Utf8 => "the event's name";
    Dimension "dimension": DataType::Utf8, null "for the event's user set" => "the dimension's name";
    Value "value": DataType::Utf8, null "with no dimension, or for values beyond the limit" => "canonical text";
    Combination "combination": DataType::UInt32, null "for the event's user set" => "the number of the user's tuple of dimension values; means nothing outside (app, date, event, user)";
    Overflow "overflow": DataType::Boolean => "whether the row stands for what is beyond a limit";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
