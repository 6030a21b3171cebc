//! `[[funnel]]`: events that users do one after the other, within a time.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::entry::Entry;
use super::key::{Key, Table};
use super::section::Section;
use super::source::Source;
use super::unit::parse_duration;
use crate::error::{Error, Result};
use crate::problem::Code;

/// The name that stands for every app.
const EVERY_APP: &str = "*";
/// Longest time from a chain's first event to its last: 7 days.
const MOST_SECONDS: u64 = 7 * 86_400;

/// Steps that users take one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    /// Unique.
    pub name: String,
    /// `None`: every app has it.
    pub app: Option<String>,
    /// At least [`Funnel::LEAST_STEPS`], at most [`Funnel::MOST_STEPS`].
    pub steps: Vec<Step>,
    /// From a chain's first event to its last, inclusive.
    pub window_seconds: u64,
    /// Days whose chains a release shows, the night's own included.
    pub days: u32,
}

/// A step of a funnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The event's name.
    pub event: String,
    /// Over the event's dimensions; `None`: every such event is the step.
    pub condition: Option<String>,
}

impl Funnel {
    /// The fewest steps.
    pub const LEAST_STEPS: usize = 2;
    /// The most steps.
    pub const MOST_STEPS: usize = 16;
    /// The days of a funnel that does not say.
    const DAYS: u32 = 30;

    /// 16 hex digits: a hash of steps and window, which say what a chain is.
    pub fn definition(&self) -> String {
        let mut content = Vec::new();
        for step in &self.steps {
            let condition = step.condition.as_deref().unwrap_or_default();
            for text in [step.event.as_str(), condition] {
                content.extend_from_slice(text.as_bytes());
                content.push(0);
            }
        }
        content.extend_from_slice(&self.window_seconds.to_le_bytes());
        format!("{:016x}", xxh3_64(&content))
    }

    /// Whether an app has it.
    pub fn is_of(&self, app: &str) -> bool {
        self.app.as_ref().is_none_or(|own| own == app)
    }
}

pub(super) const FUNNEL: Table = Table {
    title: "[[funnel]]",
    what: "Events that users do one after the other, within a time; see [funnels](funnels.md).",
    keys: &[
        Key::required("name", "name", "the funnel's name, unique"),
        Key::optional(
            "app",
            "name, or `*`",
            "\"*\"",
            "whose users; `*`: of every app",
        ),
        Key::required(
            "steps",
            "list of events, or of tables",
            "2 to 16 of them, each the name of an event or `{ event = 'pay', where = \"city = \
             'Beijing'\" }` with a condition over its dimensions",
        ),
        Key::required(
            "window",
            "duration up to `7d`",
            "the longest time from the first event of a chain to its last",
        ),
        Key::optional(
            "order",
            "`strict`",
            "\"strict\"",
            "every step is later than the one before; what lies between does not matter",
        ),
        Key::optional(
            "days",
            "whole number from 1 to 366",
            "30",
            "how many days a release shows, that of the night included; at least those of `window`",
        ),
    ],
};

pub(super) const STEP: Table = Table {
    title: "a step of a funnel",
    what: "An event of `steps` with a condition.",
    keys: &[
        Key::required("event", "name", "the event"),
        Key::optional(
            "where",
            "condition",
            "(every such event)",
            "over the event's dimensions, in the language of rules; it holds within one event",
        ),
    ],
};

/// Reads every `[[funnel]]`, in order of the name.
pub(super) fn read_all(root: &Section<'_>) -> Result<Vec<Funnel>> {
    let mut funnels: Vec<Funnel> = Vec::new();
    for (name, section) in root.named_sections("funnel")? {
        section.only(FUNNEL.keys);
        let read = read(name, &section).and_then(|funnel| {
            match funnels.iter().any(|earlier| earlier.name == funnel.name) {
                false => Ok(funnel),
                true => Err(section.refuse(format!("funnel {:?} is defined twice", funnel.name))),
            }
        });
        funnels.extend(section.document().read(read));
    }
    funnels.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(funnels)
}

fn read(name: String, section: &Section<'_>) -> Result<Funnel> {
    let app = section.optional("app", Entry::name);
    let steps = section.required("steps", steps);
    let window = section.required("window", window);
    let order = section.optional("order", |entry| match entry.text()?.as_str() {
        "strict" => Ok(()),
        "any" => Err(entry
            .refuse("order = \"any\" is not in this version")
            .fix("leave it out: steps are taken in their order")),
        _ => Err(entry.expected("\"strict\"")),
    });
    let days = section.optional("days", |entry| entry.integer(1..=366));
    let (window_seconds, days) = (window?, days?.unwrap_or(u64::from(Funnel::DAYS)));
    let of_window = window_seconds.div_ceil(86_400) + 1;
    order?;
    Ok(Funnel {
        name,
        app: app?.filter(|app| app != EVERY_APP),
        steps: steps?,
        window_seconds,
        days: days.max(of_window) as u32,
    })
}

fn window(entry: &Entry<'_>) -> Result<u64> {
    let seconds = entry.parsed(parse_duration)?.as_secs();
    match (1..=MOST_SECONDS).contains(&seconds) {
        true => Ok(seconds),
        false => Err(entry.expected("a duration from \"1s\" to \"7d\"")),
    }
}

fn steps(entry: &Entry<'_>) -> Result<Vec<Step>> {
    let steps = entry.elements()?;
    let allowed = Funnel::LEAST_STEPS..=Funnel::MOST_STEPS;
    if !allowed.contains(&steps.len()) {
        return Err(entry.expected("from 2 to 16 steps"));
    }
    steps.iter().map(step).collect()
}

fn step(entry: &Entry<'_>) -> Result<Step> {
    let Ok(section) = entry.section() else {
        let event = entry.name()?;
        return Ok(Step {
            event,
            condition: None,
        });
    };
    let section = section.named("a step of [[funnel]]".to_owned());
    section.only(STEP.keys);
    let event = section.required("event", Entry::name);
    let condition = section.optional("where", Entry::text);
    Ok(Step {
        event: event?,
        condition: condition?,
    })
}

/// Marks the sources whose times funnels need.
///
/// # Errors
/// Setup for a source that may have a step's event and has no time.
pub(super) fn mark_timed(sources: &mut [Source], funnels: &[Funnel]) -> Result<()> {
    let steps: Vec<&str> = funnels
        .iter()
        .flat_map(|funnel| &funnel.steps)
        .map(|step| step.event.as_str())
        .collect();
    for source in sources {
        let name = source.name.clone();
        let Some(events) = source.kind.events_mut() else {
            continue;
        };
        let has = |step: &&str| events.events.is_empty() || events.events.iter().any(|e| e == step);
        let Some(step) = steps.iter().find(|step| has(step)) else {
            continue;
        };
        if events.time.is_none() {
            let what = format!(
                "source {name:?} has no time, which funnels need: it may have the event {step:?}"
            );
            return Err(Error::setup("configuration", what)
                .at(format!("source {name} columns"))
                .with_code(Code::Value)
                .fix("name its column of times in columns.time, or its other events in events"));
        }
        events.is_timed = true;
    }
    Ok(())
}
