//! Reads what event sources have: day, dedupe, events, dimensions, measures, and the registry of
//! custom events.

use super::keys::{DAY, EVENT_KEY, MEASURE};
use super::read::{by_name, read_expressions};
use super::{Day, DayBy, Events, Folders, LateEvent, Measure, UndeclaredEvent};
use crate::config::entry::Entry;
use crate::config::section::Section;
use crate::config::tag::scale;
use crate::config::template;
use crate::error::Result;
use crate::nearest::nearest;

pub(super) fn read(
    section: &Section<'_>,
    columns: &Section<'_>,
    is_custom: bool,
) -> Result<Events> {
    let registry = |entry: &Entry<'_>| template::path(entry, &["date"]);
    let undeclared = [
        ("ignore", UndeclaredEvent::Ignore),
        ("reject", UndeclaredEvent::Reject),
    ];
    let day = read_day(section)?;
    let time = match day.by {
        DayBy::Path => columns.optional("time", Entry::text)?,
        DayBy::Time => Some(columns.required("time", Entry::text)?),
    };
    let events = section
        .optional("events", Entry::names)?
        .unwrap_or_default();
    Ok(Events {
        event: columns.required("event", Entry::text)?,
        time,
        day,
        dedupe: section
            .section("dedupe", EVENT_KEY.keys)?
            .optional("key", Entry::names)?
            .unwrap_or_default(),
        dimensions: by_name(read_expressions(section, "dimensions")?),
        measures: read_measures(section, &events)?,
        events,
        properties: if is_custom {
            Some(columns.required("properties", Entry::text)?)
        } else {
            None
        },
        registry: if is_custom {
            Some(section.required("registry", registry)?)
        } else {
            None
        },
        undeclared: section
            .optional("undeclared", |entry| entry.choice(&undeclared))?
            .unwrap_or(UndeclaredEvent::Ignore),
    })
}

fn read_day(section: &Section<'_>) -> Result<Day> {
    let day = section.section("day", DAY.keys)?;
    let by = [("time", DayBy::Time), ("path", DayBy::Path)];
    let late = [("reject", LateEvent::Reject), ("today", LateEvent::Today)];
    Ok(Day {
        by: day
            .optional("by", |entry| entry.choice(&by))?
            .unwrap_or(DayBy::Time),
        late: day
            .optional("late", |entry| entry.choice(&late))?
            .unwrap_or(LateEvent::Reject),
        folders: day.optional("folders", Folders::read)?.unwrap_or_default(),
    })
}

fn read_measures(section: &Section<'_>, events: &[String]) -> Result<Vec<Measure>> {
    let read = |entry: Entry<'_>| read_measure(&entry, events);
    let mut measures = section
        .free_entries("measures")?
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>>>()?;
    measures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(measures)
}

fn read_measure(entry: &Entry<'_>, events: &[String]) -> Result<Measure> {
    let name = entry.key_name()?;
    if name == "*" {
        return Err(entry
            .refuse("measure \"*\" is the number of events, which every event has")
            .fix("give it another name"));
    }
    let section = entry.section()?.named(format!("measure {name:?}"));
    section.only(MEASURE.keys)?;
    let of = |entry: &Entry<'_>| {
        let names = entry.names()?;
        match names
            .iter()
            .find(|name| !events.is_empty() && !events.contains(name))
        {
            None => Ok(names),
            Some(stranger) => {
                let error = entry.refuse(format!(
                    "measure {:?}: event {stranger:?} is not among the source's events",
                    name
                ));
                Err(match nearest(stranger, events.iter().map(String::as_str)) {
                    Some(near) => error.fix(format!("did you mean {near:?}")),
                    None => error.fix(format!("expected {}", events.join(", "))),
                })
            }
        }
    };
    Ok(Measure {
        value: section.required("value", Entry::text)?,
        scale: section.optional("scale", scale)?.unwrap_or(0),
        events: section.optional("events", of)?.unwrap_or_default(),
        name,
    })
}
