//! `[[tag]]`: the platform's tags.

use serde::Serialize;

use crate::value::ValueType;

/// The name that stands for every tag that a group_tags source's rows and registry name.
pub const EVERY_TAG: &str = "*";

/// The most decimal digits a number can keep: more would overflow 64 bits at once.
pub const MAX_SCALE: u8 = 18;

/// A tag and where its values come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Unique, or [`EVERY_TAG`] for a group_tags source.
    pub name: String,
    /// The name of an attributes or group_tags source.
    pub source: String,
    /// `None` only for [`EVERY_TAG`].
    pub value_type: Option<ValueType>,
    /// Whether a user can have several values; the expression then gives a list.
    pub multi: bool,
    /// SQL over the source's row; always given for attributes, never for group_tags.
    pub value: Option<String>,
    /// Decimal digits kept of a double, 0 to [`MAX_SCALE`]; `None`: not indexed by binary digit.
    pub scale: Option<u8>,
}
