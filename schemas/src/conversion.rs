//! Which value a raw cell becomes: what holds it × what it is used as. `docs/values.md` is made
//! from this table, and the scan plans its casts by it.
//!
//! A conversion is exact or it rejects its row; null is null everywhere.

use std::fmt;

use arrow::datatypes::DataType;

use crate::value::ValueType;

/// What holds a raw value: the type of a column, of the elements of a list, of the values of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Text in any encoding.
    Text,
    /// Bytes of any length.
    Bytes,
    /// True or false.
    Boolean,
    /// Whole numbers that fit into 64 bits with a sign.
    Integer,
    /// 64 bits without a sign.
    Unsigned,
    /// Floats of 16, 32 or 64 bits.
    Float,
    /// Decimals of any width and scale.
    Decimal,
    /// Days.
    Date,
}

/// What a raw value is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The id of a user.
    Id,
    /// The value of a tag of this type, or of a property that the registry gives this type.
    Tag(ValueType),
    /// A dimension, which has no declared type.
    Dimension,
    /// A measure.
    Measure,
}

/// How a value gets from the one to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Each has one: nothing can fail.
    Always,
    /// What has none rejects its row, as `bad_` and the name, or `bad_value` for group tags.
    Checked,
    /// The column is refused before anything is read.
    Refused,
}

/// One cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// Whether it can fail.
    pub how: How,
    /// What comes out, for the documentation.
    pub what: &'static str,
}

impl Origin {
    /// Every origin, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Bytes,
        Self::Boolean,
        Self::Integer,
        Self::Unsigned,
        Self::Float,
        Self::Decimal,
        Self::Date,
    ];

    /// What holds values of this type; `None` for times, lists, maps and structs. A column without
    /// a type holds nothing but nulls, as text.
    pub fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
                Some(Self::Text)
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(Self::Bytes),
            DataType::Dictionary(_, value) => Self::of(value),
            DataType::Boolean => Some(Self::Boolean),
            DataType::UInt64 => Some(Self::Unsigned),
            other if other.is_integer() => Some(Self::Integer),
            other if other.is_floating() => Some(Self::Float),
            DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Some(Self::Decimal),
            DataType::Date32 | DataType::Date64 => Some(Self::Date),
            _ => None,
        }
    }

    /// The Parquet types, for the documentation.
    pub fn parquet(self) -> &'static str {
        match self {
            Self::Text => "BYTE_ARRAY as STRING, JSON",
            Self::Bytes => "BYTE_ARRAY, also as ENUM",
            Self::Boolean => "BOOLEAN",
            Self::Integer => "INT32, INT64, also as INT(8..64) and UINT(8..32)",
            Self::Unsigned => "INT64 as UINT(64)",
            Self::Float => "FLOAT, DOUBLE, FLOAT16",
            Self::Decimal => "INT32, INT64, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY as DECIMAL",
            Self::Date => "INT32 as DATE",
        }
    }

    /// The type of a dimension over it.
    pub fn dimension_type(self) -> ValueType {
        match self {
            Self::Text | Self::Bytes | Self::Unsigned | Self::Decimal => ValueType::String,
            Self::Boolean => ValueType::Boolean,
            Self::Integer => ValueType::Integer,
            Self::Float => ValueType::Double,
            Self::Date => ValueType::Date,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned of 64 bits",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Date => "date",
        })
    }
}

impl Use {
    /// Every use, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Id,
        Self::Tag(ValueType::String),
        Self::Tag(ValueType::Integer),
        Self::Tag(ValueType::Double),
        Self::Tag(ValueType::Date),
        Self::Tag(ValueType::Boolean),
        Self::Dimension,
        Self::Measure,
    ];
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("id"),
            Self::Tag(value_type) => write!(f, "{value_type} tag"),
            Self::Dimension => f.write_str("dimension"),
            Self::Measure => f.write_str("measure"),
        }
    }
}

/// What becomes of values of `origin` that are used as `used`.
pub fn conversion(origin: Origin, used: Use) -> Conversion {
    match used {
        Use::Id => to_id(origin),
        Use::Tag(ValueType::String) => to_text(origin),
        Use::Tag(ValueType::Integer) => to_integer(origin),
        Use::Tag(ValueType::Double) => to_double(origin),
        Use::Tag(ValueType::Date) => to_date(origin),
        Use::Tag(ValueType::Boolean) => to_boolean(origin),
        Use::Dimension => to_text(origin),
        Use::Measure => to_measure(origin),
    }
}

