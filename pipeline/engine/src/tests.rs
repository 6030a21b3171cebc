//! Each fault as DataFusion really reports it, for each work.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Write};
use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryPool};
use datafusion::object_store;
use datafusion::parquet::errors::ParquetError;
use tagmill_schemas::{Error, Kind, Reason};

use crate::{Work, external, of_datafusion, panicked};

const WORKS: [Work; 4] = [
    Work::RawData,
    Work::Artifacts,
    Work::Release,
    Work::Statement,
];

/// As the writer of a spill file passes an error on: through `io::Write` and Arrow's IPC writer.
fn while_spilling(kind: io::ErrorKind) -> DataFusionError {
    let inside = DataFusionError::IoError(io::Error::from(kind));
    ArrowError::from(io::Error::from(inside)).into()
}

fn of_store(found: object_store::Error) -> DataFusionError {
    ParquetError::from(found).into()
}

fn not_found() -> object_store::Error {
    object_store::Error::NotFound {
        path: "a".to_owned(),
        source: "gone".into(),
    }
}

fn unreachable() -> object_store::Error {
    object_store::Error::Generic {
        store: "S3",
        source: io::Error::from(io::ErrorKind::TimedOut).into(),
    }
}

fn exhausted() -> DataFusionError {
    let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(1));
    let consumer = MemoryConsumer::new("test").register(&pool);
    consumer.try_resize(2).unwrap_err()
}

fn arrow(error: ArrowError) -> DataFusionError {
    error.into()
}

#[test]
fn one_table_says_who_has_to_act() {
    use Kind::{Refused, Retry, Setup};
    use Reason::{Damaged, Defect, Expression, OutOfMemory, SpillFull};
    let parquet = || ParquetError::General("eof".to_owned());
    let rows: [(DataFusionError, [Kind; 4], [Option<Reason>; 4]); 14] = [
        (exhausted(), [Retry; 4], [Some(OutOfMemory); 4]),
        (
            while_spilling(io::ErrorKind::StorageFull),
            [Retry; 4],
            [Some(SpillFull); 4],
        ),
        (
            while_spilling(io::ErrorKind::NotFound),
            [Retry; 4],
            [None; 4],
        ),
        (of_store(unreachable()), [Retry; 4], [None; 4]),
        (
            of_store(not_found()),
            [Retry, Setup, Refused, Setup],
            [None, None, Some(Damaged), None],
        ),
        (parquet().into(), [Refused; 4], [Some(Damaged); 4]),
        (arrow(parquet().into()), [Refused; 4], [Some(Damaged); 4]),
        (
            panicked(&"range end index 7 out of range"),
            [Setup; 4],
            [Some(Defect); 4],
        ),
        (
            arrow(ArrowError::SchemaError("columns".to_owned())),
            [Refused, Refused, Setup, Refused],
            [Some(Damaged), None, None, None],
        ),
        (
            arrow(ArrowError::DivideByZero),
            [Refused, Refused, Setup, Setup],
            [Some(Expression), None, None, None],
        ),
        (
            ParquetError::External(Box::new(ArrowError::ComputeError("'age'".to_owned()))).into(),
            [Refused, Refused, Setup, Setup],
            [Some(Expression), None, None, None],
        ),
        (
            DataFusionError::Execution("no bitmap".to_owned()),
            [Refused, Refused, Setup, Setup],
            [Some(Expression), None, None, None],
        ),
        (
            DataFusionError::External("other".into()),
            [Setup, Setup, Setup, Refused],
            [None; 4],
        ),
        (
            DataFusionError::Plan("no column".to_owned()),
            [Setup; 4],
            [None; 4],
        ),
    ];
    for (error, kinds, reasons) in rows {
        // Several works look at it, as several partitions do.
        let error = Arc::new(error);
        for (work, (kind, reason)) in WORKS.into_iter().zip(kinds.into_iter().zip(reasons)) {
            let shared = DataFusionError::Shared(Arc::clone(&error)).context("while scanning");
            let told = of_datafusion(work, "test", shared);
            assert_eq!(
                (told.kind(), told.reason()),
                (kind, reason),
                "{work:?}: {told}"
            );
        }
    }
}

#[test]
fn a_shared_error_of_ours_loses_nothing() {
    let ours = || {
        Error::retry("scan", "the file changed")
            .for_reason(Reason::NotReady)
            .at("raw/a.parquet")
            .because(io::Error::other("two sizes"))
            .fix("run again")
    };
    let carried: [fn(Error) -> DataFusionError; 5] = [
        external,
        |e| external(e).context("while scanning"),
        |e| DataFusionError::Shared(Arc::new(external(e))).context("in a partition"),
        |e| arrow(ArrowError::ExternalError(Box::new(external(e)))),
        |e| arrow(io::Error::other(e).into()),
    ];
    for carry in carried {
        let back = of_datafusion(Work::Statement, "sql", carry(ours()));
        assert_eq!(
            (back.kind(), back.reason(), back.place()),
            (Kind::Retry, Some(Reason::NotReady), Some("raw/a.parquet"))
        );
        assert_eq!(back.to_string(), ours().to_string());
    }
}

#[test]
fn only_a_spill_folder_of_ours_has_a_place() {
    let full = || while_spilling(io::ErrorKind::StorageFull);
    let night = of_datafusion(Work::RawData, "scan", full());
    assert_eq!(
        (night.what(), night.place()),
        ("the spill folder is full", Some("run.spill"))
    );
    let statement = of_datafusion(Work::Statement, "sql", full());
    assert_eq!(
        (statement.what(), statement.place()),
        ("no space is left on the disk", None)
    );
}

/// [`crate::fault::Fault::Memory`] rests on this: a limit of the disk is no exhausted resource.
#[test]
fn a_limit_of_temporary_files_is_not_taken_for_memory() {
    let disk = DiskManagerBuilder::default()
        .with_max_temp_directory_size(1)
        .build()
        .unwrap();
    let file = Arc::new(disk).create_tmp_file("test").unwrap();
    let error = file.open_writer().unwrap().write_all(&[0; 2]).unwrap_err();
    let told = of_datafusion(Work::Statement, "sql", arrow(error.into()));
    assert_eq!((told.kind(), told.reason()), (Kind::Retry, None), "{told}");
}
