//! What is asked of an event: of which days, under which condition over its dimensions, of whom; and
//! what a release has of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, UInt32Type};
use chrono::{Duration, NaiveDate};
use datafusion::error::Result;
use datafusion::logical_expr::ident;
use tagmill_schemas::{Artifact, Error, Manifest, ReleaseName, Result as OurResult};

use super::super::STAGE;
use super::super::arguments::Arguments;
use super::super::event::Event;
use super::super::released::{Released, Releases};
use super::condition::Condition;
use super::shard_rows::EVENTS;
use crate::catalog::failed;
use crate::estimate::{Asked, ask};

/// Which night's tags and groups a user of a day has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagsOf {
    /// Those of the release that is asked.
    Head,
    /// Those of the night of each day.
    Day,
}

/// An event of an app on some days, and who of its users counts.
#[derive(Debug)]
pub(super) struct Question {
    /// With the condition over its dimensions.
    pub(super) event: Event,
    /// The measure that is added up.
    pub(super) measure: Option<String>,
    /// A rule over tags and groups.
    pub(super) audience: Option<String>,
    /// Whose tags and groups.
    pub(super) tags: TagsOf,
}

impl Question {
    /// # Errors
    /// For an argument of another kind.
    pub(super) fn of(arguments: &Arguments<'_>) -> Result<Self> {
        let optional = |name| arguments.optional_text(arguments.place(name));
        Ok(Self {
            event: Event {
                app: arguments.text(arguments.place("app"))?,
                event: arguments.text(arguments.place("event"))?,
                days: arguments.days(arguments.place("days"))?,
                condition: optional("condition")?,
            },
            measure: optional("measure")?.filter(|name| name != EVENTS),
            audience: optional("audience")?,
            tags: arguments.word(
                arguments.place("tags"),
                &[("head", TagsOf::Head), ("day", TagsOf::Day)],
            )?,
        })
    }

    /// As `EXPLAIN` shows it.
    pub(super) fn shape(&self) -> String {
        let Event {
            app, event, days, ..
        } = &self.event;
        let mut shape = format!("app={app}, event={event}, days={}..{}", days.0, days.1);
        let more = [
            ("condition", &self.event.condition),
            ("measure", &self.measure),
            ("audience", &self.audience),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                shape.push_str(&format!(", {name}={value}"));
            }
        }
        shape
    }
}

/// What a release has of an event on some days.
pub(super) struct Scope {
    pub(super) question: Arc<Question>,
    pub(super) release: Arc<Released>,
    /// Of each day with rows of the event, the release whose tags count.
    pub(super) nights: BTreeMap<i32, Arc<Released>>,
    /// The shards that have users of the event.
    pub(super) shards: BTreeSet<u32>,
    /// The event's dimensions.
    pub(super) dimensions: BTreeSet<String>,
    pub(super) condition: Option<Condition>,
    /// Of each night, or of the one that all days share, who counts.
    audiences: BTreeMap<Option<i32>, Asked>,
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

/// Of an audience, users by day (none where all days have the same) and shard: a bit an ordinal.
pub(super) type Audience = BTreeMap<(Option<i32>, u32), Vec<u64>>;

impl Scope {
    /// # Errors
    /// Setup for a name that is not there or a condition or rule that is not understood; those of
    /// reading.
    pub(super) async fn of(
        question: &Arc<Question>,
        release: &Arc<Released>,
        releases: &Arc<Releases>,
    ) -> OurResult<Self> {
        let event = &question.event;
        let (dates, shards, dimensions) = present(event, release).await?;
        if dates.is_empty() {
            event.check(release).await?;
        }
        if let Some(measure) = &question.measure {
            check_measure(event, measure, release).await?;
        }
        let condition = event.condition.as_deref();
        let condition = condition.map(|text| Condition::of(text, &dimensions, event));
        let mut nights = BTreeMap::new();
        for date in dates {
            let night = match question.tags {
                TagsOf::Head => Arc::clone(release),
                TagsOf::Day => releases.get(Some(ReleaseName::At(date_of(date)))).await?,
            };
            nights.insert(date, night);
        }
        let mut scope = Self {
            question: Arc::clone(question),
            release: Arc::clone(release),
            nights,
            shards,
            dimensions,
            condition: condition.transpose()?,
            audiences: BTreeMap::new(),
        };
        scope.audiences = scope.ask_audiences().await?;
        Ok(scope)
    }

