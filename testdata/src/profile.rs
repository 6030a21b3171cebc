//! Wide attributes: one row per user and app that knows it, a snapshot a day. Reads a population,
//! writes record batches.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::Error;
use crate::calendar::Calendar;
use crate::columns;
use crate::defect::Defect;
use crate::draw::{Draw, Stream};
use crate::habit::Habits;
use crate::population::Population;
use crate::shuffle::Shuffle;
use crate::spec::Spec;
use crate::table::{Place, Table};
use crate::vocabulary;

const CHANGE_SHARE: f64 = 0.05;
const CLEAN_GENDERS: [&str; 3] = ["F", "M", "X"];
const RAW_GENDERS: [&str; 8] = ["F", "M", "X", "f", " m", "F ", "unknown", ""];
const CLEAN_GENDER_STEPS: [f64; 3] = [0.52, 0.97, 1.0];
const RAW_GENDER_STEPS: [f64; 8] = [0.42, 0.80, 0.83, 0.88, 0.92, 0.95, 0.98, 1.0];

/// One row of attributes.
#[derive(Debug, Clone, Copy)]
struct Row {
    user: u64,
    app: u32,
    draw: Draw,
    /// Attributes that change draw from here.
    changing: Draw,
    defect: Option<Defect>,
    /// An older copy with other values, which deduplication drops.
    is_stale: bool,
}

/// The attribute table of a spec.
#[derive(Debug)]
pub struct Profiles<'a> {
    population: &'a Population,
    habits: &'a Habits,
    calendar: Calendar,
    draw: Draw,
    order: Draw,
    dirt: f64,
    duplicates: f64,
    is_rich: bool,
    cities: Vec<String>,
}

impl<'a> Profiles<'a> {
    /// The attribute table of `spec`.
    pub fn new(spec: &Spec, population: &'a Population, habits: &'a Habits) -> Self {
        Self {
            population,
            habits,
            calendar: Calendar::new(spec),
            draw: Draw::root(spec.seed, Stream::Profile),
            order: Draw::root(spec.seed, Stream::Order).at(1),
            dirt: spec.dirt,
            duplicates: spec.duplicates,
            is_rich: spec.is_rich(),
            cities: vocabulary::cities(),
        }
    }

    /// Whether the user's row in `app` will be accepted on `day`.
    pub fn is_accepted(&self, user: u64, app: u32, day: u32) -> bool {
        let draw = self.row_draw(user, app);
        self.population.is_present(user, day)
            && Defect::draw(draw, self.dirt).is_none()
            && !self.draws_test(draw)
    }

    fn row_draw(&self, user: u64, app: u32) -> Draw {
        self.draw.at(user).at(u64::from(app))
    }

    fn draws_test(&self, draw: Draw) -> bool {
        self.is_rich && draw.at(20).chance(0.01)
    }

    fn is_test(&self, row: &Row) -> Option<bool> {
        let is_test = row.defect.is_none() && self.draws_test(row.draw);
        if is_test {
            Some(true)
        } else {
            row.draw.at(22).chance(0.5).then_some(false)
        }
    }

    fn rows(&self, place: &Place) -> Vec<Row> {
        let shuffle = Shuffle::new(place.count, self.order.at(u64::from(place.day)));
        let mut rows = Vec::with_capacity((place.positions.end - place.positions.start) as usize);
        for user in place
            .positions
            .clone()
            .map(|position| shuffle.apply(position))
        {
            if self.population.is_present(user, place.day) {
                self.population
                    .apps_of(user)
                    .for_each(|app| self.push_rows(user, app, place.day, &mut rows));
            }
        }
        rows
    }

    fn push_rows(&self, user: u64, app: u32, day: u32, rows: &mut Vec<Row>) {
        let draw = self.row_draw(user, app);
        let last_change = (1..=day)
            .rev()
            .find(|&d| draw.at(30).at(u64::from(d)).chance(CHANGE_SHARE))
            .unwrap_or(0);
        let row = Row {
            user,
            app,
            draw,
            changing: draw.at(31).at(u64::from(last_change)),
            defect: Defect::draw(draw, self.dirt),
            is_stale: false,
        };
        if row.defect.is_none() && draw.at(21).chance(self.duplicates) {
            rows.push(Row {
                changing: draw.at(32),
                is_stale: true,
                ..row
            });
        }
        rows.push(row);
    }

    fn gender(&self, rows: &[Row]) -> Result<ArrayRef, Error> {
        let present = |row: &Row| !row.draw.at(1).at(0).chance(0.02);
        if self.is_rich {
            return columns::words(
                &RAW_GENDERS,
                rows.iter()
                    .map(|r| present(r).then(|| r.draw.at(1).pick(&RAW_GENDER_STEPS) as u32)),
            );
        }
        columns::words(
            &CLEAN_GENDERS,
            rows.iter()
                .map(|r| present(r).then(|| r.draw.at(1).pick(&CLEAN_GENDER_STEPS) as u32)),
        )
    }

