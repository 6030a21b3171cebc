//! `warehouse.json`: what `init` fixes for ever. Everything a uid depends on is here and checked
//! before every run.

use serde::{Deserialize, Serialize};

use crate::config::Warehouse;
use crate::error::{Error, Result};
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
        let wanted = Self::of(warehouse);
        let pairs = [
            (
                "shards",
                self.shards.get().to_string(),
                wanted.shards.get().to_string(),
            ),
            (
                "id_scope",
                self.id_scope.name().to_owned(),
                wanted.id_scope.name().to_owned(),
            ),
            ("time_zone", self.time_zone.clone(), wanted.time_zone),
        ];
        let differs = |(_, made, configured): &(&str, String, String)| made != configured;
        let Some((name, made, configured)) = pairs.into_iter().find(differs) else {
            return Ok(());
        };
        let what = format!(
            "the warehouse was made with {name} = {made}, the configuration has {configured}"
        );
        Err(Error::setup("constants", what)
            .at(PATH)
            .fix("use the warehouse's value, or make a new warehouse at another url"))
    }
}
