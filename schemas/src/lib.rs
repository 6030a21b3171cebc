//! What tagmill's data is: ids, values, configuration, registries, artifacts, manifest.
//!
//! Reads text and JSON that others fetched; writes names, schemas and canonical JSON. Nothing here
//! touches a store, a clock or a thread.
//!
//! ```text
//! warehouse.toml ──► config     registry rows ──► registry
//! user id ──► shard ──► uid     artifact ──► schema, sort key, path ──► manifest ──► release
//! ```

pub mod artifact;
pub mod checksum;
pub mod config;
pub mod constants;
pub mod conversion;
pub mod error;
pub mod local_day;
pub mod manifest;
pub mod metric;
pub mod nearest;
pub mod number;
pub mod outside;
pub mod problem;
pub mod reading;
pub mod registry;
pub mod release;
pub mod shard;
pub mod uid;
pub mod value;

pub use artifact::Artifact;
pub use config::Config;
pub use constants::Constants;
pub use error::{Error, Kind, Reason, Result};
pub use manifest::Manifest;
pub use metric::Metric;
pub use problem::Problem;
pub use release::ReleaseName;
pub use shard::{IdScope, Shards};
pub use uid::Uid;
pub use value::{Value, ValueType};
