//! Reads `[[source]]`: the keys of every kind here, those of events in `events`.

use std::collections::BTreeMap;

use super::events;
use super::keys::{EVERY_KIND, KINDS, Kind, LATE, LATEST, READY};
use super::{
    AppColumn, Columns, Content, DayBy, FileFormat, Late, LatePolicy, NaiveTimes, RowLimits,
    Source, SourceKind, UndeclaredTag,
};
use crate::config::entry::Entry;
use crate::config::key::{Key, has};
use crate::config::section::Section;
use crate::config::template;
use crate::config::unit::parse_duration;
use crate::error::{Error, Result};
use crate::problem::Code;
use crate::shard::is_app_name;

/// A source's name that tags use for behaviour over time.
pub(in crate::config) const BEHAVIOUR: &str = "behaviour";

/// What every `[[source]]` is.
pub(in crate::config) struct Sources {
    /// Those that can be used, in the order of the file.
    pub read: Vec<Source>,
    /// The names of the others, with what is wrong.
    pub mistaken: BTreeMap<String, Error>,
}

/// Reads every `[[source]]`; what is wrong is noted.
pub(in crate::config) fn read_all(root: &Section<'_>) -> Result<Sources> {
    let mut sources = Sources {
        read: Vec::new(),
        mistaken: BTreeMap::new(),
    };
    for (name, section) in root.named_sections("source")? {
        let is_twin = sources.read.iter().any(|earlier| earlier.name == name);
        section.check(check_name(&name, is_twin, &section));
        match read(name.clone(), &section) {
            Ok(source) => sources.read.push(source),
            Err(mistake) => {
                section.check(Err(mistake.clone()));
                sources.mistaken.insert(name, mistake);
            }
        }
    }
    Ok(sources)
}

fn check_name(name: &str, is_twin: bool, section: &Section<'_>) -> Result<()> {
    if !is_identifier(name) || name == BEHAVIOUR {
        let what = format!(
            "found source name {name:?}, expected ASCII letters, digits and _, not beginning with \
             a digit, and not \"behaviour\""
        );
        return Err(section.refuse(what));
    }
    match is_twin {
        true => Err(section.refuse(format!("source {name:?} is defined twice"))),
        false => Ok(()),
    }
}

