//! Which days of events are there, and which are missing: a matter of source and day.
//!
//! ```text
//! before the first night of the warehouse      empty
//! a night that read the source                 there, however little it brought
//! no night, or one without the source          missing, until a run of the date brings it or a
//!                                              person accepts that nothing comes
//! ```

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use tagmill_night::{NightSpec, RowsSpec, SourceSpec};
use tagmill_rules::WindowState;
use tagmill_schemas::manifest::{ListKind, Manifest, MissingEvents};

use super::known_events::KnownEvents;

/// The days of events as tonight finds them.
pub struct EventDays<'a> {
    date: NaiveDate,
    /// Days that are kept.
    kept: u32,
    /// The first day with events; `None` before there are any.
    first: Option<NaiveDate>,
    /// Days that had a night.
    nights: BTreeSet<NaiveDate>,
    /// What earlier nights did without.
    missing: &'a [MissingEvents],
    /// Sources and days that a person accepted.
    accepted: BTreeSet<(&'a str, NaiveDate)>,
    /// Sources that tonight does without; `None` where the date keeps the events of an earlier run.
    absent: Option<Vec<&'a str>>,
}

impl<'a> EventDays<'a> {
    /// The days of a release and of tonight; a date whose events are kept from an earlier run has
    /// those. `kept` is how many days stay.
    pub fn of(
        newest: Option<&'a Manifest>,
        sources: &'a [SourceSpec],
        date: NaiveDate,
        kept: u32,
    ) -> Self {
        let lists = || newest.iter().flat_map(|m| &m.lists);
        let behaviour = lists().filter(|list| list.kind == ListKind::Behaviour);
        let past = newest.iter().flat_map(|m| &m.history.recent);
        let nights = lists()
            .map(|list| list.date)
            .chain(past.map(|past| past.date));
        let decisions = newest.iter().flat_map(|m| &m.decisions.accepted_missing);
        Self {
            date,
            kept,
            first: behaviour.map(|list| list.date).min(),
            nights: nights.chain(newest.map(|newest| newest.date)).collect(),
            missing: newest.map_or(&[], |newest| &newest.behaviour.missing),
            accepted: decisions
                .map(|day| (day.source.as_str(), day.date))
                .collect(),
            absent: (!keeps_events(sources, date, newest)).then(|| absent(sources).collect()),
        }
    }

    /// The first day that is in a number which begins on `from`.
    pub fn since(&self, from: Option<NaiveDate>) -> NaiveDate {
        let first = self.first.map_or(self.date, |first| first.min(self.date));
        from.map_or(first, |from| from.max(first))
    }

    /// Why a number of an app can not be given tonight: the first day that it needs and that is
    /// missing.
    pub fn missing(
        &self,
        app: &str,
        state: &WindowState,
        events: &KnownEvents<'_>,
    ) -> Option<String> {
        let (from, to) = match state.window {
            None => (self.since(None), self.date),
            Some(window) if window.back + window.days > self.kept => {
                let kept = self.kept;
                return Some(format!(
                    "{state} reaches {} days back, retention.behaviour_days is {kept}",
                    window.back + window.days
                ));
            }
            Some(window) => window.days_of(self.date)?,
        };
        let sources = events.sources_of(app, &state.event);
        let days = from
            .max(self.since(None))
            .iter_days()
            .take_while(|day| *day <= to);
        let mut lacking = days.filter_map(|day| Some((day, self.lacking(app, day, &sources)?)));
        let (day, source) = lacking.next()?;
        Some(format!("{state} needs {day}, which misses source {source}"))
    }

    /// Whether the events of a source and of an earlier day are missing, of all apps or of one.
    pub fn is_missing(&self, source: &str, day: NaiveDate) -> bool {
        let is_told = |of: &MissingEvents| of.date == day && of.source == source;
        let is_absent = !self.nights.contains(&day) || self.missing.iter().any(is_told);
        let is_first = self.first.is_none_or(|first| day < first);
        is_absent && !is_first && !self.accepted.contains(&(source, day))
    }

