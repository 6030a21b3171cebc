//! What the nightly job has to find in generated data, worked out row by row with ordered maps and
//! sets. Reads a generated folder, writes nothing. Shares no code with the job, and is as slow as
//! it is plain.
//!
//! ```text
//! raw files ─ clean, count ─► Facts ─┬─► Dictionary      (grows from night to night)
//!                                    ├─► tags            (app, tag, value → users)
//!                                    ├─► behaviour       (app, event → users, values, counts, sums)
//!                                    └─► groups          (app, group → members or why not)
//! ```
//!
//! Where the design leaves a choice, this is the one taken; generated data avoids most cases where
//! it would matter:
//! - null tokens turn text columns into nulls before anything else;
//! - a row is filtered, rejected or accepted, in this order of checks: filter and list of events,
//!   reject rules and time, app, user; generated rows fail one of them at most;
//! - copies of events are filtered, older rows of attributes and labels are accepted without
//!   effect;
//! - an undeclared event is accepted, and makes its user known, but has no behaviour;
//! - a label without a registry row is a single-valued string;
//! - the dimensions of a registry's event are ordered by name, those of a source as configured;
//! - the universe of an app is everybody an accepted row of this night or an earlier one named;
//! - a group that refers to one that is not computed, for whatever reason, or to an unknown list is
//!   invalid.

pub mod attributes;
pub mod behaviour;
pub mod clean;
pub mod dictionary;
pub mod events;
pub mod fact;
pub mod group;
pub mod member;
pub mod report;
pub mod row;
pub mod rule;
pub mod settings;
pub mod token;
pub mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::NaiveDate;

use crate::Error;
use crate::calendar::HOUR_US;
use dictionary::{Dictionary, Scope};
use fact::Facts;
use group::{AppView, GroupRule, Outcome};
use value::Value;

/// Which configuration the folder comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// `templates/bench.toml`: the presets bench, bench-random and apps.
    Bench,
    /// `templates/demo.toml`: the presets demo and dirty.
    Rich,
}

/// Everything one night has to find.
#[derive(Debug, Clone)]
pub struct Night {
    /// The local day.
    pub date: NaiveDate,
    /// Cleaned rows and accounts.
    pub facts: Facts,
    /// Users of this night and all before.
    pub dictionary: Dictionary,
    /// Users of each app, of this night and all before.
    pub universe: BTreeMap<String, BTreeSet<String>>,
    /// Rules as the night found them.
    pub rules: Vec<GroupRule>,
    /// Uploaded lists by app and name.
    pub lists: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Night {
    /// Works out one night on top of a dictionary and universe: those of the night before, or empty
    /// ones.
    ///
    /// # Errors
    /// When a file of the folder can not be read.
    pub fn read(
        root: &Path,
        flavour: Flavour,
        date: NaiveDate,
        mut dictionary: Dictionary,
        mut universe: BTreeMap<String, BTreeSet<String>>,
    ) -> Result<Self, Error> {
        let is_rich = flavour == Flavour::Rich;
        let day_number = (date - NaiveDate::default()).num_days();
        let midnight = (day_number * 24 - 8) * HOUR_US;
        let day = midnight..midnight + 24 * HOUR_US;
        let folder = |source: &str| root.join("raw").join(source).join(format!("dt={date}"));
        let mut facts = Facts::default();
        events::add_platform(&mut facts, &folder("events"), &day, is_rich)?;
        if is_rich {
            attributes::add_labels(
                &mut facts,
                &folder("labels"),
                &read_text(&root.join("conf/tags/tags.ndjson"))?,
            )?;
            let registry = read_text(&root.join("conf/events/events.ndjson"))?;
            events::add_custom(&mut facts, "custom", &folder("custom"), &registry, &day)?;
            events::add_custom(&mut facts, "scans", &folder("scans"), &registry, &day)?;
        }
        attributes::add_profiles(&mut facts, &folder("profiles"), day_number, is_rich)?;
        dictionary.extend(&facts);
        for (app, user) in &facts.sightings {
            universe
                .entry(app.clone())
                .or_default()
                .insert(user.clone());
        }
        let rules = group::read_rules(&root.join("conf/groups"))?;
        let mut lists = BTreeMap::new();
        for app in universe.keys().filter(|app| !app.contains(['/', '.'])) {
            lists.insert(
                app.clone(),
                group::read_lists(&root.join("conf/lists"), app)?,
            );
        }
        Ok(Self {
            date,
            facts,
            dictionary,
            universe,
            rules,
            lists,
        })
    }

    /// Works out the first night of a folder with this many shards.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn first(
        root: &Path,
        flavour: Flavour,
        date: NaiveDate,
        shards: u32,
        scope: Scope,
    ) -> Result<Self, Error> {
        Self::read(
            root,
            flavour,
            date,
            Dictionary::new(shards, scope),
            BTreeMap::new(),
        )
    }

    /// Works out the night after this one.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn following(&self, root: &Path, flavour: Flavour, date: NaiveDate) -> Result<Self, Error> {
        Self::read(
            root,
            flavour,
            date,
            self.dictionary.clone(),
            self.universe.clone(),
        )
    }

    /// Users by app, tag and value.
    pub fn tags(&self) -> BTreeMap<(String, String, Value), BTreeSet<String>> {
        let mut tags: BTreeMap<(String, String, Value), BTreeSet<String>> = BTreeMap::new();
        for ((app, tag), users) in &self.facts.tags {
            for (user, values) in users {
                for value in values {
                    tags.entry((app.clone(), tag.clone(), value.clone()))
                        .or_default()
                        .insert(user.clone());
                }
            }
        }
        tags
    }

    /// The outcome of every group by app and name.
    pub fn groups(&self) -> BTreeMap<(String, String), Outcome> {
        let nobody = BTreeSet::new();
        let no_lists = BTreeMap::new();
        let apps: BTreeSet<&str> = self.rules.iter().map(|rule| rule.app.as_str()).collect();
        let mut outcomes = BTreeMap::new();
        for app in apps {
            let rules: Vec<&GroupRule> = self.rules.iter().filter(|rule| rule.app == app).collect();
            let universe = self.universe.get(app).unwrap_or(&nobody);
            let view = AppView {
                app,
                universe,
                facts: &self.facts,
                lists: self.lists.get(app).unwrap_or(&no_lists),
            };
            outcomes.extend(
                group::groups(view, &rules, self.date)
                    .into_iter()
                    .map(|(group, outcome)| ((app.to_owned(), group), outcome)),
            );
        }
        outcomes
    }

    /// The day's behaviour with at most `limit` numbered combinations a user.
    pub fn behaviour(&self, limit: u32) -> BTreeMap<fact::EventKey, behaviour::EventBehaviour> {
        behaviour::behaviour(&self.facts, limit)
    }

    /// The uids of some users of one app, ascending; users that are not known are left out.
    pub fn uids(&self, app: &str, users: &BTreeSet<String>) -> BTreeSet<u64> {
        users
            .iter()
            .filter_map(|user| self.dictionary.uid(app, user))
            .collect()
    }
}

fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|e| Error::io(path, e))
}
