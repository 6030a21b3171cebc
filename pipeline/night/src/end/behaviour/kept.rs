//! Which values of a dimension keep rows of their own when there are more than the limit: the
//! choice of a shard, and what it tells the driver to choose from.
//!
//! ```text
//! the release before chose      -> exactly its values, in every shard the same; the others share one overflow row
//! no choice yet (first night)   -> all, up to CEILING limits a shard; beyond it those whose text has the smallest XXH3-64
//! ```
//! A shard knows its own users only, so a choice by tonight's counts would differ from shard to
//! shard. It is made by the driver when all shards are done, for the next night.

use xxhash_rust::xxh3::xxh3_64;

use super::app_event::AppEvent;
use crate::end::report::DimensionReport;

/// Before the first choice, a shard keeps up to `CEILING` times the limit, so that a unique id
/// declared as a dimension can not blow up a night.
const CEILING: usize = 8;

/// Chooses for one dimension after the other; keeps its memory.
#[derive(Default)]
pub struct ValueChooser {
    seen: Vec<u64>,
    ranks: Vec<u32>,
    /// Dimensions that may be beyond their limit; the source is filled in by whoever knows it.
    pub reports: Vec<DimensionReport>,
}

/// The values that share the overflow row, by position in typed order. Its size is that of what one
/// event folds, not that of what all events of the shard have.
#[derive(Default)]
pub struct Folded {
    /// Ascending.
    ranks: Vec<u32>,
}

impl Folded {
    /// Whether this value has no row of its own.
    pub fn contains(&self, rank: u32) -> bool {
        !self.ranks.is_empty() && self.ranks.binary_search(&rank).is_ok()
    }
}

impl ValueChooser {
    /// Chooses among the values of one dimension of one event. `combinations` are the positions of
    /// the value in every user's combination, 0 for null; all are below `values`; `text` is what
    /// the artifact shows for a position.
    pub fn choose<'t>(
        &mut self,
        event: &AppEvent<'_>,
        dimension: &str,
        values: usize,
        combinations: impl ExactSizeIterator<Item = u32>,
        text: impl Fn(u32) -> &'t str,
    ) -> Folded {
        let limit = event.limits.values;
        let chosen = event.spec.kept_values.of(event.app, event.event, dimension);
        // A shard with few values need not tell them: what all such shards have together is a
        // quarter of the limit at most.
        let share = limit / 4 / event.spec.shards.get() as usize;
        if chosen.is_none() && (values - 1).min(combinations.len()) <= share {
            return Folded::default();
        }
        self.count(values, combinations);
        let distinct = self.ranks.len();
        if chosen.is_none() && distinct <= share {
            return Folded::default();
        }
        let folded = match chosen {
            Some(chosen) => Folded {
                ranks: self
                    .ranks
                    .iter()
                    .copied()
                    .filter(|&rank| !contains(chosen, text(rank)))
                    .collect(),
            },
            None if distinct > limit.saturating_mul(CEILING) => {
                self.fold_by_hash(limit.saturating_mul(CEILING), &text)
            }
            None => Folded::default(),
        };
        let values = self.most(chosen.unwrap_or_default(), limit, &text);
        self.reports.push(DimensionReport {
            source: String::new(),
            app: event.app.to_owned(),
            event: event.event.to_owned(),
            dimension: dimension.to_owned(),
            distinct: distinct as u64,
            values,
        });
        folded
    }

    /// Counts how often each value occurs; `ranks` are those that do, null left out.
    fn count(&mut self, values: usize, combinations: impl Iterator<Item = u32>) {
        self.ranks
            .drain(..)
            .for_each(|rank| self.seen[rank as usize] = 0);
        if self.seen.len() < values {
            self.seen.resize(values, 0);
        }
        for rank in combinations.filter(|&rank| rank != 0) {
            let seen = &mut self.seen[rank as usize];
            if *seen == 0 {
                self.ranks.push(rank);
            }
            *seen += 1;
        }
        self.ranks.sort_unstable();
    }

    fn fold_by_hash<'t>(&self, most: usize, text: &impl Fn(u32) -> &'t str) -> Folded {
        let mut hashed: Vec<(u64, u32)> = self
            .ranks
            .iter()
            .map(|&rank| (xxh3_64(text(rank).as_bytes()), rank))
            .collect();
        hashed.sort_unstable();
        let mut ranks: Vec<u32> = hashed[most..].iter().map(|&(_, rank)| rank).collect();
        ranks.sort_unstable();
        Folded { ranks }
    }

    /// All values that were chosen before, and as many others as the limit: those with most
    /// combinations, ties by text.
    fn most<'t>(
        &self,
        chosen: &[String],
        limit: usize,
        text: &impl Fn(u32) -> &'t str,
    ) -> Vec<(String, u64)> {
        let all = self
            .ranks
            .iter()
            .map(|&rank| (text(rank), self.seen[rank as usize]));
        let (mut values, mut others): (Vec<_>, Vec<_>) =
            all.partition(|(text, _)| contains(chosen, text));
        others.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        others.truncate(limit);
        values.append(&mut others);
        values
            .into_iter()
            .map(|(text, count)| (text.to_owned(), count))
            .collect()
    }
}

fn contains(chosen: &[String], text: &str) -> bool {
    chosen
        .binary_search_by(|value| value.as_str().cmp(text))
        .is_ok()
}
