//! The checksum of a published file: XXH3-128 of its bytes, written `xxh3-128:<32 hex digits>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

const PREFIX: &str = "xxh3-128:";

/// The XXH3-128 (seed 0) of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum(pub u128);

impl Checksum {
    /// The checksum of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxh3_128(bytes))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:032x}", self.0)
    }
}

impl FromStr for Checksum {
    type Err = String;

    /// Accepts only what `Display` writes.
    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix(PREFIX)
            .and_then(|hex| u128::from_str_radix(hex, 16).ok())
            .map(Self)
            .filter(|checksum| checksum.to_string() == text)
            .ok_or_else(|| {
                format!("found checksum {text:?}, expected {PREFIX} and 32 lower-case hex digits")
            })
    }
}

impl TryFrom<String> for Checksum {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.to_string()
    }
}
