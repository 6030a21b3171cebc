//! Facts from events: the platform's own and merchants'. Reads rows, writes facts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::clean::{Cleaner, property_text, scaled, title};
use super::fact::{BAD_PROPERTY, EventFact, EventKey, Facts, LATE, NO_TIME, Refusal};
use super::row::{Row, for_each_row};
use super::value::{Kind, Value};
use crate::Error;

const ASKED: [&str; 4] = ["visit", "share", "add_to_cart", "purchase"];
const DIMENSIONS: [&str; 3] = ["channel", "city", "os"];

/// A span of instants: a local day in microseconds UTC, the end not included.
pub type Day = std::ops::Range<i64>;

/// Adds the platform's events. In a rich preset days go by time and copies are dropped; otherwise
/// every row of the folder counts.
///
/// # Errors
/// When a file can not be read.
pub fn add_platform(
    facts: &mut Facts,
    folder: &Path,
    day: &Day,
    is_rich: bool,
) -> Result<(), Error> {
    let cleaner = Cleaner {
        nulls: if is_rich { &["", "unknown"] } else { &[] },
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for_each_row(folder, |row| {
        let owner = cleaner.owner(row, "app", "openid")?;
        let event = cleaner.text(row, "event")?.unwrap_or_default();
        let timed = if is_rich {
            check_time(row, day)?
        } else {
            Ok(())
        };
        let asked = if is_rich && !ASKED.contains(&event.as_str()) {
            Err(Refusal::Filtered)
        } else {
            Ok(())
        };
        let mut outcome = asked.and(timed).and_then(|()| owner.check());
        if is_rich
            && outcome.is_ok()
            && !seen.insert(row.cell("event_id")?.text().unwrap_or_default())
        {
            outcome = Err(Refusal::Duplicate);
        }
        facts.count(
            "platform",
            owner.app.as_deref(),
            outcome.map(|(_, user)| user),
        );
        if let (Ok((app, user)), Ok(_) | Err(Refusal::Duplicate)) = (owner.check(), outcome) {
            facts.be_active(app, user);
        }
        let Ok((app, user)) = outcome else {
            return Ok(());
        };
        let key = (app.to_owned(), event);
        let amount = row
            .cell("amount_cents")?
            .whole()
            .filter(|_| key.1 == "purchase");
        facts
            .dimensions
            .entry(key.clone())
            .or_insert_with(|| DIMENSIONS.map(str::to_owned).to_vec());
        facts.events.entry(key).or_default().push(EventFact {
            user: user.to_owned(),
            dimensions: platform_dimensions(cleaner, row, is_rich)?,
            measures: amount
                .map(|cents| ("amount".to_owned(), i128::from(cents)))
                .into_iter()
                .collect(),
        });
        Ok(())
    })
}

fn platform_dimensions(
    cleaner: Cleaner,
    row: Row<'_>,
    is_rich: bool,
) -> Result<Vec<Option<Value>>, Error> {
    let (city, os) = (cleaner.text(row, "city")?, cleaner.text(row, "os")?);
    let channel = cleaner
        .text(row, "utm_source")?
        .or_else(|| Some("direct".to_owned()));
    let (city, os) = if is_rich {
        (
            city.map(|city| title(&city)),
            os.map(|os| os.to_lowercase()),
        )
    } else {
        (city, os)
    };
    Ok([channel, city, os]
        .map(|text| text.map(Value::String))
        .to_vec())
}

fn check_time(row: Row<'_>, day: &Day) -> Result<Result<(), Refusal>, Error> {
    Ok(match row.cell("ts")?.whole() {
        None => Err(NO_TIME),
        Some(time) if !day.contains(&time) => Err(LATE),
        Some(_) => Ok(()),
    })
}

/// A registry line: one property of one app's event.
#[derive(Debug, Clone, serde::Deserialize)]
struct PropertyRow {
    app: String,
    event: String,
    property: String,
    role: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    scale: u8,
}

/// Properties of each declared event, dimensions in the order of their names.
#[derive(Debug, Default)]
struct Declared {
    dimensions: BTreeMap<String, Kind>,
    measures: BTreeMap<String, u8>,
}

/// Adds one source of merchants' events.
///
/// # Errors
/// When a file can not be read.
pub fn add_custom(
    facts: &mut Facts,
    source: &str,
    folder: &Path,
    registry: &str,
    day: &Day,
) -> Result<(), Error> {
    let declared = declared_events(registry);
    let cleaner = Cleaner {
        nulls: &["", "unknown"],
    };
    for_each_row(folder, |row| {
        let owner = cleaner.owner(row, "app", "uid")?;
        let event = cleaner.text(row, "name")?.unwrap_or_default();
        let properties = owner
            .app
            .as_ref()
            .and_then(|app| declared.get(&(app.clone(), event.clone())));
        let timed = check_time(row, day)?;
        let found = properties
            .map(|properties| custom_event(row, properties))
            .transpose()?;
        let bad = found
            .as_ref()
            .and_then(|found| found.as_ref().err())
            .copied();
        let outcome = owner
            .check()
            .and_then(|owner| timed.and(bad.map_or(Ok(owner), Err)));
        facts.count(source, owner.app.as_deref(), outcome.map(|(_, user)| user));
        let Ok((app, user)) = outcome else {
            return Ok(());
        };
        let (Some(properties), Some(Ok(fact))) = (properties, found) else {
            facts.count_undeclared(source, app);
            return Ok(());
        };
        facts.be_active(app, user);
        let key = (app.to_owned(), event);
        facts
            .dimensions
            .entry(key.clone())
            .or_insert_with(|| properties.dimensions.keys().cloned().collect());
        facts.events.entry(key).or_default().push(EventFact {
            user: user.to_owned(),
            ..fact
        });
        Ok(())
    })
}

fn custom_event(row: Row<'_>, declared: &Declared) -> Result<Result<EventFact, Refusal>, Error> {
    let cell = row.cell("props")?;
    let mut fact = EventFact {
        user: String::new(),
        dimensions: Vec::new(),
        measures: BTreeMap::new(),
    };
    for (name, kind) in &declared.dimensions {
        let text = property_text(&cell, name);
        let value = text.as_deref().and_then(|text| Value::parse(text, *kind));
        if text.is_some() && value.is_none() {
            return Ok(Err(BAD_PROPERTY));
        }
        fact.dimensions.push(value);
    }
    for (name, scale) in &declared.measures {
        let text = property_text(&cell, name);
        let amount = text.as_deref().and_then(|text| scaled(text, *scale));
        if text.is_some() && amount.is_none() {
            return Ok(Err(BAD_PROPERTY));
        }
        fact.measures
            .extend(amount.map(|amount| (name.clone(), amount)));
    }
    Ok(Ok(fact))
}

fn declared_events(registry: &str) -> BTreeMap<EventKey, Declared> {
    let mut events: BTreeMap<EventKey, Declared> = BTreeMap::new();
    for row in registry
        .lines()
        .filter_map(|line| serde_json::from_str::<PropertyRow>(line).ok())
    {
        let Some(kind) = Kind::named(&row.kind) else {
            continue;
        };
        let is_known = ["dimension", "measure", "ignore"].contains(&row.role.as_str());
        if !is_known {
            continue;
        }
        let declared = events.entry((row.app, row.event)).or_default();
        match row.role.as_str() {
            "dimension" => drop(declared.dimensions.insert(row.property, kind)),
            "measure" => drop(declared.measures.insert(row.property, row.scale)),
            _ => {}
        }
    }
    events
}
