//! `tagmill_status`: what becomes of a row, as a column.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder, new_null_array};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use serde::{Deserialize, Serialize};

use super::folder::FolderDays;
use super::verdicts::{DayBounds, Verdicts};
use crate::plan::columns::{FILTERED, OTHER_DAY};
use crate::scan::sample;

/// What the arguments of [`StatusFunction`] are, in this order: id, then as told here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StatusSpec {
    /// Whether a column follows that says why a row is none, with the row.
    #[serde(default)]
    pub is_broken: bool,
    /// Whether two boolean columns follow: whether an expression fails on a row, and whether one does
    /// that the filter needs.
    #[serde(default)]
    pub has_failures: bool,
    /// Whether an app column follows.
    pub has_app: bool,
    /// Whether an event column follows.
    pub has_event: bool,
    /// Whether a time column follows, and the seconds since 1970 between which it is today.
    pub day: Option<DayBounds>,
    /// Whether the day of each row's folder follows, where folders of several days are read.
    pub folders: Option<FolderDays>,
    /// Whether a filter follows: rows for which it is not true are left out.
    pub has_filter: bool,
    /// One boolean column a reason follows: rows for which it is true are rejected.
    pub reasons: Vec<String>,
    /// The rest are these columns, to describe rejected rows.
    pub columns: Vec<String>,
}

/// `tagmill_status(spec, id, ...)`: null for accepted rows, `filtered`, `other_day`, or the reason of a
/// rejection, a line feed and the row.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct StatusFunction {
    signature: Signature,
}

impl Default for StatusFunction {
    fn default() -> Self {
        Self {
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for StatusFunction {
    fn name(&self) -> &'static str {
        "tagmill_status"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(spec)))) = args.args.first() else {
            return Err(DataFusionError::Plan(
                "tagmill_status: argument 1 is the description of the others".into(),
            ));
        };
        let spec: StatusSpec =
            serde_json::from_str(spec).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let arrays: Vec<ArrayRef> = args.args[1..]
            .iter()
            .map(|value| value.clone().into_array(args.number_rows))
            .collect::<Result<_>>()?;
        let mut verdicts = Verdicts::of(args.number_rows);
        judge(&spec, &arrays, &mut verdicts)?;
        let Some(reasons) = verdicts.into_reasons() else {
            return Ok(ColumnarValue::Array(new_null_array(
                &DataType::Utf8,
                args.number_rows,
            )));
        };
        let mut statuses = StringBuilder::with_capacity(args.number_rows, 0);
        let described = &arrays[arrays.len() - spec.columns.len()..];
        for (row, verdict) in reasons.into_iter().enumerate() {
            match verdict {
                None => statuses.append_null(),
                Some(word @ (FILTERED | OTHER_DAY)) => statuses.append_value(word),
                // Of a broken row there is nothing but what was found.
                Some(whole) if whole.contains('\n') => statuses.append_value(whole),
                Some(reason) => {
                    let cells = spec.columns.iter().map(String::as_str).zip(described);
                    statuses.append_value(format!("{reason}\n{}", sample(cells, row)));
                }
            }
        }
        Ok(ColumnarValue::Array(Arc::new(statuses.finish())))
    }
}

/// The first reason against each row, in a fixed order.
fn judge<'a>(
    spec: &'a StatusSpec,
    arrays: &'a [ArrayRef],
    verdicts: &mut Verdicts<'a>,
) -> Result<()> {
    let mut arrays = arrays.iter();
    let mut next = || {
        arrays.next().ok_or_else(|| {
            DataFusionError::Plan("tagmill_status: fewer arguments than described".into())
        })
    };
    let id = next()?;
    let broken = spec.is_broken.then(&mut next).transpose()?;
    let failures = match spec.has_failures {
        true => Some((next()?.as_boolean(), next()?.as_boolean())),
        false => None,
    };
    let app = spec.has_app.then(&mut next).transpose()?;
    let event = spec.has_event.then(&mut next).transpose()?;
    let time = spec
        .day
        .map(|day| next().map(|time| (day, time)))
        .transpose()?;
    let folders = match (&spec.folders, time) {
        (Some(days), Some((day, time))) => Some((time, next()?, day, days)),
        _ => None,
    };
    let filter = spec.has_filter.then(&mut next).transpose()?;
    let filter = filter.map(|keep| keep.as_boolean());
    // Whatever is wrong with it, its own night says so.
    if let Some((time, folder, day, days)) = folders {
        verdicts.judge_folder(time, folder, day, days)?;
    }
    if let Some(broken) = broken {
        verdicts.judge_broken(broken);
    }
    if let Some((fails, filter_fails)) = failures {
        verdicts.judge_failures(fails, filter_fails, filter);
    }
    verdicts.judge_id(id)?;
    if let Some(app) = app {
        verdicts.judge_app(app)?;
    }
    if let Some(event) = event {
        verdicts.judge_event(event)?;
    }
    if let Some(keep) = filter {
        verdicts.judge_filter(keep);
    }
    for reason in &spec.reasons {
        verdicts.judge_condition(next()?.as_boolean(), reason);
    }
    if let Some((day, time)) = time {
        verdicts.judge_time(time, day)?;
    }
    Ok(())
}
