//! The markers of dates, `success/date=…/_SUCCESS`: written behind a release's manifest, they say of
//! which release a date is, also when that manifest is lost.
//!
//! ```text
//! releases/ ends with 3, of head 2026-11-18      success/date=2026-11-19 says release 4
//! ─► 4 was published: a run would give its uids to other users, so it is refused
//! ```

use chrono::NaiveDate;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use tagmill_schemas::error::{Error, Reason, Result};
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::release;

use crate::store::Store;

/// What a marker says.
#[derive(Serialize, Deserialize)]
struct Marker {
    release: u64,
}

/// Says that a date is done: its marker names the release. Again is harmless.
///
/// # Errors
/// An error of the store; the release is published nevertheless.
pub async fn mark_success(store: &Store, manifest: &Manifest) -> Result<()> {
    let marker = Marker {
        release: manifest.release,
    };
    let json = serde_json::to_string(&marker)
        .map_err(|e| Error::refused("publish", "the marker can not be written").because(e))?;
    store
        .for_stage("publish")
        .put(
            &release::success_path(manifest.date),
            format!("{json}\n").into_bytes(),
        )
        .await
}

/// The dates that have a marker. Whoever compares them with releases lists these first: what is
/// marked was published before.
///
/// # Errors
/// An error of the store.
pub(super) async fn marked_dates(store: &Store) -> Result<Vec<NaiveDate>> {
    let found: Vec<_> = store.walk(release::SUCCESS_FOLDER).try_collect().await?;
    let dates = found
        .iter()
        .filter_map(|file| release::marked_date(&file.path));
    Ok(dates.collect())
}

/// Refuses to go on where a marker names a release after the newest one: its manifest was there. Reads
/// the markers of the run's date and of dates after the head, which are none as a rule.
///
/// # Errors
/// Refused for such a marker, or one that can not be read; an error of the store.
pub(super) async fn newest_is_not_lost(
    store: &Store,
    marked: &[NaiveDate],
    newest: Option<&Manifest>,
    date: NaiveDate,
) -> Result<()> {
    let last = newest.map_or(0, |newest| newest.release);
    let is_after_head = |marked: NaiveDate| newest.is_none_or(|newest| marked > newest.head_date);
    let suspects = marked
        .iter()
        .copied()
        .filter(|marked| *marked == date || is_after_head(*marked));
    for suspect in suspects {
        let path = release::success_path(suspect);
        let Some(json) = store.try_get(&path).await? else {
            continue;
        };
        let refuse = |what: String| {
            Error::refused(store.stage(), what)
                .at(store.name_of(&path))
                .for_reason(Reason::Damaged)
        };
        let marker: Marker = serde_json::from_slice(&json)
            .map_err(|e| refuse("the marker of a date can not be read".to_owned()).because(e))?;
        if marker.release > last {
            let there = match last {
                0 => "there is no release".to_owned(),
                last => format!("the newest is release {last}"),
            };
            let what = format!(
                "found the mark of release {}, but {there}: its manifest is lost, and a run would \
                 give the uids of its new users to others",
                marker.release
            );
            return Err(refuse(what).fix(format!(
                "bring back {} from a copy; only if nobody has its numbers: remove the marker",
                release::path(marker.release)
            )));
        }
    }
    Ok(())
}
