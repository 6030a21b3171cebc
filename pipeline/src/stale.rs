//! Which groups rest on carried values, and since when: through their tags, and through the groups
//! that they name; and which on sources that were skipped.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use tagmill_night::{NightSpec, RowsSpec};
use tagmill_rules::Atom;
use tagmill_rules::groups::{AppPlan, Status};

/// (app, group) -> a date.
type Dates = BTreeMap<(String, String), NaiveDate>;

/// The groups that rest on carried values, on lost groups or on those that keep their members, with the oldest date of those.
pub fn stale_since(
    spec: &NightSpec,
    plans: &[AppPlan],
    carried: &BTreeMap<&str, NaiveDate>,
) -> Dates {
    resting_on(spec, plans, carried, |plan| {
        let kept = [Status::Lost, Status::Incomplete];
        let lost = plan.statuses.iter().filter(|s| kept.contains(&s.status));
        lost.filter_map(|status| Some((status.group.as_str(), status.as_of?)))
            .collect()
    })
}

/// The groups that rest on sources that were skipped.
pub fn incomplete(
    spec: &NightSpec,
    plans: &[AppPlan],
    skipped: &BTreeMap<&str, NaiveDate>,
) -> Dates {
    resting_on(spec, plans, skipped, |_| BTreeMap::new())
}

fn resting_on(
    spec: &NightSpec,
    plans: &[AppPlan],
    sources: &BTreeMap<&str, NaiveDate>,
    lost: impl Fn(&AppPlan) -> BTreeMap<&str, NaiveDate>,
) -> Dates {
    let mut resting = Dates::new();
    for plan in plans {
        let lost = lost(plan);
        if sources.is_empty() && lost.is_empty() {
            continue;
        }
        for (group, date) in groups_on(spec, plan, sources, &lost) {
            resting.insert((plan.app.clone(), group.to_owned()), date);
        }
    }
    resting
}

fn groups_on<'p>(
    spec: &NightSpec,
    plan: &'p AppPlan,
    carried: &BTreeMap<&str, NaiveDate>,
    lost: &BTreeMap<&str, NaiveDate>,
) -> BTreeMap<&'p str, NaiveDate> {
    let uses = plan.compiled.iter();
    let uses: Vec<(&str, Vec<&Atom>)> = uses
        .map(|(group, rule)| (group.as_str(), rule.atoms()))
        .collect();
    let mut stale: BTreeMap<&str, NaiveDate> = BTreeMap::new();
    // A chain of groups is no longer than their number.
    loop {
        let before = stale.clone();
        for (group, atoms) in &uses {
            let dates = atoms.iter().filter_map(|atom| match atom {
                Atom::Has { tag } | Atom::Tag { tag, .. } => {
                    carried.get(source_of(spec, &plan.app, tag)?).copied()
                }
                Atom::InGroup(other) => stale.get(other.as_str()).copied(),
                Atom::Before(lost_group) => lost.get(lost_group.as_str()).copied(),
                Atom::Behaviour { .. } | Atom::InList(_) | Atom::InSplit { .. } => None,
            });
            if let Some(oldest) = dates.min() {
                stale.insert(group, oldest);
            }
        }
        if stale == before {
            return stale;
        }
    }
}

fn source_of<'a>(spec: &'a NightSpec, app: &str, tag: &str) -> Option<&'a str> {
    let platform = spec.sources.iter().find(|source| matches!(&source.rows, RowsSpec::Attributes { tags, .. } if tags.iter().any(|t| t.name == tag)));
    platform
        .map(|source| source.name.as_str())
        .or_else(|| spec.label(app, tag).map(|label| label.source.as_str()))
}
