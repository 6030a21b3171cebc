//! `windows`: what users did of an event over a window of days: the numbers that rules ask for,
//! bit-sliced.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Windows, sorted by [App, Event, What, Measure, Days, Back, Condition, Uncertain, Slice, Shard];
    what "what users did of an event over a window of days: the numbers that rules ask for, bit-sliced.";
    note "A user's number * 10^scale is the sum of what the slices are worth that have the user; who has no row has 0, or no day with `first` and `last`. The tables of `tagmill sql` and the views of `tagmill files` have `weight` as a column more. A number with `uncertain` is on how many days of the window something of the user was kept out by a limit: the other number is then of what was kept.";
    App "app": DataType::Utf8 => "the app";
    Event "event": DataType::Utf8 => "the event's name";
    What "what": DataType::Utf8 => "count, sum, days (on how many), first, last (which day, counted from 1970-01-01)";
    Measure "measure": DataType::Utf8, null "but of a sum" => "the measure that is added up";
    Days "days": DataType::UInt32, null "of first and last" => "days of the window";
    Back "back": DataType::UInt32, null "of first and last" => "days between the last day of the window and the night";
    Condition "condition": DataType::Utf8, null "where every event counts" => "over the event's dimensions, canonical";
    Uncertain "uncertain": DataType::Boolean => "whether the number is of days on which something was kept out";
    Since "since": DataType::Date32 => "the first day that is in the number";
    Scale "scale": DataType::Int8 => "decimal digits kept";
    Offset "offset": DataType::Int64 => "what slice -1 is worth: 0";
    Slice "slice": DataType::Int16 => "-1: users with a number other than 0; i from 0 on: worth 2^i to its users; -2 - i: worth -2^i";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
