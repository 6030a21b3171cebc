//! Vertical tags: one row per user, app and label, a snapshot a day. Reads a population, writes
//! record batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Schema, SchemaRef};

use crate::Error;
use crate::calendar::Calendar;
use crate::columns;
use crate::defect::Defect;
use crate::draw::{Draw, Stream};
use crate::population::Population;
use crate::shuffle::Shuffle;
use crate::spec::Spec;
use crate::table::{Place, Table};

/// Type of a label's values, by the name a registry row uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    /// Words.
    String,
    /// Whole numbers.
    Integer,
    /// Numbers with one decimal.
    Double,
    /// Days.
    Date,
    /// true or false.
    Boolean,
}

impl LabelKind {
    /// The word of a registry row.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Date => "date",
            Self::Boolean => "boolean",
        }
    }
}

/// A label that operators hand out.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Its name, which is the tag's.
    pub name: &'static str,
    /// Type of its values.
    pub kind: LabelKind,
    /// Whether a user can have several.
    pub is_multi: bool,
    /// Whether a registry row declares it.
    pub is_declared: bool,
}

const fn label(name: &'static str, kind: LabelKind, is_multi: bool) -> Label {
    Label {
        name,
        kind,
        is_multi,
        is_declared: true,
    }
}

/// All labels; an app has about two thirds of them.
pub const LABELS: [Label; 9] = [
    label("segment", LabelKind::String, false),
    label("fav_brand", LabelKind::String, true),
    label("score", LabelKind::Integer, false),
    label("lucky_numbers", LabelKind::Integer, true),
    label("risk", LabelKind::Double, false),
    label("first_buy", LabelKind::Date, false),
    label("subscribed", LabelKind::Boolean, false),
    label("会员等级", LabelKind::String, false),
    Label {
        name: "campaign",
        kind: LabelKind::String,
        is_multi: false,
        is_declared: false,
    },
];

const BRANDS: [&str; 8] = [
    "acme", "nord", "lotus", "orchid", "海尔", "kanto", "vela", "zeta",
];
const SEGMENTS: [&str; 5] = ["new", "loyal", "sleeping", "lost", "whale"];
const LEVELS: [&str; 4] = ["普通", "银卡", "金卡", "钻石"];

/// Whether operators of `app` hand out label number `label`.
pub fn has_label(app: u32, label: usize) -> bool {
    !(app as usize + label).is_multiple_of(3)
}

#[derive(Debug, Clone)]
struct Row {
    user: u64,
    app: u32,
    label: usize,
    value: Option<String>,
    updated_at: i64,
    defect: Option<Defect>,
}

/// The label table of a spec.
#[derive(Debug)]
pub struct Labels<'a> {
    population: &'a Population,
    calendar: Calendar,
    draw: Draw,
    order: Draw,
    dirt: f64,
    duplicates: f64,
}

impl<'a> Labels<'a> {
    /// The label table of `spec`.
    pub fn new(spec: &Spec, population: &'a Population) -> Self {
        Self {
            population,
            calendar: Calendar::new(spec),
            draw: Draw::root(spec.seed, Stream::Label),
            order: Draw::root(spec.seed, Stream::Order).at(3),
            dirt: spec.dirt,
            duplicates: spec.duplicates,
        }
    }

    fn rows(&self, place: &Place) -> Vec<Row> {
        let shuffle = Shuffle::new(place.count, self.order.at(u64::from(place.day)));
        let mut rows = Vec::new();
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
        for (number, label) in LABELS
            .iter()
            .enumerate()
            .filter(|(number, _)| has_label(app, *number))
        {
            let draw = self.draw.at(user).at(u64::from(app)).at(number as u64);
            if !draw.chance(0.25) {
                continue;
            }
            let copies = if label.is_multi {
                1 + draw.at(1).below(3)
            } else {
                1
            };
            for copy in 0..copies {
                self.push_value(
                    Row {
                        user,
                        app,
                        label: number,
                        value: None,
                        updated_at: 0,
                        defect: None,
                    },
                    draw.at(2).at(copy),
                    day,
                    rows,
                );
            }
        }
    }

    fn push_value(&self, row: Row, draw: Draw, day: u32, rows: &mut Vec<Row>) {
        let label = LABELS[row.label];
        let can_be_wrong = label.is_declared && !matches!(label.kind, LabelKind::String);
        let defect =
            Defect::draw(draw, self.dirt).filter(|d| *d != Defect::BadValue || can_be_wrong);
        let updated_at = self.calendar.midnight(day) - 1 - draw.at(3).below(86_400_000_000) as i64;
        let value = match defect {
            Some(Defect::BadValue) => Some("n/a".to_owned()),
            _ if draw.at(4).chance(0.01) => ["unknown", ""]
                .get(draw.at(5).below(3) as usize)
                .map(ToString::to_string),
            _ => Some(self.value(label, draw)),
        };
        if defect.is_none()
            && value.is_some()
            && !label.is_multi
            && draw.at(6).chance(self.duplicates)
        {
            let older = Row {
                value: Some(self.value(label, draw.at(7))),
                updated_at: updated_at - 86_400_000_000,
                ..row.clone()
            };
            rows.push(older);
        }
        rows.push(Row {
            value,
            updated_at,
            defect,
            ..row
        });
    }

    fn value(&self, label: Label, draw: Draw) -> String {
        let draw = draw.at(8);
        let word = |words: &[&str]| words[draw.below(words.len() as u64) as usize].to_owned();
        match (label.name, label.kind) {
            ("fav_brand", _) => word(&BRANDS),
            ("会员等级", _) => word(&LEVELS),
            ("campaign", _) => format!("c{:02}", draw.below(12)),
            ("score", _) => (draw.below(201) as i64 - 100).to_string(),
            (_, LabelKind::Integer) => draw.below(50).to_string(),
            (_, LabelKind::Double) => format!("{}.5", draw.below(40)),
            (_, LabelKind::Date) => {
                (self.calendar.date(0) - chrono::Days::new(draw.below(400))).to_string()
            }
            (_, LabelKind::Boolean) => word(&["true", "false"]),
            (_, LabelKind::String) => word(&SEGMENTS),
        }
    }
}

impl Table for Labels<'_> {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            columns::word_field("app"),
            columns::text_field("openid"),
            columns::word_field("tag_name"),
            columns::text_field("tag_value"),
            columns::time_field("updated_at"),
        ]))
    }

    fn batch(&self, place: &Place) -> Result<RecordBatch, Error> {
        let rows = self.rows(place);
        let names: Vec<&str> = LABELS.iter().map(|label| label.name).collect();
        let arrays: Vec<ArrayRef> = vec![
            columns::words(
                self.population.app_names(),
                rows.iter()
                    .map(|r| (r.defect != Some(Defect::NullApp)).then_some(r.app)),
            )?,
            columns::ids(self.population, rows.iter().map(|r| (r.user, r.defect))),
            columns::words(&names, rows.iter().map(|r| Some(r.label as u32)))?,
            Arc::new(
                rows.iter()
                    .map(|r| r.value.clone())
                    .collect::<StringArray>(),
            ),
            columns::times(rows.iter().map(|r| Some(r.updated_at))),
        ];
        Ok(RecordBatch::try_new(self.schema(), arrays)?)
    }
}
