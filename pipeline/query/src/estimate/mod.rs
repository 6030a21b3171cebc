//! How many users a rule would select in a release, reading only the bitmaps that the rule needs.
//!
//! Reads, through the tables of a session (see [`crate::catalog::register`]): group names and universe
//! sizes, then per shard the bitmaps of the rule's atoms; the universe's own only when a user
//! without any of them could be in the group. Writes nothing.
//!
//! ```text
//! rule ──► Program ──► atoms ──► needs: tag rows by value | BSI slices | a group | user ids | days of behaviour
//!                                 per shard: bitmaps ──► Program::evaluate, as a night does ──► count    sum = estimate
//! ```

mod behaviour;
mod days;
mod filter;
mod ids;
mod known_events;
mod lists;
mod names;
mod need;
mod numbers;
mod question;
mod reader;
mod rows_of_event;
mod unknown_values;
mod users;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::common::runtime::SpawnedTask;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use tagmill_schemas::config::{Tag, for_date};
use tagmill_schemas::{Error, Manifest, Result};

pub use days::DaysRead;

use days::Days;
use known_events::{KnownEvents, known_events};
use lists::Lists;
use question::{Counted, Question};
use reader::Reader;
use tagmill_rules::{Compiled, Expr, Lint, Program, analyse, withheld_tag};
use unknown_values::unknown_values;

pub(crate) use names::AppNames;
pub(crate) use question::{accepts_outsiders, select};
pub(crate) use users::Users;

const STAGE: &str = "estimate";

/// A rule's size in one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The app.
    pub app: String,
    /// The rule as it was given.
    pub rule: String,
    /// The release that was asked.
    pub release: u64,
    /// The night the release is of, and the rule's run date.
    pub date: NaiveDate,
    /// Users the rule selects.
    pub users: u64,
    /// Users of the app.
    pub universe: u64,
    /// Users selected per shard; shards without a user of the app are left out.
    pub shards: Vec<ShardUsers>,
    /// Bitmaps that were read.
    pub bitmaps: u64,
    /// Their bytes.
    pub bitmap_bytes: u64,
    /// What the rule's author should look at.
    pub hints: Vec<String>,
    /// Of a rule that selects nobody: the texts that it asks for and no user has.
    pub nobody_has: Vec<String>,
    /// Of a rule that asks for behaviour: the days that it was answered from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<DaysRead>,
    /// Whether `users` is exact: limits kept nothing out that the rule asks for.
    pub exact: bool,
    /// Users at least and at most, where `users` is not exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<(u64, u64)>,
}

/// Users selected in one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShardUsers {
    /// The shard.
    pub shard: u32,
    /// Users selected.
    pub users: u64,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = if self.universe == 0 {
            0.0
        } else {
            self.users as f64 * 100.0 / self.universe as f64
        };
        writeln!(
            f,
            "{} of {} users of {} ({percent:.2} %)",
            self.users, self.universe, self.app
        )?;
        write!(
            f,
            "release {} of {}; {} bitmaps, {} bytes read",
            self.release, self.date, self.bitmaps, self.bitmap_bytes
        )?;
        let days = self.behaviour.iter().flat_map(DaysRead::lines);
        days.into_iter()
            .try_for_each(|line| write!(f, "\n{line}"))?;
        if let Some((least, most)) = self.bounds {
            write!(
                f,
                "\nnot exact: {least} to {most} users, as limits kept values or combinations out"
            )?;
        }
        let mut hints = self.hints.iter();
        hints.try_for_each(|hint| write!(f, "\nlook at {hint}"))?;
        let mut nobody = self.nobody_has.iter();
        nobody.try_for_each(|line| write!(f, "\n{line}"))?;
        match self.nobody_has.is_empty() {
            true => Ok(()),
            false => write!(
                f,
                "\nvalues are case-sensitive: tagmill tags lists usual ones"
            ),
        }
    }
}

