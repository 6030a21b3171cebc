//! What the night takes from each source: its files, last values, or nothing; after waiting as long
//! as told.

use std::time::{Duration, Instant};

use chrono::NaiveDate;
use tagmill_schemas::config::{Content, LatePolicy, Source, for_date};
use tagmill_schemas::manifest::{Input, InputFile, InputStatus, Manifest};
use tagmill_schemas::{Error, Reason, Result};

use super::no_folder::check_folder;
use super::{Observer, Request, empty_days};
use tagmill_night::scan::{RawFiles, find_files, missing_marker};
use tagmill_warehouse::release::Parents;

const STAGE: &str = "inputs";
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// One source tonight.
pub struct SourceInput<'a> {
    /// The source.
    pub source: &'a Source,
    /// What is taken from it.
    pub decision: Decision,
}

/// What is taken from a source.
pub enum Decision {
    /// Its files of the date.
    Read(Box<RawFiles>),
    /// Its values of an earlier night, which are of this date.
    Carry(NaiveDate),
    /// Its values in the release that is run again, which are of this date.
    Keep(NaiveDate),
    /// No row: the date has no files, and the source says that nothing happened then.
    Empty,
    /// Nothing.
    Skip,
}

impl SourceInput<'_> {
    /// Rows that are read, by the footers of its files.
    pub fn rows(&self) -> u64 {
        match &self.decision {
            Decision::Read(files) => files.rows(),
            Decision::Carry(_) | Decision::Keep(_) | Decision::Empty | Decision::Skip => 0,
        }
    }

    /// As the manifest tells it.
    pub fn record(&self, date: NaiveDate) -> Input {
        let (status, date, files) = match &self.decision {
            Decision::Read(files) => (InputStatus::Read, date, input_files(files)),
            Decision::Carry(date) | Decision::Keep(date) => {
                (InputStatus::Carried, *date, Vec::new())
            }
            Decision::Empty => (InputStatus::Read, date, Vec::new()),
            Decision::Skip => (InputStatus::Skipped, date, Vec::new()),
        };
        Input {
            source: self.source.name.clone(),
            status,
            date,
            files,
        }
    }
}

fn input_files(files: &RawFiles) -> Vec<InputFile> {
    let tag = |etag: &Option<String>| {
        if files.store.is_local() {
            None
        } else {
            etag.clone()
        }
    };
    files
        .files
        .iter()
        .map(|file| InputFile {
            path: files.store.name_of(&file.found.path),
            size: file.found.size,
            etag: tag(&file.found.etag),
            rows: file.rows,
        })
        .collect()
}

/// Decides for every source, in the order of the configuration.
///
/// # Errors
/// Retry when a required source is not ready in time, refused for files that break their contract.
pub async fn find_inputs<'a>(
    request: &'a Request,
    parents: &Parents,
    observer: &dyn Observer,
) -> Result<Vec<SourceInput<'a>>> {
    check_names(request)?;
    check_events_together(request)?;
    let mut inputs = Vec::new();
    let is_backfill = parents.is_before_head(request.date);
    for source in &request.config.sources {
        let is_wanted = request.sources.is_empty() || request.sources.contains(&source.name);
        let is_event = source.kind.events().is_some();
        let decision = match (is_wanted, is_backfill && !is_event) {
            (true, false) => decide(request, source, parents, observer).await?,
            // The release keeps the head's values, and says so to the night that carries them on.
            (_, true) => unread(source, parents.newest.as_ref()),
            // A rerun of the head keeps what the head has of a source that is not asked for.
            _ if parents
                .newest
                .as_ref()
                .is_some_and(|newest| newest.head_date == request.date) =>
            {
                last_date(source, parents.newest.as_ref())
                    .filter(|_| !is_event)
                    .map_or(Decision::Skip, Decision::Keep)
            }
            _ => unread(source, parents.state.as_ref()),
        };
        inputs.push(SourceInput { source, decision });
    }
    check_retention(request, parents)?;
    check_some_is_read(request, is_backfill)?;
    let has_something = |input: &SourceInput<'_>| match input.decision {
        Decision::Read(_) | Decision::Empty => true,
        Decision::Carry(_) => input.source.empty_days,
        Decision::Keep(_) | Decision::Skip => false,
    };
    if inputs.iter().any(has_something) {
        return Ok(inputs);
    }
    let error = Error::retry(STAGE, format!("no source has data for {}", request.date));
    Err(error.for_reason(Reason::NotReady).fix(format!(
        "run again when the data is there, or, {}",
        empty_days::CURE
    )))
}

