//! The groups of the night: rows read, rules checked against tags, groups and lists, statuses given
//! before any shard starts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use tagmill_schemas::manifest::Input;
use tagmill_schemas::problem::Code;
use tagmill_schemas::registry::GroupRow;
use tagmill_schemas::{Problem, Result};

use super::event_days::EventDays;
use super::known_events::KnownEvents;
use super::lists::{ListSize, Lists};
use super::registry::{ConfFiles, GroupTags, read_files};
use super::rule_names::RuleNames;
use super::{Observer, Request};
use tagmill_night::{ListSpec, NightWindows, TagSpec, Withheld};
use tagmill_rules::Atom;
use tagmill_rules::groups::{
    AppPlan, AppRows, AppRules, Fault, GroupsBefore, Rows, Unread, add_missing, by_app, plan_app,
    read_rows,
};

/// The input that group rules are.
pub const RULES: &str = "groups.rules";

/// Problems that are printed one by one.
const MOST_NOTICES: usize = 20;

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
    /// What is wrong with each row that names no group.
    pub unread: Vec<Problem>,
    /// Files of which rows seem to be lost; see `seems_damaged`.
    pub damaged: BTreeSet<String>,
    /// The groups of the release before.
    pub before: GroupsBefore,
    /// Numbers of behaviour that valid rules ask for.
    pub windows: NightWindows,
    /// (app, tag) that rules name and nobody declares.
    pub unknown_tags: BTreeSet<(String, String)>,
}

impl GroupNight {
    /// The rules that shards evaluate, by app; apps without one are left out.
    pub fn rules(&self) -> Vec<&AppRules> {
        let rules = self.plans.iter().map(|plan| &plan.rules);
        rules.filter(|rules| !rules.groups().is_empty()).collect()
    }

    /// Tells of rows that are not used and of groups that are not ok.
    pub fn tell(&self, observer: &dyn Observer) {
        tell(observer, &self.unread, "group rows that are not used");
        let statuses = self.plans.iter().flat_map(|plan| &plan.statuses);
        let notices: Vec<Problem> = statuses.filter_map(|s| s.notice()).collect();
        tell(
            observer,
            &notices,
            "groups that are not ok: see group_status",
        );
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

/// Reads and checks all groups; those of the release before that have no row tonight are lost or
/// removed.
///
/// # Errors
/// Refused for a file that can not be read at all. A bad row or rule is a status.
pub async fn plan_groups(
    request: &Request,
    platform: &[TagSpec],
    tags: &GroupTags,
    withheld: &Withheld,
    before: GroupsBefore,
    (events, days): (&KnownEvents<'_>, Option<&EventDays<'_>>),
    observer: &dyn Observer,
) -> Result<GroupNight> {
    let Some(groups) = &request.config.groups else {
        return Ok(GroupNight::default());
    };
    let files = read_files(request, RULES.into(), &groups.rules).await?;
    files.tell_absent(observer);
    let lists = Lists::find(request).await?;
    let max_days = (request.date, groups.max_lost_days);
    let (apps, mut night) = rows_by_app(files, before, max_days)?;
    let mut wanted = BTreeSet::new();
    for (app, rows) in &apps {
        let names = RuleNames {
            platform,
            labels: tags.by_app.get(app),
            shared_labels: &tags.shared,
            lists: lists.names(app),
            withheld: withheld.get(app),
            is_open: tags.is_open,
            app,
            events,
            days,
            before: &night.before,
            unknown: RefCell::default(),
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
        let unknown = names.unknown.take().into_iter();
        night
            .unknown_tags
            .extend(unknown.map(|tag| (app.clone(), tag)));
        night.plans.push(plan);
    }
    let (lists, mut inputs) = lists.read(&wanted, request, observer).await?;
    night.list_sizes = lists.iter().map(ListSize::of).collect();
    night.lists = lists;
    night.inputs.append(&mut inputs);
    Ok(night)
}

/// The rows of every app, with those of groups that have none tonight; nothing is compiled yet.
fn rows_by_app(
    files: ConfFiles,
    before: GroupsBefore,
    max_days: (NaiveDate, u32),
) -> Result<(BTreeMap<String, AppRows>, GroupNight)> {
    let (Rows { rows, faults }, damaged) = read_all(&files)?;
    let (mut apps, nameless) = by_app(rows, faults);
    let unread = Unread {
        faults: &nameless,
        damaged: &damaged,
        files: &files.files.iter().map(|(name, _)| name.clone()).collect(),
    };
    add_missing(&mut apps, &before, unread, max_days);
    let unused = |fault: &Fault| {
        let what = format!("group row is not used: {}", fault.reason);
        Problem::new(Code::Row, what).in_line(&fault.file, fault.line)
    };
    let night = GroupNight {
        unread: nameless.iter().map(unused).collect(),
        inputs: vec![files.input],
        damaged,
        before,
        ..GroupNight::default()
    };
    Ok((apps, night))
}

/// The rows of every file, and the files of which rows seem to be lost.
fn read_all(files: &ConfFiles) -> Result<(Rows<GroupRow>, BTreeSet<String>)> {
    let (mut rows, mut faults, mut damaged) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (name, bytes) in &files.files {
        let mut read = read_rows(name, bytes, GroupRow::from_json)?;
        if seems_damaged(&read) {
            damaged.insert(name.clone());
        }
        rows.append(&mut read.rows);
        faults.append(&mut read.faults);
    }
    Ok((Rows { rows, faults }, damaged))
}

/// The first one by one, of the others only their number.
fn tell(observer: &dyn Observer, problems: &[Problem], others: &str) {
    let more = problems.len().saturating_sub(MOST_NOTICES);
    let first = problems.iter().take(MOST_NOTICES);
    first.for_each(|problem| observer.problem(problem));
    if more > 0 {
        observer.warn(&format!("... and {more} more {others}"));
    }
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
