//! `[[tag]]`: the platform's tags.

use serde::Serialize;

use super::entry::Entry;
use super::key::{Key, Table};
use super::section::Section;
use super::source::{BEHAVIOUR, Source, SourceKind, Sources};
use crate::error::Result;
use crate::nearest::nearest;

use crate::value::ValueType;

/// The name that stands for every tag that a group_tags source's rows and registry name.
pub const EVERY_TAG: &str = "*";

/// The most decimal digits a number can keep: more would overflow 64 bits at once.
pub const MAX_SCALE: u8 = 18;

/// A tag and where its values come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Unique, or [`EVERY_TAG`] for a group_tags source.
    pub name: String,
    /// The name of an attributes or group_tags source.
    pub source: String,
    /// `None` only for [`EVERY_TAG`].
    pub value_type: Option<ValueType>,
    /// Whether a user can have several values; the expression then gives a list.
    pub multi: bool,
    /// SQL over the source's row; always given for attributes, never for group_tags.
    pub value: Option<String>,
    /// Decimal digits kept of a double, 0 to [`MAX_SCALE`]; `None`: not indexed by binary digit.
    pub scale: Option<u8>,
}

pub(super) const TAG: Table = Table {
    title: "[[tag]]",
    what: "A tag of every app that has the source's rows.",
    keys: &[
        Key::required(
            "name",
            "name, or `*`",
            "the tag's name, unique; `*`: every tag that the rows of a `group_tags` source name, \
             with no other key than `source`",
        ),
        Key::required("source", "name", "an `attributes` or `group_tags` source"),
        Key::required(
            "type",
            "`string`, `integer`, `double`, `date` or `boolean`",
            "what its values are; a value that is not of the type rejects its row",
        ),
        Key::optional(
            "multi",
            "boolean",
            "false",
            "whether a user can have several values; `value` then gives a list",
        ),
        Key::required(
            "value",
            "expression",
            "of `attributes`, and required there: the value",
        ),
        Key::optional(
            "scale",
            "whole number from 0 to 18",
            "(not in `tag_numbers`)",
            "of a double: decimal digits kept in `tag_numbers`",
        ),
    ],
};

/// Reads every `[[tag]]`.
pub(super) fn read_all(root: &Section<'_>, sources: &Sources) -> Result<Vec<Tag>> {
    let mut tags: Vec<Tag> = Vec::new();
    for (name, section) in root.named_sections("tag")? {
        section.only(TAG.keys);
        let read = read(name, &section, sources).and_then(|tag| no_twin(&section, tag, &tags));
        tags.extend(section.document().read(read));
    }
    Ok(tags)
}

fn read(name: String, section: &Section<'_>, sources: &Sources) -> Result<Tag> {
    let source = section.required("source", |entry| find_source(entry, sources));
    match (name == EVERY_TAG, source) {
        (true, source) => every_tag(section, source?),
        (false, Ok(source)) => one_tag(name, section, source),
        (false, Err(mistake)) => {
            // What else is wrong with it.
            let _ = value_type(section);
            Err(mistake)
        }
    }
}

fn no_twin(section: &Section<'_>, tag: Tag, tags: &[Tag]) -> Result<Tag> {
    let is_twin = |earlier: &&Tag| {
        earlier.name == tag.name && (tag.name != EVERY_TAG || earlier.source == tag.source)
    };
    match tags.iter().find(is_twin) {
        None => Ok(tag),
        Some(twin) => Err(section.refuse(format!(
            "tag {:?} is defined twice, first from source {:?}",
            twin.name, twin.source
        ))),
    }
}

fn find_source<'s>(entry: &Entry<'_>, sources: &'s Sources) -> Result<&'s Source> {
    let name = entry.name()?;
    if name == BEHAVIOUR {
        return Err(entry
            .refuse("a tag with source = \"behaviour\" is not in this version")
            .fix("remove it"));
    }
    // Why its source can not be used is told there, and once.
    if let Some(mistake) = sources.mistaken.get(&name) {
        return Err(mistake.clone());
    }
    let read = || sources.read.iter().map(|source| source.name.as_str());
    let names = || read().chain(sources.mistaken.keys().map(String::as_str));
    let Some(source) = sources.read.iter().find(|source| source.name == name) else {
        let error = entry.refuse(format!("unknown source {name:?}"));
        return Err(match nearest(&name, names()) {
            Some(near) => error.fix(format!("did you mean {near:?}")),
            None => error.fix(format!(
                "expected one of {}",
                names().collect::<Vec<_>>().join(", ")
            )),
        });
    };
    match source.kind.events() {
        None => Ok(source),
        Some(_) => Err(entry.refuse(format!(
            "found source {name:?} of kind {:?}, expected one of attributes or group_tags",
            source.kind.name()
        ))),
    }
}

fn every_tag(section: &Section<'_>, source: &Source) -> Result<Tag> {
    if !is_vertical(source) {
        let found = format!(
            "tag \"*\" needs a source of kind = \"group_tags\", found {:?} of kind {:?}",
            source.name,
            source.kind.name()
        );
        return Err(section.refuse(found).fix("name each tag of this source"));
    }
    match ["type", "multi", "value", "scale"]
        .into_iter()
        .find_map(|key| section.get(key))
    {
        Some(entry) => Err(entry
            .refuse(format!("{:?} can not be given for tag \"*\"", entry.key))
            .fix("say it in the registry's rows")),
        None => Ok(Tag {
            name: EVERY_TAG.to_owned(),
            source: source.name.clone(),
            value_type: None,
            multi: false,
            value: None,
            scale: None,
        }),
    }
}

fn one_tag(name: String, section: &Section<'_>, source: &Source) -> Result<Tag> {
    let value_type = value_type(section);
    let value = value(section, source);
    let scale = section.optional("scale", |entry| match value_type {
        Ok(ValueType::Double) | Err(_) => scale(entry),
        Ok(other) => Err(entry.refuse(format!(
            "found a scale for type {other}, expected one only for double"
        ))),
    });
    let multi = section.optional("multi", Entry::boolean);
    Ok(Tag {
        name,
        source: source.name.clone(),
        value_type: Some(value_type?),
        multi: multi?.unwrap_or(false),
        value: value?,
        scale: scale?,
    })
}

fn value_type(section: &Section<'_>) -> Result<ValueType> {
    section.required("type", |entry| {
        entry.choice(&ValueType::ALL.map(|value_type| (value_type.name(), value_type)))
    })
}

/// The expression of an attribute; a group tag has none.
fn value(section: &Section<'_>, source: &Source) -> Result<Option<String>> {
    match (section.get("value"), is_vertical(source)) {
        (None, true) => Ok(None),
        (Some(entry), true) => {
            let what = format!("source {:?} has its values in one column", source.name);
            Err(entry.refuse(what).fix("remove the tag's value"))
        }
        (_, false) => section.required("value", Entry::text).map(Some),
    }
}

/// Decimal digits kept.
pub(super) fn scale(entry: &Entry<'_>) -> Result<u8> {
    // The range is inside that of u8.
    Ok(entry.integer(0..=u64::from(MAX_SCALE))? as u8)
}

fn is_vertical(source: &Source) -> bool {
    matches!(source.kind, SourceKind::GroupTags { .. })
}
