//! Which raw file can not be decoded: a page that is damaged behind a sound footer fails somewhere
//! in the plan, where no file has a name any more, or makes the decoder panic. Only then the files
//! of the source are read once more, one by one.

use datafusion::object_store;
use parquet::errors::ParquetError;
use tagmill_schemas::{Error, Reason};

use super::sources::{Decision, SourceInput};
use tagmill_warehouse::artifact::{decode_all, decode_guarded};

/// The error with the damaged file as its place, refused also where it was a panic; the store's
/// error, where that failed or fails now; as it was when it has another reason, or every file can be read.
pub async fn name_damaged(error: Error, sources: &[SourceInput<'_>]) -> Error {
    let is_panic = error.reason() == Some(Reason::Defect);
    if error.reason() != Some(Reason::Damaged) && !is_panic {
        return error;
    }
    let is_of = |input: &&SourceInput<'_>| {
        error.place() == Some(format!("source {}", input.source.name).as_str())
    };
    // A panic may have lost its source on the way.
    let suspects = sources
        .iter()
        .filter(|input| is_of(input) || (is_panic && error.place().is_none()));
    for input in suspects {
        let Decision::Read(files) = &input.decision else {
            continue;
        };
        if let Some(failure) = files.store.newest_failure() {
            return failure;
        }
        for file in &files.files {
            let (location, size) = (file.meta.location.clone(), file.meta.size);
            let decoded = decode_guarded(decode_all(&files.store, location, size)).await;
            let Err(cause) = decoded else {
                continue;
            };
            let name = files.store.name_of(&file.found.path);
            return match of_store(cause) {
                Ok(cause) => files.store.explain(&file.found.path, "can not read", cause),
                Err(cause) => Error::refused(error.stage(), "raw data can not be read")
                    .for_reason(Reason::Damaged)
                    .at(format!("{name} (source {})", input.source.name))
                    .because(cause)
                    .fix("write the file again"),
            };
        }
    }
    error
}

/// The store's error, if it is one.
fn of_store(error: ParquetError) -> Result<object_store::Error, ParquetError> {
    match error {
        ParquetError::External(inner) => match inner.downcast::<object_store::Error>() {
            Ok(error) => Ok(*error),
            Err(inner) => Err(ParquetError::External(inner)),
        },
        other => Err(other),
    }
}
