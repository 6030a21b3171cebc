//! Files with bitmaps are encoded by the project itself: what Arrow's Parquet reader makes of them,
//! row by row and page by page.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array,
    RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt32Type;
use futures::TryStreamExt;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::basic::{BoundaryOrder, Compression, Encoding};
use parquet::file::metadata::PageIndexPolicy;
use tagmill_schemas::Artifact;
use tagmill_schemas::manifest::FileEntry;

use crate::fixtures::{memory, write};
use tagmill_warehouse::artifact::read_artifact;
use tagmill_warehouse::store::Store;

const DAY: &str = "2026-11-19";

/// Rows of `tags` with runs of every length, nulls, long and non-ASCII texts, and numbers of every
/// size.
fn tags_of(rows: usize) -> RecordBatch {
    let spread = |row: usize| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = |row: usize| row / [1, 3, 700, 5_000][row / 7_919 % 4];
    let kind = |row: usize| value(row) % 6;
    let text = |row: usize| match value(row) % 5 {
        0 => format!("{}ü", "ö".repeat(value(row) % 40)),
        1 => char::MAX.to_string().repeat(20),
        _ => format!("v{:06}", spread(value(row)) % 90_000),
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(
            (0..rows).map(|row| format!("app-{:04}", row / 1_500)),
        )),
        Arc::new(StringArray::from_iter_values(
            (0..rows).map(|row| format!("tag {}", row / 300 % 5)),
        )),
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
            "string", rows,
        ))),
        Arc::new(
            (0..rows)
                .map(|row| (kind(row) == 0).then(|| text(row)))
                .collect::<StringArray>(),
        ),
        Arc::new(
            (0..rows)
                .map(|row| (kind(row) == 1).then(|| spread(value(row)) as i64))
                .collect::<Int64Array>(),
        ),
        Arc::new(
            (0..rows)
                .map(|row| {
                    (kind(row) == 2).then(|| [0.0, -0.0, f64::NAN, -1.5, 1e300][value(row) / 6 % 5])
                })
                .collect::<Float64Array>(),
        ),
        Arc::new(
            (0..rows)
                .map(|row| (kind(row) == 3).then(|| value(row) as i32 - 20_000))
                .collect::<Date32Array>(),
        ),
        Arc::new(
            (0..rows)
                .map(|row| (kind(row) == 4).then(|| value(row) / 6 % 2 == 0))
                .collect::<BooleanArray>(),
        ),
        Arc::new(UInt32Array::from_iter_values(
            (0..rows).map(|row| if row == rows - 1 { u32::MAX } else { 3 }),
        )),
        Arc::new(BinaryArray::from_iter_values((0..rows).map(|row| {
            vec![
                row as u8;
                spread(row) as usize % 90 * usize::from(row % 997 != 0) + row % 997 / 996 * 70_000
            ]
        }))),
        Arc::new(UInt64Array::from_iter_values((0..rows).map(|row| {
            if row % 10 == 0 {
                spread(row)
            } else {
                1 + row as u64 % 3
            }
        }))),
    ];
    RecordBatch::try_new(Artifact::Tags.schema(), columns).unwrap()
}

/// A file of so many rows in a store of its own: tests run beside each other.
async fn written(test: &str, rows: usize) -> (Store, FileEntry, RecordBatch) {
    let store = memory(&format!("runs-{test}"));
    let batch = tags_of(rows);
    let entry = write(
        &store,
        Artifact::Tags,
        DAY,
        "runs",
        Some(3),
        std::slice::from_ref(&batch),
    )
    .await;
    (store, entry, batch)
}

async fn metadata(store: &Store, entry: &FileEntry) -> (bytes::Bytes, ArrowReaderMetadata) {
    let bytes = store.get(&entry.path).await.unwrap();
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    (
        bytes.clone(),
        ArrowReaderMetadata::load(&bytes, options).unwrap(),
    )
}

