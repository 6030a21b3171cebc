//! DataFusion's errors as ours: who can do something about it, and what.

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use tagmill_schemas::{Error, Kind};

/// Our own error if DataFusion only carried it; else one of the kind that fits.
pub fn of_datafusion(stage: &'static str, error: DataFusionError) -> Error {
    match take_own(error) {
        Ok(own) => own,
        Err(error) => classify(stage, error),
    }
}

/// Carries one of our errors through DataFusion; [`of_datafusion`] takes it out again.
pub fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn take_own(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => Ok(*own),
            Err(inner) => match inner.downcast::<DataFusionError>() {
                Ok(nested) => take_own(*nested),
                Err(inner) => Err(DataFusionError::External(inner)),
            },
        },
        DataFusionError::Context(_, inner) => take_own(*inner),
        DataFusionError::Shared(inner) => match own_inside(&inner) {
            Some(own) => Ok(own),
            None => Err(DataFusionError::Shared(inner)),
        },
        other => Err(other),
    }
}

/// An error that several partitions share can not be moved out: its sentence is kept.
fn own_inside(error: &DataFusionError) -> Option<Error> {
    let DataFusionError::External(inner) = error.find_root() else {
        return None;
    };
    let own = inner.downcast_ref::<Error>()?;
    let sentence = own.to_string();
    Some(match own.kind() {
        Kind::Refused => Error::refused(own.stage(), sentence),
        Kind::Setup => Error::setup(own.stage(), sentence),
        Kind::Retry => Error::retry(own.stage(), sentence),
        Kind::Interrupted => Error::interrupted(own.stage()),
    })
}

fn classify(stage: &'static str, error: DataFusionError) -> Error {
    let text = error.to_string();
    match error.find_root() {
        _ if text.contains(NO_SPACE) => spill_is_full(stage, error),
        DataFusionError::ResourcesExhausted(_)
            if text.contains("temp") || text.contains("disk") =>
        {
            spill_is_full(stage, error)
        }
        DataFusionError::ResourcesExhausted(_) => Error::retry(stage, OUT_OF_MEMORY)
            .because(error)
            .fix("raise run.memory, or make fewer things fit: more shards in a new warehouse"),
        DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => {
            Error::retry(stage, "a file can not be read or written").because(error)
        }
        // What the exchange spilled: damaged pages of raw data are errors of Parquet.
        DataFusionError::ArrowError(inner, _) if matches!(**inner, ArrowError::IoError(..)) => {
            Error::retry(stage, "what was spilled can not be read or written")
                .at("run.spill")
                .because(error)
        }
        DataFusionError::ArrowError(inner, _) if is_of_expression(inner) => Error::refused(
            stage,
            "an expression fails on the data",
        )
        .because(error)
        .fix("write it so that it holds for every row (nullif, try_cast), or repair the data"),
        DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..) => {
            Error::refused(stage, "raw data can not be read")
                .because(error)
                .fix("write the file again")
        }
        DataFusionError::Execution(_) => {
            Error::refused(stage, "the data can not be used").because(error)
        }
        _ => Error::setup(stage, "the plan can not be carried out").because(error),
    }
}

const OUT_OF_MEMORY: &str = "memory is exhausted";

/// Whether the memory pool had no more to give.
pub fn is_out_of_memory(error: &Error) -> bool {
    error.what() == OUT_OF_MEMORY
}

/// How the operating system says that a disk is full; our own files' errors come with their place
/// and do not get here.
const NO_SPACE: &str = "No space left on device";

fn spill_is_full(stage: &'static str, error: DataFusionError) -> Error {
    Error::retry(stage, "the spill folder is full")
        .at("run.spill")
        .because(error)
        .fix("free disk space, or give the run more memory")
}

/// Arithmetic and casts, as against bytes that can not be decoded.
fn is_of_expression(error: &ArrowError) -> bool {
    matches!(
        error,
        ArrowError::DivideByZero
            | ArrowError::ArithmeticOverflow(_)
            | ArrowError::ComputeError(_)
            | ArrowError::CastError(_)
            | ArrowError::ParseError(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_spill_folder_is_for_later_and_a_damaged_page_is_not() {
        let io = std::io::Error::from_raw_os_error(28);
        let full = || {
            DataFusionError::ArrowError(
                Box::new(ArrowError::IoError(
                    format!("IO error: {io}"),
                    std::io::Error::from_raw_os_error(28),
                )),
                None,
            )
        };
        let shared = DataFusionError::Shared(std::sync::Arc::new(full()));
        for error in [full(), full().context("while spilling"), shared] {
            let error = of_datafusion("scan", error);
            assert_eq!(
                (error.kind(), error.what(), error.place()),
                (Kind::Retry, "the spill folder is full", Some("run.spill")),
                "{error}"
            );
        }
        let damaged =
            DataFusionError::ArrowError(Box::new(ArrowError::ParquetError("eof".into())), None);
        assert_eq!(of_datafusion("scan", damaged).kind(), Kind::Refused);
        let unreadable = ArrowError::IoError(
            "gone".into(),
            std::io::Error::from(std::io::ErrorKind::NotFound),
        );
        assert_eq!(
            of_datafusion(
                "scan",
                DataFusionError::ArrowError(Box::new(unreadable), None)
            )
            .kind(),
            Kind::Retry
        );
    }
}
