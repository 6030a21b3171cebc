//! Registries: merchants' own tags, events and properties, as rows of files. A bad row disables
//! that row only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tagmill_schemas::config::{
    Config, EVERY_TAG, Events, Source, SourceKind, UndeclaredEvent, for_date,
};
use tagmill_schemas::manifest::{Input, InputFile, InputStatus, Manifest};
use tagmill_schemas::problem::Code;
use tagmill_schemas::registry::{EventRow, Placed, Role, RowError, TagRow};
use tagmill_schemas::{Error, Problem, Result, ValueType};

use super::declared_events::{DeclaredEvents, Properties, keep_within};
use super::{Observer, Request};
use tagmill_night::{Count, CustomEvent, EventShapes, LabelSpec, MeasureShape, Slot, UnusedLabel};
use tagmill_rules::groups::{Fault, read_rows};
use tagmill_warehouse::store::{Found, Store, open_pattern};

const STAGE: &str = "registry";

/// Files of a pattern with their content; what they are is an input of the run.
pub struct ConfFiles {
    /// (name, content), in order of the name.
    pub files: Vec<(String, bytes::Bytes)>,
    /// As the manifest tells it.
    pub input: Input,
    pattern: String,
}

impl ConfFiles {
    /// What is declared nowhere is easily taken for what nobody has.
    pub fn tell_absent(&self, observer: &dyn Observer) {
        if self.files.is_empty() {
            observer.warn(&format!(
                "{} has no file at {}: nothing is declared",
                self.input.source, self.pattern
            ));
        }
    }
}

/// Reads all files of a pattern.
pub async fn read_files(request: &Request, label: String, pattern: &str) -> Result<ConfFiles> {
    let (store, pattern) = open_pattern(&for_date(pattern, request.date))?;
    let store = store.for_stage(STAGE);
    let found = store.list(&pattern).await?;
    let mut files = Vec::with_capacity(found.len());
    for file in &found {
        files.push((store.name_of(&file.path), store.get(&file.path).await?));
    }
    let input = Input {
        source: label,
        status: InputStatus::Read,
        date: request.date,
        files: found.iter().map(|file| conf_file(&store, file)).collect(),
    };
    let pattern = store.name_of(&pattern);
    Ok(ConfFiles {
        files,
        input,
        pattern,
    })
}

/// A file as an input. Its content decides, so the tag of the store does.
pub fn conf_file(store: &Store, file: &Found) -> InputFile {
    InputFile {
        path: store.name_of(&file.path),
        size: file.size,
        etag: if store.is_local() {
            None
        } else {
            file.etag.clone()
        },
        rows: 0,
    }
}

fn parse_all<T>(
    files: &ConfFiles,
    parse: impl Fn(&serde_json::Map<String, serde_json::Value>) -> std::result::Result<T, RowError>
    + Copy,
    observer: &dyn Observer,
) -> Result<(Vec<Placed<T>>, Vec<Fault>)> {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for (name, bytes) in &files.files {
        let mut read = read_rows(name, bytes, parse)?;
        rows.append(&mut read.rows);
        read.faults
            .iter()
            .for_each(|fault| observer.problem(&unused(&fault.file, fault.line, &fault.reason)));
        faults.append(&mut read.faults);
    }
    Ok((rows, faults))
}

/// A row that is not used, and why.
fn unused(file: &str, line: u64, why: &str) -> Problem {
    Problem::new(Code::Row, format!("registry row is not used: {why}")).in_line(file, line)
}

/// Tags of group-tags sources.
#[derive(Default)]
pub struct GroupTags {
    /// By app.
    pub by_app: BTreeMap<String, BTreeMap<String, LabelSpec>>,
    /// Named by the configuration, for every app.
    pub shared: BTreeMap<String, LabelSpec>,
    /// Declared in vain, by app.
    pub unused: BTreeMap<String, BTreeMap<String, UnusedLabel>>,
    /// Files read.
    pub inputs: Vec<Input>,
    /// Whether rows may bring any other tag, as text; a night knows which they do bring.
    pub is_open: bool,
}

