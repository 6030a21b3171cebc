//! A TOML document while it is read: tables that refuse keys nobody knows, errors with file and
//! line.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::Entry;
use super::key::{self, Key};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::problem::{Code, Position};

/// The stage of every configuration error.
pub(super) const STAGE: &str = "configuration";

/// What the document itself is called in messages.
const ROOT: &str = "the configuration";

/// The file, for places, and what is wrong with it so far.
pub(super) struct Document<'d> {
    pub(super) file: &'d str,
    pub(super) text: &'d str,
    mistakes: RefCell<Vec<Error>>,
}

impl<'d> Document<'d> {
    pub(super) fn new(file: &'d str, text: &'d str) -> Self {
        Self {
            file,
            text,
            mistakes: RefCell::default(),
        }
    }

    /// An error at this byte.
    pub(super) fn error(&self, at: usize, what: impl Into<String>) -> Error {
        Error::setup(STAGE, what).at_position(self.position(at))
    }

    /// Where a byte is.
    pub(super) fn position(&self, at: usize) -> Position {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            file: self.file.to_owned(),
            line: 1 + before.matches('\n').count() as u64,
            column: 1 + before[line_start..].chars().count() as u64,
        }
    }

    /// Notes a mistake; reading goes on, so that all are told at once.
    pub(super) fn note(&self, mistake: Error) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// What was read, unless it is a mistake, which is noted.
    pub(super) fn read<T>(&self, read: Result<T>) -> Option<T> {
        read.map_err(|mistake| self.note(mistake)).ok()
    }

    /// All that was noted, in the order of the file.
    pub(super) fn mistakes(&self) -> Vec<Error> {
        let mut mistakes = self.mistakes.take();
        mistakes.sort_by(|a, b| a.position().cmp(&b.position()));
        mistakes
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

    /// Notes every key that is not known here.
    pub(super) fn only(&self, known: &[Key]) {
        let entries = self.entries().into_iter();
        entries
            .filter(|entry| !key::has(known, &entry.key))
            .for_each(|entry| self.document.note(self.unknown(&entry, known)));
    }

    /// Notes a mistake, if it is one.
    pub(super) fn check(&self, checked: Result<()>) {
        self.document.read(checked);
    }

    /// Where it begins.
    pub(super) fn position(&self) -> Position {
        self.document.position(self.start)
    }

    /// The document, for what is wrong.
    pub(super) fn document(&self) -> &'d Document<'d> {
        self.document
    }

    fn unknown(&self, entry: &Entry<'_>, known: &[Key]) -> Error {
        let names: Vec<_> = known.iter().map(|key| key.name).collect();
        match nearest(&entry.key, names.iter().copied()) {
            Some(near) => self.unknown_but_near(entry, near),
            None => self
                .unknown_key(entry)
                .fix(format!("expected one of {}", names.join(", "))),
        }
    }

    fn unknown_but_near(&self, entry: &Entry<'_>, near: &str) -> Error {
        self.unknown_key(entry)
            .fix(format!("did you mean {near:?}"))
    }

    fn unknown_key(&self, entry: &Entry<'_>) -> Error {
        let what = format!("unknown key {:?} in {}", entry.key, self.name);
        let unknown = self.document.error(entry.key_start, what);
        unknown.with_code(Code::Key)
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

    /// A key that may be absent. What is wrong with it is noted, and told to whoever needs it.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Entry<'d>) -> Result<T>,
    ) -> Result<Option<T>> {
        let read = self.get(key).map(|entry| read(&entry)).transpose();
        read.inspect_err(|mistake| self.document.note(mistake.clone()))
    }

    /// A key that must be there.
    pub(super) fn required<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Entry<'d>) -> Result<T>,
    ) -> Result<T> {
        self.optional(key, read)?.ok_or_else(|| {
            let what = format!("missing key {key:?} in {}", self.name);
            let entries = self.entries().into_iter();
            let mut mistyped = entries.filter(|entry| nearest(&entry.key, [key]).is_some());
            let mistake = match mistyped.next() {
                // As it is told for an unknown key: that is one mistake.
                Some(entry) => self.unknown_but_near(&entry, key),
                None => self.refuse(what).with_code(Code::Key),
            };
            self.document.note(mistake.clone());
            mistake
        })
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
            Some(entry) => {
                let section = entry.section();
                let section = section.inspect_err(|mistake| self.document.note(mistake.clone()));
                section?.named(name)
            }
        };
        section.only(known);
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

    /// What is read of each entry of a table whose keys are free, in the order of the file; what is
    /// wrong with one is noted, so that the others are looked at too.
    pub(super) fn each_of<T>(
        &self,
        key: &str,
        read: impl Fn(&Entry<'d>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let entries = self.free_entries(key)?.into_iter();
        let each = |entry| self.document.read(read(&entry));
        Ok(entries.filter_map(each).collect())
    }

    /// The tables of `[[key]]`, in the order of the file, each with the value of its `name`; one
    /// without a name is noted.
    pub(super) fn named_sections(&self, key: &str) -> Result<Vec<(String, Section<'d>)>> {
        let entries = self.optional(key, Entry::elements)?.unwrap_or_default();
        let named = |entry: Entry<'d>| {
            let section = entry.section()?.named(format!("[[{key}]]"));
            let name = section.required("name", Entry::name)?;
            let title = format!("[[{key}]] {name:?}");
            Ok((name, section.named(title)))
        };
        let read = |entry| self.document.read(named(entry));
        Ok(entries.into_iter().filter_map(read).collect())
    }

    /// An error at the beginning of this section.
    pub(super) fn refuse(&self, what: impl Into<String>) -> Error {
        self.document.error(self.start, what).with_code(Code::Value)
    }
}
