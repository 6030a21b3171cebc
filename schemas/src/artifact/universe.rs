//! `universe`: every user accepted for an app by an attribute, tag or event row and not erased: what NOT is the complement in.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    Universe, sorted by [App, Shard];
    what "every user accepted for an app by an attribute, tag or event row and not erased: what NOT is the complement in.";
    note "";
    App "app": DataType::Utf8 => "the app";
    Shard "shard": DataType::UInt32 => "which shard";
    Bitmap "bitmap": DataType::Binary => "portable 64-bit Roaring of uids, canonical";
    Cardinality "cardinality": DataType::UInt64 => "users in the bitmap";
}
