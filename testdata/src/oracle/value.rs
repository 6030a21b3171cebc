//! A tag's or dimension's value. Reads text or cells, writes nothing; ordered as the artifacts are.

use std::cmp::Ordering;
use std::fmt;

use chrono::{Days, NaiveDate};

/// Type of a tag or property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Text.
    String,
    /// 64-bit whole number.
    Integer,
    /// 64-bit float.
    Double,
    /// Day.
    Date,
    /// true or false.
    Boolean,
}

impl Kind {
    /// The kind a registry names.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "integer" => Self::Integer,
            "double" => Self::Double,
            "date" => Self::Date,
            "boolean" => Self::Boolean,
            _ => return None,
        })
    }
}

/// One typed value.
#[derive(Debug, Clone)]
pub enum Value {
    /// Text, ordered by bytes.
    String(String),
    /// Whole number.
    Integer(i64),
    /// Float, ordered totally.
    Double(f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// false before true.
    Boolean(bool),
}

impl Value {
    /// Text as a value of `kind`; `None` when it is not one.
    pub fn parse(text: &str, kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::String => Self::String(text.to_owned()),
            Kind::Integer => Self::Integer(text.parse().ok()?),
            Kind::Double => Self::Double(
                text.parse::<f64>()
                    .ok()
                    .filter(|number| number.is_finite())?,
            ),
            Kind::Date => Self::Date(
                (NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()? - NaiveDate::default())
                    .num_days() as i32,
            ),
            Kind::Boolean => Self::Boolean(text.parse().ok()?),
        })
    }

    /// The number an integer or double stands for.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::String(_) => 0,
            Self::Integer(_) => 1,
            Self::Double(_) => 2,
            Self::Date(_) => 3,
            Self::Boolean(_) => 4,
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number}"),
            Self::Date(days) => write!(f, "{}", date_of(*days)),
            Self::Boolean(truth) => write!(f, "{truth}"),
        }
    }
}

fn date_of(days: i32) -> NaiveDate {
    let size = Days::new(u64::from(days.unsigned_abs()));
    let epoch = NaiveDate::default();
    if days < 0 { epoch - size } else { epoch + size }
}
