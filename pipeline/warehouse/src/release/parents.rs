//! What a run continues: the dictionary of the newest release, and the state of the newest release
//! of an earlier date.

use chrono::NaiveDate;
use tagmill_schemas::error::Result;
use tagmill_schemas::manifest::Manifest;

use super::history::Lineage;
use super::markers::{marked_dates, newest_is_not_lost};
use super::releases::{list_releases, load_release};
use crate::store::Store;

/// The releases a run for a date builds on.
#[derive(Debug, Clone, Default)]
pub struct Parents {
    /// The newest release: its dictionary goes on, its number is the one before ours. `None`: ours
    /// is the first.
    pub newest: Option<Manifest>,
    /// The newest release whose head is before the date: its tags and groups are the values of
    /// yesterday.
    pub state: Option<Manifest>,
}

impl Parents {
    /// The number the run's release will have.
    pub fn next_release(&self) -> u64 {
        self.newest.as_ref().map_or(1, |newest| newest.release + 1)
    }

    /// Whether the date is before the newest night: only that date's behaviour is replaced, tags
    /// and groups stay.
    pub fn is_before_head(&self, date: NaiveDate) -> bool {
        self.newest
            .as_ref()
            .is_some_and(|newest| date < newest.head_date)
    }
}

/// Chooses the parents of a run for `date`. Rolled-back nights count like any other release.
///
/// # Errors
/// As [`load_release`]; setup when the newest release was made by a newer program; refused when the
/// manifest of a newer one is lost.
pub async fn choose_parents(store: &Store, date: NaiveDate) -> Result<Parents> {
    let marked = marked_dates(store).await?;
    let releases = list_releases(store).await?;
    let Some(number) = releases.newest() else {
        newest_is_not_lost(store, &marked, None, date).await?;
        return Ok(Parents::default());
    };
    let newest = load_release(store, number).await?;
    newest.check_is_continued()?;
    newest_is_not_lost(store, &marked, Some(&newest), date).await?;
    let state = if newest.head_date < date {
        Some(newest.clone())
    } else {
        let found = Lineage::new(store, &newest, &releases)
            .find(|page| page.head_from < date, |past| past.head_date < date)
            .await?;
        match found {
            Some(past) => Some(load_release(store, past.release).await?),
            None => None,
        }
    };
    Ok(Parents {
        newest: Some(newest),
        state,
    })
}
