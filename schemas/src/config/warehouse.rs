//! `[warehouse]`, `[run]` and `[retention]`.

use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use super::key::{Key, Table};
use super::section::Section;
use super::template;
use super::unit::parse_size;
use crate::error::Result;
use crate::nearest::nearest;
use crate::shard::{IdScope, Shards};

/// `[warehouse]`: where it is, and what `init` fixes for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warehouse {
    /// A directory or an object store's URL; not part of [`super::Config::hash`], so that a
    /// warehouse can move.
    #[serde(skip)]
    pub url: String,
    /// 16 when not given.
    pub shards: Shards,
    /// Cuts events into days.
    #[serde(serialize_with = "zone_name")]
    pub time_zone: Tz,
    /// Whether equal ids in two apps are one user.
    pub id_scope: IdScope,
}

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

/// `[run]`: resources; they never change what is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSettings {
    /// Bytes; `None`: what the machine has.
    pub memory: Option<u64>,
    /// 0: all.
    pub threads: usize,
    /// The folder spill files go to; `spill` when not given.
    pub spill: String,
}

/// `[retention]`: how long things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Releases; `None`: not given. Nothing is removed in this version, which whoever gives it is
    /// told.
    pub releases: Option<u32>,
    /// Days of behaviour artifacts; 120 when not given.
    pub behaviour_days: u32,
    /// Days of rejects, quality and runs; 14 when not given.
    pub rejects_days: u32,
}

pub(super) const WAREHOUSE: Table = Table {
    title: "[warehouse]",
    what: "Where it is, and what `tagmill init` fixes for good.",
    keys: &[
        Key::required(
            "url",
            "path or url",
            "a directory, `s3://bucket/prefix` or `gs://bucket/prefix`",
        ),
        Key::optional(
            "shards",
            "whole number from 1 to 65536",
            "16",
            "how many parts users are divided into; aim for 1 to 8 million users each; fixed by \
             `init`",
        ),
        Key::required(
            "time_zone",
            "IANA name",
            "what the day of an event is cut by; fixed by `init`",
        ),
        Key::required(
            "id_scope",
            "`app` or `global`",
            "`global`: equal ids in two apps are one user; `app`: two; fixed by `init`",
        ),
    ],
};

pub(super) const RUN: Table = Table {
    title: "[run]",
    what: "What a run may use; it never changes what is computed.",
    keys: &[
        Key::optional(
            "memory",
            "size: `\"16GB\"`",
            "(all shards at once, if the machine can)",
            "shards run in waves within it; the rows of the others wait in `spill`",
        ),
        Key::optional("threads", "whole number to 4096", "0", "`0`: all"),
        Key::optional("spill", "path", "\"spill\"", "the folder spill files go to"),
    ],
};

pub(super) const RETENTION: Table = Table {
    title: "[retention]",
    what: "What a new release lists; no file is ever deleted.",
    keys: &[
        Key::optional(
            "releases",
            "whole number from 1",
            "(all)",
            "changes nothing in this version, and says so",
        ),
        Key::optional(
            "behaviour_days",
            "whole number from 1 to 36500",
            "120",
            "days of behaviour",
        ),
        Key::optional(
            "rejects_days",
            "whole number from 1 to 36500",
            "14",
            "days of rejects, quality and runs",
        ),
    ],
};

impl Warehouse {
    /// The shards of a warehouse that does not say.
    const SHARDS: u32 = 16;

    pub(super) fn read(root: &Section<'_>) -> Result<Self> {
        root.required("warehouse", |_| Ok(()))?;
        let section = root.section("warehouse", WAREHOUSE.keys)?;
        let shards = section.optional("shards", |entry| entry.integer(1..=u64::from(Shards::MAX)));
        let url = section.required("url", |entry| template::path(entry, &[]));
        let time_zone = section.required("time_zone", |entry| entry.parsed(parse_zone));
        let id_scope = section.required("id_scope", |entry| {
            entry.choice(&[("app", IdScope::App), ("global", IdScope::Global)])
        });
        Ok(Self {
            url: url?,
            // The range is that of Shards.
            shards: Shards::new(shards?.map_or(Self::SHARDS, |count| count as u32))?,
            time_zone: time_zone?,
            id_scope: id_scope?,
        })
    }
}

pub(super) fn parse_zone(name: &str) -> std::result::Result<Tz, String> {
    name.parse().map_err(|_| {
        let zones = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let example = nearest(name, zones).unwrap_or("Asia/Shanghai");
        format!("found {name:?}, expected an IANA time zone like {example:?}")
    })
}

impl RunSettings {
    pub(super) fn read(root: &Section<'_>) -> Result<Self> {
        let section = root.section("run", RUN.keys)?;
        let memory = section.optional("memory", |entry| entry.parsed(parse_size));
        let threads = section.optional("threads", |entry| entry.integer(0..=4_096));
        let spill = section.optional("spill", |entry| template::path(entry, &[]));
        Ok(Self {
            memory: memory?,
            threads: threads?.map_or(0, |threads| threads as usize),
            spill: spill?.unwrap_or_else(|| "spill".to_owned()),
        })
    }
}

/// A hundred years: there is a date so many days before any night.
const MOST_DAYS: u64 = 36_500;

impl Retention {
    pub(super) fn read(root: &Section<'_>) -> Result<Self> {
        let section = root.section("retention", RETENTION.keys)?;
        let days = |key, default| {
            let found = section.optional(key, |entry| entry.integer(1..=MOST_DAYS))?;
            // The range fits 32 bits.
            Ok(found.map_or(default, |days| days as u32))
        };
        let (behaviour_days, rejects_days) =
            (days("behaviour_days", 120), days("rejects_days", 14));
        let releases = section.optional("releases", |entry| entry.count(1));
        Ok(Self {
            releases: releases?,
            behaviour_days: behaviour_days?,
            rejects_days: rejects_days?,
        })
    }
}
