//! `kept_values`: of every dimension with more values than `limits.values_per_dimension`, the values that keep rows of their own the night after; of every app with more events than `limits.events`, the events. Shards are told them before they start, so that all keep the same; the others share an overflow row.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    KeptValues, sorted by [App, Event, Dimension, Value];
    what "of every dimension with more values than `limits.values_per_dimension`, the values that keep rows of their own the night after; of every app with more events than `limits.events`, the events. Shards are told them before they start, so that all keep the same; the others share an overflow row.";
    note "";
    App "app": DataType::Utf8 => "the app";
    Event "event": DataType::Utf8 => "the event's name; empty: the row is of the app's events";
    Dimension "dimension": DataType::Utf8 => "the dimension's name; empty: the value is an event's name";
    Value "value": DataType::Utf8 => "canonical text";
    Combinations "combinations": DataType::UInt64 => "users' combinations that had it when the choice was made";
}
