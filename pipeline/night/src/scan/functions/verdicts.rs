//! The reason against each row of a batch: id, app, event, filter, reject conditions, time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimeUnit};
use datafusion::error::Result;
use serde::{Deserialize, Serialize};

use super::folder::FolderDays;
use super::text::{distinct, text};
use crate::plan::columns::{FAILED_EXPRESSION, FILTERED, OTHER_DAY};

/// Bytes; longer ids are rejected. Nobody's id is that long, and ids are put together with their apps
/// for a whole batch.
const LONGEST_ID: usize = 4 << 10;
/// Bytes; longer names of apps and events are rejected.
const LONGEST_NAME: usize = 1 << 10;

/// The run's date in the configured zone, and what becomes of earlier events.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DayBounds {
    /// First second.
    pub start: i64,
    /// Behind the last second.
    pub end: i64,
    /// Whether earlier events are rejected; else they count today.
    pub rejects_late: bool,
}

/// The reason against each row of a batch; nothing is allocated for a batch without any.
pub struct Verdicts<'a> {
    rows: usize,
    reasons: Vec<Option<&'a str>>,
}

impl<'a> Verdicts<'a> {
    /// Nothing against any of so many rows.
    pub fn of(rows: usize) -> Self {
        Self {
            rows,
            reasons: Vec::new(),
        }
    }

