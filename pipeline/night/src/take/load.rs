//! What a shard takes over from earlier releases: dictionary, universe, carried tags, groups to
//! compare with.

use std::collections::HashMap;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::UInt32Type;
use datafusion::error::{DataFusionError, Result};
use futures::TryStreamExt;
use tagmill_bitmap::BitmapRef;
use tagmill_schemas::IdScope;
use tagmill_schemas::artifact::{Columns, groups, tags, universe, users};
use tagmill_schemas::manifest::FileEntry;
use tagmill_schemas::shard::{append_scoped, hash_of_id};
use tagmill_schemas::value::Value;

use super::earlier_behaviour::EarlierBehaviour;
use super::labels::LabelRule;
use super::seats::Dictionary;
use super::shard::Shard;
use super::source_state::SourceState;
use crate::plan::spec::Keeps;
use tagmill_engine::external;
use tagmill_warehouse::artifact::{read_columns, typed_value};
use tagmill_warehouse::store::Store;

/// Loads everything but the groups.
pub async fn load_parent(shard: &mut Shard<'_>, store: &Store) -> Result<()> {
    load_users(shard, store).await?;
    load_universe(shard, store).await?;
    let spec = shard.spec;
    shard.earlier = EarlierBehaviour::load(spec, shard.number, store).await?;
    load_tags(shard, store, &spec.parent.tags, Keeps::Earlier).await?;
    load_tags(shard, store, &spec.parent.tags_of_date, Keeps::OfDate).await
}

/// The files of one shard.
pub(crate) fn of_shard(files: &[FileEntry], shard: u32) -> Vec<&FileEntry> {
    files
        .iter()
        .filter(|file| file.shard == Some(shard))
        .collect()
}

/// The batches of a file, of these columns; of all for none.
pub(crate) async fn batches<C: Columns>(
    store: &Store,
    file: &FileEntry,
    columns: &[C],
) -> Result<Vec<RecordBatch>> {
    let stream = read_columns(store, file, columns).await.map_err(external)?;
    stream.map_err(external).try_collect().await
}

/// Every run appended a file whose ordinals follow those of the run before.
async fn load_users(shard: &mut Shard<'_>, store: &Store) -> Result<()> {
    let spec = shard.spec;
    let files = of_shard(&spec.parent.users, shard.number);
    let users: u64 = files.iter().map(|file| file.rows).sum();
    shard.ids = Dictionary::with_capacity(users as usize + users as usize / 16);
    let scoped = shard.spec.id_scope == IdScope::App;
    let columns: &[users::Column] = if scoped {
        &[
            users::Column::Ordinal,
            users::Column::App,
            users::Column::UserId,
        ]
    } else {
        &[users::Column::Ordinal, users::Column::UserId]
    };
    let mut loaded = Vec::with_capacity(files.len());
    for file in files {
        let batches = batches(store, file, columns).await?;
        let first = match batches.first() {
            Some(batch) => ordinals_of(batch)?.value(0),
            None => u32::MAX,
        };
        loaded.push((first, file, batches));
    }
    loaded.sort_by_key(|(first, ..)| *first);
    shard.user_files = loaded.iter().map(|(_, file, _)| *file).collect();
    for batch in loaded.into_iter().flat_map(|(.., batches)| batches) {
        add_users(&mut shard.ids, &batch)?;
    }
    shard.known = shard.ids.len() as u32;
    Ok(())
}

fn ordinals_of(batch: &RecordBatch) -> Result<&UInt32Array> {
    Ok(users::Column::Ordinal
        .of(batch)?
        .as_primitive::<UInt32Type>())
}

fn add_users(ids: &mut Dictionary, batch: &RecordBatch) -> Result<()> {
    let ordinals = ordinals_of(batch)?.values();
    let texts = users::Column::UserId.of(batch)?.as_string::<i32>();
    let apps = users::Column::App
        .of(batch)
        .ok()
        .map(|apps| apps.as_string::<i32>());
    let mut scoped = Vec::new();
    let mut ends = vec![0];
    if let Some(apps) = apps {
        for row in 0..batch.num_rows() {
            append_scoped(
                apps.value(row).as_bytes(),
                texts.value(row).as_bytes(),
                &mut scoped,
            );
            ends.push(scoped.len());
        }
    }
    let key = |row: usize| {
        if apps.is_some() {
            &scoped[ends[row]..ends[row + 1]]
        } else {
            texts.value(row).as_bytes()
        }
    };
    let hashes: Vec<u64> = (0..batch.num_rows())
        .map(|row| hash_of_id(key(row)))
        .collect();
    let mut numbers = Vec::with_capacity(hashes.len());
    ids.intern_batch(&hashes, key, |number, _| numbers.push(number));
    if numbers == **ordinals {
        return Ok(());
    }
    let at = numbers
        .iter()
        .zip(ordinals.iter())
        .position(|(a, b)| a != b)
        .unwrap_or(0);
    Err(DataFusionError::Execution(format!(
        "the dictionary is damaged: user {:?} has ordinal {}, expected {}",
        texts.value(at),
        ordinals[at],
        numbers[at]
    )))
}

async fn load_universe(shard: &mut Shard<'_>, store: &Store) -> Result<()> {
    let mut ordinals = Vec::new();
    for file in of_shard(&shard.spec.parent.universe, shard.number) {
        let columns = [universe::Column::App, universe::Column::Bitmap];
        for batch in batches(store, file, &columns).await? {
            let [apps, bitmaps] = columns.map(|column| column.of(&batch));
            let (apps, bitmaps) = (apps?.as_string::<i32>(), bitmaps?.as_binary::<i32>());
            for row in 0..batch.num_rows() {
                members(bitmaps.value(row), shard.number, shard.known, &mut ordinals)?;
                let app = shard.apps.string_code(apps.value(row).as_bytes());
                for &ordinal in &ordinals {
                    shard.seats.take(&mut shard.ids, app, ordinal);
                }
            }
        }
    }
    Ok(())
}

