//! What rules ask for and the newest release has not seen: an app without users, a text that no user
//! has ever had. Rules stay valid: tonight's data may bring it.

use std::collections::BTreeSet;

use tagmill_rules::groups::{AppPlan, GroupStatus, Status};
use tagmill_rules::{Atom, Expr, Test};
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Problem, Result, Value};
use tagmill_warehouse::store::Store;

use super::tag_codes::{Codes, load_codes};

/// Of a tag with more values none is looked for that is near.
const MOST_VALUES: usize = 10_000;

/// One hint for each such text, at the rule; one for an app.
///
/// # Errors
/// Those of reading the release's tag values.
pub async fn never_seen(
    plans: &[AppPlan],
    newest: &Manifest,
    store: &Store,
) -> Result<Vec<Problem>> {
    let codes = load_codes(Some(newest), store).await?.codes;
    let apps = newest.tags.iter().map(|entry| entry.app.as_str());
    let counted = newest
        .counts
        .iter()
        .filter_map(|count| count.app.as_deref());
    let apps: BTreeSet<&str> = apps.chain(counted).collect();
    let mut hints = Vec::new();
    for plan in plans {
        let is_computed = |status: &&GroupStatus| {
            let computed = [Status::Ok, Status::Stale, Status::Incomplete];
            computed.contains(&status.status)
        };
        let mut statuses = plan.statuses.iter().filter(is_computed);
        if !apps.contains(plan.app.as_str()) {
            let near = nearest(&plan.app, apps.iter().copied());
            let near = near.map_or_else(String::new, |near| format!(", near: {near:?}"));
            let what = format!(": no user of app {:?} has been seen{near}", plan.app);
            hints.extend(statuses.next().map(|status| status.hint(&what)));
            continue;
        }
        for status in statuses {
            let rule = plan.rule(&status.group);
            let texts = rule.map_or_else(Vec::new, |rule| unseen(&plan.app, rule, &codes));
            hints.extend(texts.iter().map(|what| status.hint(&format!(": {what}"))));
        }
    }
    Ok(hints)
}

/// `no user has had city 'Bejing', near: 'Beijing'`, of tags that have values.
fn unseen(app: &str, rule: &Expr, codes: &Codes) -> Vec<String> {
    let mut lines = Vec::new();
    for atom in rule.atoms() {
        let Atom::Tag {
            tag,
            test: Test::In(values),
        } = atom
        else {
            continue;
        };
        let Some(seen) = codes.get(&(app.to_owned(), tag.clone())) else {
            continue;
        };
        for value in values.iter().filter(|value| !seen.contains_key(*value)) {
            let Value::String(text) = value else { continue };
            let known = seen.keys().take(MOST_VALUES).filter_map(|seen| match seen {
                Value::String(text) => Some(text.as_str()),
                _ => None,
            });
            let near = nearest(text, known);
            let near = near.map_or_else(String::new, |near| format!(", near: '{near}'"));
            lines.push(format!("no user has had {tag} '{text}'{near}"));
        }
    }
    lines
}
