//! A TOML document while it is read: tables that refuse keys nobody knows, errors with file and
//! line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::Entry;
use super::key::{self, Key};
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
        Self::new(document, ROOT.to_owned(), 0, table)
    }

    /// A table of the document that begins at this byte, its keys as yet unchecked.
    pub(super) fn new(
        document: &'d Document<'d>,
        name: String,
        start: usize,
        table: &'d DeTable<'d>,
    ) -> Self {
        Self {
            document,
            name,
            start,
            table: Some(table),
        }
    }

    /// The same section under a name that says more.
    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// # Errors
    /// The first key, in the order of the file, that is not known here.
    pub(super) fn only(&self, known: &[Key]) -> Result<()> {
        match self
            .entries()
            .into_iter()
            .find(|entry| !key::has(known, &entry.key))
        {
            None => Ok(()),
            Some(entry) => Err(self.unknown(&entry, known)),
        }
    }

    fn unknown(&self, entry: &Entry<'_>, known: &[Key]) -> Error {
        let error = self.document.error(
            entry.key_start,
            format!("unknown key {:?} in {}", entry.key, self.name),
        );
        let names: Vec<_> = known.iter().map(|key| key.name).collect();
        match nearest(&entry.key, names.iter().copied()) {
            Some(near) => error.fix(format!("did you mean {near:?}")),
            None => error.fix(format!("expected one of {}", names.join(", "))),
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
    pub(super) fn section(&self, key: &str, known: &[Key]) -> Result<Section<'d>> {
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

    /// The names and values of a table inside this one whose keys are free, in the order of the
    /// file.
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
