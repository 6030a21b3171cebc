//! Merchants' own events, with properties as a map in one source and as JSON in another. Reads a
//! population, writes record batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde_json::{Map, Value};

use crate::Error;
use crate::calendar::{Calendar, HOUR_US};
use crate::columns;
use crate::defect::Defect;
use crate::draw::{Draw, Stream};
use crate::population::Population;
use crate::profile::Profiles;
use crate::shuffle::Shuffle;
use crate::spec::Spec;
use crate::table::{Place, Table};

/// How the properties column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Properties {
    /// `MAP<string, string>`.
    Map,
    /// JSON text.
    Json,
}

/// A property of a merchant's event, as its registry row declares it.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Name; rows of one event come in the order of names.
    pub name: &'static str,
    /// `dimension`, `measure` or `ignore`.
    pub role: &'static str,
    /// Type by name.
    pub kind: &'static str,
    /// Decimal digits of a measure.
    pub scale: u8,
}

/// A merchant's event.
#[derive(Debug, Clone, Copy)]
pub struct CustomEvent {
    /// Its name.
    pub name: &'static str,
    /// What it carries.
    pub properties: &'static [Property],
    /// Whether registry rows declare it.
    pub is_declared: bool,
}

const fn property(
    name: &'static str,
    role: &'static str,
    kind: &'static str,
    scale: u8,
) -> Property {
    Property {
        name,
        role,
        kind,
        scale,
    }
}

const MAP_EVENTS: [CustomEvent; 3] = [
    CustomEvent {
        name: "book_table",
        properties: &[
            property("deposit", "measure", "double", 2),
            property("note", "ignore", "string", 0),
            property("seats", "dimension", "integer", 0),
            property("zone", "dimension", "string", 0),
        ],
        is_declared: true,
    },
    CustomEvent {
        name: "评价",
        properties: &[
            property("dish", "dimension", "string", 0),
            property("stars", "measure", "integer", 0),
        ],
        is_declared: true,
    },
    CustomEvent {
        name: "secret_menu",
        properties: &[property("dish", "dimension", "string", 0)],
        is_declared: false,
    },
];

const JSON_EVENTS: [CustomEvent; 3] = [
    CustomEvent {
        name: "scan_qr",
        properties: &[
            property("ok", "dimension", "boolean", 0),
            property("place", "dimension", "string", 0),
            property("seconds", "measure", "integer", 0),
        ],
        is_declared: true,
    },
    CustomEvent {
        name: "game_level",
        properties: &[
            property("level", "dimension", "integer", 0),
            property("points", "measure", "integer", 0),
        ],
        is_declared: true,
    },
    CustomEvent {
        name: "beta_probe",
        properties: &[],
        is_declared: false,
    },
];

const EVENT_STEPS: [f64; 3] = [0.55, 0.92, 1.0];
const ZONES: [&str; 4] = ["window", "garden", "bar", "包间"];
const DISHES: [&str; 9] = [
    "dumplings",
    "noodles",
    "豆腐",
    "soup",
    "crêpe",
    "tea egg",
    "rice",
    "bun",
    "salad",
];

impl Properties {
    /// The events of this source.
    pub fn events(self) -> &'static [CustomEvent; 3] {
        match self {
            Self::Map => &MAP_EVENTS,
            Self::Json => &JSON_EVENTS,
        }
    }

    /// Whether `app` sends events to this source.
    pub fn has_app(self, app: u32) -> bool {
        match self {
            Self::Map => app.is_multiple_of(2),
            Self::Json => app.is_multiple_of(3),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Row {
    time: i64,
    user: u64,
    draw: Draw,
    app: u32,
    event: usize,
    defect: Option<Defect>,
}

/// One table of merchants' events.
#[derive(Debug)]
pub struct CustomEvents<'a> {
    population: &'a Population,
    profiles: &'a Profiles<'a>,
    properties: Properties,
    calendar: Calendar,
    draw: Draw,
    order: Draw,
    total: f64,
    dirt: f64,
}

impl<'a> CustomEvents<'a> {
    /// The table with properties written as `properties`.
    pub fn new(
        spec: &Spec,
        population: &'a Population,
        profiles: &'a Profiles<'a>,
        properties: Properties,
    ) -> Self {
        let number = properties as u64;
        Self {
            population,
            profiles,
            properties,
            calendar: Calendar::new(spec),
            draw: Draw::root(spec.seed, Stream::Custom).at(number),
            order: Draw::root(spec.seed, Stream::Order).at(4).at(number),
            total: spec.events as f64 / 10.0,
            dirt: spec.dirt,
        }
    }

    /// Expected rows of a day, when every app took part.
    pub fn expected(&self) -> f64 {
        self.total
    }

    fn rows(&self, place: &Place) -> Vec<Row> {
        let shuffle = Shuffle::new(place.count, self.order.at(u64::from(place.day)));
        let mut rows = Vec::new();
        for user in place
            .positions
            .clone()
            .map(|position| shuffle.apply(position))
        {
            let app = self.population.app(user);
            if self.properties.has_app(app) && self.population.is_active(user, place.day) {
                let draw = self.draw.at(user).at(u64::from(place.day));
                let count =
                    (self.population.rate(user, place.day, self.total) + draw.unit()) as u64;
                rows.extend((0..count).map(|k| self.row(user, app, draw.at(k), place.day)));
            }
        }
        rows.sort_unstable_by_key(|row| (row.time, row.user, row.draw.bits()));
        rows
    }

    /// An undeclared event comes only from users known by other rows, so that whether it counts as
    /// seen decides nothing.
    fn row(&self, user: u64, app: u32, draw: Draw, day: u32) -> Row {
        let events = self.properties.events();
        let defect = Defect::draw(draw, self.dirt);
        let wanted = draw.at(1).pick(&EVENT_STEPS);
        let is_possible = events[wanted].is_declared
            || (defect.is_none() && self.profiles.is_accepted(user, app, day));
        let time = self.calendar.midnight(day) + draw.at(2).below(24 * HOUR_US as u64) as i64;
        Row {
            time,
            user,
            draw,
            app,
            event: if is_possible { wanted } else { 0 },
            defect,
        }
    }

    fn map_column(rows: &[Row]) -> Result<ArrayRef, Error> {
        let names = MapFieldNames {
            entry: "key_value".into(),
            key: "key".into(),
            value: "value".into(),
        };
        let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        for row in rows {
            let values = values(row, Properties::Map);
            for (key, value) in values.iter().flatten() {
                builder.keys().append_value(key);
                builder.values().append_value(plain_text(value));
            }
            builder.append(values.is_some())?;
        }
        Ok(Arc::new(builder.finish()))
    }

    fn json_column(rows: &[Row]) -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|row| {
                    values(row, Properties::Json).map(|values| Value::Object(values).to_string())
                })
                .collect::<StringArray>(),
        )
    }
}

