//! Rows with bitmaps on their way into a file: keys are set when they change, a bitmap's bytes are
//! written where they stay.
//!
//! ```text
//! set(keys) ─► runs of equal cells ┐
//! push(row) ─► bitmap's page       ├─ row group full ─► column chunks ─► tap
//! ```

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedFileWriter;
use tagmill_schemas::Artifact;

use super::bitmap_cells::BitmapCells;
use super::cell::Cell;
use super::key_chunk;
use super::layout;
use super::run_column::RunColumn;
use super::spare::Spare;
use super::tap::Tap;

/// A row group ends with the row that makes it hold so many bytes: what a writer of bitmaps holds
/// in memory.
const GROUP_BYTES: usize = 16 << 20;

/// The rows of one file of an artifact with bitmaps, in the order of its sort key.
///
/// The columns before `bitmap` are keys, those behind it counts, of which `cardinality` is the
/// first.
pub(super) struct BitmapRows {
    file: SerializedFileWriter<Tap>,
    /// Every column but the bitmap.
    columns: Vec<RunColumn>,
    /// The bitmap's place in the schema: how many keys there are.
    keys: usize,
    bitmaps: BitmapCells,
    spare: Spare,
    /// Of the open row group.
    rows: u32,
    key_bytes: usize,
    /// Of the whole file.
    all_rows: u64,
    cardinality: u64,
}

