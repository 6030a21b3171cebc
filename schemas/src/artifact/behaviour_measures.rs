//! `behaviour_measures`: counts and sums of a day's events per user and combination, bit-sliced.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    BehaviourMeasures, sorted by [App, Date, Event, Measure, Combination, Overflow, Slice, Shard];
    what "counts and sums of a day's events per user and combination, bit-sliced.";
    note "";
    App "app": DataType::Utf8 => "the app";
    Date "date": DataType::Date32 => "the local day";
    Event "event": DataType::Utf8 => "the event's name";
    Measure "measure": DataType::Utf8 => "the measure's name; `*` is the number of events";
    Combination "combination": DataType::UInt32 => "as in behaviour";
    Scale "scale": DataType::Int8 => "decimal digits kept";
    Offset "offset": DataType::Int64 => "subtracted from the scaled sum";
    Slice "slice": DataType::Int16 => "-1: users that have a value; i: bit i of sum * 10^scale - offset";
    Overflow "overflow": DataType::Boolean => "as in behaviour";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
