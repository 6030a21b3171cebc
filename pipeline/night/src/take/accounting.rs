//! Where every row of a source went: read = accepted + filtered + rejected, by app; rejects with
//! reason and a sample of rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tagmill_schemas::Metric;
use tagmill_schemas::metric::Note;

use crate::plan::columns::{FILTERED, OTHER_DAY};

/// Counts rows of which another row of their user took the place.
pub const SUPERSEDED: &Metric = &Metric::Noted(Note::Superseded);

/// Sampled rows an app, reason and shard.
const SAMPLES: usize = 20;
/// What an app and reason take beside the rows, counts included.
const SAMPLE_BYTES: usize = 300;

/// The counts of one source in one shard, by app code (0: no app).
#[derive(Default)]
pub struct Accounting {
    accepted: Vec<u64>,
    filtered: BTreeMap<u32, u64>,
    rejected: BTreeMap<(u32, String), u64>,
    /// Accepted rows of which nothing, or less than all, is indexed.
    noted: BTreeMap<(u32, Metric), u64>,
    samples: BTreeMap<(u32, String), BTreeSet<String>>,
    /// Bytes of the samples and of what counts them.
    sampled: usize,
}

/// One count of a shard, with the app's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Count {
    /// The source.
    pub source: String,
    /// The app; `None`: the rows name none.
    pub app: Option<String>,
    /// What is counted.
    pub metric: Metric,
    /// How many.
    pub value: u64,
}

impl Accounting {
    /// Counts accepted rows by the app of each.
    pub fn accept(&mut self, apps: &[u32]) {
        for &app in apps {
            let app = app as usize;
            if app >= self.accepted.len() {
                self.accepted.resize(app + 1, 0);
            }
            self.accepted[app] += 1;
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.accepted.capacity() * 8 + self.sampled
    }

    /// Counts a row by the status that the scan gave it: `filtered`, `other_day`, or a reason and,
    /// behind a line feed, the row.
    pub fn refuse(&mut self, app: u32, status: &str) {
        if matches!(status, FILTERED | OTHER_DAY) {
            *self.filtered.entry(app).or_default() += 1;
            self.note(app, &Metric::OtherDay, u64::from(status == OTHER_DAY));
            return;
        }
        let (reason, row) = status.split_once('\n').unwrap_or((status, ""));
        self.reject(app, reason, || row.to_owned());
    }

    /// Counts a rejected row. The smallest rows are kept as a sample, so it does not depend on
    /// arrival.
    pub fn reject(&mut self, app: u32, reason: &str, row: impl FnOnce() -> String) {
        let key = (app, reason.to_owned());
        let sample = self.samples.entry(key.clone()).or_insert_with(|| {
            self.sampled += SAMPLE_BYTES;
            BTreeSet::new()
        });
        let row = row();
        let bytes = row.len();
        if sample.insert(row) {
            self.sampled += bytes;
        }
        if sample.len() > SAMPLES {
            self.sampled -= sample.pop_last().map_or(0, |row| row.len());
        }
        *self.rejected.entry(key).or_default() += 1;
    }

    /// Moves an accepted row to the rejected ones.
    pub fn reject_accepted(&mut self, app: u32, reason: &str, row: impl FnOnce() -> String) {
        self.accepted[app as usize] -= 1;
        self.reject(app, reason, row);
    }

    /// Moves up to `rows` accepted rows to the rejected ones; returns how many. The sample has one
    /// row for all.
    pub fn reject_rows(
        &mut self,
        app: u32,
        reason: &str,
        rows: u64,
        row: impl FnOnce() -> String,
    ) -> u64 {
        let accepted = self
            .accepted
            .get_mut(app as usize)
            .filter(|accepted| **accepted > 0 && rows > 0);
        let Some(accepted) = accepted else { return 0 };
        let moved = rows.min(*accepted);
        *accepted -= moved;
        self.reject(app, reason, row);
        *self.rejected.entry((app, reason.to_owned())).or_default() += moved - 1;
        moved
    }

    /// Moves accepted rows to the filtered ones, and says why.
    pub fn filter_accepted(&mut self, app: u32, why: &Metric) {
        self.accepted[app as usize] -= 1;
        *self.filtered.entry(app).or_default() += 1;
        self.note(app, why, 1);
    }

    /// Counts something that is worth knowing of accepted rows.
    pub fn note(&mut self, app: u32, what: &Metric, count: u64) {
        if count > 0 {
            *self.noted.entry((app, what.clone())).or_default() += count;
        }
    }

    /// Counts infinities in these rows, of which `apps` are the apps.
    pub fn note_infinite(&mut self, apps: &[u32], rows: Vec<usize>) {
        for row in rows {
            self.note(apps[row], &Metric::Noted(Note::Infinite), 1);
        }
    }

    /// All counts, by name.
    pub fn counts(&self, source: &str, app_name: impl Fn(u32) -> Option<String>) -> Vec<Count> {
        let count = |app: u32, metric: Metric, value: u64| Count {
            source: source.to_owned(),
            app: app_name(app),
            metric,
            value,
        };
        let accepted = self
            .accepted
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .map(|(app, &n)| count(app as u32, Metric::Accepted, n));
        let filtered = self
            .filtered
            .iter()
            .map(|(&app, &n)| count(app, Metric::Filtered, n));
        let rejected = self
            .rejected
            .iter()
            .map(|((app, reason), &n)| count(*app, Metric::Rejected(reason.clone()), n));
        let noted = self
            .noted
            .iter()
            .map(|((app, what), &n)| count(*app, what.clone(), n));
        let mut counts: Vec<Count> = accepted
            .chain(filtered)
            .chain(rejected)
            .chain(noted)
            .collect();
        counts.sort();
        counts
    }

    /// The sampled rejects: (app code, reason, row).
    pub fn samples(&self) -> impl Iterator<Item = (u32, &str, &str)> {
        self.samples.iter().flat_map(|((app, reason), rows)| {
            rows.iter()
                .map(move |row| (*app, reason.as_str(), row.as_str()))
        })
    }
}