#[tokio::test]
async fn every_cell_comes_back() {
    for rows in [1, 1_023, 1_024, 1_025, 300_000] {
        let (store, entry, batch) = written("every_cell_comes_back", rows).await;
        let read: Vec<_> = read_artifact(&store, &entry, &[])
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        // NaN is not equal to itself: compared as text.
        let (read, expected) = (concat_batches(&batch.schema(), &read).unwrap(), batch);
        for (column, (got, wanted)) in read.columns().iter().zip(expected.columns()).enumerate() {
            match got.as_primitive_opt::<arrow::datatypes::Float64Type>() {
                Some(got) => {
                    let bits = |array: &Float64Array| {
                        array
                            .iter()
                            .map(|cell| cell.map(f64::to_bits))
                            .collect::<Vec<_>>()
                    };
                    assert_eq!(bits(got), bits(wanted.as_primitive()), "{rows} {column}");
                }
                None => assert_eq!(got, wanted, "{rows} {column}"),
            }
        }
    }
}

/// The bounds that a reader takes from the index and the footer hold the rows they stand for, and
/// are as narrow as they can be.
#[tokio::test]
async fn bounds_of_pages_and_chunks_are_those_of_their_rows() {
    let (store, entry, batch) = written(
        "bounds_of_pages_and_chunks_are_those_of_their_rows",
        300_000,
    )
    .await;
    let (_, metadata) = metadata(&store, &entry).await;
    let parquet = metadata.metadata();
    assert!(parquet.num_row_groups() > 1);
    let schema = batch.schema();
    let groups: Vec<usize> = (0..parquet.num_row_groups()).collect();
    for (column, field) in schema.fields().iter().enumerate().filter(|(_, field)| {
        !["bitmap", "cardinality", "value_double"].contains(&field.name().as_str())
    }) {
        let converter =
            StatisticsConverter::try_new(field.name(), &schema, metadata.parquet_schema()).unwrap();
        let (index, offsets) = (
            parquet.column_index().unwrap(),
            parquet.offset_index().unwrap(),
        );
        let least = converter.data_page_mins(index, offsets, &groups).unwrap();
        let most = converter.data_page_maxes(index, offsets, &groups).unwrap();
        let nulls = converter
            .data_page_null_counts(index, offsets, &groups)
            .unwrap();
        let (mut first, mut page) = (0, 0);
        for group in &groups {
            let rows = parquet.row_group(*group).num_rows() as usize;
            let locations = offsets[*group][column].page_locations();
            for (at, location) in locations.iter().enumerate() {
                let start = location.first_row_index as usize;
                let end = locations
                    .get(at + 1)
                    .map_or(rows, |next| next.first_row_index as usize);
                let cells = batch.column(column).slice(first + start, end - start);
                assert!(
                    end - start <= 1_024 && nulls.value(page) == cells.null_count() as u64,
                    "{field} {page}"
                );
                check_bounds(
                    &cells,
                    &least.slice(page, 1),
                    &most.slice(page, 1),
                    &format!("{field} page {page}"),
                );
                page += 1;
            }
            let cells = batch.column(column).slice(first, rows);
            let chunk = [parquet.row_group(*group)];
            check_bounds(
                &cells,
                &converter.row_group_mins(chunk).unwrap(),
                &converter.row_group_maxes(chunk).unwrap(),
                &format!("{field} group {group}"),
            );
            assert_eq!(
                converter.row_group_null_counts(chunk).unwrap().value(0),
                cells.null_count() as u64
            );
            first += rows;
        }
        assert_eq!((first, page), (batch.num_rows(), least.len()));
    }
}

/// Texts longer than 64 bytes may have bounds that are only near.
fn check_bounds(cells: &ArrayRef, least: &ArrayRef, most: &ArrayRef, what: &str) {
    let set: Vec<u32> = (0..cells.len() as u32)
        .filter(|&row| cells.is_valid(row as usize))
        .collect();
    if set.is_empty() {
        assert!(least.is_null(0) && most.is_null(0), "{what}");
        return;
    }
    let set = arrow::compute::take(cells, &UInt32Array::from(set), None).unwrap();
    let sorted = arrow::compute::sort(&set, None).unwrap();
    let (first, last) = (sorted.slice(0, 1), sorted.slice(sorted.len() - 1, 1));
    match sorted.as_string_opt::<i32>() {
        None => assert_eq!((least, most), (&first, &last), "{what}"),
        Some(_) => {
            let text = |array: &ArrayRef| array.as_string::<i32>().value(0).to_owned();
            let [least, most, first, last] = [least, most, &first, &last].map(text);
            assert!(
                least <= first && first.starts_with(&least) && (least == first || first.len() > 64),
                "{what}: {least} {first}"
            );
            assert!(
                most >= last && (most == last || last.len() > 64 && most.len() <= 64),
                "{what}: {most} {last}"
            );
        }
    }
}