    fn dates(&self, place: &Place, rows: &[Row]) -> (Date32Array, Date32Array) {
        let (first, today) = (
            self.calendar.days_since_1970(0),
            self.calendar.days_since_1970(place.day),
        );
        let joined = |r: &Row| {
            self.calendar
                .joined(self.population, r.user)
                .unwrap_or_else(|| first - 1 - square(r.draw.at(2), 1500) as i32)
        };
        let born = |r: &Row| match r.defect {
            Some(Defect::BadValue) => Some(today + 1 + r.draw.at(3).below(900) as i32),
            _ => age(r.draw).map(|age| first - age * 365 - 200),
        };
        (
            rows.iter()
                .map(|r| (!r.draw.at(2).at(0).chance(0.01)).then(|| joined(r)))
                .collect(),
            rows.iter().map(born).collect(),
        )
    }

    fn updated_at(&self, place: &Place, rows: &[Row]) -> ArrayRef {
        let midnight = self.calendar.midnight(place.day);
        columns::times(rows.iter().map(|r| {
            let age_us = 1 + r.changing.at(9).below(86_400_000_000) as i64;
            Some(midnight - age_us - if r.is_stale { 86_400_000_000 } else { 0 })
        }))
    }

    fn interests(&self, rows: &[Row]) -> StringArray {
        rows.iter().map(|row| interests(row.draw)).collect()
    }
}

impl Table for Profiles<'_> {
    fn schema(&self) -> SchemaRef {
        let nullable = |name: &str, kind| Field::new(name, kind, true);
        let mut fields = vec![
            columns::word_field("mini_app_id"),
            columns::text_field("openid"),
            columns::word_field("gender"),
            nullable("age", DataType::Int32),
            columns::word_field("city"),
            nullable("level", DataType::Int32),
            nullable("signup_date", DataType::Date32),
            nullable("balance", DataType::Float64),
            nullable("vip", DataType::Boolean),
        ];
        if self.is_rich {
            fields.push(nullable("birth_date", DataType::Date32));
            fields.push(columns::text_field("interests"));
            fields.push(columns::time_field("updated_at"));
            fields.push(nullable("is_test", DataType::Boolean));
        }
        Arc::new(Schema::new(fields))
    }

    fn batch(&self, place: &Place) -> Result<RecordBatch, Error> {
        let rows = self.rows(place);
        let apps = rows
            .iter()
            .map(|r| (r.defect != Some(Defect::NullApp)).then_some(r.app));
        let cities = rows
            .iter()
            .map(|r| (!r.draw.at(4).chance(0.04)).then(|| u32::from(self.habits.home(r.user))));
        let (signup_date, birth_date) = self.dates(place, &rows);
        let mut arrays: Vec<ArrayRef> = vec![
            columns::words(self.population.app_names(), apps)?,
            columns::ids(self.population, rows.iter().map(|r| (r.user, r.defect))),
            self.gender(&rows)?,
            Arc::new(rows.iter().map(|r| age(r.draw)).collect::<Int32Array>()),
            columns::words(&self.cities, cities)?,
            Arc::new(
                rows.iter()
                    .map(|r| Some(1 + square(r.changing.at(5), 10) as i32))
                    .collect::<Int32Array>(),
            ),
            Arc::new(signup_date),
            Arc::new(
                rows.iter()
                    .map(|r| balance(r.changing))
                    .collect::<Float64Array>(),
            ),
            Arc::new(
                rows.iter()
                    .map(|r| {
                        (!r.changing.at(7).at(0).chance(0.05))
                            .then(|| r.changing.at(7).chance(0.08))
                    })
                    .collect::<BooleanArray>(),
            ),
        ];
        if self.is_rich {
            arrays.push(Arc::new(birth_date));
            arrays.push(Arc::new(self.interests(&rows)));
            arrays.push(self.updated_at(place, &rows));
            arrays.push(Arc::new(
                rows.iter()
                    .map(|r| self.is_test(r))
                    .collect::<BooleanArray>(),
            ));
        }
        Ok(RecordBatch::try_new(self.schema(), arrays)?)
    }
}

/// 14 to 94 years, most between 25 and 50; null for a few.
fn age(draw: Draw) -> Option<i32> {
    let draw = draw.at(6);
    (!draw.at(0).chance(0.03)).then(|| 14 + (draw.at(1).below(41) + draw.at(2).below(41)) as i32)
}

/// Up to 5,000 in steps of a half, small ones most; null for one in ten.
fn balance(draw: Draw) -> Option<f64> {
    let draw = draw.at(8);
    (!draw.at(0).chance(0.1)).then(|| square(draw, 10_000) as f64 * 0.5)
}

/// Below `bound`, small numbers most.
fn square(draw: Draw, bound: u64) -> u64 {
    let unit = draw.unit();
    (unit * unit * bound as f64) as u64
}

fn interests(draw: Draw) -> Option<String> {
    let draw = draw.at(10);
    let count = draw.below(5);
    if count == 0 {
        return draw.at(9).chance(0.5).then(String::new);
    }
    let start = draw.at(0).below(vocabulary::INTERESTS.len() as u64) as usize;
    let step = 1 + 2 * draw.at(1).below(3) as usize;
    let names: Vec<&str> = (0..count as usize)
        .map(|i| vocabulary::INTERESTS[(start + i * step) % vocabulary::INTERESTS.len()])
        .collect();
    Some(names.join("|"))
}