/// Sources that are asked for are sources of the configuration.
fn check_names(request: &Request) -> Result<()> {
    if let Some(unknown) = request
        .sources
        .iter()
        .find(|name| !request.config.sources.iter().any(|s| s.name == **name))
    {
        let known: Vec<&str> = request
            .config
            .sources
            .iter()
            .map(|s| s.name.as_str())
            .collect();
        return Err(Error::setup(STAGE, format!("unknown source {unknown:?}"))
            .fix(format!("name one of {}", known.join(", "))));
    }
    Ok(())
}

/// A date before the newest night reads events only.
fn check_some_is_read(request: &Request, is_backfill: bool) -> Result<()> {
    let could_read = |source: &Source| !is_backfill || source.kind.events().is_some();
    let are_all = request.sources.is_empty();
    let mut sources = request.config.sources.iter();
    if sources.any(|s| (are_all || request.sources.contains(&s.name)) && could_read(s)) {
        return Ok(());
    }
    let (missing, cure) = if are_all {
        (
            "there is no source of events",
            "run the newest night, or a later one",
        )
    } else {
        (
            "no source of events is named",
            "name the sources of events, or leave --source out",
        )
    };
    let what = format!(
        "{} is before the newest night: only its events are read again, and {missing}",
        request.date
    );
    Err(Error::setup(STAGE, what).fix(cure))
}

/// What the next release would not list is not worth a night.
fn check_retention(request: &Request, parents: &Parents) -> Result<()> {
    let days = request.config.retention.behaviour_days;
    match parents.newest.as_ref().map(|newest| {
        newest
            .head_date
            .signed_duration_since(request.date)
            .num_days()
    }) {
        Some(age) if age >= i64::from(days) => {
            let what = format!(
                "{} is {age} days before the newest night, and retention.behaviour_days is {days}",
                request.date
            );
            Err(Error::setup(STAGE, what)
                .fix("name a later date, or raise retention.behaviour_days"))
        }
        _ => Ok(()),
    }
}

/// The behaviour of a date is written from all event sources at once: one of them alone would take
/// the others' away.
fn check_events_together(request: &Request) -> Result<()> {
    let is_wanted =
        |source: &&Source| request.sources.is_empty() || request.sources.contains(&source.name);
    let (wanted, other): (Vec<&Source>, Vec<&Source>) = request
        .config
        .sources
        .iter()
        .filter(|s| s.kind.events().is_some())
        .partition(is_wanted);
    match (wanted.first(), other.first()) {
        (Some(wanted), Some(other)) => {
            let what = format!(
                "source {} is named and {} is not, but the behaviour of a date is written from \
                 all event sources",
                wanted.name, other.name
            );
            Err(Error::setup(STAGE, what).fix("name all event sources or none"))
        }
        _ => Ok(()),
    }
}

/// A source that is not asked for keeps its values where it has any.
fn unread(source: &Source, state: Option<&Manifest>) -> Decision {
    last_date(source, state)
        .filter(|_| source.kind.events().is_none())
        .map_or(Decision::Skip, Decision::Carry)
}

async fn decide(
    request: &Request,
    source: &Source,
    parents: &Parents,
    observer: &dyn Observer,
) -> Result<Decision> {
    let patience = request.wait.or(source.late.wait).unwrap_or(Duration::ZERO);
    let started = Instant::now();
    loop {
        let (missing, found) = match missing_marker(source, request.date).await? {
            None => {
                let zone = request.config.warehouse.time_zone;
                let files = find_files(source, request.date, zone).await?;
                let absent = first_absent(&files, parents);
                if !files.files.is_empty() && absent.is_none() {
                    tell_absent(source, &files, observer);
                    return Ok(Decision::Read(Box::new(files)));
                }
                let missing = absent.unwrap_or_else(|| for_date(&source.path, request.date));
                (missing, Some(files))
            }
            Some(marker) => (marker, None),
        };
        if found.as_ref().is_none_or(|files| files.files.is_empty()) {
            let is_first = parents.state.is_none();
            check_folder(source, is_first, observer).await?;
        }
        let may_be_empty = source.empty_days && source.content == Content::Changes;
        let found = found.filter(|_| may_be_empty);
        let left = patience.saturating_sub(started.elapsed());
        match found {
            // A marker says that no file will come.
            Some(files) if left.is_zero() || source.ready.is_some() => {
                return empty_day(source, request.date, files, observer).await;
            }
            None if left.is_zero() => return late(request, source, parents, missing, observer),
            _ => {}
        }
        observer.stage(
            "wait",
            &format!(
                "source {} is not ready, waiting up to {} s more",
                source.name,
                left.as_secs()
            ),
        );
        tokio::time::sleep(left.min(LOOK_AGAIN)).await;
    }
}

