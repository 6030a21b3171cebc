//! The tags of a release, with how many users have them and which values are usual.

use std::collections::BTreeMap;

use datafusion::prelude::SessionContext;
use serde::Serialize;
use tagmill_schemas::{Manifest, Result, ValueType};

use super::rows::Rows;

/// A tag of an app in a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The app.
    pub app: String,
    /// The tag's name.
    pub tag: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// Whether a user can have several values.
    pub multi: bool,
    /// The source it comes from.
    pub source: String,
    /// Whether its values are not in the release, as they exceeded a limit.
    pub is_withheld: bool,
    /// Users who have a value.
    pub users: u64,
    /// Distinct values.
    pub values: u64,
    /// The least and the greatest value, of numbers and dates.
    pub range: Option<(String, String)>,
    /// The values that most users have, the most frequent first.
    pub samples: Vec<Sample>,
}

/// A value and its users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// As text.
    pub value: String,
    /// Users who have it.
    pub users: u64,
}

/// How many values of a tag are given.
const SAMPLES: usize = 3;

type Key = (String, String);

/// The tags of a release, or of one app of it, by app and name. `ctx` has the bitmap functions of
/// tagmill as well.
///
/// # Errors
/// Those of reading the release.
pub async fn tags(
    ctx: &SessionContext,
    manifest: &Manifest,
    app: Option<&str>,
) -> Result<Vec<Tag>> {
    let mut tags = declared(manifest, app);
    add_sizes(ctx, &mut tags, app).await?;
    add_samples(ctx, &mut tags, app).await?;
    if tags.values().any(|tag| tag.multi && tag.values > 1) {
        count_users_once(ctx, &mut tags, app).await?;
    }
    Ok(tags.into_values().collect())
}

fn declared(manifest: &Manifest, app: Option<&str>) -> BTreeMap<Key, Tag> {
    let entries = manifest.tags.iter();
    let of_app = entries.filter(|entry| app.is_none_or(|app| entry.app == app));
    let tag = of_app.map(|entry| {
        let tag = Tag {
            app: entry.app.clone(),
            tag: entry.tag.clone(),
            value_type: entry.value_type,
            multi: entry.multi,
            source: entry.source.clone(),
            is_withheld: entry.is_withheld,
            users: 0,
            values: 0,
            range: None,
            samples: Vec::new(),
        };
        ((entry.app.clone(), entry.tag.clone()), tag)
    });
    tag.collect()
}

/// A row a value: app, tag, the value as text, its users, and the value of ordered types.
fn values(app: Option<&str>) -> String {
    let only = app.map_or("", |_| "WHERE app = $app");
    format!(
        "SELECT app, tag, sum(cardinality) AS users, value_integer AS i, value_double AS d, \
         value_date AS t, coalesce(value_string, CAST(value_integer AS VARCHAR), \
         CAST(value_double AS VARCHAR), CAST(value_date AS VARCHAR), \
         CAST(value_boolean AS VARCHAR)) AS text FROM tags {only} \
         GROUP BY app, tag, value_string, value_integer, value_double, value_date, value_boolean"
    )
}

async fn add_sizes(
    ctx: &SessionContext,
    tags: &mut BTreeMap<Key, Tag>,
    app: Option<&str>,
) -> Result<()> {
    let sql = format!(
        "SELECT app, tag, count(*), sum(users), \
         coalesce(CAST(min(i) AS VARCHAR), CAST(min(d) AS VARCHAR), CAST(min(t) AS VARCHAR)), \
         coalesce(CAST(max(i) AS VARCHAR), CAST(max(d) AS VARCHAR), CAST(max(t) AS VARCHAR)) \
         FROM ({}) AS by_value GROUP BY app, tag",
        values(app)
    );
    let rows = Rows::ask(ctx, &sql, app).await?;
    let keys = rows.texts(0)?.into_iter().zip(rows.texts(1)?);
    let sizes = rows.numbers(2)?.into_iter().zip(rows.numbers(3)?);
    let ranges = rows.texts(4)?.into_iter().zip(rows.texts(5)?);
    for ((key, (values, users)), (low, high)) in keys.zip(sizes).zip(ranges) {
        if let Some(tag) = found(tags, key) {
            (tag.values, tag.users) = (values.unwrap_or(0), users.unwrap_or(0));
            tag.range = low.zip(high);
        }
    }
    Ok(())
}

async fn add_samples(
    ctx: &SessionContext,
    tags: &mut BTreeMap<Key, Tag>,
    app: Option<&str>,
) -> Result<()> {
    let sql = format!(
        "SELECT app, tag, text, users FROM (SELECT app, tag, text, users, row_number() OVER \
         (PARTITION BY app, tag ORDER BY users DESC, text) AS place FROM ({}) AS by_value) \
         AS placed WHERE place <= {SAMPLES} ORDER BY app, tag, place",
        values(app)
    );
    let rows = Rows::ask(ctx, &sql, app).await?;
    let keys = rows.texts(0)?.into_iter().zip(rows.texts(1)?);
    let samples = rows.texts(2)?.into_iter().zip(rows.numbers(3)?);
    for (key, (value, users)) in keys.zip(samples) {
        if let (Some(tag), Some(value)) = (found(tags, key), value) {
            let users = users.unwrap_or(0);
            tag.samples.push(Sample { value, users });
        }
    }
    Ok(())
}

/// Where a user can have several values, those of all values are more than there are.
async fn count_users_once(
    ctx: &SessionContext,
    tags: &mut BTreeMap<Key, Tag>,
    app: Option<&str>,
) -> Result<()> {
    let only = app.map_or("", |_| "app = $app AND ");
    let mut names: Vec<String> = tags.values().filter(|tag| tag.multi).map(quoted).collect();
    names.sort();
    names.dedup();
    let sql = format!(
        "SELECT app, tag, bitmap_or_cardinality_agg(bitmap) FROM tags WHERE {only}tag IN ({}) \
         GROUP BY app, tag",
        names.join(", ")
    );
    let rows = Rows::ask(ctx, &sql, app).await?;
    let keys = rows.texts(0)?.into_iter().zip(rows.texts(1)?);
    for (key, users) in keys.zip(rows.numbers(2)?) {
        if let Some(tag) = found(tags, key) {
            tag.users = users.unwrap_or(0);
        }
    }
    Ok(())
}

fn quoted(tag: &Tag) -> String {
    format!("'{}'", tag.tag.replace('\'', "''"))
}

fn found(
    tags: &mut BTreeMap<Key, Tag>,
    (app, tag): (Option<String>, Option<String>),
) -> Option<&mut Tag> {
    tags.get_mut(&(app?, tag?))
}
