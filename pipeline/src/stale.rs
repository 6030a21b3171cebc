//! Which groups rest on carried values, and since when: through their tags, and through the groups
//! that they name.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tagmill_schemas::{Error, Result};

use tagmill_night::{AppNames, AppRules, NightSpec, RowsSpec, TagSpec};
use tagmill_rules::{Atom, Expr, compile};

/// (app, group) -> the oldest date of the carried values that it rests on.
///
/// # Errors
/// Setup when a rule that was planned does not compile any more.
pub fn stale_since(
    spec: &NightSpec,
    carried: &BTreeMap<&str, NaiveDate>,
) -> Result<BTreeMap<(String, String), NaiveDate>> {
    let mut stale = BTreeMap::new();
    if carried.is_empty() {
        return Ok(stale);
    }
    let platform: Vec<TagSpec> = spec.platform_tags().cloned().collect();
    for rules in &spec.rules {
        for (group, date) in stale_groups(spec, rules, &platform, carried)? {
            stale.insert((rules.app.clone(), group), date);
        }
    }
    Ok(stale)
}

fn stale_groups(
    spec: &NightSpec,
    rules: &AppRules,
    platform: &[TagSpec],
    carried: &BTreeMap<&str, NaiveDate>,
) -> Result<BTreeMap<String, NaiveDate>> {
    let names = AppNames::planned(spec, rules, platform);
    let mut uses: BTreeMap<&str, Vec<Atom>> = BTreeMap::new();
    for (group, rule) in &rules.groups {
        let expression = compile(rule, &names, spec.date).map_err(|e| {
            Error::setup(
                "roll-up",
                format!("rule {}/{group}: {}", rules.app, e.message),
            )
        })?;
        let mut atoms = Vec::new();
        collect(&expression, &mut atoms);
        uses.insert(group, atoms);
    }
    let mut stale: BTreeMap<String, NaiveDate> = BTreeMap::new();
    // A chain of groups is no longer than their number.
    loop {
        let before = stale.clone();
        for (group, atoms) in &uses {
            let dates = atoms.iter().filter_map(|atom| match atom {
                Atom::Has { tag } | Atom::Tag { tag, .. } => {
                    carried.get(source_of(spec, &rules.app, tag)?).copied()
                }
                Atom::InGroup(other) => stale.get(other).copied(),
                Atom::InList(_) | Atom::InSplit { .. } => None,
            });
            if let Some(oldest) = dates.min() {
                stale.insert((*group).to_owned(), oldest);
            }
        }
        if stale == before {
            return Ok(stale);
        }
    }
}

fn collect(expression: &Expr, out: &mut Vec<Atom>) {
    match expression {
        Expr::All | Expr::None => {}
        Expr::Not(inner) => collect(inner, out),
        Expr::And(members) | Expr::Or(members) => {
            members.iter().for_each(|member| collect(member, out))
        }
        Expr::Atom(atom) => out.push(atom.clone()),
    }
}

fn source_of<'a>(spec: &'a NightSpec, app: &str, tag: &str) -> Option<&'a str> {
    let platform = spec.sources.iter().find(|source| matches!(&source.rows, RowsSpec::Attributes { tags, .. } if tags.iter().any(|t| t.name == tag)));
    platform
        .map(|source| source.name.as_str())
        .or_else(|| spec.label(app, tag).map(|label| label.source.as_str()))
}
