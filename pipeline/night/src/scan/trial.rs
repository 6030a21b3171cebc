//! The first rows of a source's newest file, tried: what the night would reject, before it runs.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{LogicalPlanBuilder, ident};
use datafusion::prelude::DataFrame;
use tagmill_engine::{Work, of_datafusion};
use tagmill_schemas::Result;
use tagmill_schemas::config::{Source, Tag};

use super::context::{ScanContext, plan_error};
use super::files::RawFiles;
use super::project::prepare;
use crate::plan::columns::{FILTERED, OTHER_DAY, STATUS_COLUMN, USER_COLUMN};
use crate::plan::spec::EventShapes;

/// Rows that are tried.
const MOST_ROWS: usize = 20_000;

/// What would become of the rows that were tried.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Rows.
    pub rows: u64,
    /// Rows that are left out, by filter or for another night.
    pub filtered: u64,
    /// Rejected rows by reason.
    pub rejected: BTreeMap<String, u64>,
    /// User ids with white space around them, which is part of the id.
    pub spaced_ids: u64,
}

impl Trial {
    /// In words; `None` where nothing has to be said.
    pub fn note(&self) -> Option<String> {
        let share = |rows: u64| {
            let percent = 100.0 * rows as f64 / self.rows.max(1) as f64;
            format!("{percent:.1} %")
        };
        let mut reasons: Vec<(&String, &u64)> = self.rejected.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let reason = |(reason, rows): (&String, &u64)| format!("{} {reason}", share(*rows));
        let mut said: Vec<String> = Vec::new();
        if !reasons.is_empty() {
            let reasons: Vec<String> = reasons.into_iter().map(reason).collect();
            said.push(format!("rejected: {}", reasons.join(", ")));
        }
        if self.filtered > 0 {
            said.push(format!("filtered: {}", share(self.filtered)));
        }
        if self.spaced_ids > 0 {
            let share = share(self.spaced_ids);
            said.push(format!(
                "{share} of ids have white space around them, which is part of the id"
            ));
        }
        (!said.is_empty()).then(|| format!("of {} rows tried {}", self.rows, said.join("; ")))
    }

    fn count(&mut self, status: Option<&str>, user: Option<&str>) {
        self.rows += 1;
        match status {
            None => {}
            Some(FILTERED | OTHER_DAY) => self.filtered += 1,
            Some(rejected) => {
                let reason = rejected.split('\n').next().unwrap_or(rejected);
                *self.rejected.entry(reason.to_owned()).or_default() += 1;
            }
        }
        let is_spaced = user.is_some_and(|user| user.trim() != user);
        self.spaced_ids += u64::from(is_spaced && status.is_none());
    }
}

/// Tries the first rows of the newest file that has some. What only a shard finds is not among it:
/// properties, and numbers too large for their measure.
///
/// # Errors
/// As [`super::plan_source`].
pub async fn try_rows(
    context: &ScanContext<'_>,
    source: &Source,
    tags: &[&Tag],
    properties: Option<EventShapes>,
    files: &RawFiles,
) -> Result<Trial> {
    let with_rows = files.files.iter().filter(|file| file.rows > 0);
    let newest = with_rows.max_by_key(|file| (file.folder, file.found.modified));
    let newest = newest.cloned().into_iter().collect();
    let mut files = files.clone();
    files.files = newest;
    files.rejects_failures = true;
    let prepared = prepare(context, source, tags, properties, files)?;
    let logical = prepared
        .scan(source)?
        .project([ident(STATUS_COLUMN), ident(USER_COLUMN)])
        .and_then(|rows| rows.limit(0, Some(MOST_ROWS)))
        .and_then(LogicalPlanBuilder::build)
        .map_err(plan_error)?;
    // The first rows are the same whatever threads there are.
    let mut state = context.session.state();
    let options = state.config_mut().options_mut();
    options.execution.target_partitions = 1;
    let batches = DataFrame::new(state, logical).collect().await;
    let mut trial = Trial::default();
    for batch in batches.map_err(|e| of_datafusion(Work::RawData, "plan", e))? {
        let texts = |at: usize| cast(batch.column(at), &DataType::Utf8View);
        let texts = texts(0).and_then(|statuses| Ok((statuses, texts(1)?)));
        let (statuses, users) = texts.map_err(|e| of_datafusion(Work::RawData, "plan", e))?;
        let (statuses, users) = (statuses.as_string_view(), users.as_string_view());
        for row in 0..batch.num_rows() {
            let of = |texts: &arrow::array::StringViewArray| {
                texts.is_valid(row).then(|| texts.value(row).to_owned())
            };
            trial.count(of(statuses).as_deref(), of(users).as_deref());
        }
    }
    Ok(trial)
}
