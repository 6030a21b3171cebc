//! The numbers of behaviour that valid rules ask for: each once, and what it is computed from.
//!
//! ```text
//! the night before has it, of the same days ─► it goes on: one day comes in, one goes out
//! else ─────────────────────────────────────► the days of its window are read
//! ```

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use tagmill_behaviour::AppWindow;
use tagmill_night::{NightSpec, NightWindows, ShardReport, WindowReport};
use tagmill_rules::groups::{AppPlan, Status};
use tagmill_rules::{Atom, WindowState};
use tagmill_schemas::manifest::{
    BehaviourDays, DayList, DayOfWindows, ListKind, Manifest, StateOfApps,
};
use tagmill_schemas::{Artifact, Result};
use tagmill_warehouse::release::{Parents, load_each_list};
use tagmill_warehouse::store::Store;

use super::event_days::{EventDays, first_kept, missing_after};

/// The numbers of tonight.
///
/// # Errors
/// Those of reading lists.
pub async fn plan_windows(
    plans: &[AppPlan],
    days: &EventDays<'_>,
    parents: &Parents,
    (date, is_kept): (NaiveDate, bool),
    store: &Store,
) -> Result<NightWindows> {
    let before = Before::of(parents, date);
    let mut night = NightWindows::default();
    for plan in plans {
        let states = states_of(plan);
        if states.is_empty() {
            continue;
        }
        let window = |state: WindowState| {
            let rolled = before
                .as_ref()
                .and_then(|before| before.since(&plan.app, &state));
            let from = state
                .window
                .and_then(|w| w.days_of(date))
                .map(|(first, _)| first);
            AppWindow {
                since: match state.window {
                    None => rolled.unwrap_or_else(|| days.since(None)),
                    Some(_) => days.since(from),
                },
                is_rolled: rolled.is_some(),
                state,
            }
        };
        let windows = states.into_iter().map(window).collect();
        night.apps.insert(plan.app.clone(), windows);
    }
    night.sort();
    let (Some(newest), false) = (&parents.newest, night.is_empty()) else {
        return Ok(night);
    };
    let steps = |day: NaiveDate| -> bool {
        let mut windows = night.apps.values().flatten();
        windows.any(|window| window.step(day, date).is_some())
    };
    let is_earlier = |day: NaiveDate| day < date || day == date && is_kept;
    let lists: Vec<&DayList> = newest.lists.iter().filter(|list| is_wanted(list)).collect();
    let lists: Vec<&DayList> = lists
        .into_iter()
        .filter(|list| is_earlier(list.date) && steps(list.date))
        .collect();
    let files = load_each_list(store, lists.iter().copied()).await?;
    night.days = lists.iter().map(|list| list.date).zip(files).collect();
    if night.apps.values().flatten().any(|window| window.is_rolled) {
        let files = parents
            .state
            .iter()
            .flat_map(|m| m.direct_files(Artifact::Windows));
        night.before = files.cloned().collect();
    }
    Ok(night)
}

fn is_wanted(list: &DayList) -> bool {
    list.kind == ListKind::Behaviour
}

/// The states that the rules of an app which are computed ask for.
fn states_of(plan: &AppPlan) -> BTreeSet<WindowState> {
    let atoms = plan.rules.program().atoms().iter();
    atoms.filter_map(state_of).cloned().collect()
}

fn state_of(atom: &Atom) -> Option<&WindowState> {
    match atom {
        Atom::Behaviour { state, .. } => Some(state),
        Atom::Has { .. }
        | Atom::Tag { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => None,
    }
}

/// The windows of the night before.
struct Before<'a> {
    release: &'a Manifest,
    /// Days whose events are not those that the windows were made of.
    changed: BTreeSet<NaiveDate>,
}

impl<'a> Before<'a> {
    /// `None` when the release before is not of the day before, or has no windows.
    fn of(parents: &'a Parents, date: NaiveDate) -> Option<Self> {
        let (release, newest) = (parents.state.as_ref()?, parents.newest.as_ref()?);
        let is_of_yesterday = release.head_date.succ_opt() == Some(date);
        if !is_of_yesterday || release.behaviour.windows.is_empty() {
            return None;
        }
        let made_of: BTreeMap<NaiveDate, _> = release
            .behaviour
            .made_of
            .iter()
            .map(|day| (day.date, day.list))
            .collect();
        let now = newest.lists.iter().filter(|list| is_wanted(list));
        let now: BTreeMap<NaiveDate, _> = now.map(|list| (list.date, list.list)).collect();
        // What is no longer kept did not change.
        let oldest = now.keys().next().copied();
        let days = made_of.keys().chain(now.keys());
        let days = days.filter(|day| oldest.is_none_or(|oldest| **day >= oldest));
        let changed = days.filter(|day| made_of.get(day) != now.get(day)).copied();
        let changed = changed.filter(|day| *day < date).collect();
        Some(Self { release, changed })
    }

