//! Where a system's statement has another answer here on purpose, and why: a table of the manual.

use super::names::System;
use std::fmt::{self, Write};

/// A difference that is kept.
struct Difference {
    system: System,
    statement: &'static str,
    there: &'static str,
    here: &'static str,
    why: &'static str,
}

static DIFFERENCES: &[Difference] = &[
    Difference {
        system: System::ClickHouse,
        statement: "`bitmapMin` of an empty bitmap",
        there: "the largest value of the type's Roaring: 4294967295 for UInt8 to Int32",
        here: "18446744073709551615, as for UInt64",
        why: "a bitmap here has no type",
    },
    Difference {
        system: System::ClickHouse,
        statement: "`bitmapToArray` of negative values",
        there: "negative again",
        here: "counted from 2^bits of the type down: -2 of Int8 is 254",
        why: "a bitmap here has no type; `bitmapMin`, `bitmapMax`, `bitmapContains` and \
              `bitmapSubsetInRange` agree with ClickHouse",
    },
    Difference {
        system: System::ClickHouse,
        statement: "`bitmapBuild([-2, 4])`",
        there: "the literal is an array of Int8 or Int16",
        here: "an array of Int64: -2 is 2^64 - 2",
        why: "integer literals are Int64 here; `arrow_cast([-2, 4], 'List(Int8)')` has ClickHouse's \
              type",
    },
    Difference {
        system: System::ClickHouse,
        statement: "`numericIndexedVector*` of Float64, and sums beyond the type",
        there: "fractions are cut at 2^-24; sums wrap at the width of the type",
        here: "integers of 64 bits only; more is an error",
        why: "no number changes without a word: use an integer of the smallest unit",
    },
    Difference {
        system: System::Doris,
        statement: "`bitmap_to_base64`",
        there: "bytes that depend on how the set came about, and on a setting of the server",
        here: "codes 0 to 4 with canonical Roaring",
        why: "equal sets are equal bytes; each system reads the other's",
    },
    Difference {
        system: System::Doris,
        statement: "`bitmap_hash` of DOUBLE and DATETIME",
        there: "the hash of the text that Doris writes",
        here: "an error",
        why: "systems write them in different ways: cast to the text that is meant",
    },
    Difference {
        system: System::StarRocks,
        statement: "`bitmap_to_binary`, `bitmap_to_base64`",
        there: "bytes that depend on how the set came about: code 10, or Roaring",
        here: "codes 0 to 4 with canonical Roaring",
        why: "equal sets are equal bytes; every version there reads them",
    },
    Difference {
        system: System::StarRocks,
        statement: "`unnest_bitmap`, `subdivide_bitmap` in FROM beside a table",
        there: "rows for each row of the table",
        here: "`unnest(bitmap_to_array(b))`, `unnest(subdivide_bitmap(b, n))` in SELECT",
        why: "a table function takes constants here",
    },
    Difference {
        system: System::Postgres,
        statement: "Roaring bytes whose offset header is wrong",
        there: "read; the offsets are not looked at",
        here: "refused, with the place",
        why: "other readers jump by these offsets and would read another set",
    },
    Difference {
        system: System::Spark,
        statement: "a text as the argument of `bitmap_bit_position` and its siblings",
        there: "cast to BIGINT",
        here: "an error",
        why: "text that is no number is told when the query is planned",
    },
    Difference {
        system: System::Hologres,
        statement: "`bsi_iterate`",
        there: "rows",
        here: "an array, of which `unnest` gives the rows",
        why: "a function of SELECT gives one value here",
    },
    Difference {
        system: System::Hologres,
        statement: "`bsi_build` of a member twice, of 0 and of numbers below 0",
        there: "not defined, as its page says that numbers are from 1 to 2^31 - 1",
        here: "a member twice is an error; numbers have 64 bits of either sign",
        why: "no number is lost without a word",
    },
];

/// Writes the table.
///
/// # Errors
/// None; writing to memory does not fail.
pub(super) fn write_differences(out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "\n## Differences that are kept\n\n| system | statement | there | here | why \
         |\n|---|---|---|---|---|"
    )?;
    for difference in DIFFERENCES {
        let Difference {
            system,
            statement,
            there,
            here,
            why,
        } = difference;
        let title = system.title();
        writeln!(out, "| {title} | {statement} | {there} | {here} | {why} |")?;
    }
    Ok(())
}
