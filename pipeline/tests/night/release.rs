//! A release as plain maps and sets: artifacts read through the reader, bitmaps decoded by the
//! roaring crate. Every row is checked on the way: order, shard, cardinality, no empty bitmap.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::{
    Date32Type, Float64Type, Int8Type, Int16Type, Int64Type, UInt32Type, UInt64Type,
};
use arrow::row::{RowConverter, SortField};
use futures::TryStreamExt;
use roaring::RoaringTreemap;
use tagmill_schemas::Artifact;
use tagmill_schemas::manifest::{FileEntry, Manifest};
use tagmill_testdata::oracle::value::Value;
use tagmill_warehouse::artifact::read_artifact;
use tagmill_warehouse::release::{files_where, newest_release};
use tagmill_warehouse::store::Store;

pub type Users = BTreeSet<u64>;
pub type Numbers = BTreeMap<u64, i128>;

/// Event, dimension, value and combination of one app and date; the last is the mark of the
/// overflow.
pub type ValueKey = (String, String, String, Option<String>, u32, bool);
/// App, event, measure, combination, overflow.
pub type MeasureKey = (String, String, String, u32, bool);

/// One release.
pub struct Published {
    pub store: Store,
    pub manifest: Manifest,
}

/// A bit-sliced index as it is put together again.
#[derive(Default)]
struct Slices {
    existing: Users,
    values: Numbers,
}

impl Slices {
    fn add(&mut self, offset: i64, slice: i16, users: &Users) {
        let worth = match slice {
            -1 => i128::from(offset),
            0.. => 1i128 << slice,
            _ => -(1i128 << (-2 - slice)),
        };
        for user in users {
            if slice == -1 {
                assert!(self.existing.insert(*user), "two slices of existence");
            }
            *self.values.entry(*user).or_default() += worth;
        }
    }

    fn values(self) -> Numbers {
        assert!(
            self.values.keys().eq(self.existing.iter()),
            "a digit of a user without a value"
        );
        self.values
    }
}

impl Published {
    pub async fn newest(store: &Store) -> Self {
        let mut manifest = newest_release(store)
            .await
            .unwrap()
            .expect("nothing is published");
        // Its lists are read: tests look at all files of a release.
        manifest.files = files_where(store, &manifest, |_, _| true).await.unwrap();
        Self {
            store: store.clone(),
            manifest,
        }
    }

    /// The rows of an artifact, file by file in the manifest's order; each file's order is checked.
    pub async fn batches(&self, artifact: Artifact) -> Vec<(FileEntry, RecordBatch)> {
        let mut all = Vec::new();
        for file in self.manifest.direct_files(artifact) {
            let batches: Vec<RecordBatch> = read_artifact(&self.store, file, &[])
                .await
                .unwrap()
                .try_collect()
                .await
                .unwrap();
            let batch = arrow::compute::concat_batches(&artifact.schema(), &batches).unwrap();
            assert_eq!(batch.num_rows() as u64, file.rows);
            check_order(artifact, &batch);
            all.push((file.clone(), batch));
        }
        all
    }

