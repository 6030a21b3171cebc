//! All that keeps a source from being planned, not only the first: each part of its configuration is
//! looked at alone. Only a plan that failed needs it.

use std::sync::Arc;

use datafusion::common::DFSchemaRef;
use tagmill_schemas::config::{Source, SourceKind, Tag};
use tagmill_schemas::{Error, Result};

use super::clean::cleaned_schema;
use super::context::{ScanContext, place};
use super::files::RawFiles;
use super::named::{column_or_expression, names_in};
use super::oddities::likely_delimiter;
use super::project::raw_scan;
use super::sql::{columns_of, parse};
use super::wanted::Wanted;

/// What is wrong with a source whose plan failed with `first`; that is among it.
pub fn mistakes_of(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    files: &RawFiles,
    first: Error,
) -> Vec<Error> {
    if is_one_name(files) {
        // Whatever is asked for is missing, for one reason.
        return vec![first];
    }
    let mut all = vec![first];
    let (files, _) = files
        .clone()
        .with_named(&names_in(context.session, source, tags));
    if let Ok(raw) = raw_scan(source, &files, None) {
        let found = of_parts(context, source, tags, &Arc::clone(raw.schema()));
        let is_same = |a: &Error, b: &Error| a.place() == b.place() && a.what() == b.what();
        for mistake in found {
            if !all.iter().any(|known| is_same(known, &mistake)) {
                all.push(mistake);
            }
        }
    }
    all
}

fn is_one_name(files: &RawFiles) -> bool {
    let names = files.schema.fields().iter().map(|field| field.name());
    let names: Vec<&str> = names.map(String::as_str).collect();
    likely_delimiter(&names).is_some()
}

fn of_parts(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    raw: &DFSchemaRef,
) -> Vec<Error> {
    let bare = bare(source);
    let clean = |one: &(String, String)| Source {
        clean: vec![one.clone()],
        ..bare.clone()
    };
    let mut cleaned = source.clean.iter().map(clean);
    let mistakes: Vec<Error> = cleaned
        .by_ref()
        .filter_map(|alone| cleaned_schema(context, &alone, raw).err())
        .collect();
    let Ok(schema) = cleaned_schema(context, source, raw) else {
        return mistakes;
    };
    let columns = columns_of(source).into_iter();
    let columns = columns
        .map(|(key, text)| column_or_expression(context, source, text, &schema, key).map(drop));
    let texts = expressions(source).into_iter().map(|(key, sql)| {
        let place = place(source, &key);
        parse(context.session, sql, &schema, context.today(source), &place).map(drop)
    });
    let wanted = |source: &Source, tags: &[&Tag]| -> Result<()> {
        Wanted::of(context, source, tags, None, &schema).map(drop)
    };
    let tags = tags.iter().map(|tag| wanted(&bare, &[tag]));
    let parts = parts(source, &bare);
    let parts = parts.iter().map(|alone| wanted(alone, &[]));
    columns
        .chain(texts)
        .chain(tags)
        .chain(parts)
        .filter_map(Result::err)
        .collect()
}

/// The source without any expression but its columns.
fn bare(source: &Source) -> Source {
    let mut bare = source.clone();
    bare.clean.clear();
    bare.reject.clear();
    bare.filter = None;
    if let SourceKind::Behaviour(events) | SourceKind::CustomEvents(events) = &mut bare.kind {
        events.dimensions.clear();
        events.measures.clear();
    }
    bare
}

/// Conditions, dimensions and measures, with their keys.
fn expressions(source: &Source) -> Vec<(String, &str)> {
    let filter = source.filter.iter().map(|sql| ("filter".to_owned(), sql));
    let reject = source.reject.iter();
    let reject = reject.map(|(reason, sql)| (format!("reject.{reason}"), sql));
    let events = || source.kind.events().into_iter();
    let dimensions = events().flat_map(|events| &events.dimensions);
    let dimensions = dimensions.map(|(name, sql)| (format!("dimensions.{name}"), sql));
    let measures = events().flat_map(|events| &events.measures);
    let measures = measures.map(|of| (format!("measures.{}", of.name), &of.value));
    let all = filter.chain(reject).chain(dimensions).chain(measures);
    all.map(|(key, sql)| (key, sql.as_str())).collect()
}

/// The source with one condition, dimension or measure at a time.
fn parts(source: &Source, bare: &Source) -> Vec<Source> {
    let with = |change: &dyn Fn(&mut Source)| {
        let mut alone = bare.clone();
        change(&mut alone);
        alone
    };
    let mut parts = vec![with(&|alone| alone.filter.clone_from(&source.filter))];
    for one in &source.reject {
        parts.push(with(&|alone| alone.reject.push(one.clone())));
    }
    let SourceKind::Behaviour(events) = &source.kind else {
        return parts;
    };
    for one in &events.dimensions {
        let dimensions = vec![one.clone()];
        parts.push(with(&|alone| {
            if let SourceKind::Behaviour(events) = &mut alone.kind {
                events.dimensions.clone_from(&dimensions);
            }
        }));
    }
    for one in &events.measures {
        let measures = vec![one.clone()];
        parts.push(with(&|alone| {
            if let SourceKind::Behaviour(events) = &mut alone.kind {
                events.measures.clone_from(&measures);
            }
        }));
    }
    parts
}
