//! How many users a rule would select in a release, reading only the bitmaps that the rule needs.
//!
//! Reads, through the tables of a session (see [`crate::catalog::register`]): group names and universe
//! sizes, then per shard the bitmaps of the rule's atoms; the universe's own only when a user
//! without any of them could be in the group. Writes nothing.
//!
//! ```text
//! rule ──► Program ──► atoms ──► needs: tag rows by value | BSI slices | a group | user ids
//!                                 per shard: bitmaps ──► Program::evaluate, as a night does ──► count    sum = estimate
//! ```

mod filter;
mod ids;
mod lists;
mod names;
mod need;
mod numbers;
mod question;
mod reader;
mod unknown_values;
mod users;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use tagmill_schemas::config::{Tag, for_date};
use tagmill_schemas::{Error, Manifest, Result};

use lists::Lists;
use question::Question;
use reader::Reader;
use tagmill_rules::{Expr, Lint, Program, analyse, withheld_tag};
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
    let names = AppNames::load(ctx, manifest, tags, app).await?;
    let compiled = analyse(rule, &names, manifest.head_date).map_err(|e| {
        Error::setup(
            STAGE,
            format!("invalid rule at {}:{}: {}", e.line, e.column, e.message),
        )
        .fix("correct the rule")
    })?;
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
    let question = Question::new(reader, Program::of(&expr), &names, &lists).await?;
    let sizes = question.universe_sizes().await?;
    Ok(Asked {
        expr,
        question: Arc::new(question),
        sizes,
        hints,
    })
}

impl Asked {
    /// Users selected per shard; shards without a user of the app are left out.
    ///
    /// # Errors
    /// Refused for damaged bitmaps; retry when the store fails.
    pub(crate) async fn count(&self) -> Result<Vec<ShardUsers>> {
        let count = async |question: Arc<Question>, shard| {
            let users = question.count(shard).await?;
            Ok(ShardUsers { shard, users })
        };
        self.of_shards(count).await
    }

    /// The users selected, by shard: bit `i` of a shard's words is the user of ordinal `i`.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub(crate) async fn select(&self) -> Result<Vec<(u32, Vec<u64>)>> {
        let select = async |question: Arc<Question>, shard| {
            let words = question.select(shard).await?;
            Ok((shard, words))
        };
        self.of_shards(select).await
    }

    /// What is asked of each shard, as many of them at once as there are threads.
    async fn of_shards<T, F: Future<Output = Result<T>>>(
        &self,
        ask: impl Fn(Arc<Question>, u32) -> F,
    ) -> Result<Vec<T>> {
        let at_once = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let shards = self.sizes.keys().copied();
        let asked = shards.map(|shard| ask(Arc::clone(&self.question), shard));
        let asked: Vec<F> = asked.collect();
        futures::stream::iter(asked)
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
    let shards = asked.count().await?;
    let (bitmaps, bitmap_bytes) = asked.question.read();
    let hints = asked.hints;
    let nobody_has = match shards.iter().all(|shard| shard.users == 0) {
        true => unknown_values(ctx, app, &asked.expr).await?,
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
    })
}
