//! `behaviour_measures`: counts and sums of a day's events per user and combination, bit-sliced.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    BehaviourMeasures, sorted by [App, Date, Event, Measure, Combination, Overflow, Slice, Shard];
    what "counts and sums of a day's events per user and combination, bit-sliced.";
    note "A user's sum * 10^scale is the sum of what the slices are worth that have the user. A slice is worth the same in every row, so `sum(weight * cardinality)` adds shards, days and combinations up. The tables of `tagmill sql` and the views of `tagmill files` have `weight` as a column more.";
    App "app": DataType::Utf8 => "the app";
    Date "date": DataType::Date32 => "the local day";
    Event "event": DataType::Utf8 => "the event's name";
    Measure "measure": DataType::Utf8 => "the measure's name; `*` is the number of events";
    Combination "combination": DataType::UInt32 => "as in behaviour";
    Scale "scale": DataType::Int8 => "decimal digits kept";
    Offset "offset": DataType::Int64 => "what slice -1 is worth: 0, but a power of two below zero in older files with numbers below zero";
    Slice "slice": DataType::Int16 => "-1: users that have a sum; i from 0 on: worth 2^i to its users; -2 - i: worth -2^i";
    Overflow "overflow": DataType::Boolean => "as in behaviour";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
