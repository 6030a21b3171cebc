//! Between shards and roll-up: apps of which too many rows are rejected are set aside, and the shards
//! run once more without their rows.

use tagmill_schemas::{Artifact, Result};
use tagmill_warehouse::release::files_where;

use super::{Claimed, ShardsDone};
use crate::changes_lost::check_changes;
use crate::rollup::fates;
use crate::row_limits::Rows;
use crate::set_aside::SetAside;

impl<'n> ShardsDone<'n> {
    /// Leaves the night as it is, or runs it once more without the rows of apps that are beyond a
    /// limit while the others are not. A night of which nothing else would be left, or which is
    /// beyond a limit without them too, goes on to its verdict.
    ///
    /// # Errors
    /// Refused for an app whose changes would be lost; those of reading artifacts, and of
    /// [`Claimed::run_shards`].
    pub async fn set_aside(self) -> Result<Self> {
        let (counts, rejected) = fates(&self.reports);
        let rows = Rows::new(&counts, &rejected);
        let night = self.inputs.night;
        let state = self.inputs.parents.state.as_ref();
        let apps = rows.apps_beyond(night.config(), state);
        if apps.is_empty() {
            return Ok(self);
        }
        check_changes(night.config(), &counts, &apps)?;
        let parents = &self.inputs.parents;
        let of_night = (self.plan.spec.date, night.store());
        let aside = SetAside::of(apps, &self.reports, parents, of_night).await?;
        let line = "the shards run once more without the rows of apps that are set aside";
        aside
            .notices()
            .for_each(|line| night.observer().warn(&line));
        night.observer().stage("set-aside", line);
        let Self {
            inputs, mut plan, ..
        } = self;
        let newest = inputs.parents.newest.as_ref();
        let parent = &mut plan.spec.parent;
        if let Some(newest) = newest {
            let date = plan.spec.date;
            for (artifact, files) in [
                (Artifact::Behaviour, &mut parent.behaviour),
                (Artifact::BehaviourMeasures, &mut parent.behaviour_measures),
            ] {
                let is_of_date = |of, day| of == artifact && day == date;
                *files = files_where(night.store(), newest, is_of_date).await?;
            }
        }
        plan.set_aside(&aside, inputs.parents.state.as_ref())?;
        let mut claimed = Claimed { inputs, plan };
        claimed.next_attempt().await?;
        let done = Box::pin(claimed.run_shards()).await?;
        Ok(Self { aside, ..done })
    }
}
