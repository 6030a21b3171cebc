//! Aggregates that intersect: over the rows of a release they intersect sets, not rows.
//!
//! Rows of two shards have no user in common, so that the intersection of rows would be empty; and
//! where a shard lacks one of the sets, that of the shard's rows is the other set.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::error::Result;
use tagmill_engine::external;
use tagmill_schemas::{Artifact, Error};

use super::carry::Key;
use super::conditions::Conditions;
use super::origin::{Origin, SHARD, origin_of, origins_in};
use super::over_sets::OverSets;
use super::{Call, Changed, Context};

/// Aggregates of one bitmap argument that are not the same over the rows of sets as over sets.
const INTERSECT: [&str; 4] = [
    "bitmap_and_agg",
    "bitmap_and_cardinality_agg",
    "groupBitmapAndState",
    "rb_and_cardinality_agg",
];
const DIFFER: [&str; 4] = [
    "bitmap_xor_agg",
    "bitmap_xor_cardinality_agg",
    "groupBitmapXorState",
    "rb_xor_cardinality_agg",
];

/// Columns that only narrow down which sets there are: the same set names occur under each value.
const NARROW: [&str; 3] = ["app", "date", "event"];

/// Hands over sets instead of rows.
pub(super) fn over_sets(call: &Call<'_>, context: &mut Context<'_>) -> Result<Option<Changed>> {
    let name = call.function.name();
    let intersects = INTERSECT.contains(&name);
    let [bitmap] = call.args else {
        return Ok(None);
    };
    if !intersects && !DIFFER.contains(&name) {
        return Ok(None);
    }
    let carried = context.carrier.carry(&context.rows, bitmap, Key::Set)?;
    let Some((rows, keys)) = carried else {
        return Ok(None);
    };
    if intersects {
        expect_no_shard(call)?;
    }
    context.rows = rows;
    let origins = origins_in(call.rows, bitmap);
    for origin in &origins {
        note_other_events(call, origin, context);
    }
    let named = match origins.as_slice() {
        [origin] => named_sets(call, origin),
        _ => 0,
    };
    Ok(Some(Changed {
        function: Arc::new(OverSets::over(Arc::clone(call.function), named)),
        args: std::iter::once(bitmap.clone()).chain(keys).collect(),
    }))
}

fn expect_no_shard(call: &Call<'_>) -> Result<()> {
    let is_shard = |group| origin_of(call.rows, group).is_some_and(|o| o.column == SHARD);
    if !call.groups.iter().any(is_shard) {
        return Ok(());
    }
    let name = call.function.name();
    Err(external(
        Error::setup(
            "sql",
            format!(
                "{name}: found shard in what rows are grouped by; a shard without a row of one \
                 set would count the others whole"
            ),
        )
        .fix(format!(
            "leave shard out: {name} unites the rows of each set over all shards by itself"
        )),
    ))
}

/// How many sets the statement names; 0 where it does not say, or groups by what names them.
fn named_sets(call: &Call<'_>, origin: &Origin<'_>) -> usize {
    let grouped = call.groups.iter().filter_map(|g| origin_of(call.rows, g));
    let grouped: BTreeSet<&str> = grouped
        .filter(|group| group.is_beside(origin))
        .map(|group| group.column)
        .collect();
    if !grouped.iter().all(|column| NARROW.contains(column)) {
        return 0;
    }
    Conditions::of(call.rows, call.filter).named_sets(origin, &grouped)
}

/// Users of two dimension values need not have had them in one event.
fn note_other_events(call: &Call<'_>, origin: &Origin<'_>, context: &Context<'_>) {
    let is_one = || {
        let conditions = Conditions::of(call.rows, call.filter);
        call.is_grouped_by(origin, "dimension") || conditions.is_fixed(origin, "dimension")
    };
    if origin.artifact == Artifact::Behaviour && !is_one() {
        context.notes.say(format!(
            "{}: users of several dimension values need not have had them in one event; for that, \
             join behaviour with itself on date, event, combination and shard",
            call.function.name()
        ));
    }
}