    async fn ask_audiences(&self) -> OurResult<BTreeMap<Option<i32>, Asked>> {
        let mut audiences = BTreeMap::new();
        let Some(rule) = &self.question.audience else {
            return Ok(audiences);
        };
        let nights = match self.question.tags {
            TagsOf::Head => vec![(None, &self.release)],
            TagsOf::Day => self.nights.iter().map(|(d, r)| (Some(*d), r)).collect(),
        };
        for (date, night) in nights {
            let asked = ask(
                &night.ctx,
                &night.manifest,
                &night.rules.tags,
                night.rules.lists.as_deref(),
                &self.question.event.app,
                rule,
            );
            audiences.insert(date, asked.await?);
        }
        for hint in audiences
            .values()
            .next()
            .iter()
            .flat_map(|asked| &asked.hints)
        {
            log::warn!("audience: look at {hint}");
        }
        for note in audiences.values().flat_map(Asked::notes) {
            log::warn!("audience: {note}");
        }
        Ok(audiences)
    }

    /// Who counts; `None` when all do.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) async fn audience(&self) -> OurResult<Option<Audience>> {
        if self.question.audience.is_none() {
            return Ok(None);
        }
        let mut users = Audience::new();
        for (date, asked) in &self.audiences {
            let selected = asked.select().await?.into_iter();
            users.extend(selected.map(|(shard, words)| ((*date, shard), words)));
        }
        Ok(Some(users))
    }

    /// What is read, as `EXPLAIN` shows it.
    pub(super) fn reads(&self) -> String {
        let (days, shards) = (self.nights.len(), self.shards.len());
        format!(
            "days_with_rows={days}, shards={shards}, rows: {}",
            self.question.event.rows()
        )
    }

    /// Says that what is beyond a limit could change an answer.
    pub(super) fn tell_bounds(&self) {
        log::warn!(
            "event {:?} of app {:?} has more dimension values or combinations than are kept: rows \
             with exact = false are bounds",
            self.question.event.event,
            self.question.event.app
        );
    }

    /// The key of a day's audience.
    pub(super) fn night_of(&self, date: i32) -> Option<i32> {
        (self.question.tags == TagsOf::Day).then_some(date)
    }
}

/// The days, shards and dimensions of an event's rows.
async fn present(
    event: &Event,
    release: &Released,
) -> OurResult<(BTreeSet<i32>, BTreeSet<u32>, BTreeSet<String>)> {
    let rows = async {
        let rows = release.ctx.table("behaviour").await?;
        let columns = ["date", "shard", "dimension"].map(ident);
        let rows = rows.filter(event.rows())?.select(columns)?;
        rows.distinct()?.collect().await
    };
    let (mut dates, mut shards) = (BTreeSet::new(), BTreeSet::new());
    let mut dimensions = BTreeSet::new();
    for batch in rows.await.map_err(failed)? {
        dates.extend(batch.column(0).as_primitive::<Date32Type>().values());
        shards.extend(batch.column(1).as_primitive::<UInt32Type>().values());
        let names = batch.column(2).as_string_view().iter().flatten();
        dimensions.extend(names.map(str::to_owned));
    }
    Ok((dates, shards, dimensions))
}

async fn check_measure(event: &Event, measure: &str, release: &Released) -> OurResult<()> {
    let known = release.texts("behaviour_measures", event.rows(), "measure");
    let known = known.await.map_err(failed)?;
    if known.iter().any(|name| name == measure) {
        return Ok(());
    }
    let of = format!("event {:?} of app {:?}", event.event, event.app);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Err(release.unknown("measure", measure, &of, &known))
}

/// Says which of the days have no behaviour of any app in the release.
pub(super) fn tell_missing_days((from, to): (NaiveDate, NaiveDate), manifest: &Manifest) {
    let there = days_with_behaviour(manifest);
    let days = std::iter::successors(Some(from), |day| Some(*day + Duration::days(1)));
    let missing: Vec<String> = days
        .take_while(|day| *day <= to)
        .filter(|day| !there.contains(day))
        .map(|day| day.to_string())
        .collect();
    let shown = missing.iter().take(MOST_DAYS);
    let shown: Vec<&str> = shown.map(String::as_str).collect();
    match missing.len() {
        0 => {}
        all => log::warn!(
            "release {} has no behaviour of {} of the days ({}{}): they count as empty",
            manifest.release,
            all,
            shown.join(", "),
            if all > MOST_DAYS { ", ..." } else { "" }
        ),
    }
}

/// The days whose behaviour is in a release.
pub(super) fn days_with_behaviour(manifest: &Manifest) -> BTreeSet<NaiveDate> {
    let lists = manifest.lists_of(Artifact::Behaviour).map(|list| list.date);
    let files = manifest.direct_files(Artifact::Behaviour);
    lists.chain(files.map(|file| file.date)).collect()
}

/// Days that a note names.
const MOST_DAYS: usize = 5;

/// The date of a number of days since 1970.
pub(super) fn date_of(days: i32) -> NaiveDate {
    NaiveDate::default() + Duration::days(days.into())
}

/// Days since 1970.
pub(super) fn days_of(date: NaiveDate) -> i32 {
    i32::try_from((date - NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

/// Why an answer can not be worked out.
pub(super) fn refused(what: impl Into<String>) -> Error {
    Error::refused(STAGE, what.into())
}
