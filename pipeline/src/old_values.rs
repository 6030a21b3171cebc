//! Groups that rest on values of an earlier night, or on a source that the night does without: the
//! same for a run and for its plan.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use tagmill_night::NightSpec;
use tagmill_rules::groups::{GroupStatus, Status};
use tagmill_schemas::manifest::{Input, InputStatus};

use super::groups::GroupNight;
use super::stale::{incomplete, stale_since};

/// Whether a group has members of tonight; a lost or incomplete one has older ones, and says so
/// itself.
fn is_computed(status: &GroupStatus) -> bool {
    let keeps = matches!(status.status, Status::Lost | Status::Incomplete);
    status.status == Status::Ok || (status.as_of.is_some() && !keeps)
}

/// Gives these groups their statuses; the others keep theirs.
pub fn mark_old(spec: &NightSpec, groups: &mut GroupNight, inputs: &[Input]) {
    let dates = |wanted: InputStatus| -> BTreeMap<&str, NaiveDate> {
        // What a rerun keeps of its own date is not old.
        let found = inputs.iter().filter(|i| {
            i.status == wanted && (wanted == InputStatus::Skipped || i.date < spec.date)
        });
        found.map(|i| (i.source.as_str(), i.date)).collect()
    };
    let (stale, without) = (
        stale_since(spec, &groups.plans, &dates(InputStatus::Carried)),
        incomplete(spec, &groups.plans, &dates(InputStatus::Skipped)),
    );
    let statuses = groups.plans.iter_mut().flat_map(|plan| &mut plan.statuses);
    for status in statuses.filter(|s| is_computed(s)) {
        let key = (status.app.clone(), status.group.clone());
        if let Some(date) = stale.get(&key) {
            status.status = Status::Stale;
            status.as_of = Some(*date);
            status.reason = Some(format!("values of {date} were carried"));
        }
        if without.contains_key(&key) {
            status.status = Status::Incomplete;
            status.reason = Some("a source that it rests on was skipped".to_owned());
        }
    }
}
