//! Aggregates over bit slices: over a release's they are given what tells its rows apart.
//!
//! Functions of SQL put the rows of a slice together, whatever combination, day or tag they are of,
//! and know of no offset. The rule fills in the two arguments that they have for it: the row's
//! offset, and what its numbers are of. So sums add everything up, other answers are refused where
//! a user has several numbers, and nothing is computed of two tags at once.

use std::sync::Arc;

use datafusion::error::Result;
use tagmill_schemas::Artifact;

use super::carry::Key;
use super::origin::{SLICE, origin_of};
use super::{Call, Changed, Context};

/// Aggregates over slices, with their arguments before the offset.
const OVER_SLICES: [(&str, usize); 8] = [
    ("bsi_sum_agg", 2),
    ("bsi_min_agg", 2),
    ("bsi_max_agg", 2),
    ("bsi_quantile_agg", 3),
    ("bsi_value_agg", 3),
    ("bsi_top_agg", 3),
    ("bsi_compare_agg", 4),
    ("bsi_between_agg", 4),
];

/// Fills in offset and what the numbers are of, as far as the statement does not say them.
pub(super) fn of_one_thing(call: &Call<'_>, context: &mut Context<'_>) -> Result<Option<Changed>> {
    let name = call.function.name();
    let Some((_, before)) = OVER_SLICES.iter().find(|(known, _)| *known == name) else {
        return Ok(None);
    };
    let Some(slice) = call.args.first() else {
        return Ok(None);
    };
    let is_slice = origin_of(call.rows, slice).is_some_and(|origin| {
        origin.column == SLICE
            && matches!(
                origin.artifact,
                Artifact::TagNumbers | Artifact::BehaviourMeasures | Artifact::Windows
            )
    });
    let lacking = match call.args.len().checked_sub(*before) {
        Some(0) => &[Key::Offset, Key::NumbersOf][..],
        Some(1) => &[Key::NumbersOf],
        _ => return Ok(None),
    };
    if !is_slice {
        return Ok(None);
    }
    let mut args = call.args.to_vec();
    for key in lacking {
        let Some((rows, keys)) = context.carrier.carry(&context.rows, slice, *key)? else {
            context.notes.say(format!(
                "{name}: slices of several combinations, days or tags that were united before have \
                 no sum of their numbers; hand over the rows of the table as they are"
            ));
            return Ok(None);
        };
        context.rows = rows;
        args.extend(keys);
    }
    let function = Arc::clone(call.function);
    Ok(Some(Changed { function, args }))
}
