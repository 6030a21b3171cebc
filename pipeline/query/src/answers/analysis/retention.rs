//! `retention(...)`: of the users of a day, week or month, how many came back in each later one; and
//! `retention_triangle(...)`: the same as a person reads it, a row a cohort.
//!
//! ```text
//! cohort       size   day_0   day_1   day_2
//! 2026-11-18   120    100 %   40 %    31 %      of each cohort and each later period:
//! 2026-11-19    98    100 %   38 %              the users of both, counted by shard
//! 2026-11-20   110    100 %
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, StringViewArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field};
use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use tagmill_schemas::Result as OurResult;

use super::super::arguments::Arguments;
use super::super::event::Event;
use super::super::released::{Released, Releases};
use super::super::syntax::Syntax;
use super::cohorts::{ByPeriod, Doers, Runs, doers, newcomers, runs};
use super::kept::Kept;
use super::per_shard::per_shard;
use super::period::Period;
use super::question::{Audience, Question, Scope, TagsOf, days_of, days_with_behaviour};
use super::shard_rows::Needed;
use super::table::{Analysis, AnalysisTable, Prepared};

pub(in super::super) const RETENTION: &str = "retention(app, event, days[, cohort, period, \
     condition, cohort_condition, audience, release])";
pub(in super::super) const RETENTION_TRIANGLE: &str = "retention_triangle(app, event, days[, \
     cohort, period, condition, cohort_condition, audience, release])";

/// A table function of retention.
#[derive(Debug)]
pub(super) struct Retention {
    pub(super) is_triangle: bool,
    pub(super) releases: Arc<Releases>,
}

impl Retention {
    /// How it is called.
    pub(super) fn syntax(&self) -> Syntax {
        Syntax(match self.is_triangle {
            true => RETENTION_TRIANGLE,
            false => RETENTION,
        })
    }
}

impl TableFunctionImpl for Retention {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of_syntax(self.syntax(), args.exprs())?;
        let text = |name| arguments.optional_text(arguments.place(name));
        let returning = Question::of(&arguments)?;
        let cohort = text("cohort")?;
        let condition = text("cohort_condition")?;
        if cohort.is_none() && condition.is_some() {
            let at = arguments.place("cohort_condition");
            return Err(arguments.unexpected(at, "nothing, as cohort names no event"));
        }
        let cohort = cohort.map(|event| Question {
            event: Event {
                app: returning.event.app.clone(),
                event,
                days: returning.event.days,
                condition,
            },
            measure: None,
            audience: None,
            tags: TagsOf::Head,
        });
        let asked = Asked {
            returning: Arc::new(returning),
            cohort: cohort.map(Arc::new),
            period: arguments.word(arguments.place("period"), &Period::WORDS)?,
            is_triangle: self.is_triangle,
        };
        let release = arguments.release(arguments.place("release"))?;
        Ok(AnalysisTable::of(asked, &self.releases, release))
    }
}

#[derive(Debug, Clone)]
struct Asked {
    /// The event that users come back by; its audience is who is in a cohort.
    returning: Arc<Question>,
    /// The event of the cohorts; without one, new users.
    cohort: Option<Arc<Question>>,
    period: Period,
    is_triangle: bool,
}

impl Asked {
    fn starts(&self) -> Vec<NaiveDate> {
        self.period.starts(self.returning.event.days)
    }
}

#[async_trait]
impl Analysis for Asked {
    fn fields(&self) -> Vec<Field> {
        let mut columns = vec![
            ("cohort".to_owned(), DataType::Date32),
            ("size".to_owned(), DataType::UInt64),
        ];
        if self.is_triangle {
            let later = 0..self.starts().len();
            let name = |later| format!("{}_{later}", self.period.word());
            columns.extend(later.map(|later| (name(later), DataType::Utf8View)));
        } else {
            columns.extend([
                (self.period.word().to_owned(), DataType::UInt64),
                ("users".to_owned(), DataType::UInt64),
                ("share".to_owned(), DataType::Float64),
                ("complete".to_owned(), DataType::Boolean),
                ("exact".to_owned(), DataType::Boolean),
            ]);
        }
        let field = |(name, data_type)| Field::new(name, data_type, true);
        columns.into_iter().map(field).collect()
    }

    fn days(&self) -> (NaiveDate, NaiveDate) {
        self.returning.event.days
    }

