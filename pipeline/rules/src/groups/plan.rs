//! What an app's groups do tonight: which are computed, by one program, and why the others are not.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tagmill_schemas::manifest::OverLimit;
use tagmill_schemas::registry::{GroupRow, Placed};

use super::{AppRules, Fault, GroupStatus, Missing, Status};
use crate::{
    Atom, EventInfo, Expr, Names, Program, Reference, RuleError, TagInfo, Uncomputable,
    WindowState, analyse, rule_hash, withheld_tag,
};

/// The rows of one app.
#[derive(Debug, Clone, Default)]
pub struct AppRows {
    rows: BTreeMap<String, Vec<Row>>,
}

impl AppRows {
    /// Whether there is a row of the group.
    pub fn has(&self, group: &str) -> bool {
        self.rows.contains_key(group)
    }

    /// Adds a group that has no row tonight; one that has stays as it is.
    pub fn add_missing(&mut self, missing: Missing) {
        self.rows
            .entry(missing.group.clone())
            .or_insert_with(|| vec![Row::Missing(missing)]);
    }
}

#[derive(Debug, Clone)]
enum Row {
    Good(Placed<GroupRow>),
    Bad(Fault),
    Missing(Missing),
}

impl Row {
    /// File and line; none of a row that is missing.
    fn place(&self) -> Option<(&str, u64)> {
        match self {
            Self::Good(row) => Some((&row.file, row.line)),
            Self::Bad(fault) => Some((&fault.file, fault.line)),
            Self::Missing(_) => None,
        }
    }

    fn place_text(&self) -> Option<String> {
        match self {
            Self::Missing(missing) => missing.place.clone(),
            _ => self.place().map(|(file, line)| format!("{file}:{line}")),
        }
    }
}

/// The night of one app's groups.
#[derive(Debug, Clone)]
pub struct AppPlan {
    /// The app.
    pub app: String,
    /// Computes the groups whose status is ok.
    pub rules: AppRules,
    /// The compiled rules of the same groups, by name.
    pub compiled: Vec<(String, Expr)>,
    /// Every group of the app, by name.
    pub statuses: Vec<GroupStatus>,
}

impl AppPlan {
    /// The compiled rule of a group; `None` when it could not be compiled.
    pub fn rule(&self, group: &str) -> Option<&Expr> {
        let found = self
            .compiled
            .binary_search_by(|(name, _)| name.as_str().cmp(group));
        self.compiled.get(found.ok()?).map(|(_, rule)| rule)
    }
}

/// Rows by app, whatever order files were read in. Second: the faults whose row has no app or no
/// group, which therefore have no status.
pub fn by_app(
    rows: Vec<Placed<GroupRow>>,
    faults: Vec<Fault>,
) -> (BTreeMap<String, AppRows>, Vec<Fault>) {
    let mut apps: BTreeMap<String, AppRows> = BTreeMap::new();
    let mut add = |app: String, group: String, row: Row| {
        apps.entry(app)
            .or_default()
            .rows
            .entry(group)
            .or_default()
            .push(row)
    };
    for row in rows {
        add(row.row.app.clone(), row.row.group.clone(), Row::Good(row));
    }
    let mut nameless = Vec::new();
    for fault in faults {
        match (fault.app.clone(), fault.group.clone()) {
            (Some(app), Some(group)) => add(app, group, Row::Bad(fault)),
            _ => nameless.push(fault),
        }
    }
    for rows in apps.values_mut().flat_map(|app| app.rows.values_mut()) {
        rows.sort_by(|a, b| a.place().cmp(&b.place()));
    }
    (apps, nameless)
}

