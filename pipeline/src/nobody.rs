//! Why a group that is ok has nobody in it, where its rule or its app is probably a mistake.

use std::collections::BTreeSet;

use tagmill_night::TypedValues;
use tagmill_rules::groups::{AppPlan, GroupStatus};
use tagmill_rules::{Atom, Expr, Test};
use tagmill_schemas::Value;
use tagmill_schemas::nearest::nearest;

use super::tags_of_night::TagOfNight;

/// Of a tag with more distinct values, in all shards, none is looked for that is near.
const MOST_VALUES: usize = 5_000;
/// Groups for which values are looked at; of the others the app and the hints of the rule say why.
const MOST_GROUPS: usize = 1_000;

/// What the night knows of users and values.
pub struct Known<'r> {
    apps: BTreeSet<&'r str>,
    tags: &'r [TagOfNight<'r>],
    left: usize,
}

impl<'r> Known<'r> {
    /// `apps` are those with users, as far as they have groups.
    pub fn new(apps: BTreeSet<&'r str>, tags: &'r [TagOfNight<'r>]) -> Self {
        Self {
            apps,
            tags,
            left: MOST_GROUPS,
        }
    }

    /// Why nobody is in this group of the plan; `None` when nothing is noticeable.
    pub fn why(&mut self, plan: &AppPlan, status: &GroupStatus) -> Option<String> {
        if !self.apps.contains(plan.app.as_str()) {
            let with_tags = self.tags.iter().map(|found| found.app);
            let near = nearest(&plan.app, self.apps.iter().copied().chain(with_tags));
            let near = near.map_or_else(String::new, |near| format!(", near: {near:?}"));
            return Some(format!("no user of app {:?} has been seen{near}", plan.app));
        }
        if let Some(hint) = status.hints.first() {
            return Some(hint.message.clone());
        }
        self.left = self.left.checked_sub(1)?;
        self.unknown_value(&plan.app, plan.rule(&status.group)?)
    }

    /// The first value that the rule asks for and nobody has.
    fn unknown_value(&self, app: &str, rule: &Expr) -> Option<String> {
        rule.atoms().into_iter().find_map(|atom| {
            let Atom::Tag {
                tag,
                test: Test::In(values),
            } = atom
            else {
                return None;
            };
            let found: Vec<&TypedValues> = self
                .tags
                .iter()
                .filter(|found| found.app == app && found.tag == tag)
                .flat_map(TagOfNight::values)
                .collect();
            let value = values
                .iter()
                .find(|value| !found.iter().any(|all| all.has(value)))?;
            let near = match value {
                Value::String(text) => near(text, &found),
                _ => None,
            };
            let near = near.map_or_else(String::new, |near| format!(", near: '{near}'"));
            Some(format!("no user has {tag} '{value}'{near}"))
        })
    }
}

/// The value nearest to a text, among few enough.
fn near<'v>(text: &str, found: &[&'v TypedValues]) -> Option<&'v str> {
    let total: usize = found.iter().map(|all| all.count()).sum();
    let known = found.iter().flat_map(|all| all.texts());
    match total <= MOST_VALUES {
        true => nearest(text, known.map(String::as_str)),
        false => None,
    }
}