    async fn prepare(
        &self,
        release: &Arc<Released>,
        releases: &Arc<Releases>,
    ) -> OurResult<Arc<dyn Prepared>> {
        let returning = Scope::of(&self.returning, release, releases).await?;
        let needed = Needed::of(&returning, &[]);
        let days = self.returning.event.days;
        let cohort = match &self.cohort {
            Some(question) => {
                let scope = Scope::of(question, release, releases).await?;
                let needed = Needed::of(&scope, &[]);
                Cohort::Event(scope, needed)
            }
            None => Cohort::New(Arc::new(runs(days, self.period, release, releases).await?)),
        };
        let work = Work {
            returning,
            needed,
            cohort,
            period: self.period,
            starts: self.starts(),
        };
        Ok(Arc::new(PreparedRetention {
            is_triangle: self.is_triangle,
            work: Arc::new(work),
        }))
    }
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a statement has one")]
enum Cohort {
    Event(Scope, Needed),
    New(Arc<Runs>),
}

/// What is asked of each shard.
#[derive(Debug)]
struct Work {
    returning: Scope,
    needed: Needed,
    cohort: Cohort,
    period: Period,
    /// The first days of the periods.
    starts: Vec<NaiveDate>,
}

/// Of one shard, or of all: the sizes of cohorts, and who came back, by cohort and later period.
#[derive(Debug, Default)]
struct Counts {
    sizes: BTreeMap<NaiveDate, u64>,
    returned: BTreeMap<(NaiveDate, NaiveDate), u64>,
    kept: [Kept; 2],
    is_bound: bool,
}

impl Counts {
    fn add(&mut self, other: Self) {
        for (cohort, users) in other.sizes {
            *self.sizes.entry(cohort).or_default() += users;
        }
        for (key, users) in other.returned {
            *self.returned.entry(key).or_default() += users;
        }
        for (kept, more) in self.kept.iter_mut().zip(other.kept) {
            kept.merge(more);
        }
        self.is_bound |= other.is_bound;
    }
}

async fn of_shard(
    work: Arc<Work>,
    audience: Arc<Option<Audience>>,
    shard: u32,
) -> OurResult<Counts> {
    let returning = doers(&work.returning, &work.needed, work.period, shard).await?;
    let mut cohorts = match &work.cohort {
        Cohort::Event(scope, needed) => doers(scope, needed, work.period, shard).await?,
        Cohort::New(runs) => Doers {
            users: newcomers(&work.returning, runs, shard).await?,
            ..Doers::default()
        },
    };
    if let Some(audience) = &*audience {
        let members = audience.get(&(None, shard)).map(Vec::as_slice);
        restrict(&mut cohorts.users, members.unwrap_or_default());
    }
    let mut counts = Counts {
        is_bound: returning.is_bound || cohorts.is_bound,
        ..Counts::default()
    };
    for (cohort, users) in &cohorts.users {
        counts.sizes.insert(*cohort, shared(users, users));
        for (later, back) in returning.users.range(cohort..) {
            counts
                .returned
                .insert((*cohort, *later), shared(users, back));
        }
    }
    counts.kept = [returning.kept, cohorts.kept];
    Ok(counts)
}

fn restrict(users: &mut ByPeriod, members: &[u64]) {
    for words in users.values_mut() {
        words.truncate(members.len());
        for (word, member) in words.iter_mut().zip(members) {
            *word &= member;
        }
    }
}

/// How many bits both have.
fn shared(a: &[u64], b: &[u64]) -> u64 {
    let both = a.iter().zip(b).map(|(a, b)| (a & b).count_ones());
    both.map(u64::from).sum()
}

#[derive(Debug)]
struct PreparedRetention {
    is_triangle: bool,
    work: Arc<Work>,
}

#[async_trait]
impl Prepared for PreparedRetention {
    fn shape(&self) -> String {
        let scope = &self.work.returning;
        let cohort = match &self.work.cohort {
            Cohort::Event(scope, _) => scope.question.event.event.clone(),
            Cohort::New(_) => "new users".to_owned(),
        };
        let period = self.work.period.word();
        let shape = scope.question.shape();
        format!(
            "{shape}, cohort={cohort}, period={period}, {}",
            scope.reads()
        )
    }

