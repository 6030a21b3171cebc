//! One number of every user over all days: how many events, or a sum; how many users have which.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::logical_expr::{ident, lit};
use hashbrown::HashMap;
use tagmill_schemas::Result;

use super::kept::Kept;
use super::per_shard::per_shard;
use super::question::{Audience, Scope, refused};
use super::selection::{add_numbers, ordinals, selected};
use super::shard_rows::{Cell, Needed, read};
use crate::catalog::failed;

/// What is asked of each shard.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) scope: Scope,
    pub(super) needed: Needed,
    /// Whether who counts and has no event has the number 0.
    pub(super) with_zeros: bool,
}

/// Users by their number, over all shards.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) users: BTreeMap<i128, u64>,
    /// Decimal digits of the numbers.
    pub(super) scale: u8,
    /// Whether they could be others, beyond limits.
    pub(super) is_bound: bool,
}

impl Numbers {
    /// How many users there are.
    pub(super) fn count(&self) -> u64 {
        self.users.values().sum()
    }
}

struct OfShard {
    users: HashMap<i128, u64>,
    scale: u8,
    kept: Kept,
    is_bound: bool,
}

/// # Errors
/// Refused for damaged bitmaps and numbers beyond 128 bits; retry when the store fails.
pub(super) async fn numbers(work: &Arc<Work>) -> Result<Numbers> {
    let audience = Arc::new(work.scope.audience().await?);
    let mut shards = work.scope.shards.clone();
    if work.with_zeros {
        shards.extend(0..work.scope.release.manifest.shards);
    }
    let found = per_shard(shards, |shard| {
        of_shard(Arc::clone(work), Arc::clone(&audience), shard)
    });
    let found = found.await?;
    let mut all = Numbers {
        scale: found.iter().map(|shard| shard.scale).max().unwrap_or(0),
        ..Numbers::default()
    };
    let mut kept = Kept::default();
    for shard in found {
        let unit = 10_i128.checked_pow((all.scale - shard.scale).into());
        for (number, users) in shard.users {
            let number = unit.and_then(|unit| number.checked_mul(unit));
            let number = number.ok_or_else(|| refused("a sum is beyond 128 bits"))?;
            *all.users.entry(number).or_default() += users;
        }
        kept.merge(shard.kept);
        all.is_bound |= shard.is_bound;
    }
    let condition = work.scope.condition.as_ref();
    all.is_bound |= condition.is_some_and(|c| kept.leaves_open(c, &work.needed));
    if all.is_bound {
        work.scope.tell_bounds();
    }
    Ok(all)
}

async fn of_shard(work: Arc<Work>, audience: Arc<Option<Audience>>, shard: u32) -> Result<OfShard> {
    let parts = read(&work.scope, &work.needed, shard).await?;
    let scale = parts.values().map(|rows| rows.scale).max().unwrap_or(0);
    let (mut numbers, mut counted) = (Vec::new(), Vec::new());
    let mut is_bound = false;
    for (part, rows) in &parts {
        let place = (*part, shard);
        let users = selected(&work.scope, &work.needed, (*audience).as_ref(), place, rows)?;
        is_bound |= rows.is_shared && work.scope.condition.is_some();
        let mut of_part = vec![0; users.len() * 64];
        let slices = match work.scope.question.measure {
            Some(_) => &rows.sums,
            None => &rows.events,
        };
        add_numbers(slices, &users, &mut of_part)?;
        let unit = 10_i128.checked_pow((scale - rows.scale).into());
        let unit = unit.ok_or_else(|| refused("a sum is beyond 128 bits"))?;
        numbers.resize(of_part.len().max(numbers.len()), 0_i128);
        for (all, more) in numbers.iter_mut().zip(of_part) {
            *all += more * unit;
        }
        or_words(&mut counted, &users);
    }
    if work.with_zeros {
        or_words(
            &mut counted,
            &everybody(&work, (*audience).as_ref(), shard).await?,
        );
    }
    let mut users: HashMap<i128, u64> = HashMap::new();
    for ordinal in ordinals(&counted) {
        let number = numbers.get(ordinal as usize).copied().unwrap_or(0);
        *users.entry(number).or_default() += 1;
    }
    Ok(OfShard {
        users,
        scale,
        kept: Kept::of(&parts),
        is_bound,
    })
}

/// Those of the audience; without one, of the app.
async fn everybody(work: &Work, audience: Option<&Audience>, shard: u32) -> Result<Vec<u64>> {
    match audience {
        Some(audience) => Ok(audience.get(&(None, shard)).cloned().unwrap_or_default()),
        None => universe(&work.scope, shard).await,
    }
}

/// The users of the app in one shard: a bit an ordinal.
///
/// # Errors
/// Refused for damaged bitmaps; retry when the store fails.
pub(super) async fn universe(scope: &Scope, shard: u32) -> Result<Vec<u64>> {
    let of_app = ident("app").eq(lit(scope.question.event.app.as_str()));
    let rows = of_app.and(ident("shard").eq(lit(shard)));
    let batches = scope.release.rows("universe", rows, &["bitmap"]).await;
    let mut words = Vec::new();
    for batch in batches.map_err(failed)? {
        for users in Cell::column(&batch, 0, shard)? {
            users.or_onto(&mut words)?;
        }
    }
    Ok(words)
}

/// Adds bits; the words grow.
pub(super) fn or_words(words: &mut Vec<u64>, more: &[u64]) {
    words.resize(words.len().max(more.len()), 0);
    for (word, more) in words.iter_mut().zip(more) {
        *word |= more;
    }
}
