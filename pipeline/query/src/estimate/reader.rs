//! Fetches the sets behind a rule's atoms, one shard at a time, through the session's tables;
//! counts the bitmaps it read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{
    Date32Type, Float64Type, Int8Type, Int16Type, Int64Type, UInt32Type, UInt64Type,
};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use tagmill_schemas::artifact::value_column;
use tagmill_schemas::{Error, IdScope, Result, Value, ValueType};

use super::STAGE;
use super::need::{Ids, Need};
use super::numbers::Slices;
use super::set::Set;
use crate::catalog::failed;

/// One app's artifacts.
pub(super) struct Reader {
    ctx: SessionContext,
    app: String,
    id_scope: IdScope,
    bitmaps: AtomicU64,
    bytes: AtomicU64,
}

impl Reader {
    pub(super) fn new(ctx: &SessionContext, app: &str, id_scope: IdScope) -> Self {
        Self {
            ctx: ctx.clone(),
            app: app.to_owned(),
            id_scope,
            bitmaps: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Bitmaps read so far, and their bytes.
    pub(super) fn read(&self) -> (u64, u64) {
        (
            self.bitmaps.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }

    /// Users of the app per shard, by shard, without reading a bitmap.
    pub(super) async fn universe_sizes(&self) -> Result<BTreeMap<u32, u64>> {
        let mut sizes = BTreeMap::new();
        self.each(
            "universe",
            self.of_app(),
            &["shard", "cardinality"],
            |batch| {
                let (shards, users) = (
                    batch.column(0).as_primitive::<UInt32Type>(),
                    batch.column(1).as_primitive::<UInt64Type>(),
                );
                sizes.extend(
                    shards
                        .values()
                        .iter()
                        .copied()
                        .zip(users.values().iter().copied()),
                );
                Ok(())
            },
        )
        .await?;
        Ok(sizes)
    }

    pub(super) async fn universe(&self, shard: u32) -> Result<Set> {
        self.union("universe", self.of_app(), shard).await
    }

    /// The users of one shard for whom an atom holds.
    pub(super) async fn fetch(&self, need: &Need, shard: u32) -> Result<Set> {
        match need {
            Need::Rows { table, filter } => self.union(table, filter.clone(), shard).await,
            Need::Range {
                filter,
                low,
                high,
                outside,
            } => {
                let slices = self.slices(filter.clone(), shard).await?;
                let inside = slices.range(low, high);
                if !outside {
                    return Ok(inside);
                }
                let mut others = slices.exist;
                others.subtract(&inside);
                Ok(others)
            }
            Need::Users(ids) => self.users(ids, shard).await,
        }
    }

    /// Holds for the rows of the app.
    pub(super) fn of_app(&self) -> Expr {
        ident("app").eq(lit(self.app.as_str()))
    }

    /// Holds for the rows of one of the app's tags.
    pub(super) fn of_tag(&self, tag: &str, value_type: ValueType) -> Expr {
        self.of_app()
            .and(ident("tag").eq(lit(tag)))
            .and(ident("type").eq(lit(value_type.name())))
    }

    /// Every value of a tag, in any order.
    pub(super) async fn values(&self, tag: &str, value_type: ValueType) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        self.each(
            "tag_values",
            self.of_tag(tag, value_type),
            &[value_column(value_type)],
            |batch| {
                let column = batch.column(0);
                match value_type {
                    ValueType::String => values.extend(
                        column
                            .as_string_view()
                            .iter()
                            .flatten()
                            .map(|v| Value::String(v.to_owned())),
                    ),
                    ValueType::Integer => values.extend(
                        column
                            .as_primitive::<Int64Type>()
                            .iter()
                            .flatten()
                            .map(Value::Integer),
                    ),
                    ValueType::Double => values.extend(
                        column
                            .as_primitive::<Float64Type>()
                            .iter()
                            .flatten()
                            .map(Value::Double),
                    ),
                    ValueType::Date => values.extend(
                        column
                            .as_primitive::<Date32Type>()
                            .iter()
                            .flatten()
                            .map(Value::Date),
                    ),
                    ValueType::Boolean => {
                        values.extend(column.as_boolean().iter().flatten().map(Value::Boolean))
                    }
                }
                Ok(())
            },
        )
        .await?;
        Ok(values)
    }

    /// The union of the bitmaps of a table's rows in one shard.
    async fn union(&self, table: &str, rows: Expr, shard: u32) -> Result<Set> {
        let mut set = Set::default();
        self.each(
            table,
            rows.and(ident("shard").eq(lit(shard))),
            &["bitmap"],
            |batch| {
                batch
                    .column(0)
                    .as_binary_view()
                    .iter()
                    .flatten()
                    .try_for_each(|bitmap| self.add(&mut set, bitmap, table, shard))
            },
        )
        .await?;
        Ok(set)
    }

    async fn slices(&self, rows: Expr, shard: u32) -> Result<Slices> {
        let mut slices = Slices::default();
        let columns = ["scale", "offset", "slice", "bitmap"];
        self.each(
            "tag_numbers",
            rows.and(ident("shard").eq(lit(shard))),
            &columns,
            |batch| {
                let (scales, offsets) = (
                    batch.column(0).as_primitive::<Int8Type>(),
                    batch.column(1).as_primitive::<Int64Type>(),
                );
                let (numbers, bitmaps) = (
                    batch.column(2).as_primitive::<Int16Type>(),
                    batch.column(3).as_binary_view(),
                );
                for row in 0..batch.num_rows() {
                    (slices.scale, slices.offset) = (scales.value(row), offsets.value(row));
                    let set = match usize::try_from(numbers.value(row)) {
                        Ok(digit) => {
                            let digits = slices.digits.len().max(digit + 1);
                            slices.digits.resize(digits, Set::default());
                            &mut slices.digits[digit]
                        }
                        Err(_) => &mut slices.exist,
                    };
                    self.add(set, bitmaps.value(row), "tag_numbers", shard)?;
                }
                Ok(())
            },
        )
        .await?;
        Ok(slices)
    }

    /// Every user of the shard whose id is in the set; with global ids also users of other apps.
    async fn users(&self, wanted: &Ids, shard: u32) -> Result<Set> {
        let mut set = Set::default();
        let of_shard = ident("shard").eq(lit(shard));
        let rows = if self.id_scope == IdScope::App {
            of_shard.and(self.of_app())
        } else {
            of_shard
        };
        self.each("users", rows, &["ordinal", "user_id"], |batch| {
            let ordinals = batch.column(0).as_primitive::<UInt32Type>();
            let ids = batch.column(1).as_string_view();
            let found = ordinals
                .values()
                .iter()
                .zip(ids.iter().flatten())
                .filter(|(_, id)| wanted.contains(id));
            found.for_each(|(ordinal, _)| set.insert(*ordinal));
            Ok(())
        })
        .await?;
        Ok(set)
    }

    fn add(&self, set: &mut Set, bitmap: &[u8], table: &str, shard: u32) -> Result<()> {
        self.bitmaps.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bitmap.len() as u64, Ordering::Relaxed);
        set.add_bitmap(bitmap, shard).map_err(|defect| {
            Error::refused(STAGE, "found a damaged bitmap")
                .at(format!("{table}, shard {shard}"))
                .because(defect)
        })
    }

    /// Hands each batch of the matching rows to `take`, without keeping the batches.
    async fn each(
        &self,
        table: &str,
        rows: Expr,
        columns: &[&str],
        mut take: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let start = async {
            let selected = self
                .ctx
                .table(table)
                .await?
                .filter(rows)?
                .select(columns.iter().map(|name| ident(*name)).collect::<Vec<_>>())?;
            selected.execute_stream().await
        };
        let mut batches = start.await.map_err(failed)?;
        while let Some(batch) = batches.try_next().await.map_err(failed)? {
            take(&batch)?;
        }
        Ok(())
    }
}

/// A value as SQL has it.
pub(super) fn literal(value: &Value) -> Expr {
    lit(match value {
        Value::String(text) => ScalarValue::Utf8View(Some(text.clone())),
        Value::Integer(number) => ScalarValue::Int64(Some(*number)),
        Value::Double(number) => ScalarValue::Float64(Some(*number)),
        Value::Date(days) => ScalarValue::Date32(Some(*days)),
        Value::Boolean(truth) => ScalarValue::Boolean(Some(*truth)),
    })
}
