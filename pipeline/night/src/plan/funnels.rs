//! What one night computes of funnels, fixed before any shard starts.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tagmill_rules::DimensionCondition;
use tagmill_schemas::config::Funnel;
use tagmill_schemas::manifest::FileEntry;

/// The funnels of a night, and what the nights before have of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NightFunnels {
    /// In order of the name.
    pub funnels: Vec<NightFunnel>,
    /// `funnels` of the night before; for a date before the head of the newest release, whose days
    /// that have the date in their windows are not complete any more.
    pub before: Vec<FileEntry>,
    /// `funnel_state` of the night before.
    pub state: Vec<FileEntry>,
    /// Whether the night goes on with chains: not for a date before the head.
    pub goes_on: bool,
}

/// One funnel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NightFunnel {
    /// As it is declared.
    pub funnel: Funnel,
    /// See [`Funnel::definition`].
    pub definition: String,
    /// By step; `None`: every such event is the step.
    pub conditions: Vec<Option<DimensionCondition>>,
    /// Days that miss rows which could be steps.
    pub missing: Vec<MissingDay>,
}

/// A day whose events are not all there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingDay {
    /// `None`: of every app.
    pub app: Option<String>,
    /// Which day.
    pub date: NaiveDate,
}

impl NightFunnels {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && (self.funnels.is_empty() || !self.goes_on)
    }

    /// The events that are steps of chains tonight.
    pub fn events(&self) -> Vec<String> {
        let funnels = self.funnels.iter().filter(|_| self.goes_on);
        let steps = funnels.flat_map(|of| &of.funnel.steps);
        let events: BTreeSet<&String> = steps.map(|step| &step.event).collect();
        events.into_iter().cloned().collect()
    }
}

impl NightFunnel {
    /// Whether rows of an app are missing on one of these days.
    pub fn misses(&self, app: &str, from: NaiveDate, to: NaiveDate) -> bool {
        self.missing.iter().any(|day| {
            (from..=to).contains(&day.date) && day.app.as_ref().is_none_or(|of| of == app)
        })
    }
}