/// Plans the groups of an app for the night of `date`. At most `limit` groups are active: the first
/// by name, valid or not, so that repairing one rule changes no other group's status. `names`
/// answers for tags and lists; the groups are `rows`.
pub fn plan_app(
    app: &str,
    rows: &AppRows,
    names: &dyn Names,
    limit: u64,
    date: NaiveDate,
) -> AppPlan {
    let names = WithGroups {
        names,
        groups: &rows.rows,
    };
    let active = rows
        .rows
        .values()
        .filter(|rows| inactive(rows, date).is_none())
        .count() as u64;
    let (mut statuses, mut compiled, mut references) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut rank = 0;
    for (index, (group, group_rows)) in rows.rows.iter().enumerate() {
        let mut status = new_status(app, group, group_rows);
        let over_limit = || {
            Some((
                Status::OverLimit,
                format!("the app has {active} active groups, its limit is {limit}"),
            ))
        };
        let refusal = inactive(group_rows, date).or_else(|| {
            rank += 1;
            if rank > limit {
                over_limit()
            } else {
                invalid_rows(group_rows)
            }
        });
        match (refusal, group_rows.as_slice()) {
            (None, [Row::Good(row)]) => match analyse(&row.row.rule, &names, date) {
                Ok(rule) => {
                    status.rule_hash = Some(rule_hash(&rule.text));
                    status.as_of = Some(date);
                    let withheld = withheld_tag(&rule.expr, &names)
                        .map(|(tag, limit)| over_limit_reason(tag, limit));
                    withheld
                        .into_iter()
                        .for_each(|reason| refuse(&mut status, Status::OverLimit, reason));
                    status.hints = rule.lints;
                    references.insert(index, rule.references);
                    let expr = match missing_day(&rule.expr, &names) {
                        Some(reason) if status.status == Status::Ok => {
                            let kept = names.names.kept_since(group);
                            (status.status, status.reason) = (Status::Incomplete, Some(reason));
                            status.as_of = kept;
                            members_before(group, kept)
                        }
                        _ => rule.expr,
                    };
                    compiled.push((group.clone(), expr));
                }
                Err(error) => refuse_rule(&mut status, error),
            },
            (Some((kind, reason)), [Row::Missing(missing)]) => {
                refuse(&mut status, kind, reason);
                status.as_of = missing.kept;
                compiled.push((group.clone(), members_before(group, missing.kept)));
            }
            (Some((kind, reason)), _) => refuse(&mut status, kind, reason),
            (None, _) => {}
        }
        statuses.push(status);
    }
    let program = build(&mut compiled, &references, &mut statuses);
    let groups = compiled.iter().map(|(group, _)| group.clone()).collect();
    AppPlan {
        app: app.to_owned(),
        rules: AppRules::new(app.to_owned(), groups, program),
        compiled,
        statuses,
    }
}

/// The last members; nobody, where nothing is kept: all members are counted as left.
fn members_before(group: &str, kept: Option<NaiveDate>) -> Expr {
    let before = |_| Expr::Atom(Atom::Before(group.to_owned()));
    kept.map_or(Expr::None, before)
}

/// Why a number of behaviour that a rule asks for can not be given tonight.
fn missing_day(rule: &Expr, names: &dyn Names) -> Option<String> {
    let mut atoms = rule.atoms().into_iter();
    atoms.find_map(|atom| match atom {
        Atom::Behaviour { state, .. } => names.missing(state),
        Atom::Has { .. }
        | Atom::Tag { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => None,
    })
}

/// The program of the groups that can be computed, which are left in `compiled`; it emits their
/// places there. A rule that mentions a group counts as needing
/// it even where its set does not depend on it (`in_group('x') OR true`): whether a rule is valid
/// must not hang on how far it was simplified.
fn build(
    compiled: &mut Vec<(String, Expr)>,
    references: &BTreeMap<usize, Vec<Reference>>,
    statuses: &mut [GroupStatus],
) -> Program {
    refuse_dependents(references, statuses);
    loop {
        compiled.retain(|(group, _)| {
            status_of(statuses, group).is_some_and(|index| is_written(&statuses[index]))
        });
        let (program, uncomputable) = Program::build(compiled);
        if uncomputable.is_empty() {
            return program;
        }
        for (place, why) in uncomputable {
            let Some(index) = status_of(statuses, &compiled[place].0) else {
                continue;
            };
            refuse_dependent(
                statuses,
                index,
                &why,
                references.get(&index).map_or(&[], Vec::as_slice),
            );
        }
        refuse_dependents(references, statuses);
    }
}

/// Whether a group has members tonight: its own, or those of a release before.
fn has_members(status: &GroupStatus) -> bool {
    status.status == Status::Ok || status.as_of.is_some()
}

/// Whether the shards compare the group with the release before.
fn is_written(status: &GroupStatus) -> bool {
    has_members(status) || matches!(status.status, Status::Lost | Status::Removed)
}

/// Where the status of a group stands: they are in order of the name.
fn status_of(statuses: &[GroupStatus], group: &str) -> Option<usize> {
    let found = statuses.binary_search_by(|status| status.group.as_str().cmp(group));
    found.ok()
}

/// Refuses every group that mentions one that is not ok, and those that mention these.
fn refuse_dependents(references: &BTreeMap<usize, Vec<Reference>>, statuses: &mut [GroupStatus]) {
    let mut mentioned_by: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, mentions) in references {
        mentions
            .iter()
            .for_each(|mention| mentioned_by.entry(&mention.group).or_default().push(*index));
    }
    let mut refused: Vec<String> = statuses
        .iter()
        .filter(|s| !has_members(s))
        .map(|s| s.group.clone())
        .collect();
    while let Some(name) = refused.pop() {
        for &index in mentioned_by.get(name.as_str()).into_iter().flatten() {
            if statuses[index].status == Status::Ok {
                refuse_dependent(
                    statuses,
                    index,
                    &Uncomputable::Needs(name.clone()),
                    &references[&index],
                );
                refused.push(statuses[index].group.clone());
            }
        }
    }
}