/// `1:5: what to look at`.
fn hint_lines(lints: &[Lint]) -> Vec<String> {
    let line = |lint: &Lint| format!("{}:{}: {}", lint.line, lint.column, lint.message);
    lints.iter().map(line).collect()
}

/// A rule that was understood, with what its atoms need.
pub(crate) struct Asked {
    expr: Expr,
    question: Arc<Question>,
    /// Users of the app, by shard.
    sizes: BTreeMap<u32, u64>,
    /// What the rule's author should look at.
    pub(crate) hints: Vec<String>,
    /// The days of behaviour that it asks for.
    behaviour: Option<DaysRead>,
}

/// Prepares a rule of `app` for the release whose tables are registered in `ctx`.
///
/// # Errors
/// As [`estimate`].
pub(crate) async fn ask(
    ctx: &SessionContext,
    manifest: &Manifest,
    tags: &[Tag],
    lists: Option<&str>,
    app: &str,
    rule: &str,
) -> Result<Asked> {
    let days = Days::of(manifest);
    let mut names = AppNames::load(ctx, manifest, tags, app).await?;
    let compiled = understand(ctx, (app, rule), &mut names, &days).await?;
    let (expr, hints) = (compiled.expr, hint_lines(&compiled.lints));
    if let Some((tag, _)) = withheld_tag(&expr, &names) {
        let what = format!(
            "the values of tag {tag:?} are not in release {}: it was beyond a limit \
             (limits.values_per_tag or limits.tags)",
            manifest.release
        );
        return Err(Error::setup(STAGE, what)
            .fix("raise the limit for this app: they are published from the next night on"));
    }
    let lists = lists.map(|template| for_date(template, manifest.head_date));
    let lists = Lists {
        template: lists.as_deref(),
        app,
    };
    let reader = Reader::new(ctx, app, manifest.id_scope);
    let question = Question::new(reader, Program::of(&expr), &names, &lists, &days).await?;
    let sizes = question.universe_sizes().await?;
    Ok(Asked {
        behaviour: question.days().map(|asked| days.read(app, asked)),
        expr,
        question: Arc::new(question),
        sizes,
        hints,
    })
}

/// Days whose events are looked through for names before all are.
const NEWEST: usize = 3;

/// Compiles a rule of an app; the names of events are looked up for one that may ask for them.
async fn understand(
    ctx: &SessionContext,
    (app, rule): (&str, &str),
    names: &mut AppNames,
    days: &Days<'_>,
) -> Result<Compiled> {
    let compile = |names: &AppNames| analyse(rule, names, days.head_date());
    let mut compiled = compile(names);
    let asks_for_events = rule.to_ascii_lowercase().contains("event_");
    for most in [NEWEST, usize::MAX] {
        if compiled.is_err() && asks_for_events {
            let found = match days.newest(most) {
                Some(newest) => known_events(ctx, app, newest).await?,
                None => KnownEvents::new(),
            };
            names.events = Some(found);
            compiled = compile(names);
        }
    }
    compiled.map_err(|e| {
        let what = format!("invalid rule at {}:{}: {}", e.line, e.column, e.message);
        Error::setup(STAGE, what).fix("correct the rule")
    })
}

impl Asked {
    /// Users selected per shard; shards without a user of the app are left out. Tells where the
    /// number is not exact.
    ///
    /// # Errors
    /// Refused for damaged bitmaps; retry when the store fails.
    pub(crate) async fn count(&self) -> Result<Vec<ShardUsers>> {
        let counted = self.counted().await?;
        let uncertain = counted.iter().map(|(_, of)| of.bounds.1 - of.bounds.0);
        tell_uncertain(uncertain.sum());
        let users = |(shard, of): (u32, Counted)| ShardUsers {
            shard,
            users: of.users,
        };
        Ok(counted.into_iter().map(users).collect())
    }

