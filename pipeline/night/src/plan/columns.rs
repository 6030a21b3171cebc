//! The columns that the scan hands to a shard, defined once for both ends of the exchange.
//!
//! ```text
//! hash  status  [app]  user, then by the kind of rows:
//!
//!   attributes      [order]  tag 0, tag 1 ...
//!   group tags      [order]  tag name, tag value
//!   events          [key]    [time]  event, dimension 0 ..., measure 0 ...
//!   custom events   [key]    [time]  event, properties
//! ```

use std::fmt;

use arrow::datatypes::{DataType, Schema};
use datafusion::error::{DataFusionError, Result};

use super::spec::{EventShapes, RowsSpec, SourceSpec, TagSpec};

/// Name of the column that holds XXH3-64 of a row's id.
pub const HASH_COLUMN: &str = "__hash";
/// Name of the column that says what became of a row in the scan.
pub const STATUS_COLUMN: &str = "__status";
/// Name of the column of apps.
pub const APP_COLUMN: &str = "__app";
/// Name of the column of user ids.
pub const USER_COLUMN: &str = "__user";

/// Name of the column of the day, since 1970, that a row's folder is of; in the scan only.
pub const FOLDER_COLUMN: &str = "__folder";
/// Why a raw row is none, with a line feed and the row behind it; null for the others. Only where
/// files have such rows.
pub const BROKEN_COLUMN: &str = "__broken";
/// Whether an expression of `clean` fails on a row, where that costs the row; in the scan only.
pub const FAILED_COLUMN: &str = "__failed";
/// As [`FAILED_COLUMN`], of the columns that the source's filter reads.
pub const FILTER_FAILED_COLUMN: &str = "__filter_failed";
/// Columns that no file has: the scan puts them beside those of files, and nobody is told of them.
pub const OWN_COLUMNS: [&str; 4] = [
    FOLDER_COLUMN,
    BROKEN_COLUMN,
    FAILED_COLUMN,
    FILTER_FAILED_COLUMN,
];
/// The reason of a row on which an expression fails.
pub const FAILED_EXPRESSION: &str = "failed_expression";
/// The reason of a line that is no record.
pub const UNREADABLE_ROW: &str = "unreadable_row";
/// The reason of a row with bytes that are no UTF-8 where there should be text.
pub const INVALID_TEXT: &str = "invalid_text";

/// The status of a row that the source's filter leaves out. A rejected row's status is the reason,
/// a line feed and the row as JSON; an accepted row's is null.
pub const FILTERED: &str = "filtered";
/// The status of rows that another night decides on.
pub const OTHER_DAY: &str = "other_day";

/// The dedupe key of an event that has none: nothing says that it is a duplicate of another one.
pub const NO_KEY: u128 = 0;

/// One column of the exchange. The order of the variants is the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExchangedColumn {
    /// XXH3-64 of the row's id, UInt64, never null.
    Hash,
    /// Utf8; null for accepted rows, else [`FILTERED`], [`OTHER_DAY`] or a reason with the row.
    Status,
    /// The app, when it is not the same for all rows.
    App,
    /// The user id, Utf8View; null only in rows that are not accepted.
    User,
    /// Int64, never null: the greatest wins among duplicates.
    Order,
    /// The values of an attributes source's tag, by its number in [`RowsSpec::Attributes`].
    Tag(usize),
    /// The name of a group tag.
    TagName,
    /// The value of a group tag as text; null deletes.
    TagValue,
    /// XXH3-128 of the dedupe key, 16 bytes, big-endian, never null; [`NO_KEY`] for no key.
    Key,
    /// When the event was, microseconds since 1970, Int64; null where nobody knows. Only where
    /// funnels ask.
    Time,
    /// The event's name.
    Event,
    /// The values of a dimension slot.
    Dimension(usize),
    /// The values of a measure slot, unscaled.
    Measure(usize),
    /// The properties of a custom event: a map, or JSON as text.
    Properties,
}

impl ExchangedColumn {
    /// The type of a column that has the same in every source.
    fn fixed_type(self) -> Option<DataType> {
        match self {
            Self::Hash => Some(DataType::UInt64),
            Self::Status => Some(DataType::Utf8),
            Self::User => Some(DataType::Utf8View),
            Self::Order | Self::Time => Some(DataType::Int64),
            Self::Key => Some(DataType::FixedSizeBinary(16)),
            _ => None,
        }
    }
}

