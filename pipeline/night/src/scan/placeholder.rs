//! What expressions say of the run's date: `$date`, `$day_start`, `$day_end`.

use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::sql::sqlparser::ast::Value as SqlValue;
use tagmill_schemas::config::shifted;
use tagmill_schemas::local_day::start_of;
use tagmill_schemas::nearest::nearest;

use super::context::Today;
use super::sql::days_of;

const NAMES: [&str; 3] = ["$date", "$day_start", "$day_end"];

impl Today {
    /// The value of a placeholder; `None` for one that is not known.
    pub(super) fn placeholder(self, name: &str) -> Option<ScalarValue> {
        let instant = |date: NaiveDate| {
            let start = start_of(date, self.zone).timestamp_micros();
            ScalarValue::TimestampMicrosecond(Some(start), Some(self.zone.name().into()))
        };
        match name {
            "$date" => Some(ScalarValue::Date32(Some(days_of(self.date)))),
            "$day_start" => Some(instant(self.date)),
            "$day_end" => Some(instant(shifted(self.date, 1))),
            _ => None,
        }
    }
}

/// A placeholder that nobody knows, as the text of an expression has it, in words.
pub(super) fn unknown_placeholder(value: &SqlValue) -> Option<String> {
    let SqlValue::Placeholder(name) = value else {
        return None;
    };
    (!NAMES.contains(&name.as_str())).then(|| unknown_in_words(name))
}

/// A placeholder that nobody knows, in words.
pub(super) fn unknown_in_words(name: &str) -> String {
    let near = nearest(name, NAMES).map(|near| format!(" (did you mean {near}?)"));
    format!("the placeholder {name}{}", near.unwrap_or_default())
}
