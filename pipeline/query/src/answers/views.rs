//! The views with a row a set, or a row a number: unions over shards and combinations, sums with
//! scales and offsets put in.

use std::sync::Arc;

use datafusion::datasource::ViewTable;
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

/// A view of every release.
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What a row is.
    pub what: &'static str,
    definition: &'static str,
}

/// A tag's value as text.
macro_rules! tag_value {
    () => {
        "coalesce(value_string, arrow_cast(value_integer, 'Utf8View'), \
         arrow_cast(value_double, 'Utf8View'), arrow_cast(value_date, 'Utf8View'), \
         arrow_cast(value_boolean, 'Utf8View'))"
    };
}

/// Of `users`, `total`, `spread` and `scale`: the numbers as a person reads them.
macro_rules! spread {
    () => {
        "CAST(total AS DOUBLE) / power(10.0, scale) AS sum, \
         CAST(total AS DOUBLE) / power(10.0, scale) / nullif(users, 0) AS avg, \
         CAST(spread['min'] AS DOUBLE) / power(10.0, scale) AS min, \
         CAST(spread['p25'] AS DOUBLE) / power(10.0, scale) AS p25, \
         CAST(spread['median'] AS DOUBLE) / power(10.0, scale) AS median, \
         CAST(spread['p75'] AS DOUBLE) / power(10.0, scale) AS p75, \
         CAST(spread['max'] AS DOUBLE) / power(10.0, scale) AS max"
    };
}

/// Users of an event and of values of its dimensions, united; of rows that follow.
macro_rules! event_sets_of {
    () => {
        "SELECT app, date, event, dimension, value, bool_or(overflow) AS overflow, \
         bitmap_or_cardinality_agg(bitmap) AS users, \
         \"groupBitmapMergeState\"(bitmap) AS bitmap FROM"
    };
}

/// As the view `event_sets` is made of `behaviour`, for other rows.
pub(super) const EVENT_SETS_OF: &str = event_sets_of!();

/// Measures by dimension value: within a combination, the users of the value and of each slice.
macro_rules! of_dimensions {
    ($behaviour:literal) => {
        concat!(
            "SELECT b.app, b.date, b.event, b.dimension, b.value, m.measure, m.scale, \
             bool_or(b.overflow OR m.overflow) AS overflow, \
             bitmap_or_cardinality_agg(bitmap_and(b.bitmap, m.bitmap)) \
             FILTER (WHERE m.slice = -1) AS users, \
             sum(slice_weight(m.slice, m.\"offset\") \
             * bitmap_and_cardinality(b.bitmap, m.bitmap)) AS total, \
             user_totals(slice_weight(m.slice, m.\"offset\"), bitmap_and(b.bitmap, m.bitmap)) \
             AS spread FROM ",
            $behaviour,
            " AS b JOIN behaviour_measures AS m ON m.app = b.app AND m.date = b.date \
             AND m.event = b.event AND m.combination = b.combination AND m.shard = b.shard \
             GROUP BY b.app, b.date, b.event, b.dimension, b.value, m.measure, m.scale \
             HAVING users > 0"
        )
    };
}

/// What the view `event_stats` has, of `users`, `total` and `spread`.
macro_rules! event_stats {
    () => {
        concat!(
            "SELECT app, date, event, dimension, value, measure, overflow, users, ",
            spread!(),
            " FROM "
        )
    };
}

/// As the view `event_stats` is made of `behaviour`, for other rows.
pub(super) fn event_stats_of(rows: &str) -> String {
    let measures = concat!(of_dimensions!("{rows}"), " ");
    let measures = measures.replace("{rows}", rows);
    format!("{}({measures})", event_stats!())
}

/// A tag's value as text, of the columns of `tags`.
pub(super) const TAG_VALUE: &str = tag_value!();