    async fn counted(&self) -> Result<Vec<(u32, Counted)>> {
        let count = |question: Arc<Question>, shard| async move {
            let answer = question.answer(shard).await?;
            Ok((shard, answer.counted()))
        };
        self.of_shards(count).await
    }

    /// What must be known of the days of behaviour that were read.
    pub(crate) fn notes(&self) -> Vec<String> {
        let lines = self.behaviour.iter().map(DaysRead::lines);
        lines.flat_map(|lines| lines.into_iter().skip(1)).collect()
    }

    /// The users selected, by shard: bit `i` of a shard's words is the user of ordinal `i`.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub(crate) async fn select(&self) -> Result<Vec<(u32, Vec<u64>)>> {
        let select = |question: Arc<Question>, shard| async move {
            let answer = question.answer(shard).await?;
            let (least, most) = answer.counted().bounds;
            Ok((shard, answer.words, most - least))
        };
        let selected = self.of_shards(select).await?;
        tell_uncertain(selected.iter().map(|(_, _, uncertain)| uncertain).sum());
        let words = selected.into_iter();
        Ok(words.map(|(shard, words, _)| (shard, words)).collect())
    }

    /// What is asked of each shard, as many of them at once as there are threads.
    async fn of_shards<T, F>(&self, ask: impl Fn(Arc<Question>, u32) -> F) -> Result<Vec<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let at_once = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let shards = self.sizes.keys().copied();
        let asked = shards.map(|shard| ask(Arc::clone(&self.question), shard));
        let asked: Vec<F> = asked.collect();
        let spawned = asked.into_iter().map(async |asked| {
            let done = SpawnedTask::spawn(asked).join().await;
            done.map_err(|error| Error::refused(STAGE, "a task ended early").because(error))?
        });
        futures::stream::iter(spawned)
            .buffered(at_once)
            .try_collect()
            .await
    }
}

/// Counts the users of `app` that `rule` selects in the release whose tables are registered in
/// `ctx`. `tags` are the configuration's, which an app has without a value of its own, too; `lists`
/// is its path of lists, of which `in_list` takes what is there now.
///
/// # Errors
/// Setup for an unknown app or list and for a rule that does not compile (with position and nearest
/// name); refused for damaged bitmaps; retry when the store fails.
pub async fn estimate(
    ctx: &SessionContext,
    manifest: &Manifest,
    tags: &[Tag],
    lists: Option<&str>,
    app: &str,
    rule: &str,
) -> Result<Estimate> {
    let asked = ask(ctx, manifest, tags, lists, app, rule).await?;
    let counted = asked.counted().await?;
    let bounds = counted.iter().map(|(_, of)| of.bounds);
    let bounds = bounds.fold((0, 0), |all, of| (all.0 + of.0, all.1 + of.1));
    let of_shard = |&(shard, ref of): &(u32, Counted)| ShardUsers {
        shard,
        users: of.users,
    };
    let shards: Vec<ShardUsers> = counted.iter().map(of_shard).collect();
    let (bitmaps, bitmap_bytes) = asked.question.read();
    let hints = asked.hints;
    let nobody_has = match shards.iter().all(|shard| shard.users == 0) {
        true => unknown_values(ctx, app, &asked.expr, manifest.head_date).await?,
        false => Vec::new(),
    };
    Ok(Estimate {
        app: app.to_owned(),
        rule: rule.to_owned(),
        release: manifest.release,
        date: manifest.head_date,
        users: shards.iter().map(|shard| shard.users).sum(),
        universe: asked.sizes.values().sum(),
        shards,
        bitmaps,
        bitmap_bytes,
        hints,
        nobody_has,
        behaviour: asked.behaviour,
        exact: bounds.0 == bounds.1,
        bounds: (bounds.0 < bounds.1).then_some(bounds),
    })
}

/// Tells of how many users it is not known whether a rule selects them.
fn tell_uncertain(users: u64) {
    if users > 0 {
        log::warn!(
            "the users of this rule are a bound: of {users} users limits kept values or \
             combinations out"
        );
    }
}