    async fn columns(&self) -> OurResult<Vec<ArrayRef>> {
        let work = &self.work;
        let audience = Arc::new(work.returning.audience().await?);
        let shards = 0..work.returning.release.manifest.shards;
        let found = per_shard(shards, |shard| {
            of_shard(Arc::clone(work), Arc::clone(&audience), shard)
        });
        let mut counts = Counts::default();
        for shard in found.await? {
            counts.add(shard);
        }
        counts.is_bound |= self.is_open(&counts);
        if counts.is_bound {
            work.returning.tell_bounds();
        }
        Ok(match self.is_triangle {
            true => self.triangle(&counts),
            false => self.rows(&counts),
        })
    }
}

impl PreparedRetention {
    fn is_open(&self, counts: &Counts) -> bool {
        let is_open = |scope: &Scope, needed: &Needed, kept: &Kept| {
            let condition = scope.condition.as_ref();
            condition.is_some_and(|condition| kept.leaves_open(condition, needed))
        };
        let of_cohort = match &self.work.cohort {
            Cohort::Event(scope, needed) => is_open(scope, needed, &counts.kept[1]),
            Cohort::New(_) => false,
        };
        of_cohort || is_open(&self.work.returning, &self.work.needed, &counts.kept[0])
    }

    /// Each cohort with each later period: the place of either.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let count = self.work.starts.len();
        let later = |cohort| (cohort..count).map(move |later| (cohort, later));
        (0..count).flat_map(later).collect()
    }

    fn rows(&self, counts: &Counts) -> Vec<ArrayRef> {
        let (starts, pairs) = (&self.work.starts, self.pairs());
        let whole = self.whole();
        let size = |&(cohort, _): &(usize, usize)| counts.size(starts[cohort]);
        let users = |&(c, later): &(usize, usize)| counts.back(starts[c], starts[later]);
        let share = |pair: &(usize, usize)| share(users(pair), size(pair));
        let is_whole = |pair: &(usize, usize)| Some(whole[pair.0] && whole[pair.1]);
        let later = |pair: &(usize, usize)| (pair.1 - pair.0) as u64;
        vec![
            Arc::new(Date32Array::from_iter_values(
                pairs.iter().map(|pair| days_of(starts[pair.0])),
            )),
            Arc::new(UInt64Array::from_iter_values(pairs.iter().map(size))),
            Arc::new(UInt64Array::from_iter_values(pairs.iter().map(later))),
            Arc::new(UInt64Array::from_iter_values(pairs.iter().map(users))),
            Arc::new(Float64Array::from_iter(pairs.iter().map(share))),
            Arc::new(BooleanArray::from_iter(pairs.iter().map(is_whole))),
            Arc::new(BooleanArray::from(vec![!counts.is_bound; pairs.len()])),
        ]
    }

    fn triangle(&self, counts: &Counts) -> Vec<ArrayRef> {
        let starts = &self.work.starts;
        let days = starts.iter().map(|start| days_of(*start));
        let sizes = starts.iter().map(|start| counts.size(*start));
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from_iter_values(days)),
            Arc::new(UInt64Array::from_iter_values(sizes)),
        ];
        for later in 0..starts.len() {
            let cells = (0..starts.len()).map(|cohort| {
                let back = counts.back(starts[cohort], *starts.get(cohort + later)?);
                let share = share(back, counts.size(starts[cohort]))?;
                Some(format!("{:.1} %", share * 100.0))
            });
            columns.push(Arc::new(StringViewArray::from_iter(cells)));
        }
        columns
    }

    /// Of each period, whether all its days are asked for and in the release.
    fn whole(&self) -> Vec<bool> {
        let work = &self.work;
        let (from, to) = work.returning.question.event.days;
        let there = days_with_behaviour(&work.returning.release.manifest);
        let is_there = |day: NaiveDate| (from..=to).contains(&day) && there.contains(&day);
        let starts = work.starts.iter();
        starts
            .map(|start| work.period.days(*start).all(is_there))
            .collect()
    }
}

impl Counts {
    fn size(&self, cohort: NaiveDate) -> u64 {
        self.sizes.get(&cohort).copied().unwrap_or(0)
    }

    fn back(&self, cohort: NaiveDate, later: NaiveDate) -> u64 {
        self.returned.get(&(cohort, later)).copied().unwrap_or(0)
    }
}

/// The part of a cohort; none of nobody.
fn share(users: u64, size: u64) -> Option<f64> {
    (size > 0).then(|| users as f64 / size as f64)
}