fn new_status(app: &str, group: &str, rows: &[Row]) -> GroupStatus {
    GroupStatus {
        app: app.to_owned(),
        group: group.to_owned(),
        status: Status::Ok,
        rule_hash: None,
        as_of: None,
        cardinality: None,
        reason: None,
        line: None,
        column: None,
        place: rows.first().and_then(Row::place_text),
        hints: Vec::new(),
    }
}

/// Why a group is not wanted tonight; one whose row can not be read, or is there twice, counts as
/// wanted.
fn inactive(rows: &[Row], date: NaiveDate) -> Option<(Status, String)> {
    let row = match rows {
        [Row::Good(Placed { row, .. })] => row,
        [Row::Missing(missing)] => return Some((missing.status(), missing.reason.clone())),
        _ => return None,
    };
    match (row.enabled, row.valid_from, row.valid_to) {
        (false, ..) => Some((Status::Disabled, "switched off by enabled".to_owned())),
        (_, Some(from), _) if date < from => Some((Status::Disabled, format!("valid from {from}"))),
        (_, _, Some(to)) if date > to => Some((Status::Expired, format!("valid to {to}"))),
        _ => None,
    }
}

/// Places that are worth printing.
const MOST_PLACES: usize = 5;

fn invalid_rows(rows: &[Row]) -> Option<(Status, String)> {
    let reason = match rows {
        [Row::Good(_)] => return None,
        [Row::Bad(fault)] => fault.reason.clone(),
        rows => {
            let places = rows.iter().filter_map(Row::place_text);
            let places: Vec<_> = places.take(MOST_PLACES).collect();
            let more = if rows.len() > MOST_PLACES {
                ", ..."
            } else {
                ""
            };
            format!(
                "found {} rows for the group, expected one: {}{more}",
                rows.len(),
                places.join(", ")
            )
        }
    };
    Some((Status::Invalid, reason))
}

fn over_limit_reason(tag: &str, limit: OverLimit) -> String {
    match limit {
        OverLimit::Tags => {
            format!("tag {tag:?} is beyond the number of tags that the app may have")
        }
        OverLimit::Values(most) => format!("tag {tag:?} has more values than its limit of {most}"),
    }
}

fn refuse(status: &mut GroupStatus, kind: Status, reason: String) {
    status.status = kind;
    status.reason = Some(reason);
    status.as_of = None;
}

fn refuse_rule(status: &mut GroupStatus, error: RuleError) {
    (status.line, status.column) = (Some(error.line), Some(error.column));
    refuse(status, Status::Invalid, error.message);
}

/// A rule that compiled but mentions a group that is not computed, or itself through others.
fn refuse_dependent(
    statuses: &mut [GroupStatus],
    index: usize,
    why: &Uncomputable,
    references: &[Reference],
) {
    let (mentioned, reason) = match why {
        Uncomputable::Cycle(path) => (path.get(1), why.to_string()),
        Uncomputable::Needs(name) => {
            let found = status_of(statuses, name);
            // Program::build refuses in any order: what is not yet marked here is refused for the
            // same reason.
            let kind = found.map_or(Status::Invalid, |found| statuses[found].status);
            let kind = if kind == Status::Ok {
                Status::Invalid
            } else {
                kind
            };
            (
                Some(name),
                format!("depends on group {name:?}, which is {kind}"),
            )
        }
    };
    let at = references
        .iter()
        .find(|reference| Some(&reference.group) == mentioned);
    (statuses[index].line, statuses[index].column) = (at.map(|at| at.line), at.map(|at| at.column));
    refuse(&mut statuses[index], Status::Invalid, reason);
}

/// The app's tags and lists, and the groups of its rows.
struct WithGroups<'a> {
    names: &'a dyn Names,
    groups: &'a BTreeMap<String, Vec<Row>>,
}

impl Names for WithGroups<'_> {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        self.names.tag(name)
    }

    fn tag_names(&self) -> Vec<&str> {
        self.names.tag_names()
    }

    fn has_group(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    fn group_names(&self) -> Vec<&str> {
        self.groups.keys().map(String::as_str).collect()
    }

    fn has_list(&self, name: &str) -> bool {
        self.names.has_list(name)
    }

    fn list_names(&self) -> Vec<&str> {
        self.names.list_names()
    }

    fn has_behaviour(&self) -> bool {
        self.names.has_behaviour()
    }

    fn event(&self, name: &str) -> Option<EventInfo> {
        self.names.event(name)
    }

    fn event_names(&self) -> Vec<&str> {
        self.names.event_names()
    }

    fn missing(&self, state: &WindowState) -> Option<String> {
        self.names.missing(state)
    }

    fn withheld(&self, tag: &str) -> Option<OverLimit> {
        self.names.withheld(tag)
    }
}