impl fmt::Display for ExchangedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash => f.write_str(HASH_COLUMN),
            Self::Status => f.write_str(STATUS_COLUMN),
            Self::App => f.write_str(APP_COLUMN),
            Self::User => f.write_str(USER_COLUMN),
            Self::Order => f.write_str("order"),
            Self::Tag(tag) => write!(f, "tag {tag}"),
            Self::TagName => f.write_str("tag"),
            Self::TagValue => f.write_str("value"),
            Self::Key => f.write_str("key"),
            Self::Time => f.write_str("time"),
            Self::Event => f.write_str("event"),
            Self::Dimension(slot) => write!(f, "dimension {slot}"),
            Self::Measure(slot) => write!(f, "measure {slot}"),
            Self::Properties => f.write_str("properties"),
        }
    }
}

/// The columns of one source's exchanged rows with their names, ascending.
///
/// The names are those of a rejected row's JSON, so they are part of what `rejects` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    columns: Vec<ExchangedColumn>,
    names: Vec<String>,
}

impl Layout {
    /// The layout of a source as the night knows it.
    pub fn of(source: &SourceSpec) -> Self {
        Self::new(&source.rows, source.app.is_none())
    }

    /// The layout of these rows; `has_app` where the app is a column and not a constant.
    pub fn new(rows: &RowsSpec, has_app: bool) -> Self {
        use ExchangedColumn::{App, Hash, Status, User};
        let mut layout = Self {
            columns: Vec::new(),
            names: Vec::new(),
        };
        layout.push(Hash);
        layout.push(Status);
        if has_app {
            layout.push(App);
        }
        layout.push(User);
        match rows {
            RowsSpec::Attributes { tags, is_ordered } => layout.push_tags(tags, *is_ordered),
            RowsSpec::GroupTags { is_ordered, .. } => layout.push_group_tags(*is_ordered),
            RowsSpec::Events {
                is_keyed,
                is_timed,
                shapes,
                ..
            } => layout.push_events(*is_keyed, *is_timed, shapes),
        }
        debug_assert!(layout.columns.is_sorted());
        layout
    }

    fn push(&mut self, column: ExchangedColumn) {
        self.push_named(column, column.to_string());
    }

    fn push_named(&mut self, column: ExchangedColumn, name: String) {
        self.columns.push(column);
        self.names.push(name);
    }

    fn push_tags(&mut self, tags: &[TagSpec], is_ordered: bool) {
        if is_ordered {
            self.push(ExchangedColumn::Order);
        }
        for (number, tag) in tags.iter().enumerate() {
            self.push_named(ExchangedColumn::Tag(number), format!("tag:{}", tag.name));
        }
    }

    fn push_group_tags(&mut self, is_ordered: bool) {
        if is_ordered {
            self.push(ExchangedColumn::Order);
        }
        self.push(ExchangedColumn::TagName);
        self.push(ExchangedColumn::TagValue);
    }

    fn push_events(&mut self, is_keyed: bool, is_timed: bool, shapes: &EventShapes) {
        if is_keyed {
            self.push(ExchangedColumn::Key);
        }
        if is_timed {
            self.push(ExchangedColumn::Time);
        }
        self.push(ExchangedColumn::Event);
        match shapes {
            EventShapes::Columns {
                dimensions,
                measures,
            } => {
                let mut slots: Vec<_> = dimensions
                    .iter()
                    .map(|(name, slot)| {
                        let column = ExchangedColumn::Dimension(*slot);
                        (column, format!("dimension:{name}"))
                    })
                    .collect();
                slots.extend(measures.iter().map(|(measure, _)| {
                    let column = ExchangedColumn::Measure(measure.slot);
                    (column, format!("measure:{}", measure.name))
                }));
                // Shapes are in order of the name.
                slots.sort();
                for (column, name) in slots {
                    self.push_named(column, name);
                }
            }
            EventShapes::Properties { .. } => self.push(ExchangedColumn::Properties),
        }
    }

    /// Every column with its name, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ExchangedColumn, &str)> {
        let names = self.names.iter().map(String::as_str);
        self.columns.iter().copied().zip(names)
    }

    /// Whether the rows have this column.
    pub fn has(&self, column: ExchangedColumn) -> bool {
        self.position(column).is_some()
    }

    /// The name of the column, if the rows have it.
    pub fn name(&self, column: ExchangedColumn) -> Option<&str> {
        self.position(column).map(|at| self.names[at].as_str())
    }

    /// Where the column stands in a batch.
    pub fn position(&self, column: ExchangedColumn) -> Option<usize> {
        self.columns.binary_search(&column).ok()
    }

    /// Compares a plan's columns with this layout: names, order, and the types of those columns that
    /// have one type in every source.
    ///
    /// # Errors
    /// A plan error that names the source and the first column that is not as expected.
    pub fn check(&self, source: &str, schema: &Schema) -> Result<()> {
        let fields = schema.fields();
        for (at, (column, name)) in self.iter().enumerate() {
            let found = fields.get(at).map(|field| field.name().as_str());
            if found != Some(name) {
                return Err(misfit(source, at, &shown(found), &shown(Some(name))));
            }
            let data_type = fields[at].data_type();
            if let Some(expected) = column.fixed_type().filter(|fixed| fixed != data_type) {
                let typed = |data_type: &DataType| format!("{name:?} as {data_type}");
                return Err(misfit(source, at, &typed(data_type), &typed(&expected)));
            }
        }
        match fields.get(self.columns.len()) {
            None => Ok(()),
            Some(more) => Err(misfit(
                source,
                self.columns.len(),
                &shown(Some(more.name())),
                &shown(None),
            )),
        }
    }
}

