//! The parts of a user's number, `uid = shard << 32 | ordinal`: `uid`, `uid_shard`, `uid_ordinal`.

use super::function::{Answer, Argument, Function, Kind, Returns};
use super::row::Row;
use datafusion::error::Result;

const UID: Argument = Argument {
    name: "uid",
    kind: Kind::Element,
    about: "A user's number, as bitmaps hold it.",
};
const SHARD: Argument = Argument {
    name: "shard",
    kind: Kind::Element,
    about: "The high word, below 2^32.",
};
const ORDINAL: Argument = Argument {
    name: "ordinal",
    kind: Kind::Element,
    about: "The low word, below 2^32.",
};

/// All functions of the family.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "uid",
        about: "The number of the user with this ordinal in this shard, shard * 2^32 + ordinal; \
                NULL if either is NULL. A shard or ordinal of 2^32 or more is an error.",
        syntax: "uid(shard, ordinal)",
        arguments: &[SHARD, ORDINAL],
        returns: Returns::Count,
        example: ("SELECT uid(1, 7)", "4294967303"),
        call: |row, _| Ok(Answer::Count(word(row, 0)? << 32 | word(row, 1)?)),
        ..Function::BASE
    },
    Function {
        name: "uid_shard",
        about: "The shard of a user's number, its high 32 bits; NULL for NULL.",
        syntax: "uid_shard(uid)",
        arguments: &[UID],
        returns: Returns::Count,
        example: ("SELECT uid_shard(4294967303)", "1"),
        call: |row, _| Ok(Answer::Count(row.element(0)? >> 32)),
        ..Function::BASE
    },
    Function {
        name: "uid_ordinal",
        about: "The ordinal of a user's number within its shard, its low 32 bits; NULL for NULL.",
        syntax: "uid_ordinal(uid)",
        arguments: &[UID],
        returns: Returns::Count,
        example: ("SELECT uid_ordinal(4294967303)", "7"),
        call: |row, _| Ok(Answer::Count(row.element(0)? & u64::from(u32::MAX))),
        ..Function::BASE
    },
];

/// An argument that is half of a user's number.
fn word(row: &Row<'_>, at: usize) -> Result<u64> {
    match row.element(at)? {
        word if word <= u64::from(u32::MAX) => Ok(word),
        other => Err(row.error(format_args!(
            "argument {} is {other}, expected less than 4294967296",
            at + 1
        ))),
    }
}
