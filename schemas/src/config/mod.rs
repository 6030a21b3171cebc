//! `warehouse.toml`, parsed once into types that can not be wrong.
//!
//! Reads the file's text; environment variables are not expanded. An unknown key is refused with its line and the nearest
//! known key; what this version does not support is refused with "not in this version", never ignored.
//!
//! ```text
//! text ──toml──► document ──section──► warehouse, limits, source, tag, groups ──cross──► Config
//! ```

mod group;
mod limit;
mod source;
mod tag;
mod warehouse;

use serde::Serialize;

pub use group::Groups;
pub use limit::{AppLimits, Limits};
pub use source::{
    AppColumn, Columns, Content, Day, DayBy, Events, Late, LateEvent, LatePolicy, Measure, Source, SourceKind, UndeclaredEvent, UndeclaredTag,
};
pub use tag::{EVERY_TAG, MAX_SCALE, Tag};
pub use warehouse::{Retention, RunSettings, Warehouse};

use crate::error::{Error, Result};

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
    /// 32 hex digits: XXH3-128 of everything that can change what a run computes. Comments, layout, defaults written out,
    /// the url, `[run]` and `[retention]` do not change it.
    #[serde(skip)]
    pub hash: String,
}

impl Config {
    /// Reads a configuration; `file` is its name in messages.
    ///
    /// # Errors
    /// Setup, with `file:line`, for the first thing that is not as documented.
    pub fn parse(_text: &str, file: &str) -> Result<Self> {
        Err(Error::setup("configuration", "reading is being built").at(file))
    }
}