#[tokio::test]
async fn doubles_have_bounds_without_nan_and_with_both_zeros() {
    let (store, entry, _) =
        written("doubles_have_bounds_without_nan_and_with_both_zeros", 3_000).await;
    let (_, metadata) = metadata(&store, &entry).await;
    let column = Artifact::Tags.schema().index_of("value_double").unwrap();
    let statistics = metadata
        .metadata()
        .row_group(0)
        .column(column)
        .statistics()
        .unwrap();
    assert_eq!(statistics.min_bytes_opt().unwrap(), (-1.5f64).to_le_bytes());
    assert_eq!(statistics.max_bytes_opt().unwrap(), 1e300f64.to_le_bytes());
    let zeros = RecordBatch::try_new(Artifact::Tags.schema(), {
        let mut columns = tags_of(2).columns().to_vec();
        columns[column] = Arc::new(Float64Array::from(vec![0.0, f64::NAN]));
        columns
    });
    let entry = write(
        &store,
        Artifact::Tags,
        DAY,
        "zeros",
        Some(3),
        &[zeros.unwrap()],
    )
    .await;
    let (_, metadata) = self::metadata(&store, &entry).await;
    let statistics = metadata
        .metadata()
        .row_group(0)
        .column(column)
        .statistics()
        .unwrap();
    assert_eq!(statistics.min_bytes_opt().unwrap(), (-0.0f64).to_le_bytes());
    assert_eq!(statistics.max_bytes_opt().unwrap(), 0.0f64.to_le_bytes());
}

#[tokio::test]
async fn any_rows_can_be_read_alone() {
    let (store, entry, batch) = written("any_rows_can_be_read_alone", 20_000).await;
    let (bytes, metadata) = metadata(&store, &entry).await;
    for (start, length) in [(0, 1), (1_023, 2), (5_000, 3_000), (19_999, 1)] {
        let selection =
            RowSelection::from(vec![RowSelector::skip(start), RowSelector::select(length)]);
        let reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata.clone())
                .with_row_selection(selection)
                .build()
                .unwrap();
        let read: Vec<_> = reader.map(Result::unwrap).collect();
        let read = concat_batches(&batch.schema(), &read).unwrap();
        let expected = batch.slice(start, length);
        for column in [
            "app",
            "value_string",
            "value_integer",
            "value_date",
            "value_boolean",
            "bitmap",
            "cardinality",
        ] {
            assert_eq!(
                read[column].as_ref(),
                expected[column].as_ref(),
                "{start} {column}"
            );
        }
    }
}

#[tokio::test]
async fn columns_have_the_form_that_is_smallest() {
    let (store, entry, batch) = written("columns_have_the_form_that_is_smallest", 300_000).await;
    let (_, metadata) = metadata(&store, &entry).await;
    let group = metadata.metadata().row_group(0);
    let of = |name: &str| group.column(batch.schema().index_of(name).unwrap());
    for (name, is_dictionary) in [
        ("app", true),
        ("type", true),
        ("value_boolean", false),
        ("shard", true),
        ("bitmap", false),
    ] {
        assert_eq!(
            of(name).dictionary_page_offset().is_some(),
            is_dictionary,
            "{name}"
        );
        let encoding = if is_dictionary {
            Encoding::RLE_DICTIONARY
        } else {
            Encoding::PLAIN
        };
        assert!(of(name).encodings().any(|e| e == encoding), "{name}");
    }
    assert_eq!(of("app").compression(), Compression::UNCOMPRESSED);
    // A constant column costs some tens of bytes a page.
    assert!(
        of("type").compressed_size() < 40 * (group.num_rows() / 1_024 + 2),
        "{}",
        of("type").compressed_size()
    );
    let order = |name: &str| {
        metadata.metadata().column_index().unwrap()[0][batch.schema().index_of(name).unwrap()]
            .get_boundary_order()
    };
    assert_eq!(
        (order("app"), order("tag")),
        (
            Some(BoundaryOrder::ASCENDING),
            Some(BoundaryOrder::UNORDERED)
        )
    );
    let shards: u64 = batch["shard"]
        .as_primitive::<UInt32Type>()
        .iter()
        .flatten()
        .map(u64::from)
        .sum();
    assert!(shards > 0);
}