/// Sources are tables of `tagmill sql`.
fn is_identifier(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn read(name: String, section: &Section<'_>) -> Result<Source> {
    let kind = section.required("kind", |entry| {
        entry.choice(&KINDS.map(|kind| (kind.name, kind)))
    })?;
    let foreign = refuse_keys_of_other_kinds(section, kind);
    section.only(&[EVERY_KIND.keys, kind.own.keys, &foreign].concat());
    let path = section.required("path", |entry| template::path(entry, &["date"]));
    section.required("columns", |_| Ok(()))?;
    let columns = section.section("columns", kind.columns)?;
    let (app, user) = (
        columns.required("app", read_app),
        columns.required("user", Entry::text),
    );
    let format = section.optional("format", |entry| entry.choice(&FileFormat::NAMED));
    let delimiter = section.optional("delimiter", read_delimiter);
    let empty_days = section.optional("empty_days", |entry| {
        entry.choice(&[("refuse", false), ("ok", true)])
    });
    let ready = read_ready(section);
    let (content, late) = (read_content(section, kind), read_late(section));
    let limits = RowLimits::read(section);
    let naive_times = section.optional("naive_times", |entry| entry.parsed(NaiveTimes::parse));
    let nulls = section.optional("nulls", Entry::texts);
    let filter = section.optional("filter", Entry::text);
    let (reject, clean) = (read_rejects(section), read_expressions(section, "clean"));
    let kind = read_kind(section, &columns, kind);
    let (ready, ready_count) = ready?.unzip();
    let source = Source {
        path: path?,
        format: format?,
        delimiter: delimiter?,
        ready,
        ready_count: ready_count.flatten(),
        content: content?,
        late: late?,
        empty_days: empty_days?.unwrap_or(false),
        limits: limits?,
        columns: Columns {
            app: app?,
            user: user?,
        },
        naive_times: naive_times?,
        nulls: nulls?.unwrap_or_default(),
        filter: filter?,
        reject: reject?,
        clean: by_name(clean?),
        kind: kind?,
        name,
    };
    section.check(refuse_uncounted_markers(section, &source));
    section.check(refuse_carried_events(section, &source));
    section.check(refuse_empty_snapshots(section, &source));
    section.check(refuse_day_without_date(section, &source));
    section.check(refuse_folders_of_paths(section, &source));
    Ok(source)
}

/// A path, or `{ path = "…", count = 24 }`.
fn read_ready(section: &Section<'_>) -> Result<Option<(String, Option<u32>)>> {
    let path = |entry: &Entry<'_>| template::path(entry, &["date"]);
    section.optional("ready", |entry| {
        if !entry.value.is_table() {
            return Ok((path(entry)?, None));
        }
        let ready = section.section("ready", READY.keys)?;
        let count = ready.required("count", |entry| entry.count(1))?;
        Ok((ready.required("path", path)?, Some(count)))
    })
}

/// One of several markers says nothing of the others: they are one in each folder of the files, or
/// so many.
fn refuse_uncounted_markers(section: &Section<'_>, source: &Source) -> Result<()> {
    let Some(ready) = source.ready.as_ref().filter(|ready| ready.contains('*')) else {
        return Ok(());
    };
    let folder = ready.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_above = source.path.strip_prefix(folder);
    let is_above = is_above.is_some_and(|rest| rest.starts_with('/'));
    let is_of_folders = folder.contains('*') && !folder.contains("**") && is_above;
    if source.ready_count.is_some() || is_of_folders {
        return Ok(());
    }
    let what = format!(
        "source {:?}: ready has a * that does not stand in a folder of path, so nobody knows how \
         many markers there will be",
        source.name
    );
    Err(section
        .refuse(what)
        .fix("say how many: ready = { path = \"…\", count = 24 }"))
}

fn read_kind(section: &Section<'_>, columns: &Section<'_>, kind: &Kind) -> Result<SourceKind> {
    match kind.name {
        "attributes" => Ok(SourceKind::Attributes {
            dedupe: read_latest(section)?,
        }),
        "group_tags" => {
            let choices = [
                ("string", UndeclaredTag::String),
                ("ignore", UndeclaredTag::Ignore),
                ("reject", UndeclaredTag::Reject),
            ];
            let tag = columns.required("tag", Entry::text);
            let value = columns.required("value", Entry::text);
            let registry = section.optional("registry", |entry| template::path(entry, &["date"]));
            let undeclared = section.optional("undeclared", |entry| entry.choice(&choices));
            let dedupe = read_latest(section);
            Ok(SourceKind::GroupTags {
                tag: tag?,
                value: value?,
                registry: registry?,
                undeclared: undeclared?.unwrap_or(UndeclaredTag::String),
                dedupe: dedupe?,
            })
        }
        "behaviour" => events::read(section, columns, false).map(SourceKind::Behaviour),
        _ => events::read(section, columns, true).map(SourceKind::CustomEvents),
    }
}

/// A key of another kind is a misunderstanding, not a typing mistake: these are noted as such, and
/// given.
fn refuse_keys_of_other_kinds(section: &Section<'_>, kind: &Kind) -> Vec<Key> {
    let mut foreign = Vec::new();
    for entry in section.entries() {
        let key = entry.key.as_str();
        let owners = || KINDS.into_iter().filter(|other| has(other.own.keys, key));
        let own = owners().flat_map(|other| other.own.keys);
        let own = own.copied().find(|own| own.name == key);
        if let Some(own) = own.filter(|_| !has(kind.own.keys, key)) {
            let owners: Vec<_> = owners().map(|other| other.name).collect();
            let what = format!("key {key:?} does not go with kind = {:?}", kind.name);
            let fix = format!("it belongs to {}", owners.join(" and "));
            section.check(Err(entry.refuse(what).with_code(Code::Key).fix(fix)));
            foreign.push(own);
        }
    }
    foreign
}

fn read_content(section: &Section<'_>, kind: &Kind) -> Result<Content> {
    let default = if has(kind.own.keys, "content") {
        Content::Snapshot
    } else {
        Content::Changes
    };
    let choices = [
        ("snapshot", Content::Snapshot),
        ("changes", Content::Changes),
    ];
    Ok(section
        .optional("content", |entry| entry.choice(&choices))?
        .unwrap_or(default))
}

fn read_late(section: &Section<'_>) -> Result<Late> {
    let late = section.section("late", LATE.keys)?;
    let choices = [
        ("required", LatePolicy::Required),
        ("carry", LatePolicy::Carry),
        ("skip", LatePolicy::Skip),
    ];
    let policy = late.optional("policy", |entry| entry.choice(&choices));
    let max_days = late.optional("max_days", |entry| match policy {
        Ok(Some(LatePolicy::Carry)) | Err(_) => entry.count(1),
        Ok(_) => Err(entry.refuse("max_days goes only with policy = \"carry\"")),
    });
    let wait = late.optional("wait", |entry| entry.parsed(parse_duration));
    Ok(Late {
        policy: policy?.unwrap_or(LatePolicy::Required),
        max_days: max_days?,
        wait: wait?,
    })
}

fn refuse_carried_events(section: &Section<'_>, source: &Source) -> Result<()> {
    match source.kind.events() {
        Some(_) if source.late.policy == LatePolicy::Carry => Err(section
            .refuse(format!(
                "source {:?}: policy = \"carry\" would count yesterday's events again",
                source.name
            ))
            .fix("use required or skip")),
        _ => Ok(()),
    }
}

/// A snapshot without a row takes everybody's values away.
fn refuse_empty_snapshots(section: &Section<'_>, source: &Source) -> Result<()> {
    let is_kept = source.content == Content::Changes || source.late.policy == LatePolicy::Carry;
    match source.empty_days && !is_kept {
        true => Err(section
            .refuse(format!(
                "source {:?}: empty_days = \"ok\" would take every user's values away on a day \
                 without files, as its content is a snapshot",
                source.name
            ))
            .fix("keep the last values on such a day: late = { policy = \"carry\" }")),
        false => Ok(()),
    }
}

fn refuse_day_without_date(section: &Section<'_>, source: &Source) -> Result<()> {
    match source.kind.events() {
        Some(events) if events.day.by == DayBy::Path && !template::names_a_day(&source.path) => {
            Err(section.refuse(format!(
                "source {:?}: day by = \"path\" needs a path with {{date}}",
                source.name
            )))
        }
        _ => Ok(()),
    }
}

/// Folders of several days go with days by time, and with a path that has one for each.
fn refuse_folders_of_paths(section: &Section<'_>, source: &Source) -> Result<()> {
    let Some(day) = source.kind.events().map(|events| events.day) else {
        return Ok(());
    };
    if day.folders.is_one() {
        return Ok(());
    }
    let refuse = |what: &str| {
        let what = format!("source {:?}: {what}", source.name);
        Err(section.refuse(what))
    };
    match day.by {
        DayBy::Path => refuse("day.folders goes only with day by = \"time\""),
        DayBy::Time if !template::names_a_day(&source.path) => {
            refuse("day.folders needs a path with {date}")
        }
        DayBy::Time => Ok(()),
    }
}

/// A column's name, an expression, or a text in single quotes.
fn read_app(entry: &Entry<'_>) -> Result<AppColumn> {
    let text = entry.text()?;
    // Of 'a' || b there is more than the text in quotes.
    let is_constant = text.starts_with('\'')
        && (text.ends_with('\'') && unquoted(&text).is_some() || !text[1..].contains('\''));
    if !is_constant {
        return Ok(AppColumn::Column(text));
    }
    let constant = unquoted(&text).filter(|app| is_app_name(app));
    constant
        .map(AppColumn::Constant)
        .ok_or_else(|| entry.expected("a column, an expression, or a constant like \"'shop'\""))
}

/// One ASCII character that can not be part of a quoted field's frame.
fn read_delimiter(entry: &Entry<'_>) -> Result<u8> {
    let text = entry.value.as_str().unwrap_or_default();
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(entry.expected("one ASCII character, such as \";\" or \"\\t\"")),
    }
}

