//! Reads `[[source]]`: the keys of every kind here, those of events in `events`.

use super::events;
use super::keys::{EVERY_KIND, KINDS, Kind, LATE, LATEST, READY};
use super::{
    AppColumn, Columns, Content, DayBy, FileFormat, Late, LatePolicy, NaiveTimes, RowLimits,
    Source, SourceKind, UndeclaredTag,
};
use crate::config::entry::Entry;
use crate::config::key::has;
use crate::config::section::Section;
use crate::config::template;
use crate::config::unit::parse_duration;
use crate::error::Result;
use crate::shard::is_app_name;

/// A source's name that tags use for behaviour over time.
pub(in crate::config) const BEHAVIOUR: &str = "behaviour";

/// Reads every `[[source]]`.
pub(in crate::config) fn read_all(root: &Section<'_>) -> Result<Vec<Source>> {
    let mut sources: Vec<Source> = Vec::new();
    for (name, section) in root.named_sections("source")? {
        if !is_identifier(&name) || name == BEHAVIOUR {
            let what = format!(
                "found source name {name:?}, expected ASCII letters, digits and _, not beginning \
                 with a digit, and not \"behaviour\""
            );
            return Err(section.refuse(what));
        }
        if sources.iter().any(|earlier| earlier.name == name) {
            return Err(section.refuse(format!("source {name:?} is defined twice")));
        }
        sources.push(read(name, &section)?);
    }
    Ok(sources)
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
    refuse_keys_of_other_kinds(section, kind)?;
    section.only(&[EVERY_KIND.keys, kind.own.keys].concat())?;
    let columns = section.section("columns", kind.columns)?;
    let (ready, ready_count) = read_ready(section)?.unzip();
    let source = Source {
        path: section.required("path", |entry| template::path(entry, &["date"]))?,
        format: section.optional("format", |entry| entry.choice(&FileFormat::NAMED))?,
        delimiter: section.optional("delimiter", read_delimiter)?,
        ready,
        ready_count: ready_count.flatten(),
        content: read_content(section, kind)?,
        late: read_late(section)?,
        empty_days: section
            .optional("empty_days", |entry| {
                entry.choice(&[("refuse", false), ("ok", true)])
            })?
            .unwrap_or(false),
        limits: RowLimits::read(section)?,
        columns: Columns {
            app: columns.required("app", read_app)?,
            user: columns.required("user", Entry::text)?,
        },
        naive_times: section.optional("naive_times", |entry| entry.parsed(NaiveTimes::parse))?,
        nulls: section.optional("nulls", Entry::texts)?.unwrap_or_default(),
        filter: section.optional("filter", Entry::text)?,
        reject: read_rejects(section)?,
        clean: by_name(read_expressions(section, "clean")?),
        kind: read_kind(section, &columns, kind)?,
        name,
    };
    refuse_uncounted_markers(section, &source)?;
    refuse_carried_events(section, &source)?;
    refuse_empty_snapshots(section, &source)?;
    refuse_day_without_date(section, &source)?;
    refuse_folders_of_paths(section, &source)?;
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
            Ok(SourceKind::GroupTags {
                tag: columns.required("tag", Entry::text)?,
                value: columns.required("value", Entry::text)?,
                registry: section.optional("registry", |entry| template::path(entry, &["date"]))?,
                undeclared: section
                    .optional("undeclared", |entry| entry.choice(&choices))?
                    .unwrap_or(UndeclaredTag::String),
                dedupe: read_latest(section)?,
            })
        }
        "behaviour" => events::read(section, columns, false).map(SourceKind::Behaviour),
        _ => events::read(section, columns, true).map(SourceKind::CustomEvents),
    }
}

/// A key of another kind is a misunderstanding, not a typing mistake.
fn refuse_keys_of_other_kinds(section: &Section<'_>, kind: &Kind) -> Result<()> {
    for entry in section.entries() {
        let key = entry.key.as_str();
        let owners: Vec<_> = KINDS
            .into_iter()
            .filter(|other| has(other.own.keys, key))
            .map(|other| other.name)
            .collect();
        if !owners.is_empty() && !owners.contains(&kind.name) {
            let what = format!("key {key:?} does not go with kind = {:?}", kind.name);
            return Err(entry
                .refuse(what)
                .fix(format!("it belongs to {}", owners.join(" and "))));
        }
    }
    Ok(())
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
    let policy = late
        .optional("policy", |entry| entry.choice(&choices))?
        .unwrap_or(LatePolicy::Required);
    let max_days = late.optional("max_days", |entry| match policy {
        LatePolicy::Carry => entry.count(1),
        _ => Err(entry.refuse("max_days goes only with policy = \"carry\"")),
    })?;
    Ok(Late {
        policy,
        max_days,
        wait: late.optional("wait", |entry| entry.parsed(parse_duration))?,
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
    let reason = |entry: Entry<'_>| match entry.key_name()? {
        name if name == "filtered" => Err(entry.expected(
            "another reason than \"filtered\", which rows have that a filter leaves out",
        )),
        name => Ok((name, entry.text()?)),
    };
    section
        .free_entries("reject")?
        .into_iter()
        .map(reason)
        .collect()
}

/// Names and their expressions, in the order of the file.
pub(super) fn read_expressions(section: &Section<'_>, key: &str) -> Result<Vec<(String, String)>> {
    section
        .free_entries(key)?
        .into_iter()
        .map(|entry| Ok((entry.key_name()?, entry.text()?)))
        .collect()
}

/// Order that does not depend on how the file is written.
pub(super) fn by_name(mut expressions: Vec<(String, String)>) -> Vec<(String, String)> {
    expressions.sort();
    expressions
}
