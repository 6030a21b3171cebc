//! Which shard a user belongs to: a promise fixed when a warehouse is made, pinned by test vectors.
//!
//! ```text
//! id bytes = user_id                   (id_scope = global)
//!          = app  0x00  user_id        (id_scope = app)
//! shard    = XXH3-64(id bytes, seed 0) mod shards
//! ```

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::error::{Error, Result};

/// The number of shards of a warehouse: 1 to 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Shards(u32);

impl Shards {
    /// The most shards a warehouse can have.
    pub const MAX: u32 = 65_536;

    /// # Errors
    /// Setup when `count` is 0 or above [`Shards::MAX`].
    pub fn new(count: u32) -> Result<Self> {
        match count {
            1..=Self::MAX => Ok(Self(count)),
            _ => Err(Error::setup(
                "configuration",
                format!("found {count} shards, expected 1 to {}", Self::MAX),
            )),
        }
    }

    /// The number of shards.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The shard of these id bytes (see [`id_bytes`]), below [`Shards::get`].
    pub fn of(self, id_bytes: &[u8]) -> u32 {
        // The remainder of a u32 fits a u32.
        (xxh3_64(id_bytes) % u64::from(self.0)) as u32
    }
}

impl TryFrom<u32> for Shards {
    type Error = Error;

    fn try_from(count: u32) -> Result<Self> {
        Self::new(count)
    }
}

impl From<Shards> for u32 {
    fn from(shards: Shards) -> Self {
        shards.0
    }
}

/// Whether equal user ids in two apps are one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdScope {
    /// A user id means something only inside its app.
    App,
    /// A user id means the same user in every app.
    Global,
}

impl IdScope {
    /// The name in configuration and manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Global => "global",
        }
    }
}

/// The bytes that identify a user and are hashed; uses `buffer` only where app and user have to be
/// joined.
///
/// Distinct (app, user) pairs give distinct bytes as long as app names hold no zero byte, which
/// [`is_app_name`] refuses.
pub fn id_bytes<'a>(scope: IdScope, app: &str, user: &'a str, buffer: &'a mut Vec<u8>) -> &'a [u8] {
    match scope {
        IdScope::Global => user.as_bytes(),
        IdScope::App => {
            buffer.clear();
            buffer.extend_from_slice(app.as_bytes());
            buffer.push(0);
            buffer.extend_from_slice(user.as_bytes());
            buffer
        }
    }
}

/// The `id_hash` of the users artifact: XXH3-128 of the id bytes, big-endian.
pub fn id_hash(id_bytes: &[u8]) -> [u8; 16] {
    xxh3_128(id_bytes).to_be_bytes()
}

/// Whether an app name can be used: not empty, and without a zero byte, which separates app and
/// user in the id bytes.
pub fn is_app_name(app: &str) -> bool {
    !app.is_empty() && !app.contains('\0')
}