fn shown(name: Option<&str>) -> String {
    name.map_or("no column".to_owned(), |name| format!("{name:?}"))
}

fn misfit(source: &str, at: usize, found: &str, expected: &str) -> DataFusionError {
    DataFusionError::Plan(format!(
        "exchanged column {at} of source {source} is {found}, expected {expected}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::shape::MeasureShape;
    use arrow::datatypes::Field;
    use tagmill_schemas::value::ValueType;

    fn visits() -> RowsSpec {
        let measure = |name: &str, slot| {
            let shape = MeasureShape {
                name: name.to_owned(),
                slot,
                scale: 0,
            };
            (shape, Vec::new())
        };
        RowsSpec::Events {
            dimensions: vec![ValueType::String; 2],
            measures: 2,
            is_keyed: true,
            is_timed: false,
            shapes: EventShapes::Columns {
                dimensions: vec![("channel".to_owned(), 1), ("device".to_owned(), 0)],
                measures: vec![measure("amount", 1), measure("pages", 0)],
            },
        }
    }

    /// The schema that a layout asks for.
    fn schema_of(layout: &Layout) -> Vec<Field> {
        let field = |(column, name): (ExchangedColumn, &str)| {
            let data_type = column.fixed_type().unwrap_or(DataType::Utf8View);
            Field::new(name, data_type, true)
        };
        layout.iter().map(field).collect()
    }

    fn refusal(layout: &Layout, fields: Vec<Field>) -> String {
        let found = layout.check("web", &Schema::new(fields));
        found.unwrap_err().strip_backtrace()
    }

    #[test]
    fn slots_stand_in_order_under_their_names() {
        let layout = Layout::new(&visits(), true);
        let names: Vec<&str> = layout.iter().map(|(_, name)| name).collect();
        let own = ["__hash", "__status", "__app", "__user", "key", "event"];
        let slots = [
            "dimension:device",
            "dimension:channel",
            "measure:pages",
            "measure:amount",
        ];
        assert_eq!(names, [&own[..], &slots[..]].concat());
        for (at, (column, _)) in layout.iter().enumerate() {
            assert_eq!(layout.position(column), Some(at));
        }
        assert!(!layout.has(ExchangedColumn::Properties));
        assert!(!Layout::new(&visits(), false).has(ExchangedColumn::App));
    }

    #[test]
    fn accepts_its_own_schema() {
        let layout = Layout::new(&visits(), false);
        let schema = Schema::new(schema_of(&layout));
        layout.check("web", &schema).unwrap();
    }

    #[test]
    fn rejects_two_swapped_columns_of_one_type() {
        let layout = Layout::new(&visits(), true);
        let mut fields = schema_of(&layout);
        fields.swap(6, 7);
        assert_eq!(
            refusal(&layout, fields),
            "Error during planning: exchanged column 6 of source web is \"dimension:channel\", \
             expected \"dimension:device\""
        );
    }

    #[test]
    fn rejects_a_missing_and_a_superfluous_column() {
        let layout = Layout::new(&visits(), false);
        let mut fields = schema_of(&layout);
        let last = fields.pop().unwrap();
        assert!(
            refusal(&layout, fields.clone()).ends_with("is no column, expected \"measure:amount\"")
        );
        fields.extend([last.clone(), last.with_name("more")]);
        assert!(refusal(&layout, fields).ends_with("is \"more\", expected no column"));
    }

    #[test]
    fn rejects_a_column_of_another_type() {
        let layout = Layout::new(&visits(), false);
        let mut fields = schema_of(&layout);
        fields[0] = Field::new(HASH_COLUMN, DataType::Int64, false);
        assert!(
            refusal(&layout, fields)
                .ends_with("\"__hash\" as Int64, expected \"__hash\" as UInt64")
        );
    }
}
