//! Fetches the sets behind a rule's atoms, one shard at a time, through the session's tables;
//! counts the bitmaps it read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type, Int16Type, Int64Type, UInt32Type, UInt64Type};
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use tagmill_behaviour::read_members;
use tagmill_bitmap::{BitmapRef, Defect, Slice, or_many, write_sorted};
use tagmill_schemas::artifact::value_column;
use tagmill_schemas::{Error, IdScope, Result, Value, ValueType};

use super::STAGE;
use super::numbers::{Numbers, SliceRows};
use super::users::Users;
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

    /// The app.
    pub(super) fn app(&self) -> &str {
        &self.app
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

    /// The users of the app in one shard.
    pub(super) async fn universe(&self, shard: u32) -> Result<Users> {
        self.union("universe", self.of_app(), shard).await
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
    pub(super) async fn union(&self, table: &str, rows: Expr, shard: u32) -> Result<Users> {
        let mut union = Vec::new();
        let rows = rows.and(ident("shard").eq(lit(shard)));
        self.each(table, rows, &["bitmap"], |batch| {
            let cells = batch.column(0).as_binary_view();
            let mut bitmaps = Vec::with_capacity(batch.num_rows() + 1);
            for cell in cells.iter().flatten() {
                bitmaps.push(self.checked(cell, table, shard)?);
            }
            let before = std::mem::take(&mut union);
            if !before.is_empty() {
                let before = BitmapRef::parse_layout(&before);
                bitmaps.push(before.map_err(|defect| damaged(table, shard, defect))?);
                or_many(&bitmaps, &mut union);
            } else if let [only] = bitmaps.as_slice() {
                union.extend_from_slice(only.as_bytes());
            } else {
                or_many(&bitmaps, &mut union);
            }
            Ok(())
        })
        .await?;
        Ok(Users::new(union, shard))
    }

    /// The values of an integer or date tag in one shard.
    pub(super) async fn numbers(&self, rows: Expr, shard: u32) -> Result<Numbers> {
        let mut read = SliceRows::default();
        let (table, columns) = ("tag_numbers", ["offset", "slice", "bitmap"]);
        let rows = rows.and(ident("shard").eq(lit(shard)));
        self.each(table, rows, &columns, |batch| {
            let (offsets, slices, bitmaps) = (
                batch.column(0).as_primitive::<Int64Type>(),
                batch.column(1).as_primitive::<Int16Type>(),
                batch.column(2).as_binary_view(),
            );
            for row in 0..batch.num_rows() {
                let number = slices.value(row);
                let slice = Slice::from_number(number.into()).ok_or_else(|| {
                    let (least, most) = (Slice::LEAST, Slice::MOST);
                    let what = format!("found slice {number}, expected {least} to {most}");
                    Error::refused(STAGE, what).at(format!("{table}, shard {shard}"))
                })?;
                let users = self.checked(bitmaps.value(row), table, shard)?;
                read.add(slice, offsets.value(row), &users);
            }
            Ok(())
        })
        .await?;
        read.numbers()
            .map_err(|defect| damaged(table, shard, defect))
    }

    /// Every user of the shard whose id is wanted; with global ids also users of other apps.
    pub(super) async fn users(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        shard: u32,
    ) -> Result<Users> {
        let mut found = Vec::new();
        let of_shard = ident("shard").eq(lit(shard));
        let rows = if self.id_scope == IdScope::App {
            of_shard.and(self.of_app())
        } else {
            of_shard
        };
        self.each("users", rows, &["ordinal", "user_id"], |batch| {
            let ordinals = batch.column(0).as_primitive::<UInt32Type>();
            let ids = batch.column(1).as_string_view();
            let users = ordinals.values().iter().zip(ids.iter().flatten());
            let wanted = users.filter(|(_, id)| is_wanted(id));
            found.extend(wanted.map(|(ordinal, _)| *ordinal));
            Ok(())
        })
        .await?;
        found.sort_unstable();
        found.dedup();
        let mut bitmap = Vec::new();
        write_sorted(shard, &found, &mut bitmap);
        Ok(Users::new(bitmap, shard))
    }

    /// Replaces `members` by the ordinals of a cell that was read.
    pub(super) fn members(
        &self,
        cell: &[u8],
        (table, shard): (&str, u32),
        members: &mut Vec<u32>,
    ) -> Result<()> {
        self.count(cell);
        read_members(cell, shard, members).map_err(|defect| damaged(table, shard, defect))
    }

    fn count(&self, cell: &[u8]) {
        self.bitmaps.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(cell.len() as u64, Ordering::Relaxed);
    }

    /// A cell that was read, with its defects found and its bytes counted.
    fn checked<'b>(&self, cell: &'b [u8], table: &str, shard: u32) -> Result<BitmapRef<'b>> {
        self.count(cell);
        BitmapRef::parse(cell).map_err(|defect| damaged(table, shard, defect))
    }

    /// Hands each batch of the matching rows to `take`, without keeping the batches.
    pub(super) async fn each(
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

/// A bitmap that can not be used.
pub(super) fn damaged(table: &str, shard: u32, defect: Defect) -> Error {
    Error::refused(STAGE, "found a damaged bitmap")
        .at(format!("{table}, shard {shard}"))
        .because(defect)
}
