//! What the manual says about `bitmap_to_<system>` and `bitmap_from_<system>`.

use super::documentation::document;
use super::wire::{Direction, System};
use datafusion::logical_expr::Documentation;
use std::sync::LazyLock;

const BITMAP: (&str, &str) = ("bitmap", "Portable 64-bit Roaring bytes.");
const TYPE: (&str, &str) = (
    "type",
    "The state's type as a constant: 'UInt8', 'UInt16', 'UInt32', 'UInt64', 'Int8', 'Int16', \
     'Int32' or 'Int64'.",
);

macro_rules! documents {
    ($($name:ident: $text:literal, $syntax:literal, $arguments:expr, ($query:literal, $result:literal);)*) => {$(
        static $name: LazyLock<Documentation> = LazyLock::new(|| document($text, $syntax, $arguments, ($query, $result)));
    )*};
}

documents! {
    TO_CLICKHOUSE: "The state that ClickHouse's groupBitmap has for a set; NULL for NULL. \
                    CAST(state AS AggregateFunction(groupBitmap, UInt64)) loads it there. A value \
                    that the type has no room for is an error.",
        "bitmap_to_clickhouse(bitmap, type)", &[BITMAP, TYPE],
        ("SELECT encode(bitmap_to_clickhouse(bitmap_from_array([1, 3]), 'UInt16'), 'hex')", "000201000300");
    FROM_CLICKHOUSE: "The set of a state of ClickHouse's groupBitmap; NULL for NULL. Negative \
                      values of a signed type are read as two's complement of its bits.",
        "bitmap_from_clickhouse(state, type)", &[("state", "Bytes of an \
                                                            AggregateFunction(groupBitmap, type)."), TYPE],
        ("SELECT bitmap_to_array(bitmap_from_clickhouse(decode('000201000300', 'hex'), 'UInt16'))", "[1, \
            3]");
    TO_DORIS: "The bytes of Doris's BITMAP for a set, as bitmap_from_base64 takes them there; \
               NULL for NULL.",
        "bitmap_to_doris(bitmap)", &[BITMAP],
        ("SELECT encode(bitmap_to_doris(bitmap_from_array([4294967296])), 'hex')", "030000000001000000");
    FROM_DORIS: "The set of bytes of Doris's BITMAP, of every code of theirs; NULL for NULL.",
        "bitmap_from_doris(bytes)", &[("bytes", "Bytes of a BITMAP, such as \
                                                 decode(bitmap_to_base64(b), 'base64') of Doris's \
                                                 text.")],
        ("SELECT bitmap_to_array(bitmap_from_doris(decode('BQMBAAAAAAAAAAMAAAAAAAAABQAAAAAAAAA=', \
          'base64')))", "[1, 3, 5]");
    TO_STARROCKS: "The bytes of StarRocks's BITMAP for a set, as bitmap_from_binary takes them \
                   there; NULL for NULL.",
        "bitmap_to_starrocks(bitmap)", &[BITMAP],
        ("SELECT encode(bitmap_to_starrocks(bitmap_from_array([7])), 'hex')", "0107000000");
    FROM_STARROCKS: "The set of bytes of StarRocks's BITMAP, of every code of theirs; NULL for \
                     NULL.",
        "bitmap_from_starrocks(bytes)", &[("bytes", "Bytes of a BITMAP, such as \
                                                     bitmap_to_binary(b) gives in StarRocks.")],
        ("SELECT bitmap_to_array(bitmap_from_starrocks(decode('0107000000', 'hex')))", "[7]");
    TO_PORTABLE32: "Portable 32-bit Roaring, which is rb of pg_roaringbitmap; NULL for NULL. A \
                    value above 4294967295 is an error.",
        "bitmap_to_portable32(bitmap)", &[BITMAP],
        ("SELECT encode(bitmap_to_portable32(bitmap_from_array([1, 3])), 'hex')", "3a30000001000000000001001000000001000300");
    FROM_PORTABLE32: "The set of portable 32-bit Roaring, such as rb of pg_roaringbitmap; NULL \
                      for NULL.",
        "bitmap_from_portable32(bytes)", &[("bytes", "Portable 32-bit Roaring bytes.")],
        ("SELECT \
          bitmap_to_array(bitmap_from_portable32(decode('3a30000001000000000001001000000001000300', 'hex')))", "[1, 3]");
    TO_PORTABLE64: "Portable 64-bit Roaring, which is rb64 of pg_roaringbitmap and what every \
                    bitmap here is; in its canonical form, so that equal sets are equal bytes. \
                    NULL for NULL.",
        "bitmap_to_portable64(bitmap)", &[BITMAP],
        ("SELECT encode(bitmap_to_portable64(bitmap_from_array([])), 'hex')", "0000000000000000");
    FROM_PORTABLE64: "The set of portable 64-bit Roaring, such as rb64 of pg_roaringbitmap, \
                      checked completely and brought into its canonical form; NULL for NULL.",
        "bitmap_from_portable64(bytes)", &[("bytes", "Portable 64-bit Roaring bytes.")],
        ("SELECT bitmap_to_array(bitmap_from_portable64(decode('0000000000000000', 'hex')))", "[]");
    TO_JAVA_LEGACY: "The bytes of Java's Roaring64NavigableMap in its legacy mode, with unsigned \
                     longs; NULL for NULL.",
        "bitmap_to_java_legacy(bitmap)", &[BITMAP],
        ("SELECT encode(bitmap_to_java_legacy(bitmap_from_array([4294967297])), 'hex')", "0000000001000000013a3000000100000000000000100000000100");
    FROM_JAVA_LEGACY: "The set of Java's Roaring64NavigableMap in its legacy mode; negative longs \
                       are read as two's complement. NULL for NULL.",
        "bitmap_from_java_legacy(bytes)", &[("bytes", "Bytes that serialize wrote in \
                                                       SERIALIZATION_MODE_LEGACY.")],
        ("SELECT \
          bitmap_to_array(bitmap_from_java_legacy(decode('0000000001000000013a3000000100000000000000100000000100', 'hex')))", "[4294967297]");
}

/// The documentation of one function.
pub(super) fn documentation(
    system: System,
    direction: Direction,
) -> Option<&'static Documentation> {
    let (to, from) = match system {
        System::ClickHouse => (&TO_CLICKHOUSE, &FROM_CLICKHOUSE),
        System::Doris => (&TO_DORIS, &FROM_DORIS),
        System::StarRocks => (&TO_STARROCKS, &FROM_STARROCKS),
        System::Portable32 => (&TO_PORTABLE32, &FROM_PORTABLE32),
        System::Portable64 => (&TO_PORTABLE64, &FROM_PORTABLE64),
        System::JavaLegacy => (&TO_JAVA_LEGACY, &FROM_JAVA_LEGACY),
    };
    Some(match direction {
        Direction::To => to,
        Direction::From => from,
    })
}
