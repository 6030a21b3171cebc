//! What is computed from a user's id, for ever: id bytes, shard, percent in a split. Nothing else
//! computes them; test vectors pin them.
//!
//! ```text
//! id bytes = user_id                   (id_scope = global)
//!          = app  0x00  user_id        (id_scope = app)
//! shard    = XXH3-64(id bytes, seed 0) mod shards
//! index    = the high 32 bits of XXH3-64(id bytes, seed 0)
//! percent  = XXH3-64(salt  0x00  user_id) mod 100
//! ```

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

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
        self.of_hash(hash_of_id(id_bytes))
    }

    /// The shard of an id with this hash (see [`hash_of_id`]), below [`Shards::get`].
    #[inline]
    pub fn of_hash(self, hash: u64) -> u32 {
        let shards = u64::from(self.0);
        // Division is dear, and most warehouses have a power of two. Either fits a u32.
        if shards.is_power_of_two() {
            (hash & (shards - 1)) as u32
        } else {
            (hash % shards) as u32
        }
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
            append_scoped(app.as_bytes(), user.as_bytes(), buffer);
            buffer
        }
    }
}

/// Appends the id bytes of a user in an app, for `id_scope = app`.
#[inline]
pub fn append_scoped(app: &[u8], user: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(app);
    out.push(0);
    out.extend_from_slice(user);
}

/// The user id inside the id bytes of a user of `app`.
#[inline]
pub fn user_of_id<'a>(scope: IdScope, app: &str, id_bytes: &'a [u8]) -> &'a [u8] {
    let skipped = match scope {
        IdScope::Global => 0,
        IdScope::App => app.len() + 1,
    };
    id_bytes.get(skipped..).unwrap_or_default()
}

/// App and user id of the id bytes of a user, for `id_scope = app`; app names hold no zero byte.
#[inline]
pub fn split_scoped(id_bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match id_bytes.iter().position(|&byte| byte == 0) {
        Some(at) => (Some(&id_bytes[..at]), &id_bytes[at + 1..]),
        None => (None, id_bytes),
    }
}

/// The hash that chooses the shard of an id: XXH3-64 of the id bytes, seed 0.
#[inline]
pub fn hash_of_id(id_bytes: &[u8]) -> u64 {
    xxh3_64(id_bytes)
}

/// What the look-up index knows an id by: the half of its hash (see [`hash_of_id`]) that shards do not
/// share.
#[inline]
pub fn index_hash(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The percent of a user in a split, 0 to 99: XXH3-64 of salt, a zero byte and the user id, mod
/// 100.
pub fn split_percent(salt: &str, user_id: &[u8]) -> u32 {
    let mut hasher = Xxh3::new();
    hasher.update(salt.as_bytes());
    hasher.update(&[0]);
    hasher.update(user_id);
    (hasher.digest() % 100) as u32
}

/// Whether an app name can be used: not empty, and without a zero byte, which separates app and
/// user in the id bytes.
pub fn is_app_name(app: &str) -> bool {
    !app.is_empty() && !app.contains('\0')
}