impl BitmapRows {
    /// A file without rows yet, in spare memory; `None` for an artifact without bitmaps.
    ///
    /// # Errors
    /// None in practice: types that can not be keys.
    pub(super) fn new(
        artifact: Artifact,
        schema: &SchemaRef,
        spare: &Spare,
    ) -> Result<Option<Self>> {
        let Some(keys) = layout::bitmap_column(artifact) else {
            return Ok(None);
        };
        let fields = schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != keys);
        let columns = fields
            .map(|(_, field)| RunColumn::new(field.data_type()))
            .collect::<Result<_>>()?;
        let (file, _) = ArrowWriter::try_new(
            Tap::default(),
            Arc::clone(schema),
            Some(layout::properties(artifact)),
        )?
        .into_serialized_writer()?;
        let bitmaps = BitmapCells::in_memory(spare.take());
        Ok(Some(Self {
            file,
            columns,
            keys,
            bitmaps,
            spare: spare.clone(),
            rows: 0,
            key_bytes: 0,
            all_rows: 0,
            cardinality: 0,
        }))
    }

    /// From the next row on, the column at this place of the schema has this cell; the others keep
    /// theirs. The bitmap and its cardinality come with [`BitmapRows::push`].
    ///
    /// # Errors
    /// A cell of another type, the place of the bitmap, of its cardinality, or of no column.
    #[inline]
    pub(super) fn set(&mut self, place: usize, cell: Cell<'_>) -> Result<()> {
        let own = match place.cmp(&self.keys) {
            Ordering::Less => Some(place),
            Ordering::Equal => None,
            Ordering::Greater => Some(place - 1).filter(|&own| own != self.keys),
        };
        let column = own
            .and_then(|own| self.columns.get_mut(own))
            .ok_or_else(|| {
                ParquetError::General(format!("a cell for column {place}, which takes none"))
            })?;
        self.key_bytes += column.set(self.rows, cell)?;
        Ok(())
    }

    /// Adds a row with the cells that are set, the bitmap whose bytes `bitmap` appends, and its
    /// cardinality.
    ///
    /// # Errors
    /// When it fills a row group, what encoding says.
    #[inline]
    pub(super) fn push(
        &mut self,
        cardinality: u64,
        bitmap: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        let count = Cell::Int(cardinality as i64);
        self.key_bytes += self.columns[self.keys].set(self.rows, count)?;
        self.bitmaps.push(bitmap);
        self.rows += 1;
        self.all_rows += 1;
        // Damaged counts of a batch that others made; a file of ours can not come near.
        self.cardinality = self.cardinality.wrapping_add(cardinality);
        if self.rows == layout::GROUP_ROWS || self.bitmaps.size() + self.key_bytes >= GROUP_BYTES {
            self.end_group()?;
        }
        Ok(())
    }

    /// How many columns stand before the bitmap.
    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.all_rows
    }

    /// The sum of the first count.
    pub(super) fn cardinality(&self) -> u64 {
        self.cardinality
    }

    /// The encoded parts that are full.
    pub(super) fn drain(&mut self) -> Vec<Bytes> {
        self.file.inner_mut().drain()
    }

    /// Encodes what is left and ends the file.
    ///
    /// # Errors
    /// As [`BitmapRows::push`].
    pub(super) fn finish(mut self) -> Result<Tap> {
        if self.rows > 0 {
            self.end_group()?;
        }
        self.spare.give_back(self.bitmaps.into_memory());
        self.file.finish()?;
        Ok(std::mem::take(self.file.inner_mut()))
    }

    fn end_group(&mut self) -> Result<()> {
        let Self {
            file,
            columns,
            keys,
            bitmaps,
            rows,
            ..
        } = self;
        let descriptors = file.schema_descr().columns().to_vec();
        let mut group = file.next_row_group()?;
        let bytes = bitmaps.take();
        for (at, descriptor) in descriptors.iter().enumerate() {
            let (pages, close) = match at.cmp(keys) {
                Ordering::Less => key_chunk::encode(&columns[at], *rows, descriptor, true)?,
                Ordering::Equal => bitmaps.encode(&bytes, descriptor)?,
                Ordering::Greater => key_chunk::encode(&columns[at - 1], *rows, descriptor, false)?,
            };
            group.append_column(&pages, close)?;
        }
        group.close()?;
        bitmaps.restart(bytes);
        columns.iter_mut().for_each(RunColumn::restart);
        (*rows, self.key_bytes) = (0, 0);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use tagmill_schemas::artifact::groups::Column;

    use super::super::keyed_rows::KeyedRows;
    use super::*;

    fn rows() -> BitmapRows {
        BitmapRows::new(
            Artifact::Groups,
            &Artifact::Groups.schema(),
            &Spare::default(),
        )
        .unwrap()
        .unwrap()
    }

    fn set(rows: &mut BitmapRows, group: Cell<'_>, shard: Option<i64>) {
        let mut keyed = KeyedRows::new(rows);
        keyed
            .set_all([(Column::App, Cell::Text("shop")), (Column::Group, group)])
            .unwrap();
        keyed
            .set_all([
                (Column::Entered, Cell::Int(0)),
                (Column::Left, Cell::Int(0)),
            ])
            .unwrap();
        if let Some(shard) = shard {
            keyed.set(Column::Shard, Cell::Int(shard)).unwrap();
        }
    }

    fn ended(mut rows: BitmapRows) -> String {
        rows.push(1, |out| out.push(7)).unwrap();
        rows.finish()
            .map(|_| "written".to_owned())
            .unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn rejects_rows_without_a_key_or_with_null_where_there_may_be_none() {
        let (mut complete, mut missing, mut null) = (rows(), rows(), rows());
        set(&mut complete, Cell::Text("new"), Some(3));
        assert_eq!(ended(complete), "written");
        set(&mut missing, Cell::Text("new"), None);
        assert!(ended(missing).contains("rows without shard"));
        set(&mut null, Cell::Null, Some(3));
        assert!(ended(null).contains("null in group"));
    }

    #[test]
    fn the_bitmap_and_its_cardinality_take_no_cell() {
        let mut rows = rows();
        let mut keyed = KeyedRows::new(&mut rows);
        for column in [Column::Bitmap, Column::Cardinality] {
            assert!(keyed.set(column, Cell::Int(3)).is_err());
        }
        assert!(keyed.set(Column::App, Cell::Int(3)).is_err());
        assert!(
            BitmapRows::new(
                Artifact::Users,
                &Artifact::Users.schema(),
                &Spare::default()
            )
            .unwrap()
            .is_none()
        );
    }

    #[test]
    fn memory_goes_from_file_to_file() {
        let spare = Spare::default();
        spare.give_back(Vec::with_capacity(1 << 20));
        let first = BitmapRows::new(Artifact::Universe, &Artifact::Universe.schema(), &spare)
            .unwrap()
            .unwrap();
        assert_eq!(spare.take().capacity(), 0);
        first.finish().unwrap();
        assert!(spare.take().capacity() >= 1 << 20);
    }
}
