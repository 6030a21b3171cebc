//! A manifest's head: what a list of releases shows. Of the bulk only the rows read are looked at.

use chrono::NaiveDate;
use serde::Deserialize;

use super::format::{STAGE, readable_version};
use super::history::Past;
use super::v2::TotalsRow;
use super::{Manifest, ReleaseKind, Stored};
use crate::error::{Error, Result};

/// A release in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its number.
    pub release: u64,
    /// The release that it continues.
    pub parent: Option<u64>,
    /// Why there is one.
    pub kind: ReleaseKind,
    /// The date of the run.
    pub date: NaiveDate,
    /// The newest night in it.
    pub head_date: NaiveDate,
    /// The run's name.
    pub run: String,
    /// From 1.
    pub attempt: u32,
    /// Files, those of lists included.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows that were read.
    pub rows: u64,
    /// Why a person published it, when one did.
    pub reason: Option<String>,
}

#[derive(Deserialize)]
struct HeadV2 {
    release: u64,
    parent: Option<u64>,
    kind: ReleaseKind,
    date: NaiveDate,
    head_date: NaiveDate,
    run: String,
    attempt: u32,
    reason: Option<String>,
    totals: Vec<TotalsRow>,
    counts: Vec<ReadRows>,
}

/// Of a source's and app's rows, those that were read.
#[derive(Deserialize)]
struct ReadRows {
    read: u64,
}

impl Summary {
    /// Reads the head of a manifest; `place` is its path, for messages.
    ///
    /// # Errors
    /// As [`Stored::parse`].
    pub fn parse(json: &[u8], place: &str) -> Result<Self> {
        if readable_version(json, place)? == 1 {
            return Ok(Self::of(&Stored::parse(json, place)?.manifest));
        }
        let head: HeadV2 = serde_json::from_slice(json)
            .map_err(|e| Error::refused(STAGE, "not a manifest").at(place).because(e))?;
        let (files, bytes) = head
            .totals
            .iter()
            .map(TotalsRow::sizes)
            .fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        Ok(Self {
            release: head.release,
            parent: head.parent,
            kind: head.kind,
            date: head.date,
            head_date: head.head_date,
            run: head.run,
            attempt: head.attempt,
            files,
            bytes,
            rows: head.counts.iter().map(|count| count.read).sum(),
            reason: head.reason,
        })
    }

    fn of(manifest: &Manifest) -> Self {
        let totals = manifest.totals();
        Self {
            release: manifest.release,
            parent: manifest.parent,
            kind: manifest.kind,
            date: manifest.date,
            head_date: manifest.head_date,
            run: manifest.run.clone(),
            attempt: manifest.attempt,
            files: totals.values().map(|sum| sum.files).sum(),
            bytes: totals.values().map(|sum| sum.bytes).sum(),
            rows: manifest.counts.iter().map(|count| count.read).sum(),
            reason: manifest.reason.clone(),
        }
    }

    /// The release as a history names it.
    pub fn past(&self) -> Past {
        Past {
            release: self.release,
            date: self.date,
            head_date: self.head_date,
            kind: self.kind,
        }
    }
}
