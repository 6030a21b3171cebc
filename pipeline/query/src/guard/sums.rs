//! Sums of users: rows of different shards have different users, other rows may have the same.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::scalar::ScalarValue;
use tagmill_schemas::Artifact;

use super::added_once::AddedOnce;
use super::carry::Key;
use super::conditions::Conditions;
use super::origin::{Origin, SLICE, origins_in};
use super::{Call, Changed, Context};

/// The columns of a tag's value, of which a row has one.
const VALUES: [&str; 5] = [
    "value_string",
    "value_integer",
    "value_double",
    "value_date",
    "value_boolean",
];

/// Refuses to add the combinations of one event, and tells of other sums of users.
pub(super) fn added_once(call: &Call<'_>, context: &mut Context<'_>) -> Result<Option<Changed>> {
    let [value] = call.args else {
        return Ok(None);
    };
    if call.function.name() != "sum" {
        return Ok(None);
    }
    let origins = origins_in(call.rows, value);
    let parts = origins.iter().filter(|origin| origin.is_part_of_set());
    let (parts, slices): (Vec<&Origin<'_>>, _) = parts.partition(|part| has_users(part.artifact));
    let conditions = Conditions::of(call.rows, call.filter);
    if let Some(slice) = slices.first() {
        let is_weighed = value.column_refs().len() > 1;
        note_slices(call, slice, is_weighed, &conditions, context);
    }
    if parts.is_empty() {
        return Ok(None);
    }
    for part in &parts {
        note_several(call, part, &conditions, context);
    }
    let is_cut = |part: &&&Origin<'_>| {
        part.artifact == Artifact::Behaviour && !is_one(call, part, &conditions, "combination")
    };
    if call.is_window || !parts.iter().any(|part| is_cut(&part)) {
        return Ok(None);
    }
    let carried = context
        .carrier
        .carry(&context.rows, value, Key::SetAndShard)?;
    let Some((rows, keys)) = carried else {
        return Ok(None);
    };
    context.rows = rows;
    Ok(Some(Changed {
        function: Arc::new(AddedOnce::over(Arc::clone(call.function))),
        args: std::iter::once(value.clone()).chain(keys).collect(),
    }))
}

/// Whether the sizes in an artifact are numbers of users: those of slices are none.
fn has_users(artifact: Artifact) -> bool {
    matches!(
        artifact,
        Artifact::Universe
            | Artifact::Tags
            | Artifact::Behaviour
            | Artifact::Funnels
            | Artifact::Groups
    )
}

/// Whether a column is the same in all rows of a group.
fn is_one(call: &Call<'_>, part: &Origin<'_>, conditions: &Conditions<'_>, column: &str) -> bool {
    call.is_grouped_by(part, column) || conditions.is_fixed(part, column)
}

/// Tells where users of several sets are added.
fn note_several(
    call: &Call<'_>,
    part: &Origin<'_>,
    conditions: &Conditions<'_>,
    context: &Context<'_>,
) {
    let is_one = |column: &str| is_one(call, part, conditions, column);
    let several = match part.artifact {
        _ if context.facts.is_global && !is_one("app") => Some("apps"),
        Artifact::Groups if !is_one("group") => Some("groups"),
        Artifact::Funnels if !is_one("funnel") => Some("funnels"),
        Artifact::Funnels if !is_one("date") => Some("days"),
        Artifact::Funnels if !is_one("step") => Some("steps"),
        Artifact::Tags if !is_one("tag") => Some("tags"),
        Artifact::Tags if !VALUES.iter().any(|value| is_one(value)) => {
            is_multi(part, conditions, context).then_some("values of a tag")
        }
        Artifact::Behaviour if !is_one("date") => Some("dates"),
        Artifact::Behaviour if !is_one("event") => Some("events"),
        Artifact::Behaviour if !is_one("dimension") => Some("dimensions"),
        Artifact::Behaviour if !is_one("value") && !conditions.is_null(part, "dimension") => {
            Some("values of a dimension")
        }
        _ => None,
    };
    if let Some(several) = several {
        context.notes.say(format!(
            "sum: users of several {several} are added, and count in each; \
             bitmap_or_cardinality_agg(bitmap) counts a user once"
        ));
    }
}

/// Tells where sizes of bit slices are taken for users, and where numbers of several things are
/// added.
fn note_slices(
    call: &Call<'_>,
    slice: &Origin<'_>,
    is_weighed: bool,
    conditions: &Conditions<'_>,
    context: &Context<'_>,
) {
    let is_one = |column: &str| is_one(call, slice, conditions, column);
    let of_event = slice.artifact == Artifact::BehaviourMeasures;
    let thing = if of_event { "measure" } else { "tag" };
    let table = slice.artifact.name();
    let told = match is_weighed {
        false if !is_one(SLICE) => {
            format!("a row of {table} is a binary digit of numbers, and its users are in several")
        }
        false if of_event && !is_one("combination") => {
            "a user may be in several combinations, and counts in each".to_owned()
        }
        false => return,
        true if !is_one(thing) => format!("numbers of several {thing}s are added"),
        true => return,
    };
    let view = if of_event { "event_stats" } else { "tag_stats" };
    context
        .notes
        .say(format!("sum: {told}; the view {view} has users and sums"));
}

/// Whether users may have several values of the tag, which may be any.
fn is_multi(part: &Origin<'_>, conditions: &Conditions<'_>, context: &Context<'_>) -> bool {
    let multi = &context.facts.multi;
    let named = conditions.one_value(part, "tag");
    let named = named.as_ref().and_then(ScalarValue::try_as_str).flatten();
    named.map_or(!multi.is_empty(), |tag| multi.contains(tag))
}
