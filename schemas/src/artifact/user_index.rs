//! `user_index`: where in `users` a user id is, found by its hash: one file beside each file of `users`, of the same run and shard.

use arrow::datatypes::DataType;

use super::columns::columns;

columns! {
    UserIndex, sorted by [Shard, Hash, Ordinal];
    what "where in `users` a user id is, found by its hash: one file beside each file of `users`, of the same run and shard.";
    note "Different ids can have one hash: what is found is compared with `user_id`. Files of `users` that were written before 0.2 have none.";
    Shard "shard": DataType::UInt32 => "the high word of the uid";
    Hash "hash": DataType::UInt32 => "the high 32 bits of XXH3-64 of the id bytes";
    Ordinal "ordinal": DataType::UInt32 => "the low word of the uid";
}
