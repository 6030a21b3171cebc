//! One key and its value: becomes a typed value, or an error that says what was found and expected,
//! and where.

use toml::Spanned;
use toml::de::DeValue;

use super::section::{Document, Section};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::problem::{Code, Position};

const A_NAME: &str = "a name without control characters and without white space around it";

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(char::is_control)
}

/// A value and its key.
pub(super) struct Entry<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) key: String,
    /// The byte where the key begins.
    pub(super) key_start: usize,
    /// The byte where the value begins.
    pub(super) start: usize,
    pub(super) value: &'d DeValue<'d>,
}

impl<'d> Entry<'d> {
    /// An error at this value.
    pub(super) fn refuse(&self, what: impl Into<String>) -> Error {
        self.document.error(self.start, what).with_code(Code::Value)
    }

    /// Where the value begins.
    pub(super) fn position(&self) -> Position {
        self.document.position(self.start)
    }

    /// An error that says what was found under the key.
    pub(super) fn expected(&self, expected: &str) -> Error {
        let found = match self.value {
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            other => format!("a {}", other.type_str()),
        };
        self.refuse(format!("found {} = {found}, expected {expected}", self.key))
    }

    /// Text that is not blank.
    pub(super) fn text(&self) -> Result<String> {
        match self.value.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(self.expected("text that is not empty")),
        }
    }

    /// Text in a notation of its own, like `"90m"`.
    pub(super) fn parsed<T>(
        &self,
        parse: impl FnOnce(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let text = self.text()?;
        parse(&text).map_err(|error| self.refuse(format!("{}: {error}", self.key)))
    }

    /// A name for people and SQL.
    pub(super) fn name(&self) -> Result<String> {
        let name = self.text()?;
        if is_name(&name) {
            Ok(name)
        } else {
            Err(self.expected(A_NAME))
        }
    }

    /// The key itself, where keys are free, as a name.
    pub(super) fn key_name(&self) -> Result<String> {
        match is_name(&self.key) {
            true => Ok(self.key.clone()),
            false => Err(self.refuse(format!("found the key {:?}, expected {A_NAME}", self.key))),
        }
    }

    /// A whole number in a range.
    pub(super) fn integer(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
        let parsed = self
            .value
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        parsed
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                self.expected(&format!(
                    "a whole number from {} to {}",
                    range.start(),
                    range.end()
                ))
            })
    }

    /// A whole number from `least` that fits 32 bits.
    pub(super) fn count(&self, least: u32) -> Result<u32> {
        let number = self.integer(u64::from(least)..=u64::from(u32::MAX))?;
        // The range is that of u32.
        Ok(number as u32)
    }

    pub(super) fn boolean(&self) -> Result<bool> {
        self.value
            .as_bool()
            .ok_or_else(|| self.expected("true or false"))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T> {
        let word = self.value.as_str().unwrap_or_default();
        let chosen = choices.iter().find(|(name, _)| *name == word);
        chosen.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let error = self.expected(&format!("one of {}", names.join(", ")));
            match nearest(word, names) {
                Some(near) => error.fix(format!("did you mean {near:?}")),
                None => error,
            }
        })
    }

    /// A list's elements; their key is the list's.
    pub(super) fn elements(&self) -> Result<Vec<Entry<'d>>> {
        let array = self
            .value
            .as_array()
            .ok_or_else(|| self.expected("a list"))?;
        let element = |value: &'d Spanned<DeValue<'d>>| Entry {
            document: self.document,
            key: self.key.clone(),
            key_start: self.key_start,
            start: value.span().start,
            value: value.get_ref(),
        };
        Ok(array.iter().map(element).collect())
    }

    /// A list of names, no name twice.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.elements()? {
            let name = entry.name()?;
            if names.contains(&name) {
                return Err(entry.refuse(format!("{name:?} is twice in {}", self.key)));
            }
            names.push(name);
        }
        Ok(names)
    }

    /// A list of texts that may be empty.
    pub(super) fn texts(&self) -> Result<Vec<String>> {
        let text = |entry: Entry<'d>| {
            entry
                .value
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| entry.expected("text"))
        };
        self.elements()?.into_iter().map(text).collect()
    }

    /// A table, as yet unchecked.
    pub(super) fn section(&self) -> Result<Section<'d>> {
        let table = self
            .value
            .as_table()
            .ok_or_else(|| self.expected("a table"))?;
        Ok(Section::new(
            self.document,
            self.key.clone(),
            self.start,
            table,
        ))
    }
}
