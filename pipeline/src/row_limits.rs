//! Whether the rows of a source may be published: not when too many of them are rejected, or too few
//! are there.
//!
//! ```text
//! inputs    min_rows, min_of_last      before anything is computed
//! verdict   max_rejected, and a snapshot of which nothing is left      before anything is published
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tagmill_schemas::config::{Content, RowLimits, Source};
use tagmill_schemas::manifest::{InputStatus, Manifest, SourceCount};
use tagmill_schemas::{Config, Error, Result};

use super::sources::{Decision, SourceInput};
use tagmill_night::FAILED_EXPRESSION;

/// From this fraction of a source's rows on a person is told of those that are rejected.
const TOLD_FROM: f64 = 0.01;

/// Rejected rows of one app for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The source.
    pub source: String,
    /// The app; `None`: the rows name none.
    pub app: Option<String>,
    /// The name of a reject rule, or a built-in reason.
    pub reason: String,
    /// How many.
    pub rows: u64,
}

/// Rejected rows of one source for one reason, of all apps together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RejectedShare {
    /// The source.
    pub source: String,
    /// The name of a reject rule, or a built-in reason.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// Of the rows read, a fraction.
    pub share: f64,
}

/// What is beyond a limit, and where an example is found.
pub struct Beyond {
    /// The source.
    pub source: String,
    /// The app, where the limit is exceeded by one.
    pub app: Option<String>,
    /// The reason with most rows.
    pub reason: Option<String>,
    what: String,
}

impl Beyond {
    /// The refusal; `sample` is a row that was rejected.
    pub fn refusal(&self, sample: Option<&str>) -> Error {
        let reason = self.reason.as_deref().unwrap_or_default();
        let sample = sample.map(|row| format!("; first row rejected as {reason}: {row}"));
        let what = format!("{}{}", self.what, sample.unwrap_or_default());
        Error::refused("verdict", what)
            .at(format!("source {}", self.source))
            .fix(format!(
                "correct the data or what the configuration says of it, and try it with tagmill \
                 plan; when it is as it should be, raise max_rejected of source {} or set its \
                 min_rows",
                self.source
            ))
    }
}

/// Refuses a source with fewer rows than it must have; `state` is the release before.
///
/// # Errors
/// Refused, naming source and numbers.
pub fn check_rows(inputs: &[SourceInput<'_>], state: Option<&Manifest>) -> Result<()> {
    for input in inputs {
        let Decision::Read(files) = &input.decision else {
            continue;
        };
        let (source, rows) = (input.source, input.rows());
        let last = last_rows(source, state);
        let least = match source.limits.min_rows {
            Some(least) => Some((least, format!("min_rows is {least}"))),
            None if source.content == Content::Snapshot && last.is_some_and(|last| last > 0) => {
                let had = last.unwrap_or(0);
                Some((1, format!("it is a snapshot and had {had} rows before")))
            }
            None => None,
        };
        let share = source.limits.min_of_last.zip(last).map(|(share, last)| {
            let least = (share * last as f64).ceil() as u64;
            let percent = share * 100.0;
            (
                least,
                format!("min_of_last is {percent} % of the {last} rows read last"),
            )
        });
        let too_few = [least, share].into_iter().flatten();
        if let Some((_, why)) = too_few.into_iter().find(|(least, _)| rows < *least) {
            let place = files.files.first().map(|file| &file.found.path);
            let place = files.store.name_of(place.map_or("", String::as_str));
            let what = format!("source {} has {rows} rows, but {why}", source.name);
            return Err(Error::refused("inputs", what).at(place).fix(format!(
                "bring the rows back, or change min_rows or min_of_last of source {}",
                source.name
            )));
        }
    }
    Ok(())
}

/// Rows of the last night that read the source, as far as the release before knows.
fn last_rows(source: &Source, state: Option<&Manifest>) -> Option<u64> {
    let inputs = &state?.inputs;
    let last = inputs
        .iter()
        .find(|input| input.source == source.name && input.status == InputStatus::Read)?;
    Some(last.files.iter().map(|file| file.rows).sum())
}

/// Rows of a source, and of them the rejected ones by reason.
#[derive(Default)]
struct Tally<'a> {
    read: u64,
    rejected: BTreeMap<&'a str, u64>,
}