/// The ordinals of a published bitmap of this shard, all of users that the dictionary knows.
pub(crate) fn members(bytes: &[u8], shard: u32, known: u32, out: &mut Vec<u32>) -> Result<()> {
    out.clear();
    let damaged = |what: String| {
        DataFusionError::Execution(format!(
            "a published bitmap of shard {shard} is damaged: {what}"
        ))
    };
    let bitmap = BitmapRef::parse(bytes).map_err(|e| damaged(e.to_string()))?;
    if let Some(bucket) = bitmap.bucket(shard) {
        bucket.append_to(out);
    }
    match out.last() {
        Some(&last) if last >= known => Err(damaged(format!(
            "it has the ordinal {last}, the dictionary ends before {known}"
        ))),
        _ => Ok(()),
    }
}

/// The values of the sources that keep what these files have of them.
async fn load_tags(
    shard: &mut Shard<'_>,
    store: &Store,
    files: &[FileEntry],
    keeps: Keeps,
) -> Result<()> {
    let mut ordinals = Vec::new();
    for file in of_shard(files, shard.number) {
        for batch in batches::<tags::Column>(store, file, &[]).await? {
            let texts = |column: tags::Column| {
                Ok::<_, DataFusionError>(column.of(&batch)?.as_string::<i32>())
            };
            let (apps, tags) = (texts(tags::Column::App)?, texts(tags::Column::Tag)?);
            let bitmaps = tags::Column::Bitmap.of(&batch)?.as_binary::<i32>();
            for row in 0..batch.num_rows() {
                let (app, tag) = (apps.value(row), tags.value(row));
                let Some(keeper) = keeper_of(shard, keeps, app, tag) else {
                    continue;
                };
                let Some(value) = typed_value(&batch, row) else {
                    continue;
                };
                members(bitmaps.value(row), shard.number, shard.known, &mut ordinals)?;
                let published = Published {
                    app,
                    tag,
                    value: &value,
                    ordinals: &ordinals,
                };
                carry(shard, keeper, &published);
            }
        }
    }
    Ok(())
}

/// A value that was published before.
struct Published<'a> {
    app: &'a str,
    tag: &'a str,
    value: &'a Value,
    /// The users who have it.
    ordinals: &'a [u32],
}

/// The source that keeps the values of this tag of this app. Those of an app that is set aside are of
/// the night before, whatever is read of its sources.
fn keeper_of(shard: &Shard<'_>, keeps: Keeps, app: &str, tag: &str) -> Option<usize> {
    let label = shard.spec.label(app, tag);
    let sources = shard.spec.sources.iter().zip(&shard.states).enumerate();
    let is_aside = shard.spec.set_aside.contains(app);
    let mut keeping = sources.filter(|(_, (spec, _))| match is_aside {
        true => keeps == Keeps::Earlier,
        false => spec.keeps == keeps,
    });
    let keeper = keeping.find(|(_, (spec, state))| match state {
        SourceState::Attributes(state) => state.tags.iter().any(|column| column.name == tag),
        SourceState::Labels(_) => label.is_some_and(|label| label.source == spec.name),
        SourceState::Events(..) => false,
    });
    keeper.map(|(source, _)| source)
}

fn carry(shard: &mut Shard<'_>, keeper: usize, published: &Published<'_>) {
    let app = shard.apps.string_code(published.app.as_bytes());
    let declared = shard.spec.label(published.app, published.tag);
    let Shard {
        states, seats, ids, ..
    } = shard;
    let ordinals = published.ordinals.iter();
    let seats = ordinals.map(|&ordinal| seats.take(ids, app, ordinal));
    match &mut states[keeper] {
        SourceState::Attributes(state) => {
            let mut columns = state.tags.iter_mut();
            if let Some(column) = columns.find(|column| column.name == published.tag) {
                let code = column.values.code_of(published.value);
                seats.for_each(|seat| column.carry(seat, code));
            }
        }
        SourceState::Labels(state) => {
            let tag = state.names.string_code(published.tag.as_bytes());
            let multi = declared.is_some_and(|label| label.multi);
            let rule = LabelRule::Typed(published.value.value_type(), multi);
            let label = state.label(app, tag, |_| rule);
            seats.for_each(|seat| state.carry(label, seat, published.value));
        }
        SourceState::Events(..) => {}
    }
}

/// The groups of the earlier release in this shard: (app, group) -> ascending ordinals' bitmap.
pub async fn load_groups(
    files: &[FileEntry],
    shard: u32,
    store: &Store,
) -> Result<HashMap<(String, String), Vec<u8>>> {
    let mut groups = HashMap::new();
    for file in of_shard(files, shard) {
        let columns = [
            groups::Column::App,
            groups::Column::Group,
            groups::Column::Bitmap,
        ];
        for batch in batches(store, file, &columns).await? {
            let [apps, names, bitmaps] = columns.map(|column| column.of(&batch));
            let (apps, names) = (apps?.as_string::<i32>(), names?.as_string::<i32>());
            let bitmaps = bitmaps?.as_binary::<i32>();
            for row in 0..batch.num_rows() {
                groups.insert(
                    (apps.value(row).to_owned(), names.value(row).to_owned()),
                    bitmaps.value(row).to_vec(),
                );
            }
        }
    }
    Ok(groups)
}
