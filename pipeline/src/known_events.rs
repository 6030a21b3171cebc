//! The events that rules may ask for: of the configuration, and of registries of custom events.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_night::EventShapes;
use tagmill_rules::EventInfo;
use tagmill_schemas::Config;
use tagmill_schemas::config::SourceKind;

/// What is known of events, source by source.
pub struct KnownEvents<'a> {
    sources: Vec<EventsOfSource<'a>>,
}

struct EventsOfSource<'a> {
    name: &'a str,
    events: Declared<'a>,
}

/// Which events a source has.
enum Declared<'a> {
    /// These, or any for none; of all apps.
    ByConfig(&'a tagmill_schemas::config::Events),
    /// Those of a registry.
    ByRegistry(EventShapes),
    /// A registry that is not read tonight says.
    Elsewhere,
}

impl<'a> KnownEvents<'a> {
    /// The events of a configuration; `registries` are the shapes of custom events by source, as far
    /// as they are read.
    pub fn of(config: &'a Config, mut registries: BTreeMap<String, EventShapes>) -> Self {
        let of_source = |source: &'a tagmill_schemas::config::Source| {
            let events = match &source.kind {
                SourceKind::Behaviour(events) => Declared::ByConfig(events),
                SourceKind::CustomEvents(_) => match registries.remove(&source.name) {
                    Some(shapes) => Declared::ByRegistry(shapes),
                    None => Declared::Elsewhere,
                },
                SourceKind::Attributes { .. } | SourceKind::GroupTags { .. } => return None,
            };
            let name = source.name.as_str();
            Some(EventsOfSource { name, events })
        };
        Self {
            sources: config.sources.iter().filter_map(of_source).collect(),
        }
    }

    /// What an event of an app is made of; `None` for one that no source can have.
    pub fn event(&self, app: &str, event: &str) -> Option<EventInfo> {
        let infos = self
            .sources
            .iter()
            .filter_map(|source| source.event(app, event));
        infos.reduce(|mut all, mut more| {
            all.dimensions.append(&mut more.dimensions);
            all.measures.append(&mut more.measures);
            all.is_open |= more.is_open;
            all
        })
    }

    /// The sources whose events a registry says, app by app.
    pub fn registries(&self) -> impl Iterator<Item = &'a str> {
        let of_registry = |source: &&EventsOfSource<'a>| match &source.events {
            Declared::ByConfig(_) => false,
            Declared::ByRegistry(_) | Declared::Elsewhere => true,
        };
        self.sources
            .iter()
            .filter(of_registry)
            .map(|source| source.name)
    }

    /// What an event that a configuration names is made of, of one app or of any; `None` for one that
    /// no source can have. Registries may say more tomorrow, and what they say stops no night.
    pub fn event_of_config(&self, app: Option<&str>, event: &str) -> Option<EventInfo> {
        let mut info = self.event(app.unwrap_or_default(), event);
        if self.registries().next().is_some() {
            info.get_or_insert_default().is_open = true;
        }
        info
    }

    /// The names of an app's events that are declared.
    pub fn names(&self, app: &str) -> Vec<&str> {
        let names = self.sources.iter().flat_map(|source| source.names(app));
        let names: BTreeSet<&str> = names.collect();
        names.into_iter().collect()
    }

    /// The sources that can have an event of an app.
    pub fn sources_of(&self, app: &str, event: &str) -> Vec<&'a str> {
        let sources = self.sources.iter();
        let having = sources.filter(|source| source.event(app, event).is_some());
        having.map(|source| source.name).collect()
    }
}

impl EventsOfSource<'_> {
    fn event(&self, app: &str, event: &str) -> Option<EventInfo> {
        match &self.events {
            Declared::ByConfig(events) => {
                let is_named = events.events.is_empty() || events.events.iter().any(|e| e == event);
                let has = |of: &[String]| of.is_empty() || of.iter().any(|e| e == event);
                let measures = events.measures.iter().filter(|m| has(&m.events));
                is_named.then(|| EventInfo {
                    dimensions: events
                        .dimensions
                        .iter()
                        .map(|(name, _)| name.clone())
                        .collect(),
                    measures: measures.map(|measure| measure.name.clone()).collect(),
                    is_open: false,
                })
            }
            Declared::ByRegistry(shapes) => shapes.shape(app, event).map(|shape| EventInfo {
                dimensions: shape.dimensions.into_iter().map(|(name, _)| name).collect(),
                measures: shape
                    .measures
                    .into_iter()
                    .map(|measure| measure.name)
                    .collect(),
                is_open: false,
            }),
            Declared::Elsewhere => Some(EventInfo {
                is_open: true,
                ..EventInfo::default()
            }),
        }
    }

    fn names(&self, app: &str) -> Vec<&str> {
        match &self.events {
            Declared::ByConfig(events) => {
                let of_measures = events.measures.iter().flat_map(|measure| &measure.events);
                let names = events.events.iter().chain(of_measures);
                names.map(String::as_str).collect()
            }
            Declared::ByRegistry(EventShapes::Properties { events, .. }) => {
                let of_app = events.get(app).into_iter().flat_map(BTreeMap::keys);
                of_app.map(String::as_str).collect()
            }
            Declared::ByRegistry(EventShapes::Columns { .. }) | Declared::Elsewhere => Vec::new(),
        }
    }
}
