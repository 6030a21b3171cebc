//! A merchant's own event and what its properties are:
//! `{"app":"tea_shop","event":"order","property":"price","role":"measure","type":"double","scale":2}`.

use serde_json::{Map, Value as Json};

use super::RowError;
use super::field::Fields;
use crate::config::MAX_SCALE;
use crate::value::ValueType;

/// What a property of an event is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Users are indexed by its values.
    Dimension,
    /// It is added up per user.
    Measure,
    /// It is not read.
    Ignore,
}

/// Declares an event of one app, and one property of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Not empty, without a zero byte.
    pub app: String,
    /// Not empty; any other text.
    pub event: String,
    /// `None` declares the event alone.
    pub property: Option<String>,
    /// Required with a property, `Ignore` without.
    pub role: Role,
    /// The property's type: string when absent; a measure has to be declared integer or double.
    pub value_type: ValueType,
    /// Decimal digits kept of a measure, 0 to [`MAX_SCALE`]: 0 when absent, required for a double
    /// measure.
    pub scale: u8,
}

impl EventRow {
    /// # Errors
    /// The first field that is missing, has the wrong type or does not fit the role.
    pub fn from_json(row: &Map<String, Json>) -> Result<Self, RowError> {
        let fields = Fields::open(row, &["app", "event", "property", "role", "type", "scale"])?;
        let (app, event, property) = (
            fields.app()?,
            fields.name("event")?,
            fields.optional_name("property")?,
        );
        let roles = [
            ("dimension", Role::Dimension),
            ("measure", Role::Measure),
            ("ignore", Role::Ignore),
        ];
        let role = match (fields.choice("role", &roles)?, &property) {
            (None | Some(Role::Ignore), None) => Role::Ignore,
            (Some(role), Some(_)) => role,
            (None, Some(_)) => {
                return Err(fields.refuse(
                    "role",
                    "dimension, measure or ignore, since a property is named",
                ));
            }
            (Some(_), None) => {
                return Err(fields.refuse("property", "a property's name, since a role is given"));
            }
        };
        let (value_type, scale) = (
            fields.value_type("type")?,
            fields.integer("scale", MAX_SCALE)?,
        );
        match (role, value_type, scale) {
            (Role::Measure, Some(ValueType::Integer), _)
            | (Role::Measure, Some(ValueType::Double), Some(_)) => {}
            (Role::Measure, Some(ValueType::Double), None) => {
                return Err(fields.refuse("scale", "how many decimals of a double are kept"));
            }
            (Role::Measure, _, _) => {
                return Err(fields.refuse("type", "integer or double, since the role is measure"));
            }
            _ => {}
        }
        Ok(Self {
            app,
            event,
            property,
            role,
            value_type: value_type.unwrap_or(ValueType::String),
            scale: scale.unwrap_or(0),
        })
    }
}