const fn always(what: &'static str) -> Conversion {
    Conversion {
        how: How::Always,
        what,
    }
}

const fn checked(what: &'static str) -> Conversion {
    Conversion {
        how: How::Checked,
        what,
    }
}

const REFUSED: Conversion = Conversion {
    how: How::Refused,
    what: "refused",
};

fn to_id(origin: Origin) -> Conversion {
    match origin {
        Origin::Text => always("itself"),
        Origin::Bytes => checked("itself, if it is UTF-8"),
        Origin::Integer | Origin::Unsigned => always("its digits"),
        Origin::Float => {
            checked("the digits of whole numbers up to 2^53 (2^24 of 32 bits); others are no user")
        }
        Origin::Decimal => always("its digits, without zeros at the end: `94107`, `3.5`"),
        Origin::Boolean => REFUSED,
        Origin::Date => always("`2026-11-19`"),
    }
}

fn to_text(origin: Origin) -> Conversion {
    match origin {
        Origin::Text => always("itself"),
        Origin::Bytes => checked("itself, if it is UTF-8"),
        Origin::Boolean => always("`true`, `false`"),
        Origin::Integer | Origin::Unsigned => always("its digits"),
        Origin::Float => always(
            "the shortest digits that read back: `94107`, `3.5`, `0.1`; NaN and, counted, infinities are no value",
        ),
        Origin::Decimal => always("its digits, without zeros at the end: `94107`, `3.5`"),
        Origin::Date => always("`2026-11-19`"),
    }
}

fn to_integer(origin: Origin) -> Conversion {
    match origin {
        Origin::Text | Origin::Bytes => {
            checked("whole numbers of 64 bits: `35`, `35.0`, `3e1`; `NaN` is no value")
        }
        Origin::Boolean => always("1, 0"),
        Origin::Integer => always("itself"),
        Origin::Unsigned => checked("up to 2^63 - 1"),
        Origin::Float => checked("whole numbers of 64 bits; NaN is no value"),
        Origin::Decimal => checked("whole numbers of 64 bits"),
        Origin::Date => REFUSED,
    }
}

fn to_double(origin: Origin) -> Conversion {
    match origin {
        Origin::Text | Origin::Bytes => checked(
            "the nearest double of a number; `NaN` and, counted, `inf` are no value; beyond the range of doubles it is rejected",
        ),
        Origin::Boolean => always("1, 0"),
        Origin::Integer | Origin::Unsigned | Origin::Decimal => always("the nearest double"),
        Origin::Float => always(
            "itself; a float of 32 bits as it is written, 0.1 as 0.1; -0.0 is 0; NaN and, counted, infinities are no value",
        ),
        Origin::Date => REFUSED,
    }
}

fn to_date(origin: Origin) -> Conversion {
    match origin {
        Origin::Text | Origin::Bytes => {
            checked("`2026-11-19`, `2026-1-5`, `20261119`, also with a time behind it")
        }
        Origin::Date => always("itself"),
        Origin::Boolean | Origin::Integer | Origin::Unsigned | Origin::Float | Origin::Decimal => {
            REFUSED
        }
    }
}

fn to_boolean(origin: Origin) -> Conversion {
    match origin {
        Origin::Text | Origin::Bytes => checked(
            "`true`, `t`, `yes`, `y`, `on`, 1 and `false`, `f`, `no`, `n`, `off`, 0, in any case; `NaN` is no value",
        ),
        Origin::Boolean => always("itself"),
        Origin::Integer | Origin::Unsigned | Origin::Decimal => checked("1, 0"),
        Origin::Float => checked("1, 0; NaN is no value"),
        Origin::Date => REFUSED,
    }
}

fn to_measure(origin: Origin) -> Conversion {
    match origin {
        Origin::Integer | Origin::Unsigned | Origin::Decimal => {
            checked("itself, rounded half to even to the measure's scale, within 64 bits")
        }
        Origin::Float => checked(
            "itself, rounded half to even to the measure's scale, within 64 bits; NaN and, counted, infinities are no value",
        ),
        Origin::Text => checked(
            "a number written out, rounded half to even to the measure's scale, within 64 bits; `NaN` and, counted, `inf` are no value",
        ),
        Origin::Bytes | Origin::Boolean | Origin::Date => REFUSED,
    }
}