    /// Uid by app and user id; the app is empty with global ids.
    pub async fn dictionary(&self) -> BTreeMap<(String, String), u64> {
        let mut users = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::Users).await {
            let (shards, ordinals) = (
                batch["shard"].as_primitive::<UInt32Type>(),
                batch["ordinal"].as_primitive::<UInt32Type>(),
            );
            for row in 0..batch.num_rows() {
                let key = (
                    maybe(&batch, "app", row).unwrap_or_default(),
                    text(&batch, "user_id", row),
                );
                let uid = u64::from(shards.value(row)) << 32 | u64::from(ordinals.value(row));
                assert!(
                    users.insert(key, uid).is_none(),
                    "a user stands twice in the dictionary"
                );
            }
        }
        users
    }

    pub async fn universe(&self) -> BTreeMap<String, Users> {
        let mut apps: BTreeMap<String, Users> = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::Universe).await {
            for row in 0..batch.num_rows() {
                apps.entry(text(&batch, "app", row))
                    .or_default()
                    .extend(users(&batch, row));
            }
        }
        apps
    }

    pub async fn tags(&self) -> BTreeMap<(String, String, Value), Users> {
        let mut tags: BTreeMap<_, Users> = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::Tags).await {
            for row in 0..batch.num_rows() {
                let key = (
                    text(&batch, "app", row),
                    text(&batch, "tag", row),
                    value(&batch, row),
                );
                tags.entry(key).or_default().extend(users(&batch, row));
            }
        }
        tags
    }

    /// Code by app, tag and value.
    pub async fn codes(&self) -> BTreeMap<(String, String, Value), u32> {
        let mut codes = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::TagValues).await {
            for row in 0..batch.num_rows() {
                let key = (
                    text(&batch, "app", row),
                    text(&batch, "tag", row),
                    value(&batch, row),
                );
                let code = batch["code"].as_primitive::<UInt32Type>().value(row);
                assert!(codes.insert(key, code).is_none(), "a value has two codes");
            }
        }
        codes
    }

    /// Scaled numbers by app and tag.
    pub async fn tag_numbers(&self) -> BTreeMap<(String, String), Numbers> {
        let mut numbers: BTreeMap<_, Numbers> = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::TagNumbers).await {
            let mut slices: BTreeMap<_, Slices> = BTreeMap::new();
            for row in 0..batch.num_rows() {
                let key = (text(&batch, "app", row), text(&batch, "tag", row));
                let (offset, slice) = (
                    batch["offset"].as_primitive::<Int64Type>().value(row),
                    batch["slice"].as_primitive::<Int16Type>().value(row),
                );
                slices
                    .entry(key)
                    .or_default()
                    .add(offset, slice, &users(&batch, row));
            }
            slices
                .into_iter()
                .for_each(|(key, slices)| numbers.entry(key).or_default().extend(slices.values()));
        }
        numbers
    }

    /// The users of every (app, event) of a date, and those of every dimension value and
    /// combination.
    pub async fn behaviour(
        &self,
        date: chrono::NaiveDate,
    ) -> (BTreeMap<(String, String), Users>, BTreeMap<ValueKey, Users>) {
        let (mut events, mut values): (BTreeMap<_, Users>, BTreeMap<_, Users>) = Default::default();
        for (file, batch) in self.batches(Artifact::Behaviour).await {
            check_date(&file, &batch);
            for row in (0..batch.num_rows()).filter(|_| file.date == date) {
                let (app, event) = (text(&batch, "app", row), text(&batch, "event", row));
                let found = users(&batch, row);
                let Some(dimension) = maybe(&batch, "dimension", row) else {
                    events.entry((app, event)).or_default().extend(found);
                    continue;
                };
                let number = batch["combination"].as_primitive::<UInt32Type>().value(row);
                let key = (
                    app,
                    event,
                    dimension,
                    maybe(&batch, "value", row),
                    number,
                    batch["overflow"].as_boolean().value(row),
                );
                values.entry(key).or_default().extend(found);
            }
        }
        (events, values)
    }

    /// Counts (measure `*`) and scaled sums of a date.
    pub async fn measures(&self, date: chrono::NaiveDate) -> BTreeMap<MeasureKey, Numbers> {
        let mut measures: BTreeMap<_, Numbers> = BTreeMap::new();
        for (file, batch) in self.batches(Artifact::BehaviourMeasures).await {
            check_date(&file, &batch);
            let mut slices: BTreeMap<_, Slices> = BTreeMap::new();
            for row in (0..batch.num_rows()).filter(|_| file.date == date) {
                let number = batch["combination"].as_primitive::<UInt32Type>().value(row);
                let key = (
                    text(&batch, "app", row),
                    text(&batch, "event", row),
                    text(&batch, "measure", row),
                    number,
                    batch["overflow"].as_boolean().value(row),
                );
                let (offset, slice) = (
                    batch["offset"].as_primitive::<Int64Type>().value(row),
                    batch["slice"].as_primitive::<Int16Type>().value(row),
                );
                assert!(batch["scale"].as_primitive::<Int8Type>().value(row) >= 0);
                slices
                    .entry(key)
                    .or_default()
                    .add(offset, slice, &users(&batch, row));
            }
            slices
                .into_iter()
                .for_each(|(key, slices)| measures.entry(key).or_default().extend(slices.values()));
        }
        measures
    }

    /// Members, and how many entered and left, of every group.
    pub async fn groups(&self) -> BTreeMap<(String, String), (Users, u64, u64)> {
        let mut groups: BTreeMap<_, (Users, u64, u64)> = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::Groups).await {
            for row in 0..batch.num_rows() {
                let group = groups
                    .entry((text(&batch, "app", row), text(&batch, "group", row)))
                    .or_default();
                group.0.extend(users(&batch, row));
                group.1 += batch["entered"].as_primitive::<UInt64Type>().value(row);
                group.2 += batch["left"].as_primitive::<UInt64Type>().value(row);
            }
        }
        groups
    }

    /// Status and cardinality of every group.
    pub async fn statuses(&self) -> BTreeMap<(String, String), (String, Option<u64>)> {
        let mut statuses = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::GroupStatus).await {
            let sizes = batch["cardinality"].as_primitive::<UInt64Type>();
            for row in 0..batch.num_rows() {
                let size = sizes.is_valid(row).then(|| sizes.value(row));
                statuses.insert(
                    (text(&batch, "app", row), text(&batch, "group", row)),
                    (text(&batch, "status", row), size),
                );
            }
        }
        statuses
    }

    /// What is said of every group that has a reason.
    pub async fn reasons(&self) -> BTreeMap<(String, String), String> {
        let mut reasons = BTreeMap::new();
        for (_, batch) in self.batches(Artifact::GroupStatus).await {
            for row in 0..batch.num_rows() {
                let key = (text(&batch, "app", row), text(&batch, "group", row));
                reasons.extend(maybe(&batch, "reason", row).map(|reason| (key, reason)));
            }
        }
        reasons
    }

    /// The counts of the run's date by source, app and metric.
    pub async fn quality(&self) -> BTreeMap<(String, Option<String>, String), u64> {
        let mut counts = BTreeMap::new();
        for (file, batch) in self.batches(Artifact::Quality).await {
            for row in (0..batch.num_rows()).filter(|_| file.date == self.manifest.date) {
                let key = (
                    text(&batch, "source", row),
                    maybe(&batch, "app", row),
                    text(&batch, "metric", row),
                );
                counts.insert(key, batch["value"].as_primitive::<UInt64Type>().value(row));
            }
        }
        counts
    }

    /// Source, app, reason and row of the sampled rejects of the run's date.
    pub async fn rejects(&self) -> Vec<(String, Option<String>, String, String)> {
        let mut rejects = Vec::new();
        for (file, batch) in self.batches(Artifact::Rejects).await {
            let rows = (0..batch.num_rows()).filter(|_| file.date == self.manifest.date);
            rejects.extend(rows.map(|row| {
                (
                    text(&batch, "source", row),
                    maybe(&batch, "app", row),
                    text(&batch, "reason", row),
                    text(&batch, "row", row),
                )
            }));
        }
        rejects
    }

    /// The table of runs: name, attempt, release.
    pub async fn runs(&self) -> Vec<(String, u32, Option<u64>)> {
        let batches = self.batches(Artifact::Runs).await;
        let rows = batches.iter().flat_map(|(_, batch)| {
            let names = batch["run"]
                .as_string::<i32>()
                .iter()
                .map(|name| name.unwrap().to_owned());
            let attempts = batch["attempt"]
                .as_primitive::<UInt32Type>()
                .iter()
                .map(Option::unwrap);
            names
                .zip(attempts)
                .zip(batch["release"].as_primitive::<UInt64Type>())
                .map(|((name, attempt), release)| (name, attempt, release))
        });
        rows.collect()
    }

    /// The checksums of all files, by artifact, date and shard: what two runs have to agree on.
    pub fn checksums(&self) -> BTreeMap<(Artifact, chrono::NaiveDate, Option<u32>, u64), String> {
        self.manifest
            .files
            .iter()
            .map(|file| {
                (
                    (file.artifact, file.date, file.shard, file.rows),
                    file.checksum.clone(),
                )
            })
            .collect()
    }
}