impl Tally<'_> {
    fn share(&self, rows: u64) -> f64 {
        rows as f64 / self.read.max(1) as f64
    }

    fn rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    fn first(&self) -> Option<&str> {
        let most = self.rejected.iter().max_by_key(|(_, rows)| **rows);
        most.map(|(reason, _)| *reason)
    }
}

/// `11271 of 11271 rows are rejected (100 %): no_time 11271`.
impl fmt::Display for Tally<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, read) = (self.rejected(), self.read);
        let percent = percent(self.share(rows));
        write!(f, "{rows} of {read} rows are rejected ({percent}): ")?;
        let mut reasons: Vec<_> = self.rejected.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let one = |(reason, rows): &(&&str, &u64)| format!("{reason} {rows}");
        let all: Vec<String> = reasons.iter().map(one).collect();
        f.write_str(&all.join(", "))
    }
}

/// At most one decimal, and never `100 %` or `0 %` of what is less or more.
fn percent(share: f64) -> String {
    let percent = (share * 1_000.0).floor() / 10.0;
    match share > 0.0 && percent == 0.0 {
        true => "under 0.1 %".to_owned(),
        false => format!("{percent} %"),
    }
}

/// What became of the rows of every source of a night.
pub struct Rows<'a> {
    counts: Vec<&'a SourceCount>,
    rejected: Vec<&'a Rejected>,
}

impl<'a> Rows<'a> {
    /// `rejected` are those of single apps.
    pub fn new(counts: &'a [SourceCount], rejected: &'a [Rejected]) -> Self {
        Self {
            counts: counts.iter().collect(),
            rejected: rejected.iter().collect(),
        }
    }

    /// The same without the rows of some apps.
    pub fn without(&self, apps: &BTreeSet<String>) -> Self {
        let stays = |app: &Option<String>| app.as_ref().is_none_or(|app| !apps.contains(app));
        let (counts, rejected) = (self.counts.iter(), self.rejected.iter());
        Self {
            counts: counts.copied().filter(|c| stays(&c.app)).collect(),
            rejected: rejected.copied().filter(|r| stays(&r.app)).collect(),
        }
    }

    /// The apps that are beyond a limit, with what is said of each, when a night without them can be
    /// published; none otherwise: then [`Rows::beyond`] says why.
    pub fn apps_beyond(
        &self,
        config: &Config,
        state: Option<&Manifest>,
    ) -> BTreeMap<String, String> {
        let mut apps = BTreeMap::new();
        for beyond in config
            .sources
            .iter()
            .flat_map(|source| self.beyond_of_apps(source))
        {
            if let Some(app) = beyond.app {
                apps.entry(app).or_insert(beyond.what);
            }
        }
        let others = self.without(&apps.keys().cloned().collect());
        let is_left = others
            .counts
            .iter()
            .any(|c| c.app.is_some() && c.accepted > 0);
        match is_left && others.beyond(config, state).is_none() {
            true => apps,
            false => BTreeMap::new(),
        }
    }

