//! Group tags while rows stream in: vertical rows (app, user, tag, value), each tag with a type of
//! its own.

use chrono_tz::Tz;
use datafusion::error::Result;
use hashbrown::HashMap;
use tagmill_schemas::Metric;
use tagmill_schemas::metric::{Limited, Note};
use tagmill_schemas::reading::Reading;
use tagmill_schemas::value::{Value, ValueType};

use super::accounting::Accounting;
use super::batch::AcceptedRows;
use super::seating::Seating;
use super::values::{NULL_CODE, Values};
use crate::plan::columns::ExchangedColumn;
use crate::plan::spec::{NightSpec, RowsSpec, SourceSpec, Undeclared};
use crate::scan::date_with_offset;

/// Counts rows of tags beyond the app's limit.
const OVER_LIMIT: &Metric = &Metric::OverLimit(Limited::TagRows);
/// Counts rows of tags whose registry row is wrong.
const DISABLED: &Metric = &Metric::Noted(Note::DisabledTag);
/// Counts rows of tags that no registry names.
const UNDECLARED: &Metric = &Metric::Noted(Note::UndeclaredTag);

/// What the registry says of one tag of one app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelRule {
    /// It is indexed, with this type.
    Typed(ValueType, /* multi */ bool),
    /// It is not indexed; the row is accepted and counted under this name.
    Ignored(&'static Metric),
    /// The row is rejected.
    Rejected,
}

impl LabelRule {
    /// Whether a user can have several values.
    pub fn is_multi(self) -> bool {
        matches!(self, Self::Typed(_, true))
    }
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelOutcome {
    /// Kept.
    Kept,
    /// Nothing is kept of it; it is counted under this name.
    Ignored(&'static Metric),
    /// The tag is not declared and the source rejects such tags.
    UndeclaredTag,
    /// The value is not of the tag's type.
    BadValue,
    /// An infinity, which is kept as no value.
    Infinite,
}

/// One tag of one app.
pub struct Label {
    /// Code of the app in the shard.
    pub app: u32,
    /// Code of the tag's name.
    pub tag: u32,
    /// What is done with it.
    pub rule: LabelRule,
    /// Its values; a string's are kept in [`Labels::texts`].
    values: Values,
    parsed: HashMap<u32, (LabelOutcome, u32)>,
}

/// The order of a value that was published before: any row of today is later.
pub const CARRIED: i64 = i64::MIN;

/// One kept row.
#[derive(Debug, Clone, Copy, Default)]
pub struct LabelRow {
    /// Number of the label.
    pub label: u32,
    /// Provisional seat.
    pub seat: u32,
    /// Code of the value in the label; null deletes.
    pub code: u32,
    /// Greater is later.
    pub order: i64,
}

/// The state of one group-tags source.
pub struct Labels {
    /// Names of tags.
    pub names: Values,
    /// Raw texts, shared by all tags.
    texts: Values,
    numbers: HashMap<(u32, u32), u32>,
    /// Every (app, tag) seen.
    pub labels: Vec<Label>,
    /// Kept rows, in order of arrival.
    pub rows: Vec<LabelRow>,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            names: Values::new(ValueType::String),
            texts: Values::new(ValueType::String),
            numbers: HashMap::new(),
            labels: Vec::new(),
            rows: Vec::new(),
        }
    }
}

impl Labels {
    /// Takes accepted rows. Those whose tag or value can not be taken are rejected.
    ///
    /// # Errors
    /// As [`Seating::seat`], and those of encoding names and values.
    pub fn take(
        &mut self,
        source: &SourceSpec,
        rows: &AcceptedRows<'_>,
        seating: &mut Seating<'_>,
        account: &mut Accounting,
    ) -> Result<()> {
        let RowsSpec::GroupTags { undeclared, .. } = &source.rows else {
            return Ok(());
        };
        let (mut names, mut texts) = (Vec::new(), Vec::new());
        self.names
            .encode(rows.batch.column(ExchangedColumn::TagName)?, &mut names)?;
        self.texts
            .encode(rows.batch.column(ExchangedColumn::TagValue)?, &mut texts)?;
        let mut infinite = self.texts.take_infinite().into_iter().peekable();
        let (mut kept, mut rejected) = (Vec::with_capacity(rows.apps.len()), Vec::new());
        for (row, &app) in rows.apps.iter().enumerate() {
            let label = self.label(app, names[row], |tag| {
                let app = seating.apps.value(app).map(|name| name.to_string());
                let app = app.unwrap_or_default();
                label_rule(seating.spec, &source.name, *undeclared, &app, tag)
            });
            let mut reject = |why| {
                account.reject_accepted(app, why, || rows.batch.describe(row));
                rejected.push(row);
            };
            let is_infinite = infinite.next_if_eq(&row).is_some();
            let judged = match is_infinite {
                true => self.judge_infinite(label),
                false => self.judge(label, texts[row], seating.spec.time_zone),
            };
            match judged {
                (LabelOutcome::Kept, code) => kept.push((row, label, code)),
                (LabelOutcome::Infinite, code) => {
                    kept.push((row, label, code));
                    account.note_infinite(rows.apps, vec![row]);
                }
                (LabelOutcome::Ignored(why), _) => account.note(app, why, 1),
                (LabelOutcome::UndeclaredTag, _) => reject("undeclared_tag"),
                (LabelOutcome::BadValue, _) => reject("bad_value"),
            }
        }
        let seats = seating.seat_others(rows, &rejected)?;
        let orders = rows.batch.orders()?;
        // A row of today is later than a carried value, whatever its order.
        let order = |row: usize| orders.map_or(0, |orders| orders[row].max(CARRIED + 1));
        self.rows
            .extend(kept.into_iter().map(|(row, label, code)| LabelRow {
                label,
                seat: seats[row],
                code,
                order: order(row),
            }));
        Ok(())
    }

