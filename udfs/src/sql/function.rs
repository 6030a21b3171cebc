//! A scalar function as data: what it is called, what it takes and gives, how one row is computed.

use super::index_columns;
use super::index_value::{Numbers, index_type};
use super::row::Row;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::error::Result;
use std::sync::Arc;

/// What an argument is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bitmap, checked completely.
    Bitmap,
    /// A bitmap of which only the headers are checked.
    Headers,
    /// A bitmap, or an element as for `Wrapped`.
    BitmapOrElement,
    /// An element: an integer from 0 to 2^64 - 1.
    Element,
    /// An element: an integer of the function's [`bits`](Function::bits), negative ones counted
    /// from 2^bits down.
    Wrapped,
    /// An integer of 64 bits, of either sign.
    Integer,
    /// An integer of either sign and of any size, such as the end of a range.
    Bound,
    /// An integer of 64 bits, of either sign; what is behind the point is cut off.
    Cut,
    /// An element, text that is one, or a boolean as 0 or 1.
    ElementTextOrFlag,
    /// A boolean.
    Flag,
    /// Text.
    Text,
    /// Text, or what is written in one way only: integers, decimals, dates, and booleans as 0 or 1.
    AnyText,
    /// An array of elements; NULL elements are skipped.
    Elements,
    /// An array of integers as for `Wrapped`; NULL elements are refused.
    WrappedElements,
    /// An array of integers, negative ones counted from 2^bits of their type down; NULL elements
    /// are refused.
    NarrowElements,
    /// An array of integers; NULL elements, and those that are no element, are skipped.
    FittingElements,
    /// Any bytes.
    Bytes,
    /// A bit-sliced index: a list of slices.
    Index,
    /// A bit-sliced index, or an integer as for `Integer`.
    IndexOrInteger,
    /// A bitmap, or an integer as for `Integer`.
    BitmapOrInteger,
    /// An array of integers of 64 bits, of either sign; NULL elements are refused.
    Numbers,
    /// A map from elements to integers of 64 bits.
    NumberMap,
}

/// An argument of a function.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) about: &'static str,
}

/// A bitmap that is checked completely.
pub(super) const BITMAP: Argument = Argument {
    name: "bitmap",
    kind: Kind::Bitmap,
    about: "Portable 64-bit Roaring bytes.",
};
/// A second bitmap.
pub(super) const OTHER: Argument = Argument {
    name: "other",
    kind: Kind::Bitmap,
    about: "Portable 64-bit Roaring bytes.",
};
/// A bitmap of which only headers are read.
pub(super) const HEADERS: Argument = Argument {
    name: "bitmap",
    kind: Kind::Headers,
    about: "Portable 64-bit Roaring bytes, of which only the headers are checked.",
};
/// An element.
pub(super) const VALUE: Argument = Argument {
    name: "value",
    kind: Kind::Element,
    about: "An integer, read as UInt64.",
};
/// Where a range starts.
pub(super) const START: Argument = Argument {
    name: "start",
    kind: Kind::Element,
    about: "The first value of the range.",
};
/// Where a range ends.
pub(super) const END: Argument = Argument {
    name: "end",
    kind: Kind::Element,
    about: "The first value after the range; a range with end <= start is empty.",
};

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    /// A bitmap: `BinaryView`.
    Bitmap,
    /// `UInt64`.
    Count,
    /// `Int64`.
    Integer,
    /// `Float64`.
    Float,
    /// `Boolean`.
    Flag,
    /// `UInt8`, 0 or 1, where a system has no booleans.
    Byte,
    /// `Utf8`.
    Text,
    /// `List` of `BinaryView`.
    Bitmaps,
    /// `Struct` of the bitmaps `entered` and `left`.
    Changes,
    /// `Decimal128(38, 0)`.
    Decimal,
    /// `List` of `Decimal128(38, 0)`.
    Numbers,
    /// `List` of lists of two `Decimal128(20, 0)`, a member and its number.
    Pairs,
    /// `Map` from members, `UInt64`, to their numbers, `Int64`.
    Map,
    /// A bit-sliced index.
    Index,
}

impl Returns {
    /// The Arrow type.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Bitmap => DataType::BinaryView,
            Self::Count => DataType::UInt64,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Flag => DataType::Boolean,
            Self::Byte => DataType::UInt8,
            Self::Text => DataType::Utf8,
            Self::Bitmaps => {
                DataType::List(Arc::new(Field::new_list_field(DataType::BinaryView, true)))
            }
            Self::Changes => DataType::Struct(changes()),
            Self::Decimal => index_columns::DECIMAL,
            Self::Numbers => index_columns::list_of(index_columns::DECIMAL),
            Self::Pairs => index_columns::list_of(index_columns::list_of(index_columns::PART)),
            Self::Map => index_columns::map_type(),
            Self::Index => index_type(),
        }
    }
}

/// The columns of [`Returns::Changes`].
pub(super) fn changes() -> Fields {
    let field = |name| Field::new(name, DataType::BinaryView, true);
    Fields::from(vec![field("entered"), field("left")])
}

/// What NULL arguments do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// Any of them makes the result NULL.
    Spread,
    /// The function sees them.
    Seen,
}

/// The result for one row.
#[derive(Debug)]
pub(super) enum Answer {
    Null,
    /// The bitmap that was appended to the output.
    Bitmap,
    Count(u64),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Text(String),
    Bitmaps(Vec<Vec<u8>>),
    Changes(Vec<u8>, Vec<u8>),
    Decimal(i128),
    Numbers(Vec<i128>),
    Pairs(Numbers),
    Index(Numbers),
}

/// Computes one row; a bitmap is appended to the output.
pub(super) type Call = fn(&Row<'_>, &mut Vec<u8>) -> Result<Answer>;

/// A scalar function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) syntax: &'static str,
    pub(super) arguments: &'static [Argument],
    /// How many of the last arguments may be missing.
    pub(super) optional: usize,
    /// Whether the last argument may come several times.
    pub(super) is_variadic: bool,
    pub(super) returns: Returns,
    pub(super) nulls: Nulls,
    /// A query, and its rows.
    pub(super) example: (&'static str, &'static str),
    pub(super) call: Call,
}

impl Function {
    /// What most functions have in common; a table says the rest.
    pub(super) const BASE: Self = Self {
        name: "",
        about: "",
        syntax: "",
        arguments: &[],
        optional: 0,
        is_variadic: false,
        returns: Returns::Bitmap,
        nulls: Nulls::Spread,
        example: ("", ""),
        call: |_, _| Ok(Answer::Null),
    };

    /// The argument at a place of the call.
    pub(super) fn argument(&self, at: usize) -> Option<&'static Argument> {
        self.arguments.get(at).or_else(|| {
            if self.is_variadic {
                self.arguments.last()
            } else {
                None
            }
        })
    }

    /// How many bits values have: 32 where pg_roaringbitmap has 32, or else 64.
    pub(super) fn bits(&self) -> u32 {
        if self.name.starts_with("rb_") { 32 } else { 64 }
    }
}
