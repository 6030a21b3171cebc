//! The fifth stage: what only all shards together can say is added up and written.

use tagmill_night::ShardReport;
use tagmill_schemas::Result;

use super::{Inputs, ShardsDone};
use crate::night::NightPlan;
use crate::rollup::{RollUp, Totals, roll_up};
use crate::set_aside::SetAside;

/// A night of which every file is written.
pub struct RolledUp<'n> {
    pub(super) inputs: Inputs<'n>,
    pub(super) plan: NightPlan,
    pub(super) reports: Vec<ShardReport>,
    pub(super) totals: Totals,
    pub(super) aside: SetAside,
}

impl<'n> ShardsDone<'n> {
    /// Adds up over shards and tells what a person should know.
    ///
    /// # Errors
    /// As `roll_up`.
    pub async fn roll_up(self) -> Result<RolledUp<'n>> {
        let Self {
            inputs,
            mut plan,
            reports,
            aside,
        } = self;
        let context = RollUp {
            spec: &plan.spec,
            config: inputs.night.config(),
            parents: &inputs.parents,
            inputs: &plan.inputs,
            over_limit: &plan.over_limit,
            aside: &aside,
            store: inputs.night.store(),
        };
        let totals = roll_up(&context, &reports, &mut plan.groups).await?;
        let observer = inputs.night.observer();
        let told: Vec<String> = aside.notices().collect();
        let untold = totals.notices.iter().filter(|line| !told.contains(line));
        untold.for_each(|line| observer.warn(line));
        Ok(RolledUp {
            inputs,
            plan,
            reports,
            totals,
            aside,
        })
    }
}
