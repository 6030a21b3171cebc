//! All groups of an app in one night: which are computed, which are invalid, who is in them. Reads
//! rules and facts, writes members.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::NaiveDate;

use super::fact::Facts;
use super::member::UserView;
use super::rule::{Expression, parse};
use super::value::Value;
use crate::Error;

/// A group's row as merchants write it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct GroupRule {
    /// The app.
    pub app: String,
    /// The group's name.
    pub group: String,
    /// The rule's text.
    pub rule: String,
    /// First date it is computed.
    pub valid_from: Option<NaiveDate>,
    /// Last date it is computed.
    pub valid_to: Option<NaiveDate>,
    /// Absent means true.
    pub enabled: Option<bool>,
}

/// What a night makes of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Computed: its members.
    Ok(BTreeSet<String>),
    /// The date is outside its validity.
    Expired,
    /// Switched off.
    Disabled,
    /// Not a rule, a cycle, or on an invalid group.
    Invalid,
}

impl Outcome {
    /// The word of `group_status`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Ok(_) => "ok",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Invalid => "invalid",
        }
    }
}

/// What is known of one app.
#[derive(Debug, Clone, Copy)]
pub struct AppView<'a> {
    /// Its name.
    pub app: &'a str,
    /// Everybody.
    pub universe: &'a BTreeSet<String>,
    /// The night's facts.
    pub facts: &'a Facts,
    /// Users of its lists.
    pub lists: &'a BTreeMap<String, BTreeSet<String>>,
}

/// The outcome of every group of one app, by name.
pub fn groups(
    view: AppView<'_>,
    rules: &[&GroupRule],
    date: NaiveDate,
) -> BTreeMap<String, Outcome> {
    let today = (date - NaiveDate::default()).num_days() as i32;
    let kind = |tag: &str| view.facts.kind(view.app, tag);
    let mut outcomes = BTreeMap::new();
    let mut waiting: BTreeMap<String, Expression> = BTreeMap::new();
    for rule in rules {
        let is_due = rule.valid_from.is_none_or(|from| from <= date)
            && rule.valid_to.is_none_or(|to| date <= to);
        let outcome = match parse(&rule.rule, today, &kind) {
            _ if rule.enabled == Some(false) => Outcome::Disabled,
            _ if !is_due => Outcome::Expired,
            Err(_) => Outcome::Invalid,
            Ok(expression) if has_unknown_list(&expression, view.lists) => Outcome::Invalid,
            Ok(expression) => {
                waiting.insert(rule.group.clone(), expression);
                continue;
            }
        };
        outcomes.insert(rule.group.clone(), outcome);
    }
    resolve(view, waiting, &mut outcomes);
    outcomes
}

/// Computes a group as soon as all it refers to are computed; what can never be is invalid.
fn resolve(
    view: AppView<'_>,
    mut waiting: BTreeMap<String, Expression>,
    outcomes: &mut BTreeMap<String, Outcome>,
) {
    let tags = values_by_user(view);
    let nothing = BTreeMap::new();
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    loop {
        let ready = waiting
            .iter()
            .find(|(_, rule)| {
                referred(rule)
                    .iter()
                    .all(|name| members.contains_key(*name))
            })
            .map(|(name, _)| name.clone());
        let Some((name, rule)) = ready.and_then(|name| waiting.remove_entry(&name)) else {
            break;
        };
        let holds = |user: &&String| {
            let tags = tags.get(user.as_str()).unwrap_or(&nothing);
            UserView {
                user: user.as_str(),
                tags,
                lists: view.lists,
                groups: &members,
            }
            .is_in(&rule)
        };
        let users: BTreeSet<String> = view.universe.iter().filter(holds).cloned().collect();
        outcomes.insert(name.clone(), Outcome::Ok(users.clone()));
        members.insert(name, users);
    }
    outcomes.extend(waiting.into_keys().map(|name| (name, Outcome::Invalid)));
}

fn values_by_user<'a>(
    view: AppView<'a>,
) -> BTreeMap<&'a str, BTreeMap<&'a str, &'a BTreeSet<Value>>> {
    let mut users: BTreeMap<&str, BTreeMap<&str, &BTreeSet<Value>>> = BTreeMap::new();
    for ((_, tag), values) in view
        .facts
        .tags
        .iter()
        .filter(|((app, _), _)| app == view.app)
    {
        for (user, values) in values {
            users.entry(user).or_default().insert(tag, values);
        }
    }
    users
}

fn referred(rule: &Expression) -> Vec<&str> {
    match rule {
        Expression::InGroup(name) => vec![name],
        Expression::Not(inner) => referred(inner),
        Expression::And(a, b) | Expression::Or(a, b) => [referred(a), referred(b)].concat(),
        _ => Vec::new(),
    }
}

fn has_unknown_list(rule: &Expression, lists: &BTreeMap<String, BTreeSet<String>>) -> bool {
    match rule {
        Expression::InList(name) => !lists.contains_key(name),
        Expression::Not(inner) => has_unknown_list(inner, lists),
        Expression::And(a, b) | Expression::Or(a, b) => {
            has_unknown_list(a, lists) || has_unknown_list(b, lists)
        }
        _ => false,
    }
}

/// Reads rules from every NDJSON file of a folder, leaving out lines that are none.
///
/// # Errors
/// When the folder or a file can not be read.
pub fn read_rules(folder: &Path) -> Result<Vec<GroupRule>, Error> {
    let mut rules = Vec::new();
    for path in files(folder)? {
        let text = fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
        rules.extend(
            text.lines()
                .filter_map(|line| serde_json::from_str::<GroupRule>(line).ok()),
        );
    }
    Ok(rules)
}

/// Reads the lists of one app: `folder/{app}/{list}.csv`, an id a line.
///
/// # Errors
/// When a file can not be read.
pub fn read_lists(folder: &Path, app: &str) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
    let mut lists = BTreeMap::new();
    for path in files(&folder.join(app))? {
        let text = fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        lists.insert(name, text.lines().map(str::to_owned).collect());
    }
    Ok(lists)
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Error::io(folder, e))?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}
