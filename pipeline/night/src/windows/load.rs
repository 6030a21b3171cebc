//! The numbers of behaviour before tonight's events: what the night before has of them, and the days
//! that come in and go out.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int8Type, Int16Type, Int64Type, UInt32Type};
use chrono::NaiveDate;
use datafusion::error::{DataFusionError, Result};
use futures::TryStreamExt;
use tagmill_behaviour::{AppSeatWords, AppWindow, EventDay, MeasureRow};
use tagmill_bitmap::Slice;
use tagmill_engine::external;
use tagmill_rules::RowKey;
use tagmill_schemas::Artifact;
use tagmill_schemas::artifact::{Columns, behaviour, behaviour_measures, windows};
use tagmill_schemas::manifest::FileEntry;
use tagmill_warehouse::artifact::read_columns;
use tagmill_warehouse::store::Store;

use super::shard::{AppWindows, ShardWindows};
use crate::plan::windows::NightWindows;
use crate::take::load::of_shard;

/// Days of events, by app and event.
type Days<'a> = BTreeMap<&'a str, BTreeMap<String, EventDay<'a>>>;

/// The numbers of a shard before tonight's events; `apps` are its apps with the ordinals of their
/// seats.
///
/// # Errors
/// Those of reading artifacts; a damaged bitmap.
pub async fn load_windows<'a>(
    night: &'a NightWindows,
    apps: impl Iterator<Item = (&'a str, &'a [u32])>,
    (shard, date): (u32, NaiveDate),
    store: &Store,
) -> Result<ShardWindows<'a>> {
    let mut shard_windows = ShardWindows::default();
    for (app, ordinals) in apps {
        if let Some(windows) = night.apps.get(app) {
            let seats = AppSeatWords { shard, ordinals };
            shard_windows
                .apps
                .insert(app, AppWindows::new(seats, windows));
        }
    }
    if shard_windows.apps.is_empty() {
        return Ok(shard_windows);
    }
    load_before(&mut shard_windows, &night.before, shard, store).await?;
    for (day, files) in &night.days {
        load_day(
            &mut shard_windows,
            (*day, date),
            shard,
            &of_shard(files, shard),
            store,
        )
        .await?;
    }
    Ok(shard_windows)
}

/// The numbers that go on from the night before.
async fn load_before(
    shard_windows: &mut ShardWindows<'_>,
    files: &[FileEntry],
    shard: u32,
    store: &Store,
) -> Result<()> {
    for file in of_shard(files, shard) {
        let mut batches = read_columns::<windows::Column>(store, file, &[])
            .await
            .map_err(external)?;
        while let Some(batch) = batches.try_next().await.map_err(external)? {
            add_rows_before(shard_windows, &batch)?;
        }
    }
    Ok(())
}

fn add_rows_before(shard_windows: &mut ShardWindows<'_>, batch: &RecordBatch) -> Result<()> {
    use windows::Column;
    let [apps, events, whats, measures, conditions] = texts(
        batch,
        [
            Column::App,
            Column::Event,
            Column::What,
            Column::Measure,
            Column::Condition,
        ],
    )?;
    let days = Column::Days.of(batch)?.as_primitive::<UInt32Type>();
    let back = Column::Back.of(batch)?.as_primitive::<UInt32Type>();
    let uncertain = Column::Uncertain.of(batch)?.as_boolean();
    let scales = Column::Scale.of(batch)?.as_primitive::<Int8Type>();
    let slices = Column::Slice.of(batch)?.as_primitive::<Int16Type>();
    let bitmaps = Column::Bitmap.of(batch)?.as_binary::<i32>();
    let mut members = Vec::new();
    for row in 0..batch.num_rows() {
        let Some(app) = shard_windows.apps.get_mut(apps.value(row)) else {
            continue;
        };
        let key: RowKey<'_> = (
            events.value(row),
            whats.value(row),
            text_at(measures, row),
            days.is_valid(row).then(|| days.value(row)),
            back.is_valid(row).then(|| back.value(row)),
            text_at(conditions, row),
        );
        let mut numbers = app.numbers.iter_mut();
        let is_of_row = |window: &AppWindow| window.is_rolled && window.state.row_key() == key;
        if let Some(numbers) = numbers.find(|numbers| is_of_row(numbers.window)) {
            read_members(bitmaps.value(row), app.seats.shard, &mut members)?;
            let mut users = vec![0; app.seats.words()];
            app.seats.set(&members, &mut users);
            let scale = u8::try_from(scales.value(row)).unwrap_or_default();
            let slice = slice_of(slices.value(row))?;
            numbers.add_row(uncertain.value(row), scale, slice, &users);
        }
    }
    Ok(())
}