/// The first of a source's folders that has no file and should. Before the first night there may be
/// no earlier folder.
fn first_absent(files: &RawFiles, parents: &Parents) -> Option<String> {
    let is_first = parents.state.is_none();
    let mut absent = files.absent.iter().filter(|_| files.has_folders);
    absent
        .find(|(_, is_before)| !(is_first && *is_before))
        .map(|(path, _)| path.clone())
}

/// What there is of a date that may have no files.
async fn empty_day(
    source: &Source,
    date: NaiveDate,
    files: RawFiles,
    observer: &dyn Observer,
) -> Result<Decision> {
    empty_days::check_path(source).await?;
    let name = &source.name;
    if files.files.is_empty() {
        observer.warn(&format!(
            "source {name} has no file for {date}: a day on which nothing happened (empty_days)"
        ));
        return Ok(Decision::Empty);
    }
    for (path, _) in &files.absent {
        observer.warn(&format!(
            "source {name} has no file at {path}: nothing happened there (empty_days)"
        ));
    }
    Ok(Decision::Read(Box::new(files)))
}

fn tell_absent(source: &Source, files: &RawFiles, observer: &dyn Observer) {
    for oddity in files.oddities(source) {
        observer.warn(&oddity);
    }
    for (path, _) in &files.absent {
        observer.warn(&format!(
            "source {} has no file at {path}: the first night does without",
            source.name
        ));
    }
}

fn late(
    request: &Request,
    source: &Source,
    parents: &Parents,
    missing: String,
    observer: &dyn Observer,
) -> Result<Decision> {
    let not_ready = |why: &str| {
        Error::retry(
            STAGE,
            format!(
                "source {} has no data for {}{why}",
                source.name, request.date
            ),
        )
        .for_reason(Reason::NotReady)
        .at(missing.clone())
        .fix(format!(
            "run again when it is there, set its late policy, or, {}",
            empty_days::CURE
        ))
    };
    match source.late.policy {
        LatePolicy::Required => Err(not_ready("")),
        // No changes are no reason to forget what is known.
        LatePolicy::Skip
            if source.content == Content::Changes
                && last_date(source, parents.state.as_ref()).is_some() =>
        {
            let decision = unread(source, parents.state.as_ref());
            observer.warn(&format!(
                "source {} has no changes for {}: its values stay, stale",
                source.name, request.date
            ));
            Ok(decision)
        }
        LatePolicy::Skip => {
            observer.warn(&format!(
                "source {} has no data for {} and is skipped",
                source.name, request.date
            ));
            Ok(Decision::Skip)
        }
        LatePolicy::Carry => {
            let Some(date) = last_date(source, parents.state.as_ref()) else {
                return Err(not_ready(", and no earlier values to carry"));
            };
            let age = request.date.signed_duration_since(date).num_days();
            if source
                .late
                .max_days
                .is_some_and(|most| age > i64::from(most))
            {
                return Err(not_ready(&format!(
                    ", and its last values are {age} days old, more than late.max_days"
                )));
            }
            observer.warn(&format!(
                "source {} has no data for {}: its values of {date} are carried, stale",
                source.name, request.date
            ));
            Ok(Decision::Carry(date))
        }
    }
}

/// The date of a source's last values.
fn last_date(source: &Source, state: Option<&Manifest>) -> Option<NaiveDate> {
    let input = state?
        .inputs
        .iter()
        .find(|input| input.source == source.name)?;
    (input.status != InputStatus::Skipped).then_some(input.date)
}
