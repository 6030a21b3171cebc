//! Where in the file of a configuration what errors name stands: `tag city value` is
//! `warehouse.toml:17:10`.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::Config;
use super::entry::Entry;
use super::section::Section;
use crate::error::Error;
use crate::problem::Position;

/// Positions by the words that errors name a place with. Two configurations that say the same are
/// equal wherever it stands.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<String, Position>);

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Places {
    /// The keys of sources and tags, and of the tables inside them.
    pub(super) fn of(root: &Section<'_>) -> Self {
        let mut places = BTreeMap::new();
        for kind in ["source", "tag"] {
            for (name, section) in root.named_sections(kind).unwrap_or_default() {
                let place = format!("{kind} {name}");
                for entry in section.entries() {
                    add(&format!("{place} {}", entry.key), &entry, &mut places);
                }
                places.insert(place, section.position());
            }
        }
        for table in ["warehouse", "groups"] {
            let Some(Ok(section)) = root.get(table).map(|entry| entry.section()) else {
                continue;
            };
            for entry in section.entries() {
                places.insert(format!("{table} {}", entry.key), entry.position());
            }
        }
        Self(places)
    }

    /// Where these words stand.
    pub fn get(&self, place: &str) -> Option<&Position> {
        self.0.get(place)
    }
}

fn add(place: &str, entry: &Entry<'_>, places: &mut BTreeMap<String, Position>) {
    places.insert(place.to_owned(), entry.position());
    if let DeValue::Table(_) = entry.value
        && let Ok(section) = entry.section()
    {
        for inner in section.entries() {
            places.insert(format!("{place}.{}", inner.key), inner.position());
        }
    }
}

impl Config {
    /// The same error with its place in the file, where it names what stands there.
    #[must_use]
    pub fn located(&self, error: Error) -> Error {
        let position = error.place().and_then(|place| self.places.get(place));
        match position.cloned() {
            Some(position) => error.found_at(position),
            None => error,
        }
    }
}
