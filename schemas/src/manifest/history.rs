//! The releases before one, so that a date is found without reading every manifest.
//!
//! ```text
//! release 300:  older ── pages of 64 releases each: 1-64, 65-128, 129-192      immutable lists
//!               recent ─ 193 ... 299                                           in the manifest, 64 to 127
//! ```

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::decisions::ReleaseKind;
use super::lists::ListObject;
use crate::checksum::Checksum;
use crate::error::Result;

/// Releases of a page.
pub const PAGE: usize = 64;

/// A release of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PastRow", into = "PastRow")]
pub struct Past {
    /// Its number.
    pub release: u64,
    /// The date of its run.
    pub date: NaiveDate,
    /// The newest night in it.
    pub head_date: NaiveDate,
    /// Why there is one.
    pub kind: ReleaseKind,
}

/// As it is written.
type PastRow = (u64, NaiveDate, NaiveDate, ReleaseKind);

impl From<PastRow> for Past {
    fn from((release, date, head_date, kind): PastRow) -> Self {
        Self {
            release,
            date,
            head_date,
            kind,
        }
    }
}

impl From<Past> for PastRow {
    fn from(past: Past) -> Self {
        (past.release, past.date, past.head_date, past.kind)
    }
}

/// Where [`PAGE`] older releases are, and what a search has to know before it reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The list's checksum.
    #[serde(with = "super::lists::hex")]
    pub list: Checksum,
    /// The lowest number.
    pub first: u64,
    /// The highest number.
    pub last: u64,
    /// The earliest date of a run.
    pub from: NaiveDate,
    /// The latest date of a run.
    pub to: NaiveDate,
    /// The earliest head.
    pub head_from: NaiveDate,
}

/// The releases before one, ascending; those that were removed since are named still.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The newest ones.
    #[serde(default)]
    pub recent: Vec<Past>,
    /// Those before, page by page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub older: Vec<Page>,
}

impl History {
    /// The history of the release after `newest`, and the pages that are new in it.
    ///
    /// # Errors
    /// None in practice; what serde reports.
    pub fn followed_by(mut self, newest: Past) -> Result<(Self, Vec<ListObject>)> {
        self.recent.push(newest);
        let mut pages = Vec::new();
        while self.recent.len() >= 2 * PAGE {
            let rest = self.recent.split_off(PAGE);
            let page = std::mem::replace(&mut self.recent, rest);
            let object = ListObject::of_history(&page)?;
            self.older.extend(Page::of(&page, object.checksum));
            pages.push(object);
        }
        Ok((self, pages))
    }
}

impl Page {
    fn of(page: &[Past], list: Checksum) -> Option<Self> {
        let dates = || page.iter().map(|past| past.date);
        Some(Self {
            list,
            first: page.first()?.release,
            last: page.last()?.release,
            from: dates().min()?,
            to: dates().max()?,
            head_from: page.iter().map(|past| past.head_date).min()?,
        })
    }
}