/// Everything known of group tags before the night: configuration, registries, the newest release.
pub async fn group_tags(
    request: &Request,
    newest: Option<&Manifest>,
    observer: &dyn Observer,
) -> Result<GroupTags> {
    let config = &request.config;
    let mut catalog = GroupTags::default();
    for tag in config.tags.iter().filter(|tag| tag.name != EVERY_TAG) {
        let is_group_tag = config
            .sources
            .iter()
            .any(|s| s.name == tag.source && matches!(s.kind, SourceKind::GroupTags { .. }));
        if let (true, Some(value_type)) = (is_group_tag, tag.value_type) {
            catalog.shared.insert(
                tag.name.clone(),
                LabelSpec {
                    source: tag.source.clone(),
                    value_type,
                    multi: tag.multi,
                },
            );
        }
    }
    let published = newest.iter().flat_map(|m| &m.tags);
    let published =
        published.map(|entry| ((entry.app.as_str(), entry.tag.as_str()), entry.value_type));
    let published: HashMap<_, _> = published.collect();
    for source in &config.sources {
        let SourceKind::GroupTags {
            registry: Some(pattern),
            ..
        } = &source.kind
        else {
            continue;
        };
        let files = read_files(request, format!("{}.registry", source.name), pattern).await?;
        files.tell_absent(observer);
        let (rows, faults) = parse_all(&files, TagRow::from_json, observer)?;
        for (app, tag) in faults
            .into_iter()
            .filter_map(|fault| fault.app.zip(fault.tag))
        {
            catalog.unused.entry(app).or_default().insert(
                tag,
                UnusedLabel {
                    source: source.name.clone(),
                    is_over_limit: false,
                },
            );
        }
        let registry = TagRegistry {
            config,
            source,
            published: &published,
            observer,
        };
        for row in rows {
            registry.add(&mut catalog, row);
        }
        catalog.inputs.push(files.input);
    }
    add_published(&mut catalog, config, newest);
    Ok(catalog)
}

/// What the rows of a source's registry are checked against.
struct TagRegistry<'a> {
    config: &'a Config,
    source: &'a Source,
    /// The types of the newest release's tags, by app and tag.
    published: &'a HashMap<(&'a str, &'a str), ValueType>,
    observer: &'a dyn Observer,
}

impl TagRegistry<'_> {
    /// Adds the tag of a row, or says why it is not used.
    fn add(&self, catalog: &mut GroupTags, placed: Placed<TagRow>) {
        let Self {
            config,
            source,
            published,
            observer,
        } = *self;
        let (file, line) = (placed.file, placed.line);
        let TagRow {
            app,
            tag,
            value_type,
            multi,
        } = placed.row;
        let refuse = |why: String| {
            let why = format!("tag {tag:?} of app {app:?} {why}");
            observer.problem(&unused(&file, line, &why));
        };
        if config.tags.iter().any(|t| t.name == tag) {
            return refuse("has the name of a tag of the configuration".into());
        }
        let published = published.get(&(app.as_str(), tag.as_str()));
        if let Some(before) = published.filter(|before| **before != value_type) {
            return refuse(format!(
                "is {value_type}, but was published as {before}: the type of a tag never changes"
            ));
        }
        let tags = catalog.by_app.entry(app.clone()).or_default();
        if tags.len() as u64 >= config.limits.of(&app).tags && !tags.contains_key(&tag) {
            catalog.unused.entry(app.clone()).or_default().insert(
                tag.clone(),
                UnusedLabel {
                    source: source.name.clone(),
                    is_over_limit: true,
                },
            );
            return refuse(format!(
                "is over the limit of {} tags",
                config.limits.of(&app).tags
            ));
        }
        let spec = LabelSpec {
            source: source.name.clone(),
            value_type,
            multi,
        };
        match tags.get(&tag) {
            Some(before) if *before != spec => refuse("is declared twice, differently".into()),
            _ => drop(tags.insert(tag.clone(), spec)),
        }
    }
}

/// Tags that nobody declares keep the type they were published with.
fn add_published(catalog: &mut GroupTags, config: &Config, newest: Option<&Manifest>) {
    for entry in newest.iter().flat_map(|m| &m.tags) {
        let is_group_tag = config
            .sources
            .iter()
            .any(|s| s.name == entry.source && matches!(s.kind, SourceKind::GroupTags { .. }));
        let takes_all = config
            .tags
            .iter()
            .any(|t| t.source == entry.source && t.name == EVERY_TAG);
        if is_group_tag && takes_all && !catalog.shared.contains_key(&entry.tag) {
            let spec = LabelSpec {
                source: entry.source.clone(),
                value_type: entry.value_type,
                multi: entry.multi,
            };
            catalog
                .by_app
                .entry(entry.app.clone())
                .or_default()
                .entry(entry.tag.clone())
                .or_insert(spec);
        }
    }
}

/// Refuses a configuration that changes the type of a tag that is published.
pub fn check_types(config: &Config, newest: Option<&Manifest>) -> Result<()> {
    for tag in &config.tags {
        let Some(value_type) = tag.value_type else {
            continue;
        };
        let changed = newest.iter().flat_map(|m| &m.tags).find(|entry| {
            entry.tag == tag.name && (entry.value_type, entry.multi) != (value_type, tag.multi)
        });
        if let Some(entry) = changed {
            let kind = |t: ValueType, multi: bool| {
                if multi {
                    format!("multi-valued {t}")
                } else {
                    t.to_string()
                }
            };
            let what = format!(
                "tag {} is {}, but was published as {}",
                tag.name,
                kind(value_type, tag.multi),
                kind(entry.value_type, entry.multi)
            );
            return Err(Error::setup("configuration", what)
                .fix("the type of a tag never changes: give the new one another name"));
        }
    }
    Ok(())
}

