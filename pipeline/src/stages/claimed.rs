//! The third stage: groups are checked against the release before, the run has its name and an
//! attempt of its own, its rules are written for the shards.

use tagmill_schemas::Result;
use tagmill_warehouse::release::{claim_attempt, run_id};

use super::{Inputs, Planned};
use crate::COMPUTATION;
use crate::losses::check_groups;
use crate::night::NightPlan;

/// A planned night that may write: nobody else has its attempt.
pub struct Claimed<'n> {
    pub(super) inputs: Inputs<'n>,
    pub(super) plan: NightPlan,
}

impl<'n> Planned<'n> {
    /// Checks the groups, names the run, claims an attempt and writes the rules for its shards.
    ///
    /// # Errors
    /// Retry without any file of rules, refused for too many that are invalid, lost or removed; those
    /// of the store.
    pub async fn claim(self) -> Result<Claimed<'n>> {
        let Self {
            inputs, mut plan, ..
        } = self;
        let night = inputs.night;
        if let Some(groups) = &night.config().groups {
            check_groups(&plan.groups, &plan.inputs, groups)?;
        }
        let parent = inputs.parents.newest.as_ref().map(|newest| newest.release);
        plan.spec.run = run_id(
            parent,
            plan.spec.date,
            &plan.inputs,
            &night.config().hash,
            COMPUTATION,
        )?;
        let mut claimed = Claimed { inputs, plan };
        claimed.next_attempt().await?;
        claimed.plan.write_audience(night.store()).await?;
        Ok(claimed)
    }
}

impl Claimed<'_> {
    /// Rows, shards and waves in one line.
    pub fn summary(&self) -> String {
        format!(
            "{} rows into {} shards, {} at once",
            self.inputs.rows(),
            self.plan.spec.shards.get(),
            self.plan.wave
        )
    }

    /// Claims another attempt of the same run: no folder is ever written twice.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn next_attempt(&mut self) -> Result<()> {
        let spec = &mut self.plan.spec;
        let claim = claim_attempt(self.inputs.night.store(), &spec.run, spec.date).await?;
        spec.attempt = claim.number;
        Ok(())
    }
}
