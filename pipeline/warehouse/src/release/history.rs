//! The releases before the newest: found through its history, which names their dates, or, after
//! version 1, through their manifests.

use futures::{StreamExt, TryStreamExt};
use tagmill_schemas::error::Result;
use tagmill_schemas::manifest::{History, ListObject, Manifest, Page, Past, list_path};

use super::lists::{get_list, put_list};
use super::releases::{Releases, list_releases, load_summary};
use crate::store::Store;

/// Manifests of version 1 read at once.
const AT_ONCE: usize = 8;

/// The newest release and those before it.
pub(super) struct Lineage<'a> {
    store: &'a Store,
    newest: &'a Manifest,
    there: &'a Releases,
}

impl<'a> Lineage<'a> {
    pub(super) fn new(store: &'a Store, newest: &'a Manifest, there: &'a Releases) -> Self {
        Self {
            store,
            newest,
            there,
        }
    }

    /// The newest release before the newest one that is wanted and still there. A page is read when
    /// it can have one.
    pub(super) async fn find(
        &self,
        can_have: impl Fn(&Page) -> bool + Send + Sync,
        is_wanted: impl Fn(&Past) -> bool + Send + Sync,
    ) -> Result<Option<Past>> {
        let is_found = |past: &Past| is_wanted(past) && self.there.contains(past.release);
        if self.newest.version == 1 {
            return self.find_by_manifest(is_wanted).await;
        }
        let history = &self.newest.history;
        if let Some(found) = history.recent.iter().rev().find(|past| is_found(past)) {
            return Ok(Some(*found));
        }
        for page in history.older.iter().rev().filter(|page| can_have(page)) {
            let releases = self.read(page).await?;
            if let Some(found) = releases.iter().rev().find(|past| is_found(past)) {
                return Ok(Some(*found));
            }
        }
        Ok(None)
    }

    async fn find_by_manifest(
        &self,
        is_wanted: impl Fn(&Past) -> bool + Send + Sync,
    ) -> Result<Option<Past>> {
        for number in self.earlier().into_iter().rev() {
            let past = load_summary(self.store, number).await?.past();
            if is_wanted(&past) {
                return Ok(Some(past));
            }
        }
        Ok(None)
    }

    /// All releases before the newest that are still there, ascending.
    pub(super) async fn all(&self) -> Result<Vec<Past>> {
        self.of_pages(|_| true).await
    }

    /// Those of the pages that can have a wanted one, and what came after the last page.
    pub(super) async fn of_pages(&self, can_have: impl Fn(&Page) -> bool) -> Result<Vec<Past>> {
        if self.newest.version == 1 {
            return self.all_by_manifest().await;
        }
        let mut all = Vec::new();
        let pages = self.newest.history.older.iter();
        for page in pages.filter(|page| can_have(page)) {
            all.extend(self.read(page).await?);
        }
        all.extend(&self.newest.history.recent);
        all.retain(|past| self.there.contains(past.release));
        Ok(all)
    }

    async fn all_by_manifest(&self) -> Result<Vec<Past>> {
        let loads: Vec<_> = self
            .earlier()
            .into_iter()
            .map(|number| {
                let store = self.store.clone();
                async move { Ok(load_summary(&store, number).await?.past()) }
            })
            .collect();
        futures::stream::iter(loads)
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    fn earlier(&self) -> Vec<u64> {
        let numbers = self.there.numbers().iter().copied();
        numbers
            .take_while(|number| *number < self.newest.release)
            .collect()
    }

    async fn read(&self, page: &Page) -> Result<Vec<Past>> {
        let bytes = get_list(self.store, page.list).await?;
        ListObject::history(page.list, &bytes)
            .map_err(|e| e.at(self.store.name_of(&list_path(page.list))))
    }
}

/// The history of the release after `newest`; its new pages are written. On top of version 1 it is
/// made from all manifests, once.
///
/// # Errors
/// As [`super::load_release`] and [`put_list`].
pub async fn continue_history(store: &Store, newest: Option<&Manifest>) -> Result<History> {
    let Some(newest) = newest else {
        return Ok(History::default());
    };
    let mut history = newest.history.clone();
    let mut pasts = Vec::new();
    if newest.version == 1 {
        let there = list_releases(store).await?;
        pasts = Lineage::new(store, newest, &there).all().await?;
    }
    pasts.push(newest.past());
    for past in pasts {
        let (longer, pages) = history.followed_by(past)?;
        history = longer;
        for page in &pages {
            put_list(store, page).await?;
        }
    }
    Ok(history)
}
