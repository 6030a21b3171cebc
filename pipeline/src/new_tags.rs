//! Tags that nobody declares and tonight's rows bring for the first time: known before rules are
//! compiled, so that a rule over one is ok on its first night.

use std::collections::BTreeSet;

use tagmill_night::LabelSpec;
use tagmill_night::scan::{ScanContext, tag_names};
use tagmill_schemas::config::{Config, EVERY_TAG, Source, SourceKind, UndeclaredTag};
use tagmill_schemas::manifest::Manifest;
use tagmill_schemas::{Result, ValueType};

use super::registry::GroupTags;
use super::sources::{Decision, SourceInput};
use super::tag_limit::full_apps;

/// Whether rows of the source may bring tags that nobody declares.
pub fn brings_tags(config: &Config, source: &Source) -> bool {
    let takes_all = || {
        let mut tags = config.tags.iter();
        tags.any(|tag| tag.source == source.name && tag.name == EVERY_TAG)
    };
    let is_string = matches!(
        source.kind,
        SourceKind::GroupTags {
            undeclared: UndeclaredTag::String,
            ..
        }
    );
    is_string && takes_all()
}

/// Adds those of the wanted tags, by app, that rows of tonight name. The rows are looked at only
/// when a tag is wanted; true if one was added.
///
/// # Errors
/// As [`tag_names`].
pub async fn add_new_tags(
    context: &ScanContext<'_>,
    config: &Config,
    sources: &[SourceInput<'_>],
    state: Option<&Manifest>,
    wanted: &BTreeSet<(String, String)>,
    tags: &mut GroupTags,
) -> Result<bool> {
    let full = full_apps(config, state);
    let mut is_added = false;
    for input in sources.iter().filter(|_| !wanted.is_empty()) {
        let (Decision::Read(files), true) = (&input.decision, brings_tags(config, input.source))
        else {
            continue;
        };
        let found = tag_names(context, input.source, files).await?;
        for (app, tag) in wanted.intersection(&found) {
            let is_unused = tags
                .unused
                .get(app)
                .is_some_and(|unused| unused.contains_key(tag));
            if is_unused || full.contains(app) {
                continue;
            }
            let spec = LabelSpec {
                source: input.source.name.clone(),
                value_type: ValueType::String,
                multi: false,
            };
            let of_app = tags.by_app.entry(app.clone()).or_default();
            of_app.entry(tag.clone()).or_insert(spec);
            is_added = true;
        }
    }
    Ok(is_added)
}
