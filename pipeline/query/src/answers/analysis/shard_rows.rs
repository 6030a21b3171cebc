//! The rows of an event in one shard that a question needs, by day and combination.
//!
//! ```text
//! behaviour            the dimensions asked for, by value      ┐ one query each, whose filters reach files and pages;
//! behaviour_measures   number of events, the measure, by slice ┘ cells stay where they were read to
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryViewArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int8Type, Int16Type, Int64Type, UInt32Type};
use datafusion::logical_expr::{Expr, ident, lit};
use tagmill_bitmap::{Bitmap32Ref, BitmapRef, Defect, Slice};
use tagmill_schemas::{Error, Result};

use super::super::STAGE;
use super::question::{Scope, refused};
use crate::catalog::failed;

/// The measure that counts events.
pub(super) const EVENTS: &str = "*";

/// A day, and the number of a user's tuple of dimension values on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) date: i32,
    pub(super) combination: u32,
}

/// Users of one shard, in the bytes that were read.
#[derive(Debug)]
pub(super) struct Cell {
    column: Arc<BinaryViewArray>,
    row: usize,
    shard: u32,
}

impl Cell {
    /// A cell of a column, whose bytes are checked.
    pub(super) fn of(column: &Arc<BinaryViewArray>, row: usize, shard: u32) -> Result<Self> {
        if column.is_null(row) {
            return Err(refused("found a row without a bitmap"));
        }
        BitmapRef::parse(column.value(row)).map_err(damaged)?;
        Ok(Self {
            column: Arc::clone(column),
            row,
            shard,
        })
    }

    /// The cells of a column of bitmaps.
    ///
    /// # Errors
    /// Refused for damaged bitmaps.
    pub(super) fn column(batch: &RecordBatch, at: usize, shard: u32) -> Result<Vec<Self>> {
        let column = Arc::new(batch.column(at).as_binary_view().clone());
        let rows = 0..batch.num_rows();
        rows.map(|row| Self::of(&column, row, shard)).collect()
    }

    /// The whole bitmap.
    pub(super) fn bitmap(&self) -> Result<BitmapRef<'_>> {
        BitmapRef::parse_layout(self.column.value(self.row)).map_err(damaged)
    }

    fn users(&self) -> Result<Option<Bitmap32Ref<'_>>> {
        Ok(self.bitmap()?.bucket(self.shard))
    }

    /// Calls `visit` with every ordinal, ascending.
    pub(super) fn for_each(&self, mut visit: impl FnMut(u32)) -> Result<()> {
        if let Some(users) = self.users()? {
            for (key, container) in users.containers() {
                let upper = u32::from(key) << 16;
                container.for_each(|value| visit(upper | u32::from(value)));
            }
        }
        Ok(())
    }

    /// Calls `visit` with every ordinal whose bit is set in `words`, ascending.
    pub(super) fn for_each_among(&self, words: &[u64], mut visit: impl FnMut(u32)) -> Result<()> {
        if let Some(users) = self.users()? {
            for (key, container) in users.containers() {
                let Some(words) = words.get(usize::from(key) * 1024..) else {
                    break;
                };
                let upper = u32::from(key) << 16;
                container.for_each_among(words, |value| visit(upper | u32::from(value)));
            }
        }
        Ok(())
    }

    /// Sets the bits of the ordinals; those beyond the end are left out.
    pub(super) fn or_into(&self, words: &mut [u64]) -> Result<()> {
        if let Some(users) = self.users()? {
            users.or_into_words(words);
        }
        Ok(())
    }

    /// Sets the bits of all ordinals; the words grow.
    pub(super) fn or_onto(&self, words: &mut Vec<u64>) -> Result<()> {
        words.resize(self.words()?.max(words.len()), 0);
        self.or_into(words)
    }

    /// As many words as the ordinals need.
    pub(super) fn words(&self) -> Result<usize> {
        let users = self.users()?;
        let last = users.and_then(|users| users.containers().last());
        Ok(last.map_or(0, |(key, _)| (usize::from(key) + 1) * 1024))
    }
}

pub(super) fn damaged(defect: Defect) -> Error {
    Error::refused(STAGE, "found a damaged bitmap").because(defect)
}

/// Users who have a value of a dimension.
#[derive(Debug)]
pub(super) struct ValueRow {
    /// Its place among the dimensions that the question needs.
    pub(super) dimension: usize,
    /// `None`: one of the values that are not kept.
    pub(super) value: Option<Arc<str>>,
    pub(super) users: Cell,
}

/// Users to whose number a slice adds its weight.
#[derive(Debug)]
pub(super) struct SliceRow {
    pub(super) is_everybody: bool,
    pub(super) weight: i128,
    pub(super) users: Cell,
}

/// The rows of one day and combination.
#[derive(Debug, Default)]
pub(super) struct PartRows {
    pub(super) values: Vec<ValueRow>,
    pub(super) events: Vec<SliceRow>,
    pub(super) sums: Vec<SliceRow>,
    /// Decimal digits of the sums.
    pub(super) scale: u8,
    /// Whether several tuples of a user share the number.
    pub(super) is_shared: bool,
}

impl PartRows {
    /// Everybody who has the combination: a bit an ordinal.
    pub(super) fn everybody(&self) -> Result<Vec<u64>> {
        let mut words = Vec::new();
        for row in self.events.iter().filter(|row| row.is_everybody) {
            row.users.or_onto(&mut words)?;
        }
        Ok(words)
    }
}

