//! `groups`: the members of every published group.
//!
//! An empty set has no row, unless somebody left it: then its bitmap is that of no value.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Groups, sorted by [App, Group, Shard];
    what "the members of every published group.";
    note "An empty set has no row, unless somebody left it: then its bitmap is that of no value.";
    App "app": DataType::Utf8 => "the app";
    Group "group": DataType::Utf8 => "the group's name";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
    Entered "entered": DataType::UInt64 => "members who were not in it at the newest release of an earlier date";
    Left "left": DataType::UInt64 => "members then who are not now";
}
