//! `warehouse.toml`, parsed once into types that can not be wrong.
//!
//! Reads the file's text; environment variables are not expanded. An unknown key is refused with
//! its line and the nearest known key; what this version does not support is refused with "not in
//! this version", never ignored. All mistakes are told at once.
//!
//! ```text
//! text ──► document of sections ──► warehouse, run, retention, limits
//!                                   source, then the tags that name them, groups ──► Config
//! ```

mod below;
mod entry;
mod funnel;
mod group;
mod key;
mod limit;
mod places;
mod section;
mod source;
mod tag;
mod template;
mod toml_text;
mod unit;
mod warehouse;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

pub use funnel::{Funnel, Step};
pub use group::Groups;
pub use key::{Key, TABLES, Table};
pub use limit::{AppLimits, Limits};
pub use places::Places;
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
            "funnel",
            "list of tables",
            "[]",
            "steps that users take one after the other: `[[funnel]]`",
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
    /// By name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub funnels: Vec<Funnel>,
    /// Where in the file expressions and names stand.
    #[serde(skip)]
    pub places: Places,
    /// 32 hex digits: XXH3-128 of everything that can change what a run computes. Comments, layout,
    /// defaults written out, the url, `[run]` and `[retention]` do not change it.
    #[serde(skip)]
    pub hash: String,
}

impl Config {
    /// Reads a configuration; `file` is its name in messages.
    ///
    /// # Errors
    /// Setup, with `file:line:column`, for what is not as documented; all of it at once, each as a
    /// problem of the error.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let document = Document::new(file, text);
        let table = toml_text::parse(&document)?;
        let root = Section::root(&document, table.get_ref());
        check_version(&root)?;
        let read = Self::read(&root);
        match Error::of_all(document.mistakes()) {
            Some(mistakes) => Err(mistakes),
            None => read,
        }
    }

    /// Reads all tables, whatever is wrong with one of them.
    fn read(root: &Section<'_>) -> Result<Self> {
        root.only(ROOT.keys);
        if let Some(check) = root.get("check") {
            let refused = check.refuse("[[check]] is not in this version");
            root.check(Err(refused.fix("remove it")));
        }
        let sources = source::read_all(root);
        let warehouse = Warehouse::read(root);
        let (run, retention) = (RunSettings::read(root), Retention::read(root));
        let (limits, groups) = (Limits::read(root), Groups::read(root));
        let funnels = funnel::read_all(root);
        let sources = sources?;
        let tags = tag::read_all(root, &sources);
        if let Some(mistake) = sources.mistaken.into_values().next() {
            return Err(mistake);
        }
        let mut config = Self {
            warehouse: warehouse?,
            run: run?,
            retention: retention?,
            limits: limits?,
            tags: tags?,
            groups: groups?,
            funnels: funnels?,
            sources: sources.read,
            places: Places::of(root),
            hash: String::new(),
        };
        funnel::mark_timed(&mut config.sources, &config.funnels)
            .map_err(|mistake| config.located(mistake))?;
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
