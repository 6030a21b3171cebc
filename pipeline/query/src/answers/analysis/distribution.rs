//! `event_histogram(...)` and `event_quantiles(...)`: how a number of every user, events or a sum, is
//! distributed over users.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, UInt64Array};
use arrow::datatypes::{DataType, Field};
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use tagmill_schemas::Result as OurResult;

use super::super::arguments::Arguments;
use super::super::released::{Released, Releases};
use super::super::syntax::Syntax;
use super::decimal::Decimal;
use super::numbers_of_users::{Numbers, Work, numbers};
use super::question::{Question, Scope, refused};
use super::shard_rows::Needed;
use super::table::{Analysis, AnalysisTable, Prepared};

pub(in super::super) const EVENT_HISTOGRAM: &str = "event_histogram(app, event, days, bounds[, \
     measure, condition, audience, zeros, release])";
pub(in super::super) const EVENT_QUANTILES: &str = "event_quantiles(app, event, days[, quantiles, \
     measure, condition, audience, zeros, release])";

/// Quantiles where none are named.
const QUARTILES: [&str; 5] = ["0", "0.25", "0.5", "0.75", "1"];

/// What is told of the numbers.
#[derive(Debug, Clone)]
enum Told {
    /// Users between bounds, which ascend.
    Bins(Vec<Decimal>),
    /// The number that a part of the users does not exceed.
    Quantiles(Vec<Decimal>),
}

/// A table function of a distribution.
#[derive(Debug)]
pub(super) struct Distribution {
    pub(super) is_histogram: bool,
    pub(super) releases: Arc<Releases>,
}

impl Distribution {
    /// How it is called.
    pub(super) fn syntax(&self) -> Syntax {
        Syntax(match self.is_histogram {
            true => EVENT_HISTOGRAM,
            false => EVENT_QUANTILES,
        })
    }

    fn told(&self, arguments: &Arguments<'_>) -> Result<Told> {
        let name = if self.is_histogram {
            "bounds"
        } else {
            "quantiles"
        };
        let at = arguments.place(name);
        let mut texts = arguments.texts(at)?;
        if texts.is_empty() && !self.is_histogram {
            texts = QUARTILES.map(str::to_owned).to_vec();
        }
        let numbers: Result<Vec<Decimal>, ()> = texts.iter().map(|text| text.parse()).collect();
        let scale = |all: &[Decimal]| all.iter().map(|d| d.scale).max().unwrap_or(0);
        let scaled = |all: &[Decimal]| -> Vec<Option<i128>> {
            all.iter().map(|d| d.at(scale(all))).collect()
        };
        match numbers {
            Ok(bounds) if self.is_histogram => {
                let is_ascending = scaled(&bounds).windows(2).all(|pair| pair[0] < pair[1]);
                if is_ascending && !bounds.is_empty() {
                    return Ok(Told::Bins(bounds));
                }
            }
            Ok(parts) => {
                let is_part = |d: &Decimal| (0.0..=1.0).contains(&d.to_f64());
                if parts.iter().all(is_part) {
                    return Ok(Told::Quantiles(parts));
                }
            }
            Err(()) => {}
        }
        Err(arguments.unexpected(
            at,
            match self.is_histogram {
                true => "ascending numbers such as '1, 2, 5, 10' or [0.5, 1]",
                false => "numbers from 0 to 1 such as '0.5, 0.9' or [0.5, 0.9]",
            },
        ))
    }
}

impl TableFunctionImpl for Distribution {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of_syntax(self.syntax(), args.exprs())?;
        let asked = Asked {
            question: Arc::new(Question::of(&arguments)?),
            told: self.told(&arguments)?,
            with_zeros: arguments.flag(arguments.place("zeros"))?,
        };
        let release = arguments.release(arguments.place("release"))?;
        Ok(AnalysisTable::of(asked, &self.releases, release))
    }
}

#[derive(Debug, Clone)]
struct Asked {
    question: Arc<Question>,
    told: Told,
    with_zeros: bool,
}

