//! Platform behaviour: what users did in each hour of a day, in order of arrival. Reads a
//! population, writes record batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::Error;
use crate::calendar::{Calendar, HOUR_US};
use crate::columns;
use crate::defect::Defect;
use crate::draw::{Draw, Stream};
use crate::habit::{Circumstance, Habits};
use crate::population::Population;
use crate::shuffle::Shuffle;
use crate::spec::Spec;
use crate::table::{Place, Table};
use crate::vocabulary;

/// Share of a day's events in each local hour, in thousandths.
const HOURS: [u32; 24] = [
    18, 12, 8, 6, 6, 9, 20, 34, 44, 50, 54, 58, 62, 56, 50, 48, 50, 54, 60, 68, 76, 74, 52, 31,
];
const EVENT_STEPS: [f64; 4] = [0.70, 0.84, 0.92, 1.0];
const UNASKED: u8 = vocabulary::EVENTS.len() as u8;
const DAY_US: i64 = 24 * HOUR_US;

#[derive(Debug, Clone, Copy)]
struct Row {
    arrival: i64,
    user: u64,
    draw: Draw,
    app: u32,
    time: i64,
    event: u8,
    defect: Option<Defect>,
}

/// The behaviour table of a spec.
#[derive(Debug)]
pub struct Events<'a> {
    population: &'a Population,
    habits: &'a Habits,
    calendar: Calendar,
    draw: Draw,
    order: Draw,
    total: f64,
    dirt: f64,
    late: f64,
    duplicates: f64,
    has_id: bool,
    is_messy: bool,
    cities: Vec<String>,
    channels: Vec<String>,
    names: Vec<&'static str>,
}

impl<'a> Events<'a> {
    /// The behaviour table of `spec`.
    pub fn new(spec: &Spec, population: &'a Population, habits: &'a Habits) -> Self {
        let is_messy = spec.is_rich();
        let mut cities = vocabulary::cities();
        if is_messy {
            cities.extend(
                vocabulary::cities()
                    .iter()
                    .map(|city| format!(" {} ", city.to_lowercase())),
            );
        }
        Self {
            population,
            habits,
            calendar: Calendar::new(spec),
            draw: Draw::root(spec.seed, Stream::Event),
            order: Draw::root(spec.seed, Stream::Order).at(2),
            total: spec.events as f64,
            dirt: spec.dirt,
            late: spec.late,
            duplicates: spec.duplicates,
            has_id: spec.is_rich(),
            is_messy,
            cities,
            channels: vocabulary::channels(),
            names: vocabulary::EVENTS
                .into_iter()
                .chain([vocabulary::UNASKED_EVENT])
                .collect(),
        }
    }

    /// Expected rows of an hour.
    pub fn expected(&self, hour: u32) -> f64 {
        self.total * hour_share(hour)
    }

    fn rows(&self, place: &Place) -> Vec<Row> {
        let mut rows = Vec::new();
        self.push_rows(place, &mut rows);
        if self.duplicates > 0.0 && place.hour > 0 {
            let mut earlier = Vec::new();
            self.push_rows(
                &Place {
                    hour: place.hour - 1,
                    ..place.clone()
                },
                &mut earlier,
            );
            let resent = earlier
                .into_iter()
                .filter(|row| row.draw.at(41).chance(self.duplicates / 2.0));
            rows.extend(resent.map(|row| Row {
                arrival: row.arrival + HOUR_US,
                ..row
            }));
        }
        rows.sort_unstable_by_key(|row| (row.arrival, row.user, row.draw.bits()));
        rows
    }

    fn push_rows(&self, place: &Place, rows: &mut Vec<Row>) {
        let shuffle = Shuffle::new(
            place.count,
            self.order
                .at(u64::from(place.day))
                .at(u64::from(place.hour)),
        );
        let instant = |position: u64| {
            (u128::from(position) * HOUR_US as u128 / u128::from(place.count.max(1))) as i64
        };
        let begin = self.calendar.midnight(place.day) + i64::from(place.hour) * HOUR_US;
        let (from, to) = (
            begin + instant(place.positions.start),
            begin + instant(place.positions.end),
        );
        for user in place
            .positions
            .clone()
            .map(|position| shuffle.apply(position))
        {
            if !self.population.is_active(user, place.day) {
                continue;
            }
            let hour_draw = self
                .draw
                .at(user)
                .at(u64::from(place.day))
                .at(u64::from(place.hour));
            let rate = self
                .population
                .rate(user, place.day, self.expected(place.hour));
            let count = (rate + hour_draw.unit()) as u64;
            (0..count).for_each(|k| self.push_event(user, hour_draw.at(k), from..to, rows));
        }
    }

