//! The manifest of a run: its files, and what stays of the newest release.
//!
//! ```text
//! files of the run  ┬─ replaced as a whole ──────────► files of the manifest
//! files that stay   ┘                                  │
//!                   └─ of a date, never changed ─► one list a date and kind, written here
//! lists that stay ─────────────────────────────────────► lists of the manifest, by reference
//! ```

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use tagmill_schemas::artifact::FilePlace;
use tagmill_schemas::config::Retention;
use tagmill_schemas::manifest::{
    CarriedScope, DayList, Decisions, FileEntry, Input, ListKind, Manifest, NUMBERED_BY_ACTIVITY,
    ReleaseKind, VERSION,
};
use tagmill_schemas::{Artifact, Config, Error, Result};

use super::rollup::Totals;
use super::windows::behaviour_after;
use tagmill_night::NightSpec;
use tagmill_warehouse::release::{Parents, continue_history, put_lists};
use tagmill_warehouse::store::Store;

const STAGE: &str = "publish";

/// The manifest of the run; its lists are written, as nothing refers to them before it is.
///
/// # Errors
/// Those of writing lists and of reading the history.
pub async fn manifest_of(
    spec: &NightSpec,
    config: &Config,
    rolled: Totals,
    inputs: Vec<Input>,
    carried: Vec<CarriedScope>,
    parents: &Parents,
    store: &Store,
) -> Result<Manifest> {
    let store = &store.for_stage(STAGE);
    let newest = parents.newest.as_ref();
    let head_date = newest.map_or(spec.date, |newest| newest.head_date.max(spec.date));
    let keep = Keep {
        spec,
        written: rolled.files.iter().map(|file| file.artifact).collect(),
        absorbed: &rolled.absorbed,
        retention: &config.retention,
        head: head_date,
    };
    let (mut files, mut lists) = (rolled.files, Vec::new());
    for file in newest.iter().flat_map(|m| &m.files) {
        if keep.file(file)? {
            files.push(file.clone());
        }
    }
    for list in newest.iter().flat_map(|m| &m.lists) {
        if keep.day(list.kind, list.date)? {
            lists.push(list.clone());
        }
    }
    let files = list_days(files, &mut lists, store).await?;
    let (windows, reports) = &rolled.windows;
    let of_lists = (lists.as_slice(), config.retention.behaviour_days);
    let behaviour = behaviour_after(spec, windows, reports, newest, of_lists);
    Ok(Manifest {
        version: VERSION,
        release: parents.next_release(),
        parent: newest.map(|newest| newest.release),
        kind: match spec.is_backfill {
            true => ReleaseKind::Backfill,
            false => ReleaseKind::Night,
        },
        date: spec.date,
        head_date,
        run: spec.run.clone(),
        attempt: spec.attempt,
        config_hash: config.hash.clone(),
        code_version: super::CODE_VERSION.to_owned(),
        shards: spec.shards.get(),
        id_scope: spec.id_scope,
        time_zone: Some(config.warehouse.time_zone.name().to_owned()),
        numbering: NUMBERED_BY_ACTIVITY,
        inputs,
        files,
        lists,
        tags: match newest {
            Some(newest) if spec.is_backfill => newest.tags.clone(),
            _ => rolled.tags,
        },
        counts: rolled.counts,
        history: continue_history(store, newest).await?,
        behaviour,
        decisions: Decisions {
            // A date before the head leaves what the head's night said of tags and groups.
            carried: match newest {
                Some(newest) if spec.is_backfill => newest.decisions.carried.clone(),
                _ => carried,
            },
            accepted_missing: newest
                .map(|newest| newest.decisions.accepted_missing.clone())
                .unwrap_or_default(),
            ..Decisions::default()
        },
        reason: None,
    })
}

/// Moves the files that never change into lists of their dates; returns the others.
async fn list_days(
    files: Vec<FileEntry>,
    lists: &mut Vec<DayList>,
    store: &Store,
) -> Result<Vec<FileEntry>> {
    let mut direct = Vec::new();
    let mut days: BTreeMap<(ListKind, NaiveDate), Vec<FileEntry>> = BTreeMap::new();
    for file in files {
        match ListKind::of(file.artifact) {
            Some(kind) => days.entry((kind, file.date)).or_default().push(file),
            None => direct.push(file),
        }
    }
    let mut objects = Vec::with_capacity(days.len());
    for ((kind, date), files) in days {
        let (list, object) = DayList::of(kind, date, &files)?;
        lists.push(list);
        objects.push(object);
    }
    put_lists(store, objects).await?;
    Ok(direct)
}

/// What of the newest release is part of the next one.
struct Keep<'a> {
    spec: &'a NightSpec,
    /// The artifacts that the run wrote.
    written: BTreeSet<Artifact>,
    absorbed: &'a BTreeSet<String>,
    retention: &'a Retention,
    head: NaiveDate,
}

impl Keep<'_> {
    fn file(&self, file: &FileEntry) -> Result<bool> {
        if let Some(kind) = ListKind::of(file.artifact) {
            return self.day(kind, file.date);
        }
        Ok(match file.artifact {
            Artifact::Users | Artifact::TagValues => !self.absorbed.contains(&file.path),
            // An index goes with its file of users.
            Artifact::UserIndex => !FilePlace::of(&file.path)
                .is_some_and(|at| self.absorbed.contains(&at.beside(Artifact::Users).path())),
            Artifact::Universe => !self.written.contains(&Artifact::Universe),
            // What the head's night chose is for the night after the head.
            Artifact::KeptValues => self.spec.is_backfill || !self.spec.reads_events(),
            // A date before the head writes again what there is, with what is not complete.
            Artifact::Funnels => {
                self.spec.is_backfill && !self.written.contains(&Artifact::Funnels)
            }
            _ => self.spec.is_backfill,
        })
    }

    fn day(&self, kind: ListKind, date: NaiveDate) -> Result<bool> {
        let is_other = date != self.spec.date;
        Ok(match kind {
            // A date that was published keeps its behaviour when no event source is read again.
            ListKind::Behaviour => {
                (is_other || !self.spec.decides_events())
                    && self.is_within(date, self.retention.behaviour_days)?
            }
            ListKind::Accounts => is_other && self.is_within(date, self.retention.rejects_days)?,
        })
    }

    fn is_within(&self, date: NaiveDate, days: u32) -> Result<bool> {
        let first = self.head.checked_sub_days(Days::new(u64::from(days)));
        first.map(|first| date > first).ok_or_else(|| {
            Error::setup(
                STAGE,
                format!("{days} days before {} is no date", self.head),
            )
        })
    }
}
