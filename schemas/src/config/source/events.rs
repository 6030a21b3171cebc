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
    let event = columns.required("event", Entry::text);
    let properties = is_custom.then(|| columns.required("properties", Entry::text));
    let registry = is_custom.then(|| section.required("registry", registry));
    let day = read_day(section);
    let time = match day {
        Ok(Day {
            by: DayBy::Path, ..
        }) => columns.optional("time", Entry::text),
        _ => columns.required("time", Entry::text).map(Some),
    };
    let dedupe = section.section("dedupe", EVENT_KEY.keys);
    let dedupe = dedupe.and_then(|dedupe| dedupe.optional("key", Entry::names));
    let dimensions = read_expressions(section, "dimensions");
    let events = section.optional("events", Entry::names);
    let named = events.clone().unwrap_or_default().unwrap_or_default();
    let measures = read_measures(section, &named);
    let undeclared = section.optional("undeclared", |entry| entry.choice(&undeclared));
    Ok(Events {
        event: event?,
        time: time?,
        day: day?,
        dedupe: dedupe?.unwrap_or_default(),
        dimensions: by_name(dimensions?),
        measures: measures?,
        events: events?.unwrap_or_default(),
        properties: properties.transpose()?,
        registry: registry.transpose()?,
        undeclared: undeclared?.unwrap_or(UndeclaredEvent::Ignore),
        is_timed: false,
    })
}

fn read_day(section: &Section<'_>) -> Result<Day> {
    let day = section.section("day", DAY.keys)?;
    let by = [("time", DayBy::Time), ("path", DayBy::Path)];
    let late = [("reject", LateEvent::Reject), ("today", LateEvent::Today)];
    let by = day.optional("by", |entry| entry.choice(&by));
    let late = day.optional("late", |entry| entry.choice(&late));
    let folders = day.optional("folders", Folders::read);
    Ok(Day {
        by: by?.unwrap_or(DayBy::Time),
        late: late?.unwrap_or(LateEvent::Reject),
        folders: folders?.unwrap_or_default(),
    })
}

fn read_measures(section: &Section<'_>, events: &[String]) -> Result<Vec<Measure>> {
    let mut measures = section.each_of("measures", |entry| read_measure(entry, events))?;
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
    section.only(MEASURE.keys);
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
    let value = section.required("value", Entry::text);
    let scale = section.optional("scale", scale);
    let events = section.optional("events", of);
    Ok(Measure {
        value: value?,
        scale: scale?.unwrap_or(0),
        events: events?.unwrap_or_default(),
        name,
    })
}
