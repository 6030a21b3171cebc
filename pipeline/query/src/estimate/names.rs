//! The names a rule of one app may use, as of one release: tags from the manifest, groups from
//! `group_status`.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::cast::as_string_view_array;
use datafusion::logical_expr::{ident, lit};
use datafusion::prelude::SessionContext;
use tagmill_schemas::config::Tag;
use tagmill_schemas::manifest::OverLimit;
use tagmill_schemas::{Manifest, Result, ValueType};

use super::STAGE;
use super::known_events::KnownEvents;
use crate::catalog::failed;
use crate::contents::unknown_app;
use tagmill_rules::{EventInfo, Names, TagInfo};

/// Tags and groups of one app.
pub(crate) struct AppNames {
    tags: BTreeMap<String, (ValueType, bool)>,
    groups: BTreeSet<String>,
    withheld: BTreeMap<String, OverLimit>,
    /// Where behaviour can be asked for.
    pub(super) events: Option<KnownEvents>,
}

impl AppNames {
    /// # Errors
    /// Setup for an app that the release knows nothing of, naming the nearest.
    pub(crate) async fn load(
        ctx: &SessionContext,
        manifest: &Manifest,
        configured: &[Tag],
        app: &str,
    ) -> Result<Self> {
        let entries = manifest.tags.iter().filter(|entry| entry.app == app);
        let mut tags: BTreeMap<_, _> = entries
            .map(|entry| (entry.tag.clone(), (entry.value_type, entry.multi)))
            .collect();
        let groups = published_groups(ctx, app).await?;
        let is_counted = manifest
            .counts
            .iter()
            .any(|count| count.app.as_deref() == Some(app));
        if tags.is_empty() && groups.is_empty() && !is_counted {
            return Err(unknown_app(STAGE, manifest, app));
        }
        // A tag that the configuration declares is one of every app, as for the night's rules, also
        // where nobody has a value yet.
        for (tag, value_type) in configured
            .iter()
            .filter_map(|tag| Some((tag, tag.value_type?)))
        {
            tags.entry(tag.name.clone())
                .or_insert((value_type, tag.multi));
        }
        let withheld = manifest
            .tags
            .iter()
            .filter(|entry| entry.app == app && entry.is_withheld);
        let withheld = withheld
            .map(|entry| {
                (
                    entry.tag.clone(),
                    entry.over_limit.unwrap_or(OverLimit::Tags),
                )
            })
            .collect();
        Ok(Self {
            tags,
            groups,
            withheld,
            events: None,
        })
    }
}

/// Groups with members of some date; one without a rule that worked has none to offer.
async fn published_groups(ctx: &SessionContext, app: &str) -> Result<BTreeSet<String>> {
    let rows = async {
        let published = ident("app").eq(lit(app)).and(ident("as_of").is_not_null());
        ctx.table("group_status")
            .await?
            .filter(published)?
            .select(vec![ident("group")])?
            .collect()
            .await
    };
    let mut groups = BTreeSet::new();
    for batch in rows.await.map_err(failed)? {
        let names = as_string_view_array(batch.column(0)).map_err(failed)?;
        groups.extend(names.iter().flatten().map(str::to_owned));
    }
    Ok(groups)
}

impl Names for AppNames {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        self.tags
            .get(name)
            .map(|&(value_type, multi)| TagInfo { value_type, multi })
    }

    fn tag_names(&self) -> Vec<&str> {
        self.tags.keys().map(String::as_str).collect()
    }

    fn has_group(&self, name: &str) -> bool {
        self.groups.contains(name)
    }

    fn group_names(&self) -> Vec<&str> {
        self.groups.iter().map(String::as_str).collect()
    }

    /// Any list compiles; whether it is there is said when it is read.
    fn has_list(&self, _: &str) -> bool {
        true
    }

    fn list_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn has_behaviour(&self) -> bool {
        self.events.is_some()
    }

    fn event(&self, name: &str) -> Option<EventInfo> {
        self.events.as_ref()?.get(name).cloned()
    }

    fn event_names(&self) -> Vec<&str> {
        let names = self.events.iter().flat_map(|events| events.keys());
        names.map(String::as_str).collect()
    }

    fn withheld(&self, tag: &str) -> Option<OverLimit> {
        self.withheld.get(tag).copied()
    }
}
