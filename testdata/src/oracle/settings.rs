//! The few settings of a generated `warehouse.toml` that the oracle needs. Reads TOML, writes
//! nothing.

use super::Flavour;
use super::dictionary::Scope;
use crate::Error;

/// What decides results besides the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Which template the configuration comes from.
    pub flavour: Flavour,
    /// Number of shards.
    pub shards: u32,
    /// Whether equal ids in two apps are one user.
    pub scope: Scope,
    /// Numbered combinations a user may have.
    pub combinations: u32,
}

impl Settings {
    /// Reads the settings of a generated configuration.
    ///
    /// # Errors
    /// When the text is no TOML or has no such settings.
    pub fn of(config: &str) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Data("warehouse.toml".to_owned(), what.to_owned());
        let table: toml::Table = config
            .parse()
            .map_err(|e: toml::de::Error| wrong(e.message()))?;
        let warehouse = table
            .get("warehouse")
            .ok_or_else(|| wrong("no [warehouse]"))?;
        let shards = warehouse
            .get("shards")
            .and_then(toml::Value::as_integer)
            .and_then(|shards| u32::try_from(shards).ok());
        let combinations = table
            .get("limits")
            .and_then(|limits| limits.get("combinations_per_user"))
            .and_then(toml::Value::as_integer);
        let sources = table
            .get("source")
            .and_then(toml::Value::as_array)
            .ok_or_else(|| wrong("no [[source]]"))?;
        Ok(Self {
            flavour: if sources.len() > 2 {
                Flavour::Rich
            } else {
                Flavour::Bench
            },
            shards: shards.ok_or_else(|| wrong("no shards"))?,
            scope: if warehouse.get("id_scope").and_then(toml::Value::as_str) == Some("app") {
                Scope::App
            } else {
                Scope::Global
            },
            combinations: combinations
                .and_then(|limit| u32::try_from(limit).ok())
                .unwrap_or(256),
        })
    }
}
