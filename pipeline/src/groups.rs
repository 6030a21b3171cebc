//! The groups of the night: rows read, rules checked against tags, groups and lists, statuses given
//! before any shard starts.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_schemas::manifest::{Input, InputFile, Manifest};
use tagmill_schemas::registry::GroupRow;
use tagmill_schemas::{Error, Result};

use super::lists::{ListSize, Lists};
use super::registry::{ConfFiles, GroupTags, read_files};
use super::rule_names::RuleNames;
use super::statuses::Statuses;
use super::{Observer, Request};
use tagmill_night::{ListSpec, TagSpec, Withheld};
use tagmill_rules::Atom;
use tagmill_rules::groups::{
    AppPlan, AppRules, Fault, GroupStatus, Rows, Status, by_app, plan_app, read_rows,
};

/// The input that group rules are.
const RULES: &str = "groups.rules";

/// Problems that are printed one by one.
const MOST_NOTICES: usize = 20;

/// (app, group).
type Group = (String, String);

/// The groups of every app.
#[derive(Default)]
pub struct GroupNight {
    /// By app: the compiled rules and the statuses.
    pub plans: Vec<AppPlan>,
    /// The lists that valid rules name, in order of (app, list).
    pub lists: Vec<ListSpec>,
    /// Their sizes, which stay when the ids are handed to the shards.
    pub list_sizes: Vec<ListSize>,
    /// Files read.
    pub inputs: Vec<Input>,
    /// Rows that name no group.
    pub nameless: usize,
    /// Files of which rows seem to be lost; see `seems_damaged`.
    pub damaged: Vec<String>,
}

impl GroupNight {
    /// The rules that shards evaluate, by app; apps without one are left out.
    pub fn rules(&self) -> Vec<&AppRules> {
        let rules = self.plans.iter().map(|plan| &plan.rules);
        rules.filter(|rules| !rules.groups().is_empty()).collect()
    }

    /// How many groups have each status.
    pub fn by_status(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for status in self.plans.iter().flat_map(|plan| &plan.statuses) {
            *counts.entry(status.status.name()).or_default() += 1;
        }
        counts
    }
}

/// Reads and checks all groups.
///
/// # Errors
/// Refused for a file that can not be read at all. A bad row or rule is a status.
pub async fn plan_groups(
    request: &Request,
    platform: &[TagSpec],
    tags: &GroupTags,
    withheld: &Withheld,
    observer: &dyn Observer,
) -> Result<GroupNight> {
    let Some(groups) = &request.config.groups else {
        return Ok(GroupNight::default());
    };
    let files = read_files(request, RULES.into(), &groups.rules).await?;
    files.tell_absent(observer);
    let lists = Lists::find(request).await?;
    let (Rows { rows, faults }, damaged) = read_all(&files)?;
    let (apps, nameless) = by_app(rows, faults);
    let unused = |f: &Fault| format!("group row {}:{} is not used: {}", f.file, f.line, f.reason);
    let lines = nameless.iter().map(unused).collect();
    tell(observer, lines, "group rows that are not used");
    let mut night = GroupNight {
        inputs: vec![files.input],
        nameless: nameless.len(),
        damaged,
        ..GroupNight::default()
    };
    let mut wanted = BTreeSet::new();
    for (app, rows) in &apps {
        let names = RuleNames {
            platform,
            labels: tags.by_app.get(app),
            shared_labels: &tags.shared,
            lists: lists.names(app),
            withheld: withheld.get(app),
        };
        let plan = plan_app(
            app,
            rows,
            &names,
            request.config.limits.of(app).groups,
            request.date,
        );
        wanted.extend(
            plan.rules
                .program()
                .atoms()
                .iter()
                .filter_map(|atom| match atom {
                    Atom::InList(list) => Some((app.clone(), list.clone())),
                    _ => None,
                }),
        );
        night.plans.push(plan);
    }
    let statuses = night.plans.iter().flat_map(|plan| &plan.statuses);
    let lines = statuses.filter_map(|s| s.notice()).collect();
    tell(observer, lines, "groups that are not ok: see group_status");
    let (lists, mut inputs) = lists.read(&wanted, request, observer).await?;
    night.list_sizes = lists.iter().map(ListSize::of).collect();
    night.lists = lists;
    night.inputs.append(&mut inputs);
    Ok(night)
}