/// The dimensions that a question needs, of which rows are read.
#[derive(Debug)]
pub(super) struct Needed {
    pub(super) names: Vec<String>,
    filter: Option<Expr>,
}

impl Needed {
    /// Those of a condition, and some with all values.
    pub(super) fn of(scope: &Scope, whole: &[&str]) -> Self {
        let condition = scope.condition.as_ref();
        let mut names: Vec<String> = whole.iter().map(|name| (*name).to_owned()).collect();
        names.extend(
            condition
                .iter()
                .flat_map(|c| c.dimensions())
                .map(str::to_owned),
        );
        names.sort_unstable();
        names.dedup();
        let all = |name: &&str| ident("dimension").eq(lit(*name));
        let rows = whole
            .iter()
            .map(all)
            .chain(condition.and_then(|c| c.rows()));
        Self {
            names,
            filter: rows.reduce(Expr::or),
        }
    }

    /// The place of a dimension.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// The parts of one shard, in order.
///
/// # Errors
/// Refused for damaged bitmaps; retry when the store fails.
pub(super) async fn read(
    scope: &Scope,
    needed: &Needed,
    shard: u32,
) -> Result<BTreeMap<Part, PartRows>> {
    let mut parts = BTreeMap::new();
    read_measures(scope, shard, &mut parts).await?;
    if let Some(filter) = &needed.filter {
        read_values(scope, needed, filter, shard, &mut parts).await?;
    }
    Ok(parts)
}

async fn read_values(
    scope: &Scope,
    needed: &Needed,
    filter: &Expr,
    shard: u32,
    parts: &mut BTreeMap<Part, PartRows>,
) -> Result<()> {
    let rows = scope
        .question
        .event
        .rows()
        .and(ident("shard").eq(lit(shard)));
    let rows = rows
        .and(ident("combination").is_not_null())
        .and(filter.clone());
    let columns = ["date", "combination", "dimension", "value", "bitmap"];
    let batches = scope.release.rows("behaviour", rows, &columns).await;
    let mut last: Arc<str> = Arc::from("");
    for batch in batches.map_err(failed)? {
        let (names, values) = (
            batch.column(2).as_string_view(),
            batch.column(3).as_string_view(),
        );
        let cells = Arc::new(batch.column(4).as_binary_view().clone());
        for (row, part) in parts_of(&batch).enumerate() {
            let Some(dimension) = needed.place(names.value(row)) else {
                continue;
            };
            let value = values.is_valid(row).then(|| values.value(row));
            let value = value.map(|value| {
                if *last != *value {
                    last = Arc::from(value);
                }
                Arc::clone(&last)
            });
            let users = Cell::of(&cells, row, shard)?;
            parts.entry(part).or_default().values.push(ValueRow {
                dimension,
                value,
                users,
            });
        }
    }
    Ok(())
}

async fn read_measures(
    scope: &Scope,
    shard: u32,
    parts: &mut BTreeMap<Part, PartRows>,
) -> Result<()> {
    let measures = [Some(EVENTS), scope.question.measure.as_deref()];
    let measures = measures.into_iter().flatten().map(lit).collect();
    let rows = scope
        .question
        .event
        .rows()
        .and(ident("shard").eq(lit(shard)));
    let rows = rows.and(ident("measure").in_list(measures, false));
    let columns = [
        "date",
        "combination",
        "measure",
        "slice",
        "offset",
        "scale",
        "overflow",
        "bitmap",
    ];
    let batches = scope
        .release
        .rows("behaviour_measures", rows, &columns)
        .await;
    for batch in batches.map_err(failed)? {
        let measures = batch.column(2).as_string_view();
        let slices = batch.column(3).as_primitive::<Int16Type>().values();
        let offsets = batch.column(4).as_primitive::<Int64Type>().values();
        let scales = batch.column(5).as_primitive::<Int8Type>().values();
        let shared = batch.column(6).as_boolean();
        let cells = Arc::new(batch.column(7).as_binary_view().clone());
        for (row, part) in parts_of(&batch).enumerate() {
            let slice = SliceRow {
                is_everybody: slices[row] == Slice::Exists.number(),
                weight: weight_of(slices[row], offsets[row])?,
                users: Cell::of(&cells, row, shard)?,
            };
            let part = parts.entry(part).or_default();
            part.is_shared |= shared.value(row);
            if measures.value(row) == EVENTS {
                part.events.push(slice);
            } else {
                part.scale = u8::try_from(scales[row]).unwrap_or_default();
                part.sums.push(slice);
            }
        }
    }
    Ok(())
}

/// What a user in a slice has more of the scaled number.
fn weight_of(slice: i16, offset: i64) -> Result<i128> {
    match Slice::from_number(slice.into()) {
        Some(Slice::Exists) => Ok(i128::from(offset)),
        Some(slice) => Ok(slice.weight()),
        None => Err(refused(format!(
            "found slice {slice}, expected {} to {}",
            Slice::LEAST,
            Slice::MOST
        ))),
    }
}

/// Day and combination, which are the first columns.
fn parts_of(batch: &RecordBatch) -> impl Iterator<Item = Part> + '_ {
    let dates = batch.column(0).as_primitive::<Date32Type>().values();
    let numbers = batch.column(1).as_primitive::<UInt32Type>().values();
    dates
        .iter()
        .zip(numbers)
        .map(|(&date, &combination)| Part { date, combination })
}