    /// The first reason against each row; `None` where there is none against any.
    pub fn into_reasons(self) -> Option<Vec<Option<&'a str>>> {
        (!self.reasons.is_empty()).then_some(self.reasons)
    }

    fn mark(&mut self, reason: &'a str, is_bad: impl Fn(usize) -> bool) {
        for row in (0..self.rows).filter(|&row| is_bad(row)) {
            self.mark_row(reason, row);
        }
    }

    fn mark_row(&mut self, reason: &'a str, row: usize) {
        if self.reasons.is_empty() {
            self.reasons.resize(self.rows, None);
        }
        self.reasons[row] = self.reasons[row].or(Some(reason));
    }

    /// What is said of a row that is none.
    pub fn judge_broken(&mut self, array: &'a ArrayRef) {
        let Some(broken) = array.as_string_view_opt() else {
            return;
        };
        for row in (0..broken.len()).filter(|&row| broken.is_valid(row)) {
            self.mark_row(broken.value(row), row);
        }
    }

    /// `no_user` for null and empty ids, `long_user` for ids beyond [`LONGEST_ID`] bytes.
    ///
    /// # Errors
    /// Those of a cast to text.
    pub fn judge_id(&mut self, array: &ArrayRef) -> Result<()> {
        let ids = text(array)?;
        let is_plain = ids.null_count() == 0
            && ids
                .views()
                .iter()
                .all(|&view| (1..=LONGEST_ID as u32).contains(&(view as u32)));
        if !is_plain {
            self.mark("no_user", |row| {
                ids.is_null(row) || ids.value(row).is_empty()
            });
            self.mark("long_user", |row| ids.value(row).len() > LONGEST_ID);
        }
        Ok(())
    }

    /// `no_app` for null and empty apps, `bad_app` for those with a zero byte, `long_app` for those
    /// beyond [`LONGEST_NAME`] bytes.
    ///
    /// # Errors
    /// Those of a cast to text.
    pub fn judge_app(&mut self, array: &ArrayRef) -> Result<()> {
        self.judge_text(array, "no_app")?;
        self.judge_length(array, "long_app")?;
        let bad = distinct(array)?;
        if (0..bad.len()).any(|at| bad.is_valid(at) && bad.value(at).contains('\0')) {
            let apps = text(array)?;
            self.mark("bad_app", |row| {
                apps.is_valid(row) && apps.value(row).contains('\0')
            });
        }
        Ok(())
    }

    /// `no_event` for null and empty names, `long_event` for those beyond [`LONGEST_NAME`] bytes.
    ///
    /// # Errors
    /// Those of a cast to text.
    pub fn judge_event(&mut self, array: &ArrayRef) -> Result<()> {
        self.judge_text(array, "no_event")?;
        self.judge_length(array, "long_event")
    }

    fn judge_length(&mut self, array: &ArrayRef, reason: &'static str) -> Result<()> {
        let is_long = |view: &u128| *view as u32 > LONGEST_NAME as u32;
        if distinct(array)?.views().iter().any(is_long) {
            let names = text(array)?;
            self.mark(reason, |row| {
                names.is_valid(row) && names.value(row).len() > LONGEST_NAME
            });
        }
        Ok(())
    }

    /// `reason` for null and empty text.
    ///
    /// # Errors
    /// Those of a cast to text.
    fn judge_text(&mut self, array: &ArrayRef, reason: &'static str) -> Result<()> {
        let values = distinct(array)?;
        let may_be_bad = array.null_count() > 0
            || values.null_count() > 0
            || values.views().iter().any(|&view| view as u32 == 0);
        if may_be_bad {
            let texts = text(array)?;
            self.mark(reason, |row| {
                texts.is_null(row) || texts.value(row).is_empty()
            });
        }
        Ok(())
    }

    /// [`FILTERED`] where the filter is not true.
    pub fn judge_filter(&mut self, keep: &BooleanArray) {
        self.mark(FILTERED, |row| keep.is_null(row) || !keep.value(row));
    }

    /// [`FAILED_EXPRESSION`] where an expression fails; where the filter surely leaves the row out, it
    /// does that in any case.
    pub fn judge_failures(
        &mut self,
        fails: &BooleanArray,
        filter_fails: &BooleanArray,
        keep: Option<&BooleanArray>,
    ) {
        let is = |flags: &BooleanArray, row: usize| flags.is_valid(row) && flags.value(row);
        for row in (0..self.rows).filter(|&row| is(fails, row) || is(filter_fails, row)) {
            let is_kept = keep.is_none_or(|keep| is(keep, row));
            match is_kept || is(filter_fails, row) {
                true => self.mark_row(FAILED_EXPRESSION, row),
                false => self.mark_row(FILTERED, row),
            }
        }
    }

    /// `reason` where a condition is true.
    pub fn judge_condition(&mut self, holds: &BooleanArray, reason: &'a str) {
        if holds.true_count() > 0 {
            self.mark(reason, |row| holds.is_valid(row) && holds.value(row));
        }
    }

    /// [`OTHER_DAY`] for events that another night decides on, by their time and the day of their
    /// folder.
    ///
    /// # Errors
    /// Those of a cast.
    pub fn judge_folder(
        &mut self,
        times: &ArrayRef,
        folders: &ArrayRef,
        day: DayBounds,
        days: &FolderDays,
    ) -> Result<()> {
        let (times, per_second) = instants(times)?;
        let folders = cast(folders, &DataType::Int32)?;
        let folders = folders.as_primitive::<Int32Type>();
        self.mark(OTHER_DAY, |row| {
            let second = times
                .is_valid(row)
                .then(|| times.value(row).div_euclid(per_second));
            let is_today = second.is_some_and(|second| (day.start..day.end).contains(&second));
            !is_today && days.is_of_another_night(second, folders.value(row))
        });
        Ok(())
    }

    /// `no_time` for null, `future` for times behind the day, `late` for those before it where they
    /// are rejected.
    ///
    /// # Errors
    /// Those of a cast to a timestamp.
    pub fn judge_time(&mut self, array: &ArrayRef, day: DayBounds) -> Result<()> {
        let (times, per_second) = instants(array)?;
        let (start, end) = (
            day.start.saturating_mul(per_second),
            day.end.saturating_mul(per_second),
        );
        if times.null_count() == 0
            && times
                .values()
                .iter()
                .all(|time| (start..end).contains(time))
        {
            return Ok(());
        }
        self.mark("no_time", |row| times.is_null(row));
        self.mark("future", |row| times.value(row) >= end);
        if day.rejects_late {
            self.mark("late", |row| times.value(row) < start);
        }
        Ok(())
    }
}

/// Times as integers and how many of them a second has. A time without a zone is UTC.
fn instants(array: &ArrayRef) -> Result<(Int64Array, i64)> {
    let (array, per_second) = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => (Arc::clone(array), 1),
        DataType::Timestamp(TimeUnit::Millisecond, _) => (Arc::clone(array), 1_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => (Arc::clone(array), 1_000_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => (Arc::clone(array), 1_000_000_000),
        _ => (
            cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
            1_000_000,
        ),
    };
    let integers = array
        .to_data()
        .into_builder()
        .data_type(DataType::Int64)
        .build()?;
    Ok((Int64Array::from(integers), per_second))
}
