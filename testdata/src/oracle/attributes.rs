//! Facts from the two snapshots: wide attributes and vertical tags. Reads rows, writes facts.

use std::collections::BTreeMap;
use std::path::Path;

use super::clean::Cleaner;
use super::fact::{BAD_VALUE, Facts, Refusal};
use super::row::{Cell, Row, for_each_row};
use super::value::{Kind, Value};
use crate::Error;

/// Tags of the attribute source: name, kind, multi.
const TAGS: [(&str, Kind); 8] = [
    ("gender", Kind::String),
    ("age", Kind::Integer),
    ("city", Kind::String),
    ("level", Kind::Integer),
    ("signup_date", Kind::Date),
    ("balance", Kind::Double),
    ("vip", Kind::Boolean),
    ("interests", Kind::String),
];

/// Tags of the attribute source of which a user has one value.
pub fn single_valued() -> impl Iterator<Item = &'static str> {
    TAGS.iter()
        .map(|(name, _)| *name)
        .filter(|name| *name != "interests")
}

type Values = Vec<(&'static str, Value)>;

/// When a single-valued label last changed, and to what, by app, tag and user.
type LatestLabels = BTreeMap<(String, String, String), (Option<i64>, Option<Value>)>;

/// What a registry says about an app's tag.
#[derive(Debug, Clone, serde::Deserialize)]
struct TagRow {
    app: String,
    tag: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    multi: bool,
}

/// Adds the attribute rows of a day.
///
/// # Errors
/// When a file can not be read.
pub fn add_profiles(
    facts: &mut Facts,
    folder: &Path,
    today: i64,
    is_rich: bool,
) -> Result<(), Error> {
    let cleaner = Cleaner {
        nulls: if is_rich {
            &["", "NULL", "\\N", "unknown"]
        } else {
            &[]
        },
    };
    let tags = TAGS
        .iter()
        .filter(|(name, _)| is_rich || *name != "interests");
    let mut latest: BTreeMap<(String, String), (Option<i64>, Values)> = BTreeMap::new();
    for_each_row(folder, |row| {
        let owner = cleaner.owner(row, "mini_app_id", "openid")?;
        let refused = if is_rich { refusal(row, today)? } else { None };
        let outcome = refused.map_or_else(|| owner.check(), Err);
        facts.count(
            "profiles",
            owner.app.as_deref(),
            outcome.map(|(_, user)| user),
        );
        let Ok((app, user)) = outcome else {
            return Ok(());
        };
        let changed = if is_rich {
            row.cell("updated_at")?.whole()
        } else {
            None
        };
        let mut values = Values::new();
        tags.clone().try_for_each(|(tag, _)| {
            attribute(cleaner, row, tag, is_rich)
                .map(|found| values.extend(found.into_iter().map(|value| (*tag, value))))
        })?;
        let key = (app.to_owned(), user.to_owned());
        match latest.get(&key) {
            Some((known, _)) if changed <= *known => {}
            _ => drop(latest.insert(key, (changed, values))),
        }
        Ok(())
    })?;
    for ((app, user), (_, values)) in latest {
        values
            .into_iter()
            .for_each(|(tag, value)| facts.add_value(&app, tag, &user, value));
    }
    facts
        .platform_kinds
        .extend(tags.map(|(tag, kind)| ((*tag).to_owned(), *kind)));
    Ok(())
}

fn refusal(row: Row<'_>, today: i64) -> Result<Option<Refusal>, Error> {
    if row.cell("is_test")? == Cell::Truth(true) {
        return Ok(Some(Refusal::Filtered));
    }
    let is_bad = row
        .cell("birth_date")?
        .whole()
        .is_some_and(|born| born > today);
    Ok(is_bad.then_some(Refusal::Rejected("bad_birth")))
}

fn attribute(
    cleaner: Cleaner,
    row: Row<'_>,
    tag: &str,
    is_rich: bool,
) -> Result<Vec<Value>, Error> {
    let text = |text: String| Value::String(text);
    Ok(match (tag, row.cell(tag)?) {
        ("gender", Cell::Text(_)) if is_rich => cleaner
            .text(row, tag)?
            .map(|raw| text(raw.trim_matches(' ').to_uppercase()))
            .into_iter()
            .collect(),
        ("interests", Cell::Text(_)) => cleaner
            .text(row, tag)?
            .iter()
            .flat_map(|all| all.split('|'))
            .map(|one| text(one.to_owned()))
            .collect(),
        ("signup_date", Cell::Whole(days)) => vec![Value::Date(days as i32)],
        (_, Cell::Text(_)) => cleaner.text(row, tag)?.map(text).into_iter().collect(),
        (_, Cell::Whole(number)) => vec![Value::Integer(number)],
        (_, Cell::Float(number)) => vec![Value::Double(number)],
        (_, Cell::Truth(truth)) => vec![Value::Boolean(truth)],
        _ => Vec::new(),
    })
}

/// Adds the label rows of a day, typed by the registry's lines.
///
/// # Errors
/// When a file can not be read.
pub fn add_labels(facts: &mut Facts, folder: &Path, registry: &str) -> Result<(), Error> {
    let declared = declared_tags(registry);
    facts
        .kinds
        .extend(declared.iter().map(|(key, (kind, _))| (key.clone(), *kind)));
    let cleaner = Cleaner {
        nulls: &["", "NULL", "unknown"],
    };
    let mut latest = LatestLabels::new();
    for_each_row(folder, |row| {
        let owner = cleaner.owner(row, "app", "openid")?;
        let tag = cleaner.text(row, "tag_name")?.unwrap_or_default();
        let (kind, is_multi) = owner
            .app
            .as_ref()
            .and_then(|app| declared.get(&(app.clone(), tag.clone())))
            .copied()
            .unwrap_or((Kind::String, false));
        let raw = cleaner.text(row, "tag_value")?;
        let value = raw.as_deref().and_then(|text| Value::parse(text, kind));
        let is_bad = raw.is_some() && value.is_none();
        let outcome = owner
            .check()
            .and_then(|found| if is_bad { Err(BAD_VALUE) } else { Ok(found) });
        facts.count(
            "labels",
            owner.app.as_deref(),
            outcome.map(|(_, user)| user),
        );
        let Ok((app, user)) = outcome else {
            return Ok(());
        };
        facts
            .kinds
            .entry((app.to_owned(), tag.clone()))
            .or_insert(kind);
        if is_multi {
            value
                .into_iter()
                .for_each(|value| facts.add_value(app, &tag, user, value));
            return Ok(());
        }
        let (key, changed) = (
            (app.to_owned(), tag, user.to_owned()),
            row.cell("updated_at")?.whole(),
        );
        let known = latest.get(&key).map(|(known, _)| *known);
        if known.is_none_or(|known| changed > known) {
            latest.insert(key, (changed, value));
        }
        Ok(())
    })?;
    for ((app, tag, user), (_, value)) in latest {
        value
            .into_iter()
            .for_each(|value| facts.add_value(&app, &tag, &user, value));
    }
    Ok(())
}

fn declared_tags(registry: &str) -> BTreeMap<(String, String), (Kind, bool)> {
    let rows = registry
        .lines()
        .filter_map(|line| serde_json::from_str::<TagRow>(line).ok());
    rows.filter_map(|row| {
        Kind::named(&row.kind).map(|kind| ((row.app, row.tag), (kind, row.multi)))
    })
    .collect()
}