/// (app, event) -> the source that declared it first, and its registry. Sources of one registry
/// have their events together.
pub type ClaimedEvents = BTreeMap<(String, String), (String, String)>;

/// The events that a registry declares, with the slots of their properties. An event that a source
/// before has in another registry is not declared again: that row is not used.
pub async fn event_shapes(
    request: &Request,
    source: &Source,
    events: &Events,
    claimed: &mut ClaimedEvents,
    observer: &dyn Observer,
) -> Result<ReadEvents> {
    let rejects_undeclared = events.undeclared == UndeclaredEvent::Reject;
    let Some(pattern) = &events.registry else {
        return Ok(ReadEvents {
            shapes: assign_slots(DeclaredEvents::new(), rejects_undeclared),
            input: None,
            over_limit: Vec::new(),
        });
    };
    let files = read_files(request, format!("{}.registry", source.name), pattern).await?;
    files.tell_absent(observer);
    let platform: BTreeSet<&String> = request
        .config
        .sources
        .iter()
        .filter(|s| s.name != source.name)
        .filter_map(|s| s.kind.events())
        .flat_map(|e| &e.events)
        .collect();
    let mut declared = DeclaredEvents::new();
    for placed in parse_all(&files, EventRow::from_json, observer)?.0 {
        let (file, line, row) = (placed.file, placed.line, placed.row);
        let refuse = |why: String| observer.problem(&unused(&file, line, &why));
        if platform.contains(&row.event) {
            refuse(format!("event {:?} is one of the platform's", row.event));
            continue;
        }
        let claim = claimed
            .entry((row.app.clone(), row.event.clone()))
            .or_insert_with(|| (source.name.clone(), pattern.clone()));
        if claim.1 != *pattern {
            refuse(format!(
                "event {:?} of app {:?} is one of source {}'s",
                row.event, row.app, claim.0
            ));
            continue;
        }
        let properties = declared
            .entry(row.app.clone())
            .or_default()
            .entry(row.event.clone())
            .or_default();
        if let Some(property) = row.property.clone() {
            match properties.get(&property) {
                Some(before) if *before != row => {
                    refuse(format!(
                        "property {property:?} is declared twice, differently"
                    ));
                }
                _ => drop(properties.insert(property, row)),
            }
        }
    }
    let limits = &request.config.limits;
    let over_limit = keep_within(&mut declared, limits, &source.name, observer);
    Ok(ReadEvents {
        shapes: assign_slots(declared, rejects_undeclared),
        input: Some(files.input),
        over_limit,
    })
}

/// What the registry of a source says of events.
pub struct ReadEvents {
    /// The events, with the slots of their properties.
    pub shapes: EventShapes,
    /// Its files; `None` without a registry.
    pub input: Option<Input>,
    /// What it declares beyond limits, by app.
    pub over_limit: Vec<Count>,
}

/// Slots have one type each: the dimensions of an event take the first free slot of their type, in
/// order of the name.
fn assign_slots(declared: DeclaredEvents, rejects_undeclared: bool) -> EventShapes {
    let mut slot_types: Vec<ValueType> = Vec::new();
    let mut events: BTreeMap<String, BTreeMap<String, CustomEvent>> = BTreeMap::new();
    for (app, declared) in declared {
        for (event, properties) in declared {
            let custom = shape_of(properties, &mut slot_types);
            events.entry(app.clone()).or_default().insert(event, custom);
        }
    }
    EventShapes::Properties {
        events,
        rejects_undeclared,
        slot_types,
    }
}

fn shape_of(properties: Properties, slot_types: &mut Vec<ValueType>) -> CustomEvent {
    let mut custom = CustomEvent::default();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for (property, row) in properties {
        let slot = match row.role {
            Role::Ignore => None,
            Role::Dimension => {
                let free = slot_types
                    .iter()
                    .enumerate()
                    .position(|(slot, t)| *t == row.value_type && !used.contains(&slot));
                let slot = free.unwrap_or_else(|| {
                    slot_types.push(row.value_type);
                    slot_types.len() - 1
                });
                used.insert(slot);
                custom.shape.dimensions.push((property.clone(), slot));
                Some(Slot::Dimension(slot))
            }
            Role::Measure => {
                let slot = custom.shape.measures.len();
                custom.shape.measures.push(MeasureShape {
                    name: property.clone(),
                    slot,
                    scale: row.scale,
                });
                Some(Slot::Measure(slot, row.scale))
            }
        };
        custom.properties.insert(property, slot);
    }
    custom
}
