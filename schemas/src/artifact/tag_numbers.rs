//! `tag_numbers`: bit-sliced numeric and date tags: ranges without enumerating values.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    TagNumbers, sorted by [App, Tag, Type, Slice, Shard];
    what "bit-sliced numeric and date tags: ranges without enumerating values.";
    note "";
    App "app": DataType::Utf8 => "the app";
    Tag "tag": DataType::Utf8 => "the tag's name";
    Type "type": DataType::Utf8 => "integer, double or date";
    Scale "scale": DataType::Int8 => "decimal digits kept, 0 for integers and dates";
    Offset "offset": DataType::Int64 => "subtracted from the scaled value, so that slices are of a number from 0";
    Slice "slice": DataType::Int16 => "-1: users that have a value; i: bit i of value * 10^scale - offset";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
