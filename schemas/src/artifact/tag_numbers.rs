//! `tag_numbers`: bit-sliced numeric and date tags: ranges without enumerating values.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    TagNumbers, sorted by [App, Tag, Type, Slice, Shard];
    what "bit-sliced numeric and date tags: ranges without enumerating values.";
    note "A user's value * 10^scale is the sum of what the slices are worth that have the user. A slice is worth the same in every row, so `sum(weight * cardinality)` adds shards, days and combinations up. The tables of `tagmill sql` and the views of `tagmill files` have `weight` as a column more.";
    App "app": DataType::Utf8 => "the app";
    Tag "tag": DataType::Utf8 => "the tag's name";
    Type "type": DataType::Utf8 => "integer, double or date";
    Scale "scale": DataType::Int8 => "decimal digits kept, 0 for integers and dates";
    Offset "offset": DataType::Int64 => "what slice -1 is worth: 0, but a power of two below zero in older files with numbers below zero";
    Slice "slice": DataType::Int16 => "-1: users that have a value; i from 0 on: worth 2^i to its users; -2 - i: worth -2^i";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
