//! One field of a registry row, read with its type, as exact as a cell of a source.

use chrono::NaiveDate;
use serde_json::{Map, Value as Json};

use super::{RowError, cell};
use crate::nearest::nearest;
use crate::shard::is_app_name;
use crate::value::ValueType;

/// Names stand in every row of artifacts, manifests and logs.
const MOST_NAME_BYTES: usize = 1 << 10;

/// A registry row while it is read.
pub(super) struct Fields<'a>(&'a Map<String, Json>);

impl<'a> Fields<'a> {
    /// # Errors
    /// A key that is not known but nearly a known one: taken as absent it would change the row's
    /// meaning silently.
    pub(super) fn open(row: &'a Map<String, Json>, known: &[&str]) -> Result<Self, RowError> {
        for key in row.keys().filter(|key| !known.contains(&key.as_str())) {
            if let Some(near) = nearest(
                key,
                known
                    .iter()
                    .copied()
                    .filter(|name| !row.contains_key(*name)),
            ) {
                return Err(error(key, "an unknown key", format!("{near:?}")));
            }
        }
        Ok(Self(row))
    }

    fn get(&self, field: &str) -> Option<&'a Json> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// Text that is not empty.
    pub(super) fn text(&self, field: &str) -> Result<String, RowError> {
        self.optional_text(field)?
            .ok_or_else(|| error(field, "nothing", "text"))
    }

    /// [`Self::text`] of at most [`MOST_NAME_BYTES`].
    pub(super) fn name(&self, field: &str) -> Result<String, RowError> {
        self.optional_name(field)?
            .ok_or_else(|| error(field, "nothing", "text"))
    }

    pub(super) fn optional_name(&self, field: &str) -> Result<Option<String>, RowError> {
        match self.optional_text(field)? {
            Some(name) if name.len() > MOST_NAME_BYTES => Err(error(
                field,
                format!("a name of {} bytes", name.len()),
                format!("at most {MOST_NAME_BYTES}"),
            )),
            name => Ok(name),
        }
    }

    fn optional_text(&self, field: &str) -> Result<Option<String>, RowError> {
        match self.get(field) {
            None => Ok(None),
            Some(found) => match cell::text(found).filter(|text| !text.is_empty()) {
                Some(text) => Ok(Some(text)),
                None => Err(refuse(field, found, "text that is not empty")),
            },
        }
    }

    /// The name of an app.
    pub(super) fn app(&self) -> Result<String, RowError> {
        let app = self.name("app")?;
        if is_app_name(&app) {
            Ok(app)
        } else {
            Err(error("app", "a zero byte", "text without one"))
        }
    }

    pub(super) fn boolean(&self, field: &str, default: bool) -> Result<bool, RowError> {
        let Some(found) = self.get(field) else {
            return Ok(default);
        };
        cell::boolean(found).ok_or_else(|| self.refuse(field, "true or false"))
    }

    pub(super) fn integer(&self, field: &str, most: u8) -> Result<Option<u8>, RowError> {
        let Some(found) = self.get(field) else {
            return Ok(None);
        };
        let small = cell::integer(found)
            .and_then(|number| u8::try_from(number).ok())
            .filter(|number| *number <= most);
        small
            .map(Some)
            .ok_or_else(|| self.refuse(field, &format!("an integer from 0 to {most}")))
    }

    pub(super) fn date(&self, field: &str) -> Result<Option<NaiveDate>, RowError> {
        let Some(found) = self.get(field) else {
            return Ok(None);
        };
        let date = cell::date(found);
        date.map(Some)
            .ok_or_else(|| self.refuse(field, "a date like 2026-11-19"))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        field: &str,
        choices: &[(&'static str, T)],
    ) -> Result<Option<T>, RowError> {
        let Some(found) = self.get(field) else {
            return Ok(None);
        };
        let chosen = found
            .as_str()
            .and_then(|word| choices.iter().find(|(name, _)| *name == word));
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        chosen
            .map(|(_, value)| Some(*value))
            .ok_or_else(|| self.refuse(field, &format!("one of {}", names.join(", "))))
    }

    pub(super) fn value_type(&self, field: &str) -> Result<Option<ValueType>, RowError> {
        self.choice(
            field,
            &ValueType::ALL.map(|value_type| (value_type.name(), value_type)),
        )
    }

    /// The error for what stands in `field`, or for nothing standing there.
    pub(super) fn refuse(&self, field: &str, expected: &str) -> RowError {
        refuse(field, self.0.get(field).unwrap_or(&Json::Null), expected)
    }
}

fn refuse(field: &str, found: &Json, expected: &str) -> RowError {
    let text = if found.is_null() {
        "nothing".to_owned()
    } else {
        found.to_string()
    };
    error(field, text, expected)
}

/// Both names are cut: a merchant's key or value of 10 kB must not fill a log line.
fn error(field: &str, found: impl Into<String>, expected: impl Into<String>) -> RowError {
    let cut = |text: String| match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    };
    RowError {
        field: cut(field.to_owned()),
        found: cut(found.into()),
        expected: expected.into(),
    }
}