    fn push_event(&self, user: u64, draw: Draw, span: std::ops::Range<i64>, rows: &mut Vec<Row>) {
        let arrival = span.start + draw.at(40).below((span.end - span.start) as u64) as i64;
        let defect = Defect::draw(draw, self.dirt);
        let is_clean = defect.is_none();
        let is_late = is_clean && self.late > 0.0 && draw.at(42).chance(self.late);
        let is_unasked = self.is_messy && is_clean && !is_late && draw.at(43).chance(0.01);
        let app = match self.population.second_app(user) {
            Some(other) if Population::acts_elsewhere(draw.at(44)) => other,
            _ => self.population.app(user),
        };
        let time = if is_late {
            arrival - DAY_US * (1 + draw.at(45).below(3) as i64)
        } else {
            arrival
        };
        let event = if is_unasked {
            UNASKED
        } else {
            draw.at(46).pick(&EVENT_STEPS) as u8
        };
        let row = Row {
            arrival,
            user,
            draw,
            app,
            time,
            event,
            defect,
        };
        if self.duplicates > 0.0 && draw.at(47).chance(self.duplicates / 2.0) {
            rows.push(row);
        }
        rows.push(row);
    }

    fn city_index(&self, draw: Draw, city: u16) -> Option<u32> {
        if !self.is_messy {
            return Some(u32::from(city));
        }
        let draw = draw.at(48);
        (!draw.at(0).chance(0.02)).then(|| {
            u32::from(city)
                + if draw.chance(0.1) {
                    vocabulary::CITIES as u32
                } else {
                    0
                }
        })
    }
}

impl Table for Events<'_> {
    fn schema(&self) -> SchemaRef {
        let mut fields = vec![
            columns::word_field("app"),
            columns::text_field("openid"),
            columns::word_field("event"),
            columns::time_field("ts"),
        ];
        if self.has_id {
            fields.push(columns::text_field("event_id"));
        }
        fields.extend([
            columns::word_field("city"),
            columns::word_field("os"),
            columns::word_field("utm_source"),
            Field::new("amount_cents", DataType::Int64, true),
        ]);
        Arc::new(Schema::new(fields))
    }

    fn batch(&self, place: &Place) -> Result<RecordBatch, Error> {
        let rows = self.rows(place);
        let circumstances: Vec<Circumstance> = rows
            .iter()
            .map(|r| self.habits.circumstance(r.user, r.draw))
            .collect();
        let mut arrays: Vec<ArrayRef> = vec![
            columns::words(
                self.population.app_names(),
                rows.iter()
                    .map(|r| (r.defect != Some(Defect::NullApp)).then_some(r.app)),
            )?,
            columns::ids(self.population, rows.iter().map(|r| (r.user, r.defect))),
            columns::words(&self.names, rows.iter().map(|r| Some(u32::from(r.event))))?,
            columns::times(
                rows.iter()
                    .map(|r| (r.defect != Some(Defect::BadValue)).then_some(r.time)),
            ),
        ];
        if self.has_id {
            arrays.push(event_ids(&rows));
        }
        let each = || rows.iter().zip(&circumstances);
        arrays.push(columns::words(
            &self.cities,
            each().map(|(r, c)| self.city_index(r.draw, c.city)),
        )?);
        arrays.push(columns::words(
            &vocabulary::SYSTEMS,
            circumstances.iter().map(|c| Some(u32::from(c.system))),
        )?);
        arrays.push(columns::words(
            &self.channels,
            circumstances
                .iter()
                .map(|c| u32::from(c.channel).checked_sub(1)),
        )?);
        arrays.push(Arc::new(
            rows.iter().map(amount_cents).collect::<Int64Array>(),
        ));
        Ok(RecordBatch::try_new(self.schema(), arrays)?)
    }
}

fn hour_share(hour: u32) -> f64 {
    f64::from(HOURS[hour as usize]) / f64::from(HOURS.iter().sum::<u32>())
}

/// Purchases cost 1 to 5,000; most cost little.
fn amount_cents(row: &Row) -> Option<i64> {
    (row.event == vocabulary::PURCHASE).then(|| {
        let unit = row.draw.at(50).unit();
        100 + (unit * unit * unit * 499_900.0) as i64
    })
}

fn event_ids(rows: &[Row]) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 16);
    for row in rows {
        builder.append_value(format!("{:016x}", row.draw.bits()));
    }
    Arc::new(builder.finish())
}