    /// The number of the label of this app and tag; `rule` is asked once.
    pub fn label(&mut self, app: u32, tag: u32, rule: impl FnOnce(&str) -> LabelRule) -> u32 {
        if let Some(&number) = self.numbers.get(&(app, tag)) {
            return number;
        }
        let name = self
            .names
            .value(tag)
            .map(|v| v.to_string())
            .unwrap_or_default();
        let rule = rule(&name);
        let value_type = match rule {
            LabelRule::Typed(value_type, _) => value_type,
            _ => ValueType::String,
        };
        let number = self.labels.len() as u32;
        self.labels.push(Label {
            app,
            tag,
            rule,
            values: Values::new_small(value_type),
            parsed: HashMap::new(),
        });
        self.numbers.insert((app, tag), number);
        number
    }

    /// What will become of a row with this label and an infinite number.
    fn judge_infinite(&self, label: u32) -> (LabelOutcome, u32) {
        let outcome = match self.labels[label as usize].rule {
            LabelRule::Ignored(why) => LabelOutcome::Ignored(why),
            LabelRule::Rejected => LabelOutcome::UndeclaredTag,
            LabelRule::Typed(ValueType::String | ValueType::Double, _) => LabelOutcome::Infinite,
            LabelRule::Typed(..) => LabelOutcome::BadValue,
        };
        (outcome, NULL_CODE)
    }

    /// What will become of a row with this label and text.
    fn judge(&mut self, label: u32, text: u32, zone: Tz) -> (LabelOutcome, u32) {
        let label = &mut self.labels[label as usize];
        match label.rule {
            LabelRule::Ignored(why) => (LabelOutcome::Ignored(why), NULL_CODE),
            LabelRule::Rejected => (LabelOutcome::UndeclaredTag, NULL_CODE),
            LabelRule::Typed(ValueType::String, _) => (LabelOutcome::Kept, text),
            LabelRule::Typed(value_type, _) => {
                let Label { parsed, values, .. } = label;
                let texts = &self.texts;
                *parsed.entry(text).or_insert_with(|| {
                    let raw = texts.value(text).map(|raw| raw.to_string());
                    match raw.map(|raw| reading_of(&raw, value_type, zone)) {
                        None | Some(Reading::Nothing) => (LabelOutcome::Kept, NULL_CODE),
                        Some(Reading::Value(value)) => (LabelOutcome::Kept, values.code_of(&value)),
                        Some(Reading::Infinite) => (LabelOutcome::Infinite, NULL_CODE),
                        Some(Reading::Bad) => (LabelOutcome::BadValue, NULL_CODE),
                    }
                })
            }
        }
    }

    /// Adds a value that was published before.
    pub fn carry(&mut self, label: u32, seat: u32, value: &Value) {
        let code = match value {
            Value::String(text) => self.texts.string_code(text.as_bytes()),
            _ => self.labels[label as usize].values.code_of(value),
        };
        self.rows.push(LabelRow {
            label,
            seat,
            code,
            order: CARRIED,
        });
    }

    /// The raw texts, which are the values of every string label.
    pub fn texts(&self) -> &Values {
        &self.texts
    }

    /// The values of one label.
    pub fn values(&self, label: u32) -> &Values {
        let label = &self.labels[label as usize];
        if label.values.value_type() == ValueType::String {
            &self.texts
        } else {
            &label.values
        }
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.names.size()
            + self.texts.size()
            + self.rows.capacity() * size_of::<LabelRow>()
            + self.labels.len() * 256
    }
}

/// What a text says; the date of one with an offset is the local one.
fn reading_of(text: &str, value_type: ValueType, zone: Tz) -> Reading {
    let date = match value_type {
        ValueType::Date => date_with_offset(text.trim(), zone).map(Value::Date),
        _ => None,
    };
    date.map_or_else(|| Reading::of(text, value_type), Reading::Value)
}

/// What the night knows of a tag of one app, for a source with rows of it.
fn label_rule(
    night: &NightSpec,
    source: &str,
    undeclared: Undeclared,
    app: &str,
    tag: &str,
) -> LabelRule {
    let declared = night.label(app, tag);
    let unused = night.unused_labels.get(app).and_then(|tags| tags.get(tag));
    match (declared, undeclared) {
        (Some(label), _) if label.source == source => {
            LabelRule::Typed(label.value_type, label.multi)
        }
        // Another source owns this name in this app.
        (Some(_), _) => LabelRule::Rejected,
        _ if night.is_platform_tag(tag) => LabelRule::Rejected,
        (None, _) if unused.is_some_and(|unused| unused.is_over_limit) => {
            LabelRule::Ignored(OVER_LIMIT)
        }
        (None, _) if unused.is_some() => LabelRule::Ignored(DISABLED),
        (None, Undeclared::String) if night.full_apps.contains(app) => {
            LabelRule::Ignored(OVER_LIMIT)
        }
        (None, Undeclared::String) => LabelRule::Typed(ValueType::String, false),
        (None, Undeclared::Ignore) => LabelRule::Ignored(UNDECLARED),
        (None, Undeclared::Reject) => LabelRule::Rejected,
    }
}