    /// The first day in a number of an app that goes on.
    fn since(&self, app: &str, state: &WindowState) -> Option<NaiveDate> {
        let text = state.to_string();
        let windows = self.release.behaviour.windows.iter();
        let mut found = windows.filter(|of| of.state == text);
        let found = found.find(|of| of.apps.iter().any(|of| of == app))?;
        let (first, last) = match state.window {
            Some(window) => window.days_of(self.release.head_date)?,
            None => (found.since, self.release.head_date),
        };
        let is_same = self.changed.range(first..=last).next().is_none();
        is_same.then_some(found.since)
    }
}

/// What the release of a run says of its days and windows; `lists` are its lists.
pub fn behaviour_after(
    spec: &NightSpec,
    windows: &NightWindows,
    reports: &[WindowReport],
    newest: Option<&Manifest>,
    (lists, kept): (&[DayList], u32),
) -> BehaviourDays {
    let head = newest.map_or(spec.date, |newest| newest.head_date.max(spec.date));
    let missing = missing_after(spec, newest, first_kept(head, kept));
    if let Some(newest) = newest.filter(|_| spec.is_backfill) {
        return BehaviourDays {
            missing,
            ..newest.behaviour.clone()
        };
    }
    let mut states: BTreeMap<(String, NaiveDate), Vec<String>> = BTreeMap::new();
    let mut first = None;
    let of_apps = windows
        .apps
        .iter()
        .filter(|(app, _)| !spec.set_aside.contains(*app));
    for (app, window) in of_apps.flat_map(|(app, of)| of.iter().map(move |window| (app, window))) {
        let text = window.state.to_string();
        let is_beyond = |of: &WindowReport| of.beyond > 0 && of.app == *app && of.state == text;
        if !reports.iter().any(is_beyond) {
            states
                .entry((text, window.since))
                .or_default()
                .push(app.clone());
            first = first
                .into_iter()
                .chain([first_day(window, spec.date)])
                .min();
        }
    }
    let of_windows = lists.iter().filter(|list| is_wanted(list));
    let of_windows = of_windows.filter(|list| first.is_some_and(|first| list.date >= first));
    let days = of_windows.filter(|list| list.date <= spec.date);
    let state = |((state, since), apps): ((String, NaiveDate), Vec<String>)| StateOfApps {
        state,
        since,
        apps,
    };
    BehaviourDays {
        missing,
        made_of: days
            .map(|list| DayOfWindows {
                date: list.date,
                list: list.list,
            })
            .collect(),
        windows: states.into_iter().map(state).collect(),
    }
}

/// The first day that a number is made of.
fn first_day(window: &AppWindow, date: NaiveDate) -> NaiveDate {
    let of_window = window.state.window.and_then(|of| of.days_of(date));
    of_window.map_or(window.since, |(first, _)| first)
}

/// The reports of all shards, app by app and state by state.
pub fn window_reports(reports: &[ShardReport]) -> Vec<WindowReport> {
    let mut sums: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for report in reports.iter().flat_map(|report| &report.windows) {
        let sum = sums.entry((&report.app, &report.state)).or_default();
        *sum = (sum.0 + report.uncertain, sum.1 + report.beyond);
    }
    let sums = sums.into_iter();
    sums.map(|((app, state), (uncertain, beyond))| WindowReport {
        app: app.to_owned(),
        state: state.to_owned(),
        uncertain,
        beyond,
    })
    .collect()
}

/// Says of groups that are ok since when a number they ask for has days, if it lacks some before the
/// first night, and that it is not exact.
pub fn tell_windows(
    plans: &mut [AppPlan],
    windows: &NightWindows,
    reports: &[WindowReport],
    date: NaiveDate,
) {
    for plan in plans {
        let Some(of_app) = windows.apps.get(&plan.app) else {
            continue;
        };
        let inexact = reports.iter().filter(|report| report.app == plan.app);
        let inexact: BTreeMap<&str, u64> = inexact
            .map(|report| (report.state.as_str(), report.uncertain))
            .collect();
        for status in plan.statuses.iter_mut().filter(|s| s.status == Status::Ok) {
            let mut rules = plan.compiled.iter();
            let rule = rules.find(|(group, _)| *group == status.group);
            let atoms = rule.into_iter().flat_map(|(_, rule)| rule.atoms());
            let states: BTreeSet<&WindowState> = atoms.filter_map(state_of).collect();
            let reasons = states.into_iter().flat_map(|state| {
                let window = of_app.iter().find(|window| window.state == *state);
                let uncertain = inexact.get(state.to_string().as_str()).copied();
                [
                    window.and_then(|window| young(window, date)),
                    uncertain_text(state, uncertain),
                ]
            });
            let reasons: Vec<String> = reasons.flatten().collect();
            if !reasons.is_empty() {
                status.reason = Some(reasons.join("; "));
            }
        }
    }
}

/// A window that begins before there were events.
fn young(window: &AppWindow, date: NaiveDate) -> Option<String> {
    let (first, _) = window.state.window?.days_of(date)?;
    let AppWindow { state, since, .. } = window;
    (*since > first).then(|| format!("{state} has the days since {since}"))
}

fn uncertain_text(state: &WindowState, users: Option<u64>) -> Option<String> {
    users.filter(|users| *users > 0).map(|users| {
        format!(
            "not exact: of {users} users more values or combinations than are kept may count in \
             {state}"
        )
    })
}