    fn of(&self, source: &str) -> Tally<'a> {
        let mut tally = Tally::default();
        let counts = self.counts.iter();
        let counts = counts.filter(|count| count.source == source);
        tally.read = counts.map(|count| count.read).sum();
        let rejected = self.rejected.iter();
        for found in rejected.filter(|found| found.source == source) {
            *tally.rejected.entry(&found.reason).or_default() += found.rows;
        }
        tally
    }

    /// What a person should know of each source.
    pub fn notices(&self, config: &Config) -> Vec<String> {
        let sources = config.sources.iter();
        let tallies = sources.map(|source| (source, self.of(&source.name)));
        tallies
            .filter(|(_, tally)| tally.rejected() > 0 && tally.share(tally.rejected()) >= TOLD_FROM)
            .map(|(source, tally)| format!("source {}: {tally}", source.name))
            .collect()
    }

    /// Rejected rows by source and reason, of all apps together, most first.
    pub fn by_reason(&self, config: &Config) -> Vec<RejectedShare> {
        let mut all = Vec::new();
        for source in &config.sources {
            let tally = self.of(&source.name);
            let mut of_source: Vec<RejectedShare> = tally
                .rejected
                .iter()
                .map(|(reason, &rows)| RejectedShare {
                    source: source.name.clone(),
                    reason: (*reason).to_owned(),
                    rows,
                    share: tally.share(rows),
                })
                .collect();
            of_source.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.reason.cmp(&b.reason)));
            all.append(&mut of_source);
        }
        all
    }

    /// The first source or app that is beyond a limit; `state` is the release before.
    pub fn beyond(&self, config: &Config, state: Option<&Manifest>) -> Option<Beyond> {
        config.sources.iter().find_map(|source| {
            let whole = self.of(&source.name);
            self.fails_everywhere(source, &whole)
                .or_else(|| self.nothing_left(source, &whole, state))
                .or_else(|| beyond_share(source, None, &whole))
                .or_else(|| self.beyond_of_apps(source).into_iter().next())
        })
    }

    /// The apps that are beyond a limit, by name.
    fn beyond_of_apps(&self, source: &Source) -> Vec<Beyond> {
        let mut apps: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
        for count in self.counts.iter().filter(|c| c.source == source.name) {
            if let Some(app) = &count.app {
                apps.entry(app).or_default().read += count.read;
            }
        }
        for found in self.rejected.iter().filter(|r| r.source == source.name) {
            if let Some(tally) = found.app.as_deref().and_then(|app| apps.get_mut(app)) {
                *tally.rejected.entry(&found.reason).or_default() += found.rows;
            }
        }
        apps.iter()
            .filter_map(|(app, tally)| beyond_share(source, Some(app), tally))
            .collect()
    }

    /// An expression that holds for no row is wrong itself, however few rows there are.
    fn fails_everywhere(&self, source: &Source, tally: &Tally<'_>) -> Option<Beyond> {
        let fails = tally.rejected.contains_key(FAILED_EXPRESSION);
        (fails && self.accepted(source) == 0).then(|| Beyond {
            source: source.name.clone(),
            app: None,
            reason: Some(FAILED_EXPRESSION.to_owned()),
            what: format!(
                "source {}: {tally}; its expressions hold for no row",
                source.name
            ),
        })
    }

    fn accepted(&self, source: &Source) -> u64 {
        let of_source = self
            .counts
            .iter()
            .filter(|count| count.source == source.name);
        of_source.map(|count| count.accepted).sum()
    }

    /// A snapshot with rows of which none is accepted would take away all that was known.
    fn nothing_left(
        &self,
        source: &Source,
        tally: &Tally<'_>,
        state: Option<&Manifest>,
    ) -> Option<Beyond> {
        let of_source = |count: &&SourceCount| count.source == source.name;
        let had_rows = |state: &Manifest| {
            let mut counts = state.counts.iter().filter(of_source);
            counts.any(|count| count.accepted > 0)
        };
        let is_lost = source.content == Content::Snapshot
            && source.limits.min_rows != Some(0)
            && tally.rejected() > 0
            && self.accepted(source) == 0
            && state.is_some_and(had_rows);
        is_lost.then(|| Beyond {
            source: source.name.clone(),
            app: None,
            reason: tally.first().map(str::to_owned),
            what: format!(
                "source {}: {tally}; it is a snapshot, and nothing of it would be left",
                source.name
            ),
        })
    }
}

fn beyond_share(source: &Source, app: Option<&str>, tally: &Tally<'_>) -> Option<Beyond> {
    if tally.read < RowLimits::JUDGED_FROM {
        return None;
    }
    let of_app = app.map_or_else(String::new, |app| format!(", app {app:?}"));
    let name = format!("source {}{of_app}", source.name);
    let limits = &source.limits;
    let beyond = |reason: Option<&str>, limit: f64, of: &str| Beyond {
        source: source.name.clone(),
        app: app.map(str::to_owned),
        reason: reason.map(str::to_owned),
        what: format!(
            "{name}: {tally}; more than max_rejected{of} of {}",
            percent(limit)
        ),
    };
    let single = limits.max_by_reason.iter().find_map(|(reason, limit)| {
        let rows = tally.rejected.get(reason.as_str()).copied().unwrap_or(0);
        let is_beyond = tally.share(rows) > *limit;
        is_beyond.then(|| beyond(Some(reason), *limit, &format!(".{reason}")))
    });
    let all = tally.share(tally.rejected()) > limits.max_rejected;
    single.or_else(|| all.then(|| beyond(tally.first(), limits.max_rejected, "")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_never_rounded_to_all_or_nothing() {
        for (share, expected) in [
            (1.0, "100 %"),
            (0.9999, "99.9 %"),
            (0.2, "20 %"),
            (0.000_01, "under 0.1 %"),
            (0.0, "0 %"),
        ] {
            assert_eq!(percent(share), expected);
        }
    }
}
