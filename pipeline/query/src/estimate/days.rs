//! The days of behaviour that a release has, and those that it should have and has not.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;
use tagmill_rules::WindowState;
use tagmill_schemas::Manifest;
use tagmill_schemas::manifest::ListKind;

/// The days of a release.
pub(super) struct Days<'a> {
    manifest: &'a Manifest,
    /// Days with events.
    kept: BTreeSet<NaiveDate>,
}

/// Which days of behaviour a rule was answered from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DaysRead {
    /// The first day that the rule asks for.
    pub from: NaiveDate,
    /// The last.
    pub to: NaiveDate,
    /// How many of them the release has.
    pub days: usize,
    /// The first day that the release has; days before it count as empty.
    pub since: NaiveDate,
    /// Days that should be there and are not, and why: they count as empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl<'a> Days<'a> {
    /// Those of a release.
    pub(super) fn of(manifest: &'a Manifest) -> Self {
        let lists = manifest.lists.iter();
        let kept = lists.filter(|list| list.kind == ListKind::Behaviour);
        Self {
            manifest,
            kept: kept.map(|list| list.date).collect(),
        }
    }

    /// The date that windows move with.
    pub(super) fn head_date(&self) -> NaiveDate {
        self.manifest.head_date
    }

    /// The newest days with events, at most so many, ascending.
    pub(super) fn newest(&self, most: usize) -> Option<(NaiveDate, NaiveDate)> {
        let first = self.kept.iter().rev().take(most).next_back();
        first.copied().zip(self.kept.last().copied())
    }

    /// The first day that is in a number of an app; of one that a night computes already, that of
    /// the night.
    pub(super) fn since(&self, app: &str, state: &WindowState) -> NaiveDate {
        let text = state.to_string();
        let mut windows = self.manifest.behaviour.windows.iter();
        let known = windows.find(|of| of.state == text && of.apps.iter().any(|of| of == app));
        known.map_or(self.first(), |known| known.since)
    }

    fn first(&self) -> NaiveDate {
        self.kept.first().copied().unwrap_or(self.head_date())
    }

    /// What is read for days from one to another, for an app.
    pub(super) fn read(&self, app: &str, (from, to): (NaiveDate, NaiveDate)) -> DaysRead {
        let since = self.first();
        let days = from.max(since).iter_days().take_while(|day| *day <= to);
        DaysRead {
            from,
            to,
            days: self.kept.range(from..=to.max(from)).count(),
            since,
            missing: days.filter_map(|day| self.missing(app, day)).collect(),
        }
    }

    /// Why a day is missing.
    fn missing(&self, app: &str, day: NaiveDate) -> Option<String> {
        let manifest = self.manifest;
        let accepted = &manifest.decisions.accepted_missing;
        let is_accepted = |source: Option<&str>| {
            let of_source = |of: &str| source.is_none_or(|source| source == of);
            accepted
                .iter()
                .any(|of| of.date == day && of_source(&of.source))
        };
        let sources = manifest.behaviour.missing.iter();
        let sources = sources.filter(|of| of.date == day && !is_accepted(Some(&of.source)));
        let of_app = sources.filter(|of| of.app.as_ref().is_none_or(|of| of == app));
        let sources: BTreeSet<&str> = of_app.map(|of| of.source.as_str()).collect();
        if !sources.is_empty() {
            let sources = Vec::from_iter(sources).join(", ");
            return Some(format!("{day} misses {sources}"));
        }
        let had_night = manifest.lists.iter().any(|list| list.date == day)
            || manifest.history.recent.iter().any(|past| past.date == day)
            || manifest.date == day;
        (!had_night && !is_accepted(None)).then(|| format!("{day} had no night"))
    }
}

impl DaysRead {
    /// As a person reads it.
    pub(super) fn lines(&self) -> Vec<String> {
        let Self {
            from,
            to,
            days,
            since,
            ..
        } = self;
        let mut lines = vec![format!("events of {from} to {to}: {days} days")];
        if from < since {
            lines.push(format!(
                "the first day with events is {since}: days before count as empty"
            ));
        }
        let missing = self.missing.iter();
        lines.extend(missing.map(|why| format!("incomplete: {why}, its events count as none")));
        lines
    }
}