/// The text of an SQL string literal.
fn unquoted(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.replace("''", "").contains('\'')).then(|| inner.replace("''", "'"))
}

/// `{ keep = "latest", by = "updated_at" }`.
fn read_latest(section: &Section<'_>) -> Result<Option<String>> {
    if section.get("dedupe").is_none() {
        return Ok(None);
    }
    let dedupe = section.section("dedupe", LATEST.keys)?;
    dedupe.optional("keep", |entry| entry.choice(&[("latest", ())]))?;
    dedupe.required("by", Entry::text).map(Some)
}

/// Reasons with their conditions, in the order of the file. `filtered` means something else in
/// `rejects` and `quality`.
fn read_rejects(section: &Section<'_>) -> Result<Vec<(String, String)>> {
    let reason = |entry: &Entry<'_>| match entry.key_name()? {
        name if name == "filtered" => Err(entry.expected(
            "another reason than \"filtered\", which rows have that a filter leaves out",
        )),
        name => Ok((name, entry.text()?)),
    };
    section.each_of("reject", reason)
}

/// Names and their expressions, in the order of the file.
pub(super) fn read_expressions(section: &Section<'_>, key: &str) -> Result<Vec<(String, String)>> {
    section.each_of(key, |entry| Ok((entry.key_name()?, entry.text()?)))
}

/// Order that does not depend on how the file is written.
pub(super) fn by_name(mut expressions: Vec<(String, String)>) -> Vec<(String, String)> {
    expressions.sort();
    expressions
}
