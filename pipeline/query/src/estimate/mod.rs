//! How many users a rule would select in a release, reading only the bitmaps that the rule needs.
//!
//! Reads, through the tables of a session (see [`crate::catalog::register`]): group names and universe
//! sizes, then per shard the bitmaps of the rule's atoms; the universe's own only when a user
//! without any of them could be in the group. Writes nothing.
//!
//! ```text
//! rule ──► Expr ──► atoms ──► needs: tag rows by value | BSI slices | a group | user ids
//!                               per shard: bitmaps ──► sets of ordinals ──► algebra ──► count      sum = estimate
//! ```

mod lists;
mod names;
mod need;
mod numbers;
mod reader;
mod set;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use tagmill_schemas::config::Tag;
use tagmill_schemas::{Error, Manifest, Result};

use lists::Lists;
use names::AppNames;
use need::Need;
use reader::Reader;
use set::Set;
use tagmill_rules::{Atom, Expr, compile, withheld_tag};

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
        )
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
    let names = AppNames::load(ctx, manifest, tags, app).await?;
    let expr = compile(rule, &names, manifest.head_date).map_err(|e| {
        Error::setup(
            STAGE,
            format!("invalid rule at {}:{}: {}", e.line, e.column, e.message),
        )
        .fix("correct the rule")
    })?;
    if let Some((tag, _)) = withheld_tag(&expr, &names) {
        let what = format!(
            "the values of tag {tag:?} are not in release {}: it was beyond a limit \
             (limits.values_per_tag or limits.tags)",
            manifest.release
        );
        return Err(Error::setup(STAGE, what)
            .fix("raise the limit for this app: they are published from the next night on"));
    }
    let lists = lists.map(|template| template.replace("{date}", &manifest.head_date.to_string()));
    let lists = Lists {
        template: lists.as_deref(),
        app,
    };
    let question = Arc::new(
        Question::new(
            Reader::new(ctx, app, manifest.id_scope),
            expr,
            &names,
            &lists,
        )
        .await?,
    );
    let sizes = question.reader.universe_sizes().await?;
    let at_once = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let shards: Vec<u32> = sizes.keys().copied().collect();
    let counts = futures::stream::iter(shards).map(|shard| {
        let question = Arc::clone(&question);
        async move {
            Ok::<_, Error>(ShardUsers {
                shard,
                users: question.count(shard).await?,
            })
        }
    });
    let shards: Vec<ShardUsers> = counts.buffered(at_once).try_collect().await?;
    let (bitmaps, bitmap_bytes) = question.reader.read();
    Ok(Estimate {
        app: app.to_owned(),
        rule: rule.to_owned(),
        release: manifest.release,
        date: manifest.head_date,
        users: shards.iter().map(|shard| shard.users).sum(),
        universe: sizes.values().sum(),
        shards,
        bitmaps,
        bitmap_bytes,
    })
}

/// A compiled rule and what its atoms need.
struct Question {
    reader: Reader,
    expr: Expr,
    needs: HashMap<Atom, Need>,
    needs_universe: bool,
}

impl Question {
    async fn new(reader: Reader, expr: Expr, names: &AppNames, lists: &Lists<'_>) -> Result<Self> {
        let mut atoms = Vec::new();
        collect_atoms(&expr, &mut atoms);
        let mut needs = HashMap::with_capacity(atoms.len());
        for atom in atoms {
            needs.insert(atom.clone(), Need::of(atom, names, lists, &reader).await?);
        }
        let needs_universe =
            accepts_outsiders(&expr) || needs.values().any(Need::reaches_beyond_app);
        Ok(Self {
            reader,
            expr,
            needs,
            needs_universe,
        })
    }

    async fn count(&self, shard: u32) -> Result<u64> {
        let mut sets = HashMap::with_capacity(self.needs.len());
        for (atom, need) in &self.needs {
            sets.insert(atom, self.reader.fetch(need, shard).await?);
        }
        let universe = if self.needs_universe {
            Some(self.reader.universe(shard).await?)
        } else {
            None
        };
        let words = sets
            .values()
            .chain(&universe)
            .map(|set| set.words().len())
            .max()
            .unwrap_or(0);
        let mut selected = evaluate(&self.expr, &sets, words);
        if let Some(universe) = &universe {
            selected.intersect(universe);
        }
        Ok(selected.len())
    }
}

/// The users for whom the rule is true, among ordinals up to `words` * 64. What is no user of the
/// app is taken out afterwards: restricting a set to the universe commutes with union, intersection
/// and complement.
fn evaluate(expr: &Expr, sets: &HashMap<&Atom, Set>, words: usize) -> Set {
    match expr {
        Expr::All => Set::default().complement(words),
        Expr::None => Set::default(),
        Expr::Not(inner) => evaluate(inner, sets, words).complement(words),
        Expr::And(parts) => parts
            .iter()
            .map(|part| evaluate(part, sets, words))
            .reduce(Set::intersection)
            .unwrap_or_default(),
        Expr::Or(parts) => parts
            .iter()
            .map(|part| evaluate(part, sets, words))
            .reduce(Set::union)
            .unwrap_or_default(),
        Expr::Atom(atom) => sets.get(atom).cloned().unwrap_or_default(),
    }
}

fn collect_atoms<'a>(expr: &'a Expr, atoms: &mut Vec<&'a Atom>) {
    match expr {
        Expr::All | Expr::None => (),
        Expr::Not(inner) => collect_atoms(inner, atoms),
        Expr::And(parts) | Expr::Or(parts) => {
            parts.iter().for_each(|part| collect_atoms(part, atoms))
        }
        Expr::Atom(atom) => atoms.push(atom),
    }
}

/// Whether a user for whom no atom is true satisfies the rule: only then does the universe matter,
/// since every atom's users are in it.
fn accepts_outsiders(expr: &Expr) -> bool {
    match expr {
        Expr::All => true,
        Expr::None | Expr::Atom(_) => false,
        Expr::Not(inner) => !accepts_outsiders(inner),
        Expr::And(parts) => parts.iter().all(accepts_outsiders),
        Expr::Or(parts) => parts.iter().any(accepts_outsiders),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(name: &str) -> Expr {
        Expr::Atom(Atom::InGroup(name.to_owned()))
    }

    #[test]
    fn only_rules_that_hold_for_strangers_need_the_universe() {
        let (a, b) = (atom("a"), atom("b"));
        assert!(!accepts_outsiders(&Expr::and(vec![
            a.clone(),
            b.clone().negate()
        ])));
        assert!(accepts_outsiders(&Expr::or(vec![
            a.clone(),
            b.clone().negate()
        ])));
        assert!(accepts_outsiders(&Expr::and(vec![a.negate(), b.negate()])));
        assert!(accepts_outsiders(&Expr::All) && !accepts_outsiders(&Expr::None));
    }

    #[test]
    fn complement_then_universe_equals_complement_in_the_universe() {
        let set = |members: &[u32]| {
            members.iter().fold(Set::default(), |mut set, member| {
                set.insert(*member);
                set
            })
        };
        let (a, b) = (Atom::InGroup("a".to_owned()), Atom::InGroup("b".to_owned()));
        let sets = HashMap::from([(&a, set(&[1, 70])), (&b, set(&[2, 70, 130]))]);
        let rule = Expr::or(vec![Expr::Atom(a.clone()).negate(), Expr::Atom(b.clone())]);
        let mut selected = evaluate(&rule, &sets, 3);
        selected.intersect(&set(&[1, 2, 3, 70, 130]));
        assert_eq!(selected.len(), 4);
    }
}
