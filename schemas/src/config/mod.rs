//! `warehouse.toml`, parsed once into types that can not be wrong.
//!
//! Reads the file's text; environment variables are not expanded. An unknown key is refused with
//! its line and the nearest known key; what this version does not support is refused with "not in
//! this version", never ignored.
//!
//! ```text
//! text ──► document of sections ──► warehouse, run, retention, limits
//!                                   source, then the tags that name them, groups ──► Config
//! ```

mod entry;
mod group;
mod key;
mod limit;
mod place;
mod section;
mod source;
mod tag;
mod template;
mod unit;
mod warehouse;

use serde::Serialize;
use toml::de::DeTable;
use xxhash_rust::xxh3::xxh3_128;

pub use group::Groups;
pub use key::{Key, TABLES, Table};
pub use limit::{AppLimits, Limits};
pub use source::{
    AppColumn, Columns, Content, Day, DayBy, Events, FileFormat, FileNotation, Folders, Late,
    LateEvent, LatePolicy, Measure, NaiveTimes, Packing, RowLimits, Source, SourceKind,
    UndeclaredEvent, UndeclaredTag,
};
pub use tag::{EVERY_TAG, MAX_SCALE, Tag};
pub use template::{for_date, shifted};
pub use unit::{parse_duration, parse_percent, parse_size};
pub use warehouse::{Retention, RunSettings, Warehouse};

use crate::error::{Error, Result};
use section::{Document, STAGE, Section};

const ROOT: Table = Table {
    title: "The file",
    what: "Tables, and the version of the notation.",
    keys: &[
        Key::required("version", "`1`", "of the notation"),
        Key::required(
            "warehouse",
            "table",
            "where it is, and what `init` fixes for good",
        ),
        Key::optional("run", "table", "(its defaults)", "what a run may use"),
        Key::optional(
            "retention",
            "table",
            "(its defaults)",
            "what a new release lists",
        ),
        Key::optional("limits", "table", "(its defaults)", "what one app may use"),
        Key::optional("source", "list of tables", "[]", "raw rows: `[[source]]`"),
        Key::optional("tag", "list of tables", "[]", "tags: `[[tag]]`"),
        Key::optional(
            "groups",
            "table",
            "(no groups)",
            "where rules and lists are",
        ),
        Key::optional(
            "check",
            "list of tables",
            "[]",
            "not in this version, and refused",
        ),
    ],
};

/// A warehouse's configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// Where it is, and what `init` fixes for ever.
    pub warehouse: Warehouse,
    /// Resources; they never change what is computed.
    #[serde(skip)]
    pub run: RunSettings,
    /// How long things are kept.
    #[serde(skip)]
    pub retention: Retention,
    /// What one app may use.
    pub limits: Limits,
    /// In the order of the file.
    pub sources: Vec<Source>,
    /// In the order of the file.
    pub tags: Vec<Tag>,
    /// `None`: no groups are computed.
    pub groups: Option<Groups>,
    /// 32 hex digits: XXH3-128 of everything that can change what a run computes. Comments, layout,
    /// defaults written out, the url, `[run]` and `[retention]` do not change it.
    #[serde(skip)]
    pub hash: String,
}

impl Config {
    /// Reads a configuration; `file` is its name in messages.
    ///
    /// # Errors
    /// Setup, with `file:line`, for the first thing that is not as documented.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let document = Document { file, text };
        let table = DeTable::parse(text).map_err(|e| {
            document.error(
                e.span().map_or(0, |span| span.start),
                format!("not toml: {}", e.message()),
            )
        })?;
        let root = Section::root(&document, table.get_ref());
        check_version(&root)?;
        root.only(ROOT.keys)?;
        if let Some(check) = root.get("check") {
            return Err(check
                .refuse("[[check]] is not in this version")
                .fix("remove it"));
        }
        let sources = source::read_all(&root)?;
        let mut config = Self {
            warehouse: Warehouse::read(&root)?,
            run: RunSettings::read(&root)?,
            retention: Retention::read(&root)?,
            limits: Limits::read(&root)?,
            tags: tag::read_all(&root, &sources)?,
            groups: Groups::read(&root)?,
            sources,
            hash: String::new(),
        };
        config.hash = config.content_hash()?;
        Ok(config)
    }

    /// The source with this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    fn content_hash(&self) -> Result<String> {
        let content = serde_json::to_vec(self)
            .map_err(|e| Error::setup(STAGE, "can not be hashed").because(e))?;
        Ok(format!("{:032x}", xxh3_128(&content)))
    }
}

/// Before anything else: an unknown key may be a key of a newer version.
fn check_version(root: &Section<'_>) -> Result<()> {
    root.required("version", |entry| match entry.integer(0..=u64::MAX) {
        Ok(1) => Ok(()),
        Ok(other) => Err(entry.refuse(format!(
            "version {other} is not in this version, which reads 1"
        ))),
        Err(_) => Err(entry.expected("the number 1")),
    })
}
