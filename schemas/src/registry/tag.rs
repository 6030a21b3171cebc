//! A merchant's own tag: `{"app":"tea_shop","tag":"taste","type":"string","multi":true}`.

use serde_json::{Map, Value as Json};

use super::RowError;
use super::field::Fields;
use crate::value::ValueType;

/// Declares a tag of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// Not empty, without a zero byte.
    pub app: String,
    /// Not empty; any other text.
    pub tag: String,
    /// Required.
    pub value_type: ValueType,
    /// Whether a user can have several values; false when absent.
    pub multi: bool,
}

impl TagRow {
    /// # Errors
    /// The first field that is missing or has the wrong type.
    pub fn from_json(row: &Map<String, Json>) -> Result<Self, RowError> {
        let fields = Fields::open(row, &["app", "tag", "type", "multi"])?;
        Ok(Self {
            app: fields.app()?,
            tag: fields.name("tag")?,
            value_type: fields
                .value_type("type")?
                .ok_or_else(|| fields.refuse("type", "string, integer, double, date or boolean"))?,
            multi: fields.boolean("multi", false)?,
        })
    }
}