/// Lets one day come in or go out, in the night of `date`.
async fn load_day<'a>(
    shard_windows: &mut ShardWindows<'a>,
    (day, date): (NaiveDate, NaiveDate),
    shard: u32,
    files: &[&FileEntry],
    store: &Store,
) -> Result<()> {
    let mut days = Days::new();
    for (app, windows) in &shard_windows.apps {
        for numbers in &windows.numbers {
            let event = &numbers.window.state.event;
            if let Some(of_event) = windows.day_of(event, |window| window.step(day, date)) {
                let of_app = days.entry(*app).or_default();
                of_app.entry(event.clone()).or_insert(of_event);
            }
        }
    }
    if days.is_empty() {
        return Ok(());
    }
    let mut rows = DayRows {
        days,
        shard,
        members: Vec::new(),
    };
    let has_measures = rows
        .days
        .values()
        .flat_map(BTreeMap::values)
        .any(EventDay::needs_measures);
    for file in files {
        match file.artifact {
            Artifact::Behaviour => {
                let read = read_columns::<behaviour::Column>(store, file, &[]).await;
                let mut batches = read.map_err(external)?;
                while let Some(batch) = batches.try_next().await.map_err(external)? {
                    rows.add_behaviour(&batch)?;
                }
            }
            Artifact::BehaviourMeasures if has_measures => {
                let read = read_columns::<behaviour_measures::Column>(store, file, &[]).await;
                let mut batches = read.map_err(external)?;
                while let Some(batch) = batches.try_next().await.map_err(external)? {
                    rows.add_measures(&batch)?;
                }
            }
            _ => {}
        }
    }
    let number = (day - NaiveDate::default()).num_days() as i32;
    for (app, of_app) in rows.days {
        for (event, of_event) in of_app {
            if let Some(windows) = shard_windows.apps.get_mut(app) {
                windows.apply(&event, &of_event, number, |window| window.step(day, date))?;
            }
        }
    }
    Ok(())
}

/// Takes the rows of a day's files.
struct DayRows<'a> {
    days: Days<'a>,
    shard: u32,
    /// Memory of one row's users.
    members: Vec<u32>,
}

impl<'a> DayRows<'a> {
    /// Looks up the day of each row's event, once for rows that follow each other.
    fn for_each_row(
        &mut self,
        (apps, events): (&StringArray, &StringArray),
        mut each: impl FnMut(&mut EventDay<'a>, &mut Vec<u32>, usize) -> Result<()>,
    ) -> Result<()> {
        let of_row = |row: usize| (apps.value(row), events.value(row));
        let mut row = 0;
        while row < apps.len() {
            let same = (row..apps.len()).take_while(|other| of_row(*other) == of_row(row));
            let end = row + same.count();
            let (app, event) = of_row(row);
            let of_app = self.days.get_mut(app);
            if let Some(day) = of_app.and_then(|of_app| of_app.get_mut(event)) {
                (row..end).try_for_each(|row| each(day, &mut self.members, row))?;
            }
            row = end;
        }
        Ok(())
    }

    fn add_behaviour(&mut self, batch: &RecordBatch) -> Result<()> {
        use behaviour::Column;
        let columns = [Column::App, Column::Event, Column::Dimension, Column::Value];
        let [apps, events, dimensions, values] = texts(batch, columns)?;
        let numbers = Column::Combination.of(batch)?.as_primitive::<UInt32Type>();
        let bitmaps = Column::Bitmap.of(batch)?.as_binary::<i32>();
        let shard = self.shard;
        self.for_each_row((apps, events), |day, members, row| {
            match text_at(dimensions, row) {
                None => {
                    read_members(bitmaps.value(row), shard, members)?;
                    day.add_users(members);
                }
                Some(name) if day.needs_dimension(name) => {
                    read_members(bitmaps.value(row), shard, members)?;
                    day.add_value(name, text_at(values, row), numbers.value(row), members);
                }
                Some(_) => {}
            }
            Ok(())
        })
    }

    fn add_measures(&mut self, batch: &RecordBatch) -> Result<()> {
        use behaviour_measures::Column;
        let [apps, events, measures] = texts(batch, [Column::App, Column::Event, Column::Measure])?;
        let numbers = Column::Combination.of(batch)?.as_primitive::<UInt32Type>();
        let scales = Column::Scale.of(batch)?.as_primitive::<Int8Type>();
        let offsets = Column::Offset.of(batch)?.as_primitive::<Int64Type>();
        let slices = Column::Slice.of(batch)?.as_primitive::<Int16Type>();
        let shared = Column::Overflow.of(batch)?.as_boolean();
        let bitmaps = Column::Bitmap.of(batch)?.as_binary::<i32>();
        let shard = self.shard;
        self.for_each_row((apps, events), |day, members, row| {
            if !day.needs_measure(measures.value(row)) {
                return Ok(());
            }
            read_members(bitmaps.value(row), shard, members)?;
            let slice = slice_of(slices.value(row))?;
            let of_offset = (slice == Slice::Exists).then(|| Slice::of_offset(offsets.value(row)));
            for slice in std::iter::once(slice).chain(of_offset.into_iter().flatten()) {
                let row = MeasureRow {
                    name: measures.value(row),
                    scale: u8::try_from(scales.value(row)).unwrap_or_default(),
                    number: numbers.value(row),
                    is_shared: shared.value(row),
                    slice,
                };
                day.add_measure(&row, members);
            }
            Ok(())
        })
    }
}

fn texts<C: Columns, const N: usize>(
    batch: &RecordBatch,
    columns: [C; N],
) -> Result<[&StringArray; N]> {
    let mut found = Vec::with_capacity(N);
    for column in columns {
        found.push(column.of(batch)?.as_string::<i32>());
    }
    let found: std::result::Result<[&StringArray; N], _> = found.try_into();
    found.map_err(|_| DataFusionError::Internal("columns of an artifact".to_owned()))
}

fn text_at(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn slice_of(number: i16) -> Result<Slice> {
    Slice::from_number(number.into()).ok_or_else(|| {
        let what = format!(
            "found slice {number}, expected {} to {}",
            Slice::LEAST,
            Slice::MOST
        );
        DataFusionError::Execution(what)
    })
}

/// Replaces `members` by the ordinals of a published bitmap.
fn read_members(bytes: &[u8], shard: u32, members: &mut Vec<u32>) -> Result<()> {
    tagmill_behaviour::read_members(bytes, shard, members).map_err(|defect| {
        let what = format!("a published bitmap of shard {shard} is damaged: {defect}");
        DataFusionError::Execution(what)
    })
}
