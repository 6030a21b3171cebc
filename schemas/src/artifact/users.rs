//! `users`: the dictionary: which uid a user id has. Files per run and shard: the users that run
//! added, and those of small earlier files that it merged; an ordinal is in one file.

use arrow::datatypes::DataType;

use super::columns::{ColumnSpec, columns};

columns! {
    Users, sorted by [Shard, Ordinal];
    what "the dictionary: which uid a user id has. Files per run and shard: the users that run added, and those of small earlier files that it merged; an ordinal is in one file.";
    note "";
    Shard "shard": DataType::UInt32 => "the high word of the uid";
    Ordinal "ordinal": DataType::UInt32 => "the low word: dense per shard, appended, never reused";
    App "app": DataType::Utf8, null "with id_scope global" => "the app the id belongs to";
    UserId "user_id": DataType::Utf8 => "the source's string, any UTF-8";
    FirstRun "first_run": DataType::Utf8 => "the run that saw the user first";
    State "state": DataType::UInt8 => "0 live, 1 erased";
    MergedInto "merged_into": DataType::UInt64, null "unless merged" => "the uid that took over";
}

/// What files of versions before 0.2 have as well.
pub(super) const RETIRED: &[ColumnSpec] = &[ColumnSpec {
    name: "id_hash",
    data_type: DataType::FixedSizeBinary(16),
    null: None,
    what: "XXH3-128 of the id bytes, big-endian",
}];