/// Rows ascend by the artifact's key, nulls first, strings by bytes; no key stands twice.
fn check_order(artifact: Artifact, batch: &RecordBatch) {
    let columns: Vec<_> = artifact
        .sort_key()
        .iter()
        .map(|name| batch[name].clone())
        .collect();
    let fields = columns.iter().map(|column| {
        SortField::new_with_options(
            column.data_type().clone(),
            SortOptions {
                descending: false,
                nulls_first: true,
            },
        )
    });
    let rows = RowConverter::new(fields.collect())
        .unwrap()
        .convert_columns(&columns)
        .unwrap();
    for row in 1..rows.num_rows() {
        let is_ordered = if artifact == Artifact::Rejects {
            rows.row(row - 1) <= rows.row(row)
        } else {
            rows.row(row - 1) < rows.row(row)
        };
        assert!(
            is_ordered,
            "{artifact}: row {row} is out of order: {:?}",
            batch.slice(row - 1, 2)
        );
    }
}

fn check_date(file: &FileEntry, batch: &RecordBatch) {
    let day = (file.date - chrono::NaiveDate::default()).num_days() as i32;
    assert!(
        batch["date"]
            .as_primitive::<Date32Type>()
            .values()
            .iter()
            .all(|&date| date == day)
    );
}

