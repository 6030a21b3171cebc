//! A TOML document while it is read: sections that refuse keys nobody knows, entries that become typed values or an error with
//! the file and line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};
use crate::nearest::nearest;

/// The stage of every configuration error.
pub(super) const STAGE: &str = "configuration";

/// What the document itself is called in messages.
const ROOT: &str = "the configuration";

/// The file, for places.
pub(super) struct Document<'d> {
    pub(super) file: &'d str,
    pub(super) text: &'d str,
}

impl Document<'_> {
    /// An error at the line of this byte.
    pub(super) fn error(&self, at: usize, what: impl Into<String>) -> Error {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Error::setup(STAGE, what).at(format!("{}:{line}", self.file))
    }
}

/// A table; one that is not in the file reads as an empty one.
pub(super) struct Section<'d> {
    document: &'d Document<'d>,
    /// As a reader of the file would call it: `[[source]] "profiles"`.
    name: String,
    /// The byte where it begins.
    start: usize,
    table: Option<&'d DeTable<'d>>,
}

impl<'d> Section<'d> {
    /// The whole document.
    pub(super) fn root(document: &'d Document<'d>, table: &'d DeTable<'d>) -> Self {
        Self {
            document,
            name: ROOT.to_owned(),
            start: 0,
            table: Some(table),
        }
    }

    /// The same section under a name that says more.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// # Errors
    /// The first key, in the order of the file, that is not known here.
    pub(super) fn only(&self, known: &[&str]) -> Result<()> {
        match self
            .entries()
            .into_iter()
            .find(|entry| !known.contains(&entry.key.as_str()))
        {
            None => Ok(()),
            Some(entry) => Err(self.unknown(&entry, known)),
        }
    }

    fn unknown(&self, entry: &Entry<'_>, known: &[&str]) -> Error {
        let error = self.document.error(
            entry.key_start,
            format!("unknown key {:?} in {}", entry.key, self.name),
        );
        match nearest(&entry.key, known.iter().copied()) {
            Some(near) => error.fix(format!("did you mean {near:?}")),
            None => error.fix(format!("expected one of {}", known.join(", "))),
        }
    }

    /// The keys and values, in the order of the file.
    pub(super) fn entries(&self) -> Vec<Entry<'d>> {
        let mut entries: Vec<_> = self
            .table
            .into_iter()
            .flatten()
            .map(|(key, value)| self.entry(key, value))
            .collect();
        entries.sort_by_key(|entry| entry.key_start);
        entries
    }

    fn entry(
        &self,
        key: &Spanned<std::borrow::Cow<'d, str>>,
        value: &'d Spanned<DeValue<'d>>,
    ) -> Entry<'d> {
        Entry {
            document: self.document,
            key: key.get_ref().to_string(),
            key_start: key.span().start,
            start: value.span().start,
            value: value.get_ref(),
        }
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Entry<'d>> {
        self.table?
            .get_key_value(key)
            .map(|(key, value)| self.entry(key, value))
    }

    /// A key that may be absent.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Entry<'d>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(key).map(|entry| read(&entry)).transpose()
    }

    /// A key that must be there.
    pub(super) fn required<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Entry<'d>) -> Result<T>,
    ) -> Result<T> {
        self.optional(key, read)?
            .ok_or_else(|| self.refuse(format!("missing key {key:?} in {}", self.name)))
    }

    /// A table inside this one, with exactly these keys possible.
    pub(super) fn section(&self, key: &str, known: &[&str]) -> Result<Section<'d>> {
        let name = if self.name == ROOT {
            format!("[{key}]")
        } else {
            format!("{key} of {}", self.name)
        };
        let section = match self.get(key) {
            None => Section {
                document: self.document,
                name,
                start: self.start,
                table: None,
            },
            Some(entry) => entry.section()?.named(name),
        };
        section.only(known)?;
        Ok(section)
    }

    /// The names and values of a table inside this one whose keys are free, in the order of the file.
    pub(super) fn free_entries(&self, key: &str) -> Result<Vec<Entry<'d>>> {
        Ok(self
            .optional(key, Entry::section)?
            .map(|section| section.entries())
            .unwrap_or_default())
    }

    /// The tables of `[[key]]`, in the order of the file, each with the value of its `name`.
    pub(super) fn named_sections(&self, key: &str) -> Result<Vec<(String, Section<'d>)>> {
        let entries = self.optional(key, Entry::elements)?.unwrap_or_default();
        let named = |entry: Entry<'d>| {
            let section = entry.section()?.named(format!("[[{key}]]"));
            let name = section.required("name", Entry::name)?;
            let title = format!("[[{key}]] {name:?}");
            Ok((name, section.named(title)))
        };
        entries.into_iter().map(named).collect()
    }

    /// An error at the beginning of this section.
    pub(super) fn refuse(&self, what: impl Into<String>) -> Error {
        self.document.error(self.start, what)
    }
}

const A_NAME: &str = "a name without control characters and without white space around it";

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(char::is_control)
}

/// A value and its key.
pub(super) struct Entry<'d> {
    document: &'d Document<'d>,
    pub(super) key: String,
    key_start: usize,
    start: usize,
    value: &'d DeValue<'d>,
}

impl<'d> Entry<'d> {
    /// An error at this value.
    pub(super) fn refuse(&self, what: impl Into<String>) -> Error {
        self.document.error(self.start, what)
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
        Ok(Section {
            document: self.document,
            name: self.key.clone(),
            start: self.start,
            table: Some(table),
        })
    }
}
