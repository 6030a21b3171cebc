//! The second stage: the operator and everything that is fixed before shards start.

use datafusion::prelude::SessionContext;
use tagmill_night::RowsSpec;
use tagmill_night::scan::{ScanContext, Trial, try_rows};
use tagmill_schemas::config::{SourceKind, Tag};
use tagmill_schemas::{Reason, Result};
use tagmill_warehouse::release::Parents;

use super::Inputs;
use crate::memory::{Forecast, memory_of_machine, within_machine};
use crate::night::{NightPlan, Planning, plan_night};
use crate::session::{Resources, night_session};
use crate::sources::{Decision, SourceInput};

/// A night that is planned; nothing is written yet.
pub struct Planned<'n> {
    pub(super) inputs: Inputs<'n>,
    pub(super) plan: NightPlan,
    session: SessionContext,
}

impl<'n> Inputs<'n> {
    /// Plans the night with the resources of the request.
    ///
    /// # Errors
    /// As `plan_night`.
    pub async fn plan(mut self) -> Result<Planned<'n>> {
        let resources = Resources::of(self.night.request());
        let forecast = Forecast::of(&self.sources, &self.parents, resources.shards);
        let observer = self.night.observer();
        let resources = within_machine(resources, forecast, memory_of_machine(), observer);
        let session = night_session(&resources, None)?;
        let plan = loop {
            let planning = Planning {
                night: self.night,
                parents: &self.parents,
                sources: &self.sources,
                session: &session,
                resources: &resources,
                forecast,
            };
            match plan_night(&planning).await {
                Ok(plan) => break plan,
                // Names of tags may have been read.
                Err(error) if self.read_text_as_bytes(&error).await? => {}
                Err(error) if self.reject_failures(&error) => {}
                Err(error) => return Err(error),
            }
        };
        Ok(Planned {
            inputs: self,
            plan,
            session,
        })
    }
}

impl Planned<'_> {
    /// The plan; its specification has neither run nor attempt.
    pub fn plan(&self) -> &NightPlan {
        &self.plan
    }

    /// What is taken from each source.
    pub fn sources(&self) -> &[SourceInput<'_>] {
        &self.inputs.sources
    }

    /// What would become of the first rows of each source; `None` for one that is not read, or has
    /// text that only the night finds to be none.
    ///
    /// # Errors
    /// What an expression meets in the rows.
    pub async fn try_rows(&self) -> Result<Vec<Option<Trial>>> {
        let config = self.inputs.night.config();
        let context = ScanContext {
            session: &self.session,
            date: self.plan.spec.date,
            time_zone: config.warehouse.time_zone,
            id_scope: config.warehouse.id_scope,
            shards: config.warehouse.shards,
            exchange: self.plan.resources.exchange(),
        };
        let mut trials = Vec::new();
        for (input, spec) in self.inputs.sources.iter().zip(&self.plan.spec.sources) {
            let Decision::Read(files) = &input.decision else {
                trials.push(None);
                continue;
            };
            let source = input.source;
            let tags = config.tags.iter().filter(|tag| tag.source == source.name);
            let tags: Vec<&Tag> = tags.collect();
            let shapes = match (&source.kind, &spec.rows) {
                (SourceKind::CustomEvents(_), RowsSpec::Events { shapes, .. }) => {
                    Some(shapes.clone())
                }
                _ => None,
            };
            let tried = try_rows(&context, source, &tags, shapes, files).await;
            trials.push(match tried {
                Err(error) if error.reason() == Some(Reason::Damaged) => None,
                tried => Some(tried?),
            });
        }
        Ok(trials)
    }

    /// The releases that the night builds on.
    pub fn parents(&self) -> &Parents {
        &self.inputs.parents
    }

    /// The plan and the session that it was made in, for an engine of one's own.
    pub fn into_plan(self) -> (NightPlan, SessionContext) {
        (self.plan, self.session)
    }
}
