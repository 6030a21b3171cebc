//! Which version a manifest is of, and whether its bytes are whole: looked at before anything in it
//! is interpreted.
//!
//! ```text
//! {"version":3,"minimum_reader":3, ... ,"checksum":"xxh3-128:<32 hex digits>"}\n
//! └────────── what the checksum is of ─┘
//! ```
//! Version 1 has no checksum, version 2 no layout of folders. A version is read by every program
//! whose own is at least its `minimum_reader`; what such a program does not know in it, it ignores.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::checksum::Checksum;
use crate::error::{Error, Result};

/// The version this program writes, and the newest it knows.
pub const VERSION: u32 = 3;

/// The oldest program that reads what this one writes.
pub(super) const MINIMUM_READER: u32 = 3;

pub(super) const STAGE: &str = "manifest";

const SEAL: &[u8] = b",\"checksum\":\"";
const END: &[u8] = b"\"}\n";
/// `xxh3-128:` and 32 digits.
const CHECKSUM: usize = 41;

/// What every version says of itself.
#[derive(Deserialize)]
struct Probe {
    version: Option<u32>,
    minimum_reader: Option<u32>,
    code_version: Option<String>,
}

/// The JSON object with its checksum as the last field.
pub(super) fn sealed(mut json: Vec<u8>) -> Vec<u8> {
    json.pop();
    let checksum = Checksum::of(&json);
    json.extend_from_slice(SEAL);
    json.extend_from_slice(checksum.to_string().as_bytes());
    json.extend_from_slice(END);
    json
}

/// The version of a manifest that is whole and that this program can read.
///
/// # Errors
/// Refused when it is damaged or no manifest; setup when it was made for newer programs.
pub(super) fn readable_version(json: &[u8], place: &str) -> Result<u32> {
    let seal = seal_of(json);
    if let Some((body, written)) = seal {
        let found = Checksum::of(body);
        if written.parse() != Ok(found) {
            return Err(Error::refused(
                STAGE,
                format!("the manifest is damaged: found checksum {found}, expected {written}"),
            )
            .at(place)
            .fix("restore the file from a copy"));
        }
    }
    let probe: Probe = serde_json::from_slice(json).map_err(|e| {
        Error::refused(STAGE, "not a manifest, or a damaged one")
            .at(place)
            .because(e)
    })?;
    let version = probe
        .version
        .filter(|version| *version > 0)
        .ok_or_else(|| Error::refused(STAGE, "no version found, expected one from 1").at(place))?;
    let needed = probe.minimum_reader.unwrap_or(version);
    if needed > VERSION {
        let by = probe.code_version.unwrap_or_else(|| "unnamed".to_owned());
        return Err(Error::setup(
            STAGE,
            format!(
                "made by a newer tagmill ({by}), needs a reader of format {needed}; this program \
                 reads up to {VERSION}"
            ),
        )
        .at(place)
        .fix("use the program that made it, or a newer one"));
    }
    match version {
        1 => Ok(1),
        _ if seal.is_some() => Ok(version),
        _ => Err(
            Error::refused(STAGE, "the manifest is damaged: its checksum is missing")
                .at(place)
                .fix("restore the file from a copy"),
        ),
    }
}

/// What the checksum is of, and the checksum.
fn seal_of(json: &[u8]) -> Option<(&[u8], &str)> {
    let inner = json.strip_suffix(END)?;
    let (body, checksum) = inner.split_at_checked(inner.len().checked_sub(CHECKSUM)?)?;
    Some((
        body.strip_suffix(SEAL)?,
        std::str::from_utf8(checksum).ok()?,
    ))
}

/// Looks at a JSON document's version alone, so that a newer format is named as such and not as a
/// broken one.
pub(crate) fn check_version(json: &[u8], key: &str, known: u32, place: &str) -> Result<()> {
    let document: Json = serde_json::from_slice(json)
        .map_err(|e| Error::refused(STAGE, "not json").at(place).because(e))?;
    match document.get(key) {
        Some(version) if version.as_u64() == Some(u64::from(known)) => Ok(()),
        Some(version) => Err(Error::setup(
            STAGE,
            format!("found {key} {version}, this program reads {known}"),
        )
        .at(place)
        .fix("use the program that wrote it, or a newer one")),
        None => Err(Error::refused(STAGE, format!("no {key:?} found, expected {known}")).at(place)),
    }
}