/// The uids of a row's bitmap.
fn users(batch: &RecordBatch, row: usize) -> Users {
    let mut bytes = batch["bitmap"].as_binary::<i32>().value(row);
    let users: Users = RoaringTreemap::deserialize_from(&mut bytes)
        .unwrap()
        .into_iter()
        .collect();
    assert!(bytes.is_empty(), "bytes behind a bitmap");
    assert_eq!(
        users.len() as u64,
        batch["cardinality"].as_primitive::<UInt64Type>().value(row)
    );
    let shard = u64::from(batch["shard"].as_primitive::<UInt32Type>().value(row));
    assert!(
        users.iter().all(|user| user >> 32 == shard),
        "a user of another shard"
    );
    users
}

fn text(batch: &RecordBatch, column: &str, row: usize) -> String {
    maybe(batch, column, row).unwrap_or_else(|| panic!("{column} is null"))
}

fn maybe(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let column = batch[column].as_string::<i32>();
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn value(batch: &RecordBatch, row: usize) -> Value {
    let set: Vec<&str> = tagmill_schemas::artifact::VALUE_COLUMNS
        .into_iter()
        .filter(|name| batch[name].is_valid(row))
        .collect();
    let [name] = set.as_slice() else {
        panic!("{} value columns are set", set.len())
    };
    let column = &batch[*name];
    match *name {
        "value_string" => Value::String(column.as_string::<i32>().value(row).to_owned()),
        "value_integer" => Value::Integer(column.as_primitive::<Int64Type>().value(row)),
        "value_double" => Value::Double(column.as_primitive::<Float64Type>().value(row)),
        "value_date" => Value::Date(column.as_primitive::<Date32Type>().value(row)),
        _ => Value::Boolean(column.as_boolean().value(row)),
    }
}
