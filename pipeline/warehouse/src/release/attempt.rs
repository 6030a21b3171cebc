//! The name of a run and the number of an attempt at it: together the folder its files are written
//! to, never used twice.
//!
//! ```text
//! run id  = XXH3-64 of (parent, date, inputs, configuration, code), 16 hex digits
//! attempt = the first free number, taken by creating attempts/run=<run>/<10 digits>.json
//! ```

use chrono::NaiveDate;
use futures::TryStreamExt;
use serde::Serialize;
use tagmill_schemas::error::{Error, Result};
use tagmill_schemas::manifest::Input;
use xxhash_rust::xxh3::xxh3_64;

use crate::store::{Create, Store};

const FOLDER: &str = "attempts";

/// What a run is a function of; the field order is part of the run id.
#[derive(Serialize)]
struct Identity<'a> {
    parent: Option<u64>,
    date: NaiveDate,
    inputs: &'a [&'a Input],
    config_hash: &'a str,
    computation: u32,
}

/// The name of the run with these five: equal five, equal name, on any machine. The order of inputs
/// does not matter.
///
/// # Errors
/// None in practice; what serde reports.
pub fn run_id(
    parent: Option<u64>,
    date: NaiveDate,
    inputs: &[Input],
    config_hash: &str,
    computation: u32,
) -> Result<String> {
    let mut sorted: Vec<&Input> = inputs.iter().collect();
    sorted.sort();
    let identity = Identity {
        parent,
        date,
        inputs: &sorted,
        config_hash,
        computation,
    };
    let json = serde_json::to_vec(&identity)
        .map_err(|e| Error::refused("run", "the run can not be named").because(e))?;
    Ok(format!("{:016x}", xxh3_64(&json)))
}

/// A claimed attempt: the run and number that go into every path it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The run id.
    pub run: String,
    /// From 1.
    pub number: u32,
}

/// What an attempt's file says.
#[derive(Serialize)]
struct Claim<'a> {
    version: u32,
    run: &'a str,
    attempt: u32,
    date: NaiveDate,
}

/// Where the claims of a run are, and the files of its attempts.
pub(super) fn folder_of(run: &str) -> String {
    format!("{FOLDER}/run={run}")
}

/// The file that claims an attempt.
pub(super) fn claim_path(run: &str, attempt: u32) -> String {
    format!("{}/{attempt:010}.json", folder_of(run))
}

/// Claims the next free attempt number of a run; two runs at once get two numbers.
///
/// # Errors
/// An error of the store.
pub async fn claim_attempt(store: &Store, run: &str, date: NaiveDate) -> Result<Attempt> {
    let folder = folder_of(run);
    let taken: Vec<_> = store.walk(&folder).try_collect().await?;
    // Claims stand in the folder itself, the files of an attempt in folders of their own.
    let number_of = |path: &str| {
        let name = path.strip_prefix(&folder)?.strip_prefix('/')?;
        name.strip_suffix(".json")?.parse::<u32>().ok()
    };
    let mut number = taken
        .iter()
        .filter_map(|file| number_of(&file.path))
        .max()
        .unwrap_or(0);
    loop {
        number = number.checked_add(1).ok_or_else(|| {
            Error::setup(store.stage(), "no attempt number is left").at(store.name_of(&folder))
        })?;
        let claim = Claim {
            version: 1,
            run,
            attempt: number,
            date,
        };
        let json = serde_json::to_vec(&claim).map_err(|e| {
            Error::refused(store.stage(), "the attempt can not be written as json").because(e)
        })?;
        if store.create(&claim_path(run, number), json).await? == Create::Created {
            return Ok(Attempt {
                run: run.to_owned(),
                number,
            });
        }
    }
}