/// The rows of every file, and the files of which rows seem to be lost.
fn read_all(files: &ConfFiles) -> Result<(Rows<GroupRow>, Vec<String>)> {
    let (mut rows, mut faults, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
    for (name, bytes) in &files.files {
        let mut read = read_rows(name, bytes, GroupRow::from_json)?;
        if seems_damaged(&read) {
            damaged.push(name.clone());
        }
        rows.append(&mut read.rows);
        faults.append(&mut read.faults);
    }
    Ok((Rows { rows, faults }, damaged))
}

/// The first lines one by one, of the others only their number.
fn tell(observer: &dyn Observer, lines: Vec<String>, others: &str) {
    let more = lines.len().saturating_sub(MOST_NOTICES);
    let first = lines.iter().take(MOST_NOTICES);
    first.for_each(|line| observer.warn(line));
    if more > 0 {
        observer.warn(&format!("... and {more} more {others}"));
    }
}

/// Stops the night when there is no file of rules although groups were published before: without it
/// all of them would be gone.
///
/// # Errors
/// Retry: whoever writes the rules may not be done.
pub fn check_rules_are_there(inputs: &[Input], before: usize) -> Result<()> {
    let has_files = inputs
        .iter()
        .any(|input| input.source == RULES && !input.files.is_empty());
    if has_files || before == 0 {
        return Ok(());
    }
    let error = Error::retry(
        "groups",
        format!("groups.rules has no file, but {before} groups were there before"),
    );
    Err(error.fix(
        "bring the files back, or take [groups] out of the configuration when there are to be none",
    ))
}

/// Whether rows of a file of rules seem to be lost: it has none that can be read, or ends with one
/// that can not.
fn seems_damaged(read: &Rows<GroupRow>) -> bool {
    let last = read.rows.iter().map(|row| row.line).max();
    let names_group = |fault: &Fault| fault.app.is_some() && fault.group.is_some();
    last.is_none()
        || read
            .faults
            .iter()
            .any(|fault| !names_group(fault) && Some(fault.line) > last)
}

/// Refuses the night when so many rules are newly invalid that the mistake is ours, not a
/// merchant's: more than the fraction `most`, and not one rule alone or those of one app alone,
/// when others have groups. A group without a row was deleted, unless rows could not be read or a
/// file that was another one for the release `state` seems damaged. `inputs` are tonight's,
/// `before` are the statuses of `state`. Returns what to tell of groups that a damaged file took
/// along all the same.
///
/// # Errors
/// Refused, naming the first of them.
pub fn check_new_invalid(
    night: &GroupNight,
    inputs: &[Input],
    state: &Manifest,
    before: &Statuses,
    most: f64,
) -> Result<Option<String>> {
    let (now, earlier) = (rule_files(inputs), rule_files(&state.inputs));
    let is_other = |name: &&String| {
        now.iter()
            .any(|file| file.path == **name && !earlier.contains(file))
    };
    let damaged = night.damaged.iter().find(is_other);
    let known: BTreeSet<&Group> = before
        .iter()
        .filter(|(_, status)| was_published(status))
        .map(|(group, _)| group)
        .collect();
    let statuses = || night.plans.iter().flat_map(|plan| &plan.statuses);
    let there: BTreeSet<_> = statuses()
        .map(|s| (s.app.as_str(), s.group.as_str()))
        .collect();
    let gone = known
        .iter()
        .filter(|group| !there.contains(&(group.0.as_str(), group.1.as_str())));
    let lost: Vec<&str> = gone
        .map(|group| group.0.as_str())
        .take(if damaged.is_some() {
            usize::MAX
        } else {
            night.nameless
        })
        .collect();
    let is_new = |s: &&GroupStatus| {
        s.status == Status::Invalid && known.contains(&(s.app.clone(), s.group.clone()))
    };
    let newly: Vec<&GroupStatus> = statuses().filter(is_new).collect();
    let count = newly.len() + lost.len();
    let apps: BTreeSet<&str> = newly
        .iter()
        .map(|s| s.app.as_str())
        .chain(lost.iter().copied())
        .collect();
    let is_of_one = count <= 1
        || (apps.len() == 1 && known.iter().any(|group| !apps.contains(group.0.as_str())));
    if count as f64 <= most * known.len() as f64 || (is_of_one && most > 0.0) {
        let told = damaged.filter(|_| !lost.is_empty());
        return Ok(told.map(|file| {
            format!(
                "rows of {file} seem to be lost: {} groups of the last release are gone",
                lost.len()
            )
        }));
    }
    let first = match damaged {
        Some(file) if newly.is_empty() => format!("{file}, of which rows seem to be lost"),
        _ => newly
            .first()
            .and_then(|status| status.problem())
            .unwrap_or_default(),
    };
    let what = format!(
        "{count} of {} rules that were valid before are invalid or can not be read, more than \
         groups.max_new_invalid",
        known.len()
    );
    Err(Error::refused("groups", what)
        .at(first)
        .fix("repair the rules or the tags that they name, or raise groups.max_new_invalid"))
}

fn rule_files(inputs: &[Input]) -> Vec<&InputFile> {
    let rules = inputs.iter().filter(|input| input.source == RULES);
    rules.flat_map(|input| &input.files).collect()
}

fn was_published(status: &str) -> bool {
    [Status::Ok, Status::Stale, Status::Incomplete]
        .iter()
        .any(|published| published.name() == status)
}
