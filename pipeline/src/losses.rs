//! Whether the night's groups may take the place of those before: not when so many of them broke,
//! or went, that the mistake is ours.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_rules::groups::{Before, GroupStatus, Status};
use tagmill_schemas::config::Groups;
use tagmill_schemas::manifest::Input;
use tagmill_schemas::{Error, Result};

use super::groups::{GroupNight, RULES};

const STAGE: &str = "groups";

/// So many groups of an app may be lost or removed whatever their share is.
const FEW: usize = 10;

/// Compares the groups with those of the release before.
///
/// # Errors
/// Retry without any file of rules; refused for too many rules that are newly invalid, lost or
/// removed.
pub fn check_groups(night: &GroupNight, inputs: &[Input], limits: &Groups) -> Result<()> {
    check_rules_are_there(inputs, night.before.len())?;
    check_new_invalid(night, limits.max_new_invalid)?;
    let bring_back = "bring the rows back, or raise groups.max_removed";
    let repair = "repair the rows, or raise groups.max_lost";
    check_missing(night, Status::Lost, ("max_lost", limits.max_lost), repair)?;
    let removed = ("max_removed", limits.max_removed);
    check_missing(night, Status::Removed, removed, bring_back)
}

/// Stops the night when there is no file of rules although groups were there before: without it all
/// of them would be gone.
fn check_rules_are_there(inputs: &[Input], before: usize) -> Result<()> {
    let has_files = inputs
        .iter()
        .any(|input| input.source == RULES && !input.files.is_empty());
    if has_files || before == 0 {
        return Ok(());
    }
    let error = Error::retry(
        STAGE,
        format!("groups.rules has no file, but {before} groups were there before"),
    );
    Err(error.fix(
        "bring the files back, or take [groups] out of the configuration when there are to be none",
    ))
}

/// Refuses the night when so many rules are newly invalid or lost that the mistake is ours, not a
/// merchant's: more than the fraction `most`, and not one rule alone or those of one app alone,
/// when others have groups.
fn check_new_invalid(night: &GroupNight, most: f64) -> Result<()> {
    let known: Vec<&(String, String)> = night
        .before
        .iter()
        .filter(|(_, before)| was_published(before))
        .map(|(group, _)| group)
        .collect();
    let is_new = |s: &&GroupStatus| {
        let key = (s.app.clone(), s.group.clone());
        matches!(s.status, Status::Invalid | Status::Lost)
            && night.before.get(&key).is_some_and(was_published)
    };
    let newly: Vec<&GroupStatus> = statuses(night).filter(is_new).collect();
    let apps = |s: &&GroupStatus| s.app.clone();
    let apps: BTreeSet<String> = newly.iter().map(apps).collect();
    let is_of_one =
        newly.len() <= 1 || (apps.len() == 1 && known.iter().any(|group| !apps.contains(&group.0)));
    if newly.len() as f64 <= most * known.len() as f64 || (is_of_one && most > 0.0) {
        return Ok(());
    }
    let invalid = newly.iter().find(|s| s.status == Status::Invalid);
    let first = match (invalid, night.damaged.first()) {
        (None, Some(file)) => format!("{file}, of which rows seem to be lost"),
        (found, _) => found
            .or(newly.first())
            .and_then(|status| status.problem())
            .map_or_else(String::new, |problem| problem.to_string()),
    };
    let what = format!(
        "{} of {} rules that were valid before are invalid or can not be read, more than \
         groups.max_new_invalid",
        newly.len(),
        known.len()
    );
    Err(Error::refused(STAGE, what)
        .at(first)
        .fix("repair the rules or the tags that they name, or raise groups.max_new_invalid"))
}

/// Refuses the night when more of an app's groups than the fraction went, and more than a few.
fn check_missing(
    night: &GroupNight,
    status: Status,
    (key, most): (&str, f64),
    fix: &str,
) -> Result<()> {
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    let there = night.before.iter().filter(|(_, before)| was_there(before));
    there.for_each(|((app, _), _)| *totals.entry(app).or_default() += 1);
    let mut gone: BTreeMap<&str, Vec<&GroupStatus>> = BTreeMap::new();
    let is_new = |s: &&GroupStatus| {
        let key = (s.app.clone(), s.group.clone());
        let before = night.before.get(&key);
        s.status == status && before.is_some_and(|before| before.status != status.name())
    };
    for found in statuses(night).filter(is_new) {
        gone.entry(&found.app).or_default().push(found);
    }
    let too_many = gone.iter().find_map(|(app, groups)| {
        let total = *totals.get(app)?;
        let is_beyond = groups.len() > FEW && groups.len() as f64 > most * total as f64;
        is_beyond.then_some((app, groups, total))
    });
    let Some((app, groups, total)) = too_many else {
        return Ok(());
    };
    let what = format!(
        "{} of {total} groups of app {app:?} are {status}, more than groups.{key} ({} %)",
        groups.len(),
        most * 100.0
    );
    let first = groups.first().map(|first| {
        let reason = first.reason.as_deref().unwrap_or_default();
        let place = first.place.as_deref().unwrap_or("no file");
        format!("{place} (group {:?}: {reason})", first.group)
    });
    Err(Error::refused(STAGE, what)
        .at(first.unwrap_or_default())
        .fix(fix))
}

fn statuses(night: &GroupNight) -> impl Iterator<Item = &GroupStatus> {
    night.plans.iter().flat_map(|plan| &plan.statuses)
}

fn was_there(before: &Before) -> bool {
    before.status != Status::Removed.name()
}

fn was_published(before: &Before) -> bool {
    [Status::Ok, Status::Stale, Status::Incomplete]
        .iter()
        .any(|published| published.name() == before.status)
}
