//! Which raw file can not be decoded: a page that is damaged behind a sound footer fails somewhere
//! in the plan, where no file has a name any more. Only then the files of the source are read once
//! more, one by one.

use futures::TryStreamExt;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use tagmill_schemas::{Error, Reason};

use super::sources::{Decision, SourceInput};
use tagmill_night::scan::{RawFile, RawFiles};
use tagmill_warehouse::artifact::file_reader;

/// The error with the damaged file as its place; as it was when it has another reason, or every
/// file can be read.
pub async fn name_damaged(error: Error, sources: &[SourceInput<'_>]) -> Error {
    if error.reason() != Some(Reason::Damaged) {
        return error;
    }
    let is_of = |input: &&SourceInput<'_>| {
        error.place() == Some(format!("source {}", input.source.name).as_str())
    };
    let Some(input) = sources.iter().find(is_of) else {
        return error;
    };
    let Decision::Read(files) = &input.decision else {
        return error;
    };
    for file in &files.files {
        if decode(files, file).await.is_err() {
            return error.at(format!(
                "{} (source {})",
                files.store.name_of(&file.found.path),
                input.source.name
            ));
        }
    }
    error
}

async fn decode(files: &RawFiles, file: &RawFile) -> parquet::errors::Result<()> {
    let reader = file_reader(&files.store, file.meta.location.clone(), file.meta.size);
    let mut batches = ParquetRecordBatchStreamBuilder::new(reader)
        .await?
        .build()?;
    while batches.try_next().await?.is_some() {}
    Ok(())
}
