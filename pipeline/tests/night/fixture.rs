//! Generated folders, and what is needed to run a night in one.

use std::path::Path;

use chrono::NaiveDate;
use tagmill_pipeline as job;
use tagmill_pipeline::{Report, Request, Silent};
use tagmill_schemas::{Config, Result};
use tagmill_testdata::generate::generate;
use tagmill_testdata::oracle::Night;
use tagmill_testdata::oracle::settings::Settings;
use tagmill_testdata::spec::{Preset, Spec};
use tagmill_warehouse::store::Store;
use tempfile::TempDir;

use crate::release::Published;

/// A folder of generated data.
pub struct Generated {
    pub folder: TempDir,
    pub spec: Spec,
    /// The configuration's text; the warehouse is in the folder.
    pub config: String,
}

impl Generated {
    pub fn new(spec: Spec) -> Self {
        let folder = tempfile::tempdir().unwrap();
        generate(&spec, folder.path()).unwrap();
        let config = std::fs::read_to_string(folder.path().join("warehouse.toml")).unwrap();
        Self {
            folder,
            spec,
            config,
        }
    }

    /// A few thousand rows of every kind of source.
    pub fn small(preset: Preset) -> Self {
        Self::new(Spec {
            users: 2_500,
            events: 15_000,
            rules: 180,
            days: 3,
            ..Spec::preset(preset)
        })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn date(&self, day: u32) -> NaiveDate {
        self.spec.date(day)
    }

    /// The configuration with another warehouse, over the same raw data.
    pub fn config_for(&self, warehouse: &str) -> String {
        let folder = self.path().canonicalize().unwrap();
        let place = |name: &str| format!("\"{}/{name}\"", folder.display());
        self.config.replace(&place("warehouse"), &place(warehouse))
    }

    /// The oracle's answer for the days `0..=day`, one after the other.
    pub fn expected(&self, day: u32) -> (Night, u32) {
        self.expected_in_order(&(0..=day).collect::<Vec<_>>())
    }

    /// The oracle's answer for the last of these days.
    pub fn expected_in_order(&self, days: &[u32]) -> (Night, u32) {
        let settings = Settings::of(&self.config).unwrap();
        let mut night = Night::first(
            self.path(),
            settings.flavour,
            self.date(days[0]),
            settings.shards,
            settings.scope,
        )
        .unwrap();
        for &day in &days[1..] {
            night = night
                .following(self.path(), settings.flavour, self.date(day))
                .unwrap();
        }
        (night, settings.combinations)
    }
}

pub fn request(config: &str, date: NaiveDate) -> Request {
    Request {
        config: Config::parse(config, "warehouse.toml").unwrap(),
        date,
        sources: Vec::new(),
        wait: None,
        memory: None,
        threads: None,
        stage_only: false,
        force: false,
    }
}

pub async fn init(config: &str) {
    job::init(&Config::parse(config, "warehouse.toml").unwrap())
        .await
        .unwrap();
}

pub async fn run(config: &str, date: NaiveDate) -> Result<Report> {
    job::run(&request(config, date), &Silent).await
}

/// The warehouse of a configuration.
pub fn warehouse(config: &str) -> Store {
    Store::open(
        &Config::parse(config, "warehouse.toml")
            .unwrap()
            .warehouse
            .url,
    )
    .unwrap()
}

/// What the newest release of a warehouse says.
pub async fn published(config: &str) -> Published {
    Published::newest(&warehouse(config)).await
}
