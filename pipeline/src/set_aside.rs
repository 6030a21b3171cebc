//! Apps of which too many rows are rejected: their rows of the night are set aside and their last
//! values carried, so that one producer's mistake is no night without audiences for all others.
//!
//! ```text
//! shards ─► counts ─► apps beyond max_rejected ─► shards once more without their rows ─► roll-up
//!                          │ what the first reading counted of them, and its samples ─────▲
//! ```
//! Which apps these are follows from the rows alone, so a run of the same inputs sets the same aside.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use chrono::NaiveDate;
use futures::TryStreamExt;
use tagmill_engine::{Work, of_datafusion};
use tagmill_night::{Count, ShardReport};
use tagmill_rules::groups::{GroupStatus, Status};
use tagmill_schemas::artifact::{Columns, rejects, universe};
use tagmill_schemas::manifest::{CARRIED_APP, CarriedScope, LEFT_OUT_APP, Manifest};
use tagmill_schemas::{Artifact, Metric, Result};
use tagmill_warehouse::artifact::read_columns;
use tagmill_warehouse::release::Parents;
use tagmill_warehouse::store::Store;

/// The apps that are set aside tonight; none in nearly every night.
#[derive(Debug, Default)]
pub struct SetAside {
    apps: BTreeMap<String, AppAside>,
    counts: Vec<Count>,
    rejects: Vec<RecordBatch>,
    /// Whether only the behaviour of a date before the head is written.
    is_backfill: bool,
}

/// One of them.
#[derive(Debug)]
struct AppAside {
    /// What is beyond which limit.
    why: String,
    /// The date of its last values; `None`: it has none.
    since: Option<NaiveDate>,
}

impl SetAside {
    /// Sets apps aside on a date, each with what is said of it; `reports` are of shards that read
    /// their rows.
    ///
    /// # Errors
    /// Those of reading artifacts.
    pub async fn of(
        apps: BTreeMap<String, String>,
        reports: &[ShardReport],
        parents: &Parents,
        (date, store): (NaiveDate, &Store),
    ) -> Result<Self> {
        let state = parents.state.as_ref();
        let known = apps_of(state, store).await?;
        let aside = |(app, why): (String, String)| {
            let since = state.filter(|_| known.contains(&app));
            let since = since.map(|state| values_of(state, &app));
            (app, AppAside { why, since })
        };
        let apps: BTreeMap<String, AppAside> = apps.into_iter().map(aside).collect();
        let is_aside = |app: Option<&str>| app.is_some_and(|app| apps.contains_key(app));
        let counts = reports.iter().flat_map(|report| &report.counts);
        let counts = counts.filter(|count| is_aside(count.app.as_deref()));
        let counts = counts.flat_map(counts_aside).collect();
        let mut rejects = Vec::new();
        for file in reports.iter().flat_map(|report| &report.files) {
            if file.artifact == Artifact::Rejects && file.rows > 0 {
                let mut batches = read_columns::<rejects::Column>(store, file, &[]).await?;
                while let Some(batch) = batches.try_next().await? {
                    rejects.push(rows_where(&batch, &is_aside)?);
                }
            }
        }
        Ok(Self {
            apps,
            counts,
            rejects,
            is_backfill: parents.is_before_head(date),
        })
    }

    /// Whether no app is set aside.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    /// Whether this app is.
    pub fn contains(&self, app: &str) -> bool {
        self.apps.contains_key(app)
    }

    /// Their names.
    pub fn names(&self) -> BTreeSet<String> {
        self.apps.keys().cloned().collect()
    }

    /// What became of their rows: those that would have been accepted are filtered.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// Samples of their rejected rows, as in `rejects`.
    pub fn rejects(&self) -> &[RecordBatch] {
        &self.rejects
    }

    /// A line an app for people.
    pub fn notices(&self) -> impl Iterator<Item = String> {
        self.apps.iter().map(|(app, aside)| {
            let what = match aside.since {
                _ if self.is_backfill => "what the date has of it stays".to_owned(),
                Some(date) => format!("its values of {date} are carried, stale"),
                None => "it has no earlier values and is left out".to_owned(),
            };
            format!("app {app:?} is set aside: {}: {what}", aside.why)
        })
    }

    /// As the manifest of `date` tells it; a date before the head leaves tags and groups alone.
    pub fn scopes(&self, date: NaiveDate) -> Vec<CarriedScope> {
        let scope = |(app, aside): (&String, &AppAside)| CarriedScope {
            scope: match aside.since {
                Some(_) => CARRIED_APP.to_owned(),
                None => LEFT_OUT_APP.to_owned(),
            },
            name: app.clone(),
            date: aside.since.unwrap_or(date),
            reason: aside.why.clone(),
        };
        let apps = self.apps.iter().filter(|_| !self.is_backfill);
        apps.map(scope).collect()
    }

    /// Says of a published group of such an app what its members rest on.
    pub fn mark(&self, status: &mut GroupStatus) {
        let Some(aside) = self.apps.get(&status.app) else {
            return;
        };
        let why = format!("the app is set aside: {}", aside.why);
        match aside.since {
            Some(date) => {
                let older = status.as_of.filter(|_| status.status == Status::Stale);
                let date = older.map_or(date, |older| older.min(date));
                status.status = Status::Stale;
                status.as_of = Some(date);
                status.reason = Some(format!("{why}; values of {date} were carried"));
            }
            None => {
                status.status = Status::Incomplete;
                status.reason = Some(format!("{why}; it has no earlier values"));
            }
        }
    }
}

/// Rows that are not used are filtered, and said to be set aside; what is worth knowing of accepted
/// rows is not of rows of the release.
fn counts_aside(count: &Count) -> Vec<Count> {
    let as_metric = |metric: Metric| Count {
        metric,
        ..count.clone()
    };
    match &count.metric {
        Metric::Accepted => vec![as_metric(Metric::Filtered), as_metric(Metric::SetAside)],
        metric if metric.is_fate() => vec![count.clone()],
        Metric::Duplicates | Metric::OtherDay => vec![count.clone()],
        _ => Vec::new(),
    }
}

/// The date of the values that a release has of an app.
fn values_of(release: &Manifest, app: &str) -> NaiveDate {
    let mut carried = release.decisions.carried.iter();
    let carried = carried.find(|of| of.scope == CARRIED_APP && of.name == app);
    carried.map_or(release.head_date, |carried| carried.date)
}

/// Apps with users in a release.
async fn apps_of(release: Option<&Manifest>, store: &Store) -> Result<BTreeSet<String>> {
    let mut apps = BTreeSet::new();
    let files = release
        .iter()
        .flat_map(|m| m.direct_files(Artifact::Universe));
    for file in files {
        let mut batches = read_columns(store, file, &[universe::Column::App]).await?;
        while let Some(batch) = batches.try_next().await? {
            let column = universe::Column::App.of(&batch).map_err(failed)?;
            apps.extend(
                column
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned),
            );
        }
    }
    Ok(apps)
}

fn rows_where(
    batch: &RecordBatch,
    is_wanted: &impl Fn(Option<&str>) -> bool,
) -> Result<RecordBatch> {
    let apps = rejects::Column::App.of(batch).map_err(failed)?;
    let apps = apps.as_string::<i32>();
    let wanted = (0..apps.len()).map(|row| apps.is_valid(row).then(|| apps.value(row)));
    let wanted: BooleanArray = wanted.map(|app| Some(is_wanted(app))).collect();
    filter_record_batch(batch, &wanted).map_err(failed)
}

fn failed(error: arrow::error::ArrowError) -> tagmill_schemas::Error {
    of_datafusion(Work::Artifacts, "roll-up", error)
}