impl Table for CustomEvents<'_> {
    fn schema(&self) -> SchemaRef {
        let properties = match self.properties {
            Properties::Json => columns::text_field("props"),
            Properties::Map => {
                let fields = vec![
                    Field::new("key", DataType::Utf8, false),
                    Field::new("value", DataType::Utf8, true),
                ];
                let entries = Field::new("key_value", DataType::Struct(fields.into()), false);
                Field::new("props", DataType::Map(Arc::new(entries), false), true)
            }
        };
        Arc::new(Schema::new(vec![
            columns::word_field("app"),
            columns::text_field("uid"),
            columns::word_field("name"),
            columns::time_field("ts"),
            properties,
        ]))
    }

    fn batch(&self, place: &Place) -> Result<RecordBatch, Error> {
        let rows = self.rows(place);
        let names: Vec<&str> = self
            .properties
            .events()
            .iter()
            .map(|event| event.name)
            .collect();
        let arrays: Vec<ArrayRef> = vec![
            columns::words(
                self.population.app_names(),
                rows.iter()
                    .map(|r| (r.defect != Some(Defect::NullApp)).then_some(r.app)),
            )?,
            columns::ids(self.population, rows.iter().map(|r| (r.user, r.defect))),
            columns::words(&names, rows.iter().map(|r| Some(r.event as u32)))?,
            columns::times(
                rows.iter()
                    .map(|r| (r.defect != Some(Defect::BadValue)).then_some(r.time)),
            ),
            match self.properties {
                Properties::Map => Self::map_column(&rows)?,
                Properties::Json => Self::json_column(&rows),
            },
        ];
        Ok(RecordBatch::try_new(self.schema(), arrays)?)
    }
}

/// The properties of a row; absent for a few rows, and each absent now and then.
fn values(row: &Row, properties: Properties) -> Option<Map<String, Value>> {
    let draw = row.draw.at(60);
    if draw.chance(0.01) {
        return None;
    }
    let event = properties.events()[row.event];
    let present = event
        .properties
        .iter()
        .enumerate()
        .filter(|(i, _)| !draw.at(100 + *i as u64).chance(0.03));
    Some(
        present
            .map(|(i, property)| {
                (
                    property.name.to_owned(),
                    value(property.name, draw.at(i as u64)),
                )
            })
            .collect(),
    )
}

fn value(property: &str, draw: Draw) -> Value {
    let word = |words: &[&str]| Value::from(words[draw.below(words.len() as u64) as usize]);
    match property {
        "deposit" => Value::from(draw.below(20_000) as f64 / 4.0),
        "note" => Value::from(format!("free text {}", draw.below(1000))),
        "seats" => Value::from(1 + draw.below(12)),
        "zone" => word(&ZONES),
        "dish" => word(&DISHES),
        "stars" => Value::from(1 + draw.below(5)),
        "ok" => Value::from(draw.chance(0.9)),
        "place" => Value::from(format!("gate {}", draw.below(20))),
        "seconds" => Value::from(draw.below(120)),
        "level" => Value::from(1 + draw.below(30)),
        _ => Value::from(draw.below(2001) as i64 - 1000),
    }
}

fn plain_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}