#[async_trait]
impl Analysis for Asked {
    fn fields(&self) -> Vec<Field> {
        let double = DataType::Float64;
        let columns = match &self.told {
            Told::Bins(_) => vec![
                ("at_least", double.clone()),
                ("below", double.clone()),
                ("users", DataType::UInt64),
                ("share", double),
                ("exact", DataType::Boolean),
            ],
            Told::Quantiles(_) => vec![
                ("quantile", double.clone()),
                ("value", double),
                ("exact", DataType::Boolean),
            ],
        };
        let field = |(name, data_type)| Field::new(name, data_type, true);
        columns.into_iter().map(field).collect()
    }

    fn days(&self) -> (NaiveDate, NaiveDate) {
        self.question.event.days
    }

    async fn prepare(
        &self,
        release: &Arc<Released>,
        releases: &Arc<Releases>,
    ) -> OurResult<Arc<dyn Prepared>> {
        let scope = Scope::of(&self.question, release, releases).await?;
        let work = Work {
            needed: Needed::of(&scope, &[]),
            scope,
            with_zeros: self.with_zeros,
        };
        Ok(Arc::new(PreparedNumbers {
            told: self.told.clone(),
            work: Arc::new(work),
        }))
    }
}

#[derive(Debug)]
struct PreparedNumbers {
    told: Told,
    work: Arc<Work>,
}

#[async_trait]
impl Prepared for PreparedNumbers {
    fn shape(&self) -> String {
        let scope = &self.work.scope;
        format!("{}, {}", scope.question.shape(), scope.reads())
    }

    async fn columns(&self) -> OurResult<Vec<ArrayRef>> {
        let numbers = numbers(&self.work).await?;
        match &self.told {
            Told::Bins(bounds) => histogram(&numbers, bounds),
            Told::Quantiles(parts) => Ok(quantiles(&numbers, parts)),
        }
    }
}

/// Below the first bound, from each bound to the next, from the last on.
fn histogram(numbers: &Numbers, bounds: &[Decimal]) -> OurResult<Vec<ArrayRef>> {
    let scales = bounds.iter().map(|bound| bound.scale);
    let scale = scales.max().unwrap_or(0).max(numbers.scale);
    let beyond = || refused("a bound or a number is beyond 128 bits");
    let scaled = bounds.iter().map(|bound| bound.at(scale));
    let scaled: Option<Vec<i128>> = scaled.collect();
    let scaled = scaled.ok_or_else(beyond)?;
    let mut users = vec![0; bounds.len() + 1];
    for (&unscaled, &count) in &numbers.users {
        let number = Decimal {
            unscaled,
            scale: numbers.scale,
        };
        let number = number.at(scale).ok_or_else(beyond)?;
        users[scaled.partition_point(|bound| *bound <= number)] += count;
    }
    let doubles = || bounds.iter().map(|bound| Some(bound.to_f64()));
    let all = numbers.count();
    let share = |users: &u64| (all > 0).then(|| *users as f64 / all as f64);
    let at_least = std::iter::once(None).chain(doubles());
    let below = doubles().chain([None]);
    Ok(vec![
        Arc::new(Float64Array::from_iter(at_least)),
        Arc::new(Float64Array::from_iter(below)),
        Arc::new(UInt64Array::from_iter_values(users.iter().copied())),
        Arc::new(Float64Array::from_iter(users.iter().map(share))),
        Arc::new(BooleanArray::from(vec![!numbers.is_bound; users.len()])),
    ])
}

/// Of n numbers that at place ⌈part × n⌉.
fn quantiles(numbers: &Numbers, parts: &[Decimal]) -> Vec<ArrayRef> {
    let count = numbers.count();
    let value = |part: &Decimal| {
        let mut before = 0;
        let place = part.place_of(count);
        let found = numbers.users.iter().find(|(_, users)| {
            before += **users;
            before >= place
        });
        let number = |(&unscaled, _): (&i128, &u64)| {
            let scale = numbers.scale;
            Decimal { unscaled, scale }.to_f64()
        };
        found.map(number)
    };
    vec![
        Arc::new(Float64Array::from_iter_values(
            parts.iter().map(|part| part.to_f64()),
        )),
        Arc::new(Float64Array::from_iter(parts.iter().map(value))),
        Arc::new(BooleanArray::from(vec![!numbers.is_bound; parts.len()])),
    ]
}
