//! Tag values: their five types, how text becomes one, their total order and their canonical text.
//!
//! | type | accepted text | canonical text |
//! |---|---|---|
//! | string | any | itself |
//! | integer | decimal digits with an optional sign, 64 bits | `-7` |
//! | double | decimal or exponent form, finite | shortest that reads back, see [`crate::number`]: `1.5`, `2` |
//! | date | `2026-11-19` | the same |
//! | boolean | `true`, `false`, `1`, `0`, letters in any case | `true`, `false` |

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::number::text_of_double;

/// The type of a tag, the same for all values of the tag in an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// UTF-8 text.
    String,
    /// Signed, 64 bits.
    Integer,
    /// IEEE 754, 64 bits, finite.
    Double,
    /// A calendar day.
    Date,
    /// True or false.
    Boolean,
}

impl ValueType {
    /// Every type, in the order of the VALUE columns.
    pub const ALL: [Self; 5] = [
        Self::String,
        Self::Integer,
        Self::Double,
        Self::Date,
        Self::Boolean,
    ];

    /// The name in configuration, registries and artifacts.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Date => "date",
            Self::Boolean => "boolean",
        }
    }

    /// The type with this name, exactly.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|value_type| value_type.name() == name)
    }

    /// Whether values are also indexed by binary digit, in `tag_numbers`.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Double | Self::Date)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One typed tag value. Equality, hash and order are total: types in the order of [`ValueType`],
/// then strings by bytes, doubles by `f64::total_cmp`. [`Value::double`] keeps NaN, infinities and
/// the negative zero out. As JSON a double is its bits: as a number JSON would not keep it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// UTF-8 text.
    String(String),
    /// Signed, 64 bits.
    Integer(i64),
    /// Finite and not -0.0 when made by [`Value::double`] or [`Value::parse`].
    Double(#[serde(with = "bits")] f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// True or false.
    Boolean(bool),
}

impl Value {
    /// Reads a value of the given type; text is taken as it is, without trimming.
    ///
    /// # Errors
    /// What was found and what was expected, for example `found "x", expected an integer`.
    pub fn parse(text: &str, value_type: ValueType) -> Result<Self, String> {
        let refuse = |expected: &str| format!("found {}, expected {expected}", excerpt(text));
        match value_type {
            ValueType::String => Ok(Self::String(text.to_owned())),
            ValueType::Integer => text
                .parse()
                .map(Self::Integer)
                .map_err(|_| refuse("an integer of 64 bits")),
            ValueType::Double => match text.parse() {
                Ok(number) => Self::double(number).map_err(|_| refuse("a finite double")),
                Err(_) => Err(refuse("a finite double")),
            },
            ValueType::Date => parse_days(text)
                .map(Self::Date)
                .ok_or_else(|| refuse("a date like 2026-11-19")),
            ValueType::Boolean => parse_boolean(text)
                .map(Self::Boolean)
                .ok_or_else(|| refuse("true or false")),
        }
    }

    /// A double, with -0.0 made 0.0.
    ///
    /// # Errors
    /// NaN and the infinities, which have no place on a number line cut into slices.
    pub fn double(number: f64) -> Result<Self, String> {
        match number {
            _ if !number.is_finite() => Err(format!("found {number}, expected a finite double")),
            // Turns -0.0 into 0.0 and leaves everything else as it is.
            _ => Ok(Self::Double(number + 0.0)),
        }
    }

    /// A date, as days since 1970-01-01.
    pub fn date(date: NaiveDate) -> Self {
        Self::Date(days_of(date))
    }

    /// The type of this value.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
            Self::Integer(_) => ValueType::Integer,
            Self::Double(_) => ValueType::Double,
            Self::Date(_) => ValueType::Date,
            Self::Boolean(_) => ValueType::Boolean,
        }
    }

    /// The total order: by type, then by value.
    pub fn cmp_total(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            _ => self.value_type().cmp(&other.value_type()),
        }
    }
}

/// A double as the integer of its bits.
mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(number.to_bits())
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp_total(other).is_eq()
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cmp_total(other)
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value_type().hash(state);
        match self {
            Self::String(text) => text.hash(state),
            Self::Integer(number) => number.hash(state),
            Self::Double(number) => number.to_bits().hash(state),
            Self::Date(days) => days.hash(state),
            Self::Boolean(truth) => truth.hash(state),
        }
    }
}

/// The canonical text, which [`Value::parse`] reads back to the same value.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Double(number) => f.write_str(&text_of_double(*number)),
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::Date(days) => match date_of(*days) {
                Some(date) => write!(f, "{date}"),
                None => write!(f, "day {days}"),
            },
        }
    }
}

/// Days since 1970-01-01; every `NaiveDate` fits.
pub fn days_of(date: NaiveDate) -> i32 {
    // NaiveDate spans about half a million years: far inside i32 days.
    (date - NaiveDate::default()).num_days() as i32
}

/// The date this many days after 1970-01-01, if the calendar reaches that far (about ±262,000
/// years).
pub fn date_of(days: i32) -> Option<NaiveDate> {
    let distance = Days::new(u64::from(days.unsigned_abs()));
    match days {
        0.. => NaiveDate::default().checked_add_days(distance),
        _ => NaiveDate::default().checked_sub_days(distance),
    }
}

/// Only the canonical form, so that one day has one spelling.
fn parse_days(text: &str) -> Option<i32> {
    let date: NaiveDate = text.parse().ok()?;
    (date.to_string() == text).then(|| days_of(date))
}

fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Quoted and cut: a value of 10 kB must not fill a log line.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
