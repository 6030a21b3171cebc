//! The columns of an artifact, declared once: what writes, reads and documents a column names it
//! through its artifact's `Column`, never by place or text.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::Artifact;
use crate::value::ValueType;

/// What is said of one column.
#[derive(Debug, Clone)]
pub struct ColumnSpec {
    /// Its name in files and in SQL.
    pub name: &'static str,
    /// Its type in files.
    pub data_type: DataType,
    /// When it is null; `None`: never.
    pub null: Option<&'static str>,
    /// What it holds.
    pub what: &'static str,
}

/// The columns of one artifact: an enum in the order of its files.
pub trait Columns: Copy + Send + Sync + 'static {
    /// Whose columns they are.
    const ARTIFACT: Artifact;
    /// All of them, in order.
    const SPECS: &'static [ColumnSpec];

    /// The place in a row, from 0.
    fn index(self) -> usize;

    /// The name in files and in SQL.
    fn name(self) -> &'static str {
        Self::SPECS[self.index()].name
    }

    /// The column in a batch that was read by projection.
    ///
    /// # Errors
    /// A batch without the column.
    fn of(self, batch: &RecordBatch) -> Result<&ArrayRef, ArrowError> {
        batch.column_by_name(self.name()).ok_or_else(|| {
            ArrowError::SchemaError(format!(
                "{} without column {}",
                Self::ARTIFACT.name(),
                self.name()
            ))
        })
    }
}

/// A batch of whole rows, its columns given by name in any order.
///
/// # Errors
/// A column that is missing, given twice, or of another type or length.
pub fn batch_of<C: Columns>(
    columns: impl IntoIterator<Item = (C, ArrayRef)>,
) -> Result<RecordBatch, ArrowError> {
    let mut places: Vec<Option<ArrayRef>> = vec![None; C::SPECS.len()];
    for (column, array) in columns {
        if places[column.index()].replace(array).is_some() {
            return Err(ArrowError::SchemaError(format!("{} twice", column.name())));
        }
    }
    let named = places.into_iter().zip(C::SPECS).map(|(array, spec)| {
        array.ok_or_else(|| ArrowError::SchemaError(format!("no {}", spec.name)))
    });
    RecordBatch::try_new(C::ARTIFACT.schema(), named.collect::<Result<_, _>>()?)
}

/// Declares an artifact's columns: `Column`, its key, what it is and what is to be noted.
macro_rules! columns {
    (
        $artifact:ident, sorted by [$($key:ident),+ $(,)?];
        what $what:literal;
        note $note:literal;
        $($variant:ident $name:literal: $type:expr $(, null $null:literal)? => $text:literal;)+
    ) => {
        /// A column, in the order of the files.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Column {
            $(#[doc = $text] $variant),+
        }

        impl $crate::artifact::Columns for Column {
            const ARTIFACT: $crate::Artifact = $crate::Artifact::$artifact;
            const SPECS: &'static [$crate::artifact::ColumnSpec] = &[
                $($crate::artifact::ColumnSpec {
                    name: $name,
                    data_type: $type,
                    null: $crate::artifact::columns::null_rule!($($null)?),
                    what: $text,
                }),+
            ];

            fn index(self) -> usize {
                self as usize
            }
        }

        impl Column {
            const fn key_name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        pub(super) const SORT_KEY: &[&str] = &[$(Column::$key.key_name()),+];
        pub(super) const WHAT: &str = $what;
        pub(super) const NOTE: &str = $note;
    };
}

/// `Some` with a text, `None` without.
macro_rules! null_rule {
    () => {
        None
    };
    ($null:literal) => {
        Some($null)
    };
}

pub(super) use columns;
pub(crate) use null_rule;

/// The five typed value columns, in the order of [`ValueType::ALL`]; exactly one is set in a row.
pub const VALUE_COLUMNS: [&str; 5] = [
    "value_string",
    "value_integer",
    "value_double",
    "value_date",
    "value_boolean",
];

/// The value column of a type.
pub fn value_column(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "value_string",
        ValueType::Integer => "value_integer",
        ValueType::Double => "value_double",
        ValueType::Date => "value_date",
        ValueType::Boolean => "value_boolean",
    }
}

/// A schema without metadata: files say what they are by their path and the manifest.
pub(super) fn schema_of(columns: &[ColumnSpec]) -> SchemaRef {
    let field = |c: &ColumnSpec| Field::new(c.name, c.data_type.clone(), c.null.is_some());
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}