    /// The days from `from` to tonight on which one of these sources misses events of an app; `None`
    /// stands for an app of which nothing is told.
    pub fn days_without(
        &self,
        app: Option<&str>,
        from: NaiveDate,
        sources: &[&str],
    ) -> Vec<NaiveDate> {
        let first = from.max(self.since(None));
        let days = first.iter_days().take_while(|day| *day <= self.date);
        let app = app.unwrap_or_default();
        days.filter(|day| self.lacking(app, *day, sources).is_some())
            .collect()
    }

    /// The apps of which it is told that a source was there without them.
    pub fn apps_without(&self) -> BTreeSet<&'a str> {
        let apps = self.missing.iter().filter_map(|of| of.app.as_deref());
        apps.collect()
    }

    /// The first of these sources whose events of a day are missing.
    fn lacking<'s>(&self, app: &str, day: NaiveDate, sources: &[&'s str]) -> Option<&'s str> {
        let is_missing = |source: &&&str| {
            let of_app = |of: &MissingEvents| of.app.as_ref().is_none_or(|of| of == app);
            let is_told =
                |of: &MissingEvents| of.date == day && of.source == **source && of_app(of);
            let tonight = self.absent.as_ref().filter(|_| day == self.date);
            let is_absent = match tonight {
                Some(absent) => absent.contains(*source),
                None => !self.nights.contains(&day) || self.missing.iter().any(is_told),
            };
            is_absent && !self.accepted.contains(&(**source, day))
        };
        sources.iter().find(is_missing).copied()
    }
}

/// Whether a date keeps the events that an earlier run of it read.
pub fn keeps_events(sources: &[SourceSpec], date: NaiveDate, newest: Option<&Manifest>) -> bool {
    let is_decided = |source: &SourceSpec| source.has_input || source.is_empty;
    let mut of_events = sources.iter().filter(|source| has_events(source));
    !of_events.any(is_decided) && day_list(newest, date).is_some()
}

/// The list of a date's behaviour in a release.
pub fn day_list(
    release: Option<&Manifest>,
    date: NaiveDate,
) -> Option<&tagmill_schemas::manifest::DayList> {
    let mut lists = release?.lists.iter();
    lists.find(|list| list.kind == ListKind::Behaviour && list.date == date)
}

/// What the release of a run says of missing days: a run of a date brings its sources, or does
/// without them.
pub fn missing_after(
    spec: &NightSpec,
    newest: Option<&Manifest>,
    first_kept: Option<NaiveDate>,
) -> Vec<MissingEvents> {
    let keeps = keeps_events(&spec.sources, spec.date, newest);
    let before = newest.iter().flat_map(|newest| &newest.behaviour.missing);
    let stays = |of: &&MissingEvents| {
        (keeps || of.date != spec.date) && first_kept.is_none_or(|first| of.date >= first)
    };
    let mut missing: Vec<MissingEvents> = before.filter(stays).cloned().collect();
    if keeps {
        return missing;
    }
    let of_tonight = |source: &str, app: Option<&String>| MissingEvents {
        date: spec.date,
        source: source.to_owned(),
        app: app.cloned(),
    };
    missing.extend(absent(&spec.sources).map(|source| of_tonight(source, None)));
    let read = spec
        .sources
        .iter()
        .filter(|source| has_events(source) && source.has_input);
    for source in read {
        let aside = spec.set_aside.iter();
        missing.extend(aside.map(|app| of_tonight(&source.name, Some(app))));
    }
    missing
}

/// The first day of which a release with this head keeps events; `None` beyond the calendar.
pub fn first_kept(head: NaiveDate, kept: u32) -> Option<NaiveDate> {
    head.checked_sub_days(Days::new(u64::from(kept.saturating_sub(1))))
}

/// The sources of events that tonight does without.
fn absent(sources: &[SourceSpec]) -> impl Iterator<Item = &str> {
    let without =
        |source: &&SourceSpec| has_events(source) && !source.has_input && !source.is_empty;
    sources
        .iter()
        .filter(without)
        .map(|source| source.name.as_str())
}

fn has_events(source: &SourceSpec) -> bool {
    matches!(source.rows, RowsSpec::Events { .. })
}
