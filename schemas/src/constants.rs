//! `warehouse.json`: what `init` fixes for ever. Everything a uid depends on is here and checked
//! before every run.

use serde::{Deserialize, Serialize};

use crate::config::Warehouse;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::shard::{IdScope, Shards};

/// The path of the file, relative to the warehouse.
pub const PATH: &str = "warehouse.json";
/// The only version of the file and of the artifacts beside it.
pub const FORMAT_VERSION: u32 = 1;

/// The constants of a warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constants {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The number of shards.
    pub shards: Shards,
    /// Whether equal ids in two apps are one user.
    pub id_scope: IdScope,
    /// The IANA zone that cuts events into days.
    pub time_zone: String,
}

impl Constants {
    /// What `init` writes for this configuration.
    pub fn of(warehouse: &Warehouse) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            shards: warehouse.shards,
            id_scope: warehouse.id_scope,
            time_zone: warehouse.time_zone.name().to_owned(),
        }
    }

    /// Canonical JSON: compact, keys in the order of the fields, one line.
    ///
    /// # Errors
    /// None in practice; what serde reports.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec(self)
            .map_err(|e| Error::setup("constants", "can not be written as json").because(e))?;
        json.push(b'\n');
        Ok(json)
    }

    /// # Errors
    /// Setup when the bytes are not version 1 of the file.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        crate::manifest::check_version(json, "format_version", FORMAT_VERSION, PATH)?;
        serde_json::from_slice(json).map_err(|e| {
            Error::setup("constants", "not a warehouse's constants")
                .at(PATH)
                .because(e)
        })
    }

    /// # Errors
    /// Setup naming the first constant that the configuration has otherwise than the warehouse was
    /// made with.
    pub fn check(&self, warehouse: &Warehouse) -> Result<()> {
        self.compare(&Self::of(warehouse)).map_err(|what| {
            Error::setup("constants", format!("the warehouse was made with {what}"))
                .at(PATH)
                .fix("use the warehouse's value, or make a new warehouse at another url")
        })
    }

    /// For a warehouse whose file is lost: whether `self`, which is about to be written, is what its
    /// newest release was made with.
    ///
    /// # Errors
    /// Setup naming the first constant that the release has otherwise, and its value.
    pub fn check_restored(&self, newest: &Manifest) -> Result<()> {
        let made = Self {
            format_version: FORMAT_VERSION,
            shards: Shards::new(newest.shards)?,
            id_scope: newest.id_scope,
            time_zone: newest.time_zone.as_ref().unwrap_or(&self.time_zone).clone(),
        };
        made.compare(self).map_err(|what| {
            let lost = format!(
                "{PATH} is lost; release {} was made with {what}",
                newest.release
            );
            Error::setup("constants", lost)
                .fix("use the release's value and run tagmill init again")
        })
    }

    /// The first constant of `configured` that differs, in words.
    fn compare(&self, configured: &Self) -> std::result::Result<(), String> {
        let shards = [self, configured].map(|constants| constants.shards.get().to_string());
        let scopes = [self, configured].map(|constants| constants.id_scope.name());
        let pairs = [
            ("shards", shards.each_ref().map(String::as_str)),
            ("id_scope", scopes),
            (
                "time_zone",
                [&self.time_zone, &configured.time_zone].map(String::as_str),
            ),
        ];
        match pairs
            .iter()
            .find(|(_, [made, configured])| made != configured)
        {
            None => Ok(()),
            Some((name, [made, configured])) => Err(format!(
                "{name} = {made}, the configuration has {configured}"
            )),
        }
    }
}
