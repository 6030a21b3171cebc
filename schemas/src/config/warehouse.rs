//! `[warehouse]`, `[run]` and `[retention]`.

use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use crate::shard::{IdScope, Shards};

/// `[warehouse]`: where it is, and what `init` fixes for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warehouse {
    /// A directory or an object store's URL; not part of [`super::Config::hash`], so that a warehouse can move.
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

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
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
    /// Releases; 14 when not given.
    pub releases: u32,
    /// Days of behaviour artifacts; 120 when not given.
    pub behaviour_days: u32,
    /// Days of rejects; 14 when not given.
    pub rejects_days: u32,
}