/// All of them, in the order in which they are made.
pub const VIEWS: &[View] = &[
    View {
        name: "group_sets",
        what: "a group with members of some night: also one that nobody is in",
        // An empty set has no row in `groups`: each published group brings one of nobody.
        definition: "SELECT app, name, sum(users) AS users, sum(came) AS came, sum(went) AS went, \
                     \"groupBitmapMergeState\"(bitmap) AS bitmap FROM (\
                     SELECT app, \"group\" AS name, cardinality AS users, entered AS came, \
                     \"left\" AS went, bitmap FROM groups \
                     UNION ALL SELECT app, \"group\", arrow_cast(0, 'UInt64'), \
                     arrow_cast(0, 'UInt64'), arrow_cast(0, 'UInt64'), \
                     arrow_cast(NULL, 'BinaryView') \
                     FROM group_status WHERE as_of IS NOT NULL) GROUP BY app, name",
    },
    View {
        name: "tag_sets",
        what: "a value of a tag, as text",
        definition: concat!(
            "SELECT app, tag, type, ",
            tag_value!(),
            " AS value, users, bitmap FROM (SELECT app, tag, type, value_string, value_integer, \
             value_double, value_date, value_boolean, sum(cardinality) AS users, \
             \"groupBitmapMergeState\"(bitmap) AS bitmap FROM tags \
             GROUP BY app, tag, type, value_string, value_integer, value_double, value_date, \
             value_boolean)"
        ),
    },
    View {
        name: "event_sets",
        what: "an event of a day, and each value of each of its dimensions",
        // The event's own users are in one row a shard, so that their sizes add up.
        definition: concat!(
            "SELECT app, date, event, dimension, value, bool_or(overflow) AS overflow, \
                     sum(cardinality) AS users, \"groupBitmapMergeState\"(bitmap) AS bitmap \
                     FROM behaviour WHERE dimension IS NULL \
                     GROUP BY app, date, event, dimension, value \
                     UNION ALL ",
            event_sets_of!(),
            " behaviour WHERE dimension IS NOT NULL GROUP BY app, date, event, dimension, value"
        ),
    },
    View {
        name: "tag_stats",
        what: "a tag of type integer, or double with a scale: its numbers over all users who have one",
        definition: concat!(
            "SELECT app, tag, type, users, ",
            spread!(),
            " FROM (SELECT app, tag, type, scale, \
             sum(cardinality) FILTER (WHERE slice = -1) AS users, \
             sum(slice_weight(slice, \"offset\") * cardinality) AS total, \
             user_totals(slice_weight(slice, \"offset\"), bitmap) AS spread \
             FROM tag_numbers WHERE type <> 'date' GROUP BY app, tag, type, scale) WHERE users > 0"
        ),
    },
    View {
        name: "event_stats",
        what: "a measure of an event of a day, and of each value of its dimensions: its sums per user; \
               measure `*` counts events",
        definition: concat!(
            event_stats!(),
            "(SELECT app, date, event, arrow_cast(NULL, 'Utf8View') AS dimension, \
             arrow_cast(NULL, 'Utf8View') AS value, measure, scale, bool_or(overflow) AS overflow, \
             bitmap_or_cardinality_agg(bitmap) FILTER (WHERE slice = -1) AS users, \
             sum(slice_weight(slice, \"offset\") * cardinality) AS total, \
             user_totals(slice_weight(slice, \"offset\"), bitmap) AS spread \
             FROM behaviour_measures GROUP BY app, date, event, measure, scale \
             UNION ALL ",
            of_dimensions!("(SELECT * FROM behaviour WHERE dimension IS NOT NULL)"),
            ")"
        ),
    },
];

/// Registers them in the session of a release.
pub(super) async fn register(ctx: &SessionContext) -> Result<()> {
    for view in VIEWS {
        let plan = ctx.state().create_logical_plan(view.definition).await?;
        let table = ViewTable::new(plan, Some(view.definition.to_owned()));
        ctx.register_table(view.name, Arc::new(table))?;
    }
    Ok(())
}
