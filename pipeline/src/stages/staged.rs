//! The sixth stage: a release that is written but not committed.

use std::collections::BTreeMap;

use tagmill_rules::groups::Status;
use tagmill_schemas::Result;
use tagmill_schemas::manifest::Manifest;
use tagmill_warehouse::release::AttemptFile;

use super::RolledUp;
use crate::manifest::manifest_of;
use crate::report::Report;
use crate::row_limits::{Rejected, Rows};
use crate::set_aside::SetAside;
use crate::statuses::statuses_of;
use crate::tonight::Tonight;

/// Groups that the report names.
const LARGEST: usize = 10;

/// A whole release that nobody sees: its files stand, its manifest is not created.
pub struct Staged<'n> {
    pub(super) night: &'n Tonight<'n>,
    pub(super) manifest: Manifest,
    pub(super) report: Report,
    /// Rejected rows of single apps.
    pub(super) rejected: Vec<Rejected>,
    /// The release before.
    pub(super) state: Option<Manifest>,
    /// Apps whose rows are not used.
    pub(super) aside: SetAside,
    /// The rules and ids that shards were handed.
    pub(super) audience: Option<AttemptFile>,
}

impl<'n> RolledUp<'n> {
    /// Makes the manifest and the report.
    ///
    /// # Errors
    /// Setup for a retention that leads beyond the calendar; those of reading the head's groups and
    /// of writing lists.
    pub async fn stage(mut self) -> Result<Staged<'n>> {
        let night = self.inputs.night;
        let mut report = self.report();
        let head = self.inputs.parents.newest.as_ref();
        if let Some(head) = head.filter(|_| self.plan.spec.is_backfill) {
            let statuses = statuses_of(head, night.store()).await?;
            let statuses = statuses.into_values().map(|before| before.status);
            report.keep_head(head, statuses);
        }
        let rejected = std::mem::take(&mut self.totals.rejected);
        let manifest = manifest_of(
            &self.plan.spec,
            night.config(),
            self.totals,
            self.plan.inputs,
            self.aside.scopes(self.plan.spec.date),
            &self.inputs.parents,
            night.store(),
        )
        .await?;
        Ok(Staged {
            night,
            manifest,
            report,
            rejected,
            state: self.inputs.parents.state,
            aside: self.aside,
            audience: self.plan.spec.audience.file,
        })
    }

    /// What the run answers, without its release and the seconds of its stages.
    fn report(&self) -> Report {
        let Self {
            inputs,
            plan,
            reports,
            totals,
            aside,
        } = self;
        let config = inputs.night.config();
        let fates = Rows::new(&totals.counts, &totals.rejected);
        let statuses = plan.groups.plans.iter().flat_map(|plan| &plan.statuses);
        let lost = statuses.filter(|status| status.status == Status::Lost);
        let mut warnings = totals.notices.clone();
        warnings.extend(lost.filter_map(|status| Some(status.notice()?.to_string())));
        let mut rows = BTreeMap::new();
        for count in &totals.counts {
            *rows.entry(count.source.clone()).or_default() += count.read;
        }
        Report {
            release: None,
            parent: inputs.parents.newest.as_ref().map(|newest| newest.release),
            date: plan.spec.date,
            run: plan.spec.run.clone(),
            attempt: plan.spec.attempt,
            users: reports.iter().map(|r| r.users).sum(),
            new_users: reports.iter().map(|r| r.new_users).sum(),
            rows,
            rejected: totals.counts.iter().map(|c| c.rejected).sum(),
            rejects: fates.by_reason(config),
            carried: aside.scopes(plan.spec.date),
            superseded: totals.counts.iter().map(|c| c.superseded).sum(),
            warnings,
            groups: plan
                .groups
                .by_status()
                .into_iter()
                .map(|(status, count)| (status.to_owned(), count))
                .collect(),
            largest_groups: self.largest_groups(),
            tags: totals.tags.len() as u64,
            as_of: plan.spec.date,
            files: totals.files.len() as u64,
            bytes: totals.files.iter().map(|f| f.bytes).sum(),
            seconds: Vec::new(),
            shard_seconds: self.shard_seconds(),
        }
    }

    /// App, group and members; ties by name.
    fn largest_groups(&self) -> Vec<(String, String, u64)> {
        let sizes = self.totals.groups.iter();
        let mut largest: Vec<(String, String, u64)> = sizes
            .map(|((app, group), &size)| (app.clone(), group.clone(), size))
            .collect();
        largest.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
        largest.truncate(LARGEST);
        largest
    }

    /// Seconds of all shards together, in the order of the operator's parts.
    fn shard_seconds(&self) -> Vec<(String, f64)> {
        let mut sums: Vec<(String, f64)> = Vec::new();
        for (name, seconds) in self.reports.iter().flat_map(|report| &report.seconds) {
            match sums.iter_mut().find(|(n, _)| n == name) {
                Some((_, sum)) => *sum += seconds,
                None => sums.push((name.clone(), *seconds)),
            }
        }
        sums
    }
}
