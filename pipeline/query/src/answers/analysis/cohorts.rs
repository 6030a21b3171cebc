//! Users of one shard by period: who did an event in it, or whom a run of it saw first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, UInt32Type};
use chrono::NaiveDate;
use datafusion::logical_expr::{ident, lit};
use tagmill_schemas::{IdScope, Result};
use tagmill_warehouse::release::{list_releases, load_summaries};

use super::super::released::{Released, Releases};
use super::kept::Kept;
use super::numbers_of_users::{or_words, universe};
use super::period::Period;
use super::question::{Scope, date_of};
use super::selection::selected;
use super::shard_rows::{Cell, Needed, read};
use crate::catalog::failed;

/// Users by the first day of a period: a bit an ordinal.
pub(super) type ByPeriod = BTreeMap<NaiveDate, Vec<u64>>;

/// Who did an event, by period.
#[derive(Debug, Default)]
pub(super) struct Doers {
    pub(super) users: ByPeriod,
    pub(super) kept: Kept,
    /// Whether tuples that share a number could decide the condition otherwise.
    pub(super) is_bound: bool,
}

/// # Errors
/// Refused for damaged bitmaps; retry when the store fails.
pub(super) async fn doers(
    scope: &Scope,
    needed: &Needed,
    period: Period,
    shard: u32,
) -> Result<Doers> {
    let mut doers = Doers::default();
    if scope.condition.is_none() {
        doers.users = all_doers(scope, period, shard).await?;
        return Ok(doers);
    }
    let parts = read(scope, needed, shard).await?;
    for (part, rows) in &parts {
        let users = selected(scope, needed, None, (*part, shard), rows)?;
        let start = period.start(date_of(part.date));
        or_words(doers.users.entry(start).or_default(), &users);
        doers.is_bound |= rows.is_shared;
    }
    doers.kept = Kept::of(&parts);
    Ok(doers)
}

async fn all_doers(scope: &Scope, period: Period, shard: u32) -> Result<ByPeriod> {
    let rows = scope
        .question
        .event
        .rows()
        .and(ident("shard").eq(lit(shard)));
    let rows = rows.and(ident("dimension").is_null());
    let batches = scope
        .release
        .rows("behaviour", rows, &["date", "bitmap"])
        .await;
    let mut users = ByPeriod::new();
    for batch in batches.map_err(failed)? {
        let dates = batch.column(0).as_primitive::<Date32Type>().values();
        for (date, cell) in dates.iter().zip(Cell::column(&batch, 1, shard)?) {
            let start = period.start(date_of(*date));
            cell.or_onto(users.entry(start).or_default())?;
        }
    }
    Ok(users)
}

/// The runs of some days by name, with the first day of the period of each.
pub(super) type Runs = BTreeMap<String, NaiveDate>;

/// The runs that made releases for some days. Users of runs that no release is left of are told: no
/// one knows their day.
///
/// # Errors
/// Those of reading.
pub(super) async fn runs(
    (from, to): (NaiveDate, NaiveDate),
    period: Period,
    release: &Released,
    releases: &Releases,
) -> Result<Runs> {
    let there = list_releases(releases.store()).await?;
    let shown = release.manifest.release;
    let numbers = there.numbers().iter().copied();
    let numbers: Vec<u64> = numbers.take_while(|number| *number <= shown).collect();
    let summaries = load_summaries(releases.store(), &numbers).await?;
    let known: BTreeSet<&str> = summaries.iter().map(|s| s.run.as_str()).collect();
    let found = release.texts("users", lit(true), "first_run").await;
    let found = found.map_err(failed)?;
    let lost = found.iter().filter(|run| !known.contains(run.as_str()));
    match lost.count() {
        0 => {}
        lost => log::warn!(
            "of {lost} runs no release is left: the users that they saw first are in no cohort"
        ),
    }
    let of_days = summaries.iter().filter(|s| (from..=to).contains(&s.date));
    Ok(of_days
        .map(|summary| (summary.run.clone(), period.start(summary.date)))
        .collect())
}

/// Whom a run of a period saw first, of the users of the app.
///
/// # Errors
/// Refused for damaged bitmaps; retry when the store fails.
pub(super) async fn newcomers(scope: &Scope, runs: &Arc<Runs>, shard: u32) -> Result<ByPeriod> {
    let names = runs.keys().map(|run| lit(run.as_str())).collect();
    let mut rows = ident("shard")
        .eq(lit(shard))
        .and(ident("first_run").in_list(names, false));
    if scope.release.manifest.id_scope == IdScope::App {
        rows = rows.and(ident("app").eq(lit(scope.question.event.app.as_str())));
    }
    let batches = scope
        .release
        .rows("users", rows, &["ordinal", "first_run"])
        .await;
    let app = universe(scope, shard).await?;
    let mut users = ByPeriod::new();
    for batch in batches.map_err(failed)? {
        let ordinals = batch.column(0).as_primitive::<UInt32Type>().values();
        let names = batch.column(1).as_string_view().iter().flatten();
        for (ordinal, run) in ordinals.iter().zip(names) {
            let Some(start) = runs.get(run) else { continue };
            let words = users.entry(*start).or_insert_with(|| vec![0; app.len()]);
            if let Some(word) = words.get_mut(*ordinal as usize / 64) {
                *word |= 1 << (ordinal % 64);
            }
        }
    }
    for words in users.values_mut() {
        for (word, of_app) in words.iter_mut().zip(&app) {
            *word &= of_app;
        }
    }
    Ok(users)
}
