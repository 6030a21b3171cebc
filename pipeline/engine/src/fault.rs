//! What went wrong inside DataFusion, told by the types and kinds along its chain of causes, never
//! by a text.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::object_store;
use tagmill_schemas::Error;
use tokio::task::JoinError;

/// What went wrong, whatever was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The memory pool is exhausted. The disk manager reports `ResourcesExhausted` only where it is
    /// switched off, which no session of ours does.
    Memory,
    /// A disk has no space left.
    DiskFull,
    /// A temporary file, or another one that Arrow reads or writes itself.
    Spill,
    /// An object store or a file system.
    Store,
    /// A file that an object store does not have.
    Missing,
    /// Bytes that are no Parquet.
    Parquet,
    /// Code that panicked.
    Panic,
    /// Other data that Arrow can not take.
    Arrow,
    /// Arithmetic or a cast fails on a value.
    Expression,
    /// A function or an operator refuses a value.
    Data,
    /// An error of some other library.
    Foreign,
    /// The plan itself.
    Plan,
}

impl Fault {
    pub(crate) fn of(error: &DataFusionError) -> Self {
        if chain(error).any(is_storage_full) {
            return Self::DiskFull;
        }
        if let Some(found) = chain(error).find_map(|e| e.downcast_ref::<object_store::Error>()) {
            return match found {
                object_store::Error::NotFound { .. } => Self::Missing,
                _ => Self::Store,
            };
        }
        if chain(error).any(is_panic) {
            return Self::Panic;
        }
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::Memory,
            DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => Self::Store,
            // A filter is evaluated while a file is read.
            DataFusionError::ParquetError(_) if chain(error).any(is_of_expression) => {
                Self::Expression
            }
            DataFusionError::ParquetError(_) => Self::Parquet,
            DataFusionError::ArrowError(inner, _) => Self::of_arrow(inner),
            DataFusionError::Execution(_) => Self::Data,
            DataFusionError::External(_) => Self::Foreign,
            _ => Self::Plan,
        }
    }

    fn of_arrow(error: &ArrowError) -> Self {
        match error {
            ArrowError::IoError(..) => Self::Spill,
            ArrowError::ParquetError(_) => Self::Parquet,
            ArrowError::DivideByZero
            | ArrowError::ArithmeticOverflow(_)
            | ArrowError::ComputeError(_)
            | ArrowError::CastError(_)
            | ArrowError::ParseError(_) => Self::Expression,
            _ => Self::Arrow,
        }
    }
}

/// The outermost error of ours that DataFusion carries.
pub(crate) fn own_in(error: &DataFusionError) -> Option<&Error> {
    chain(error).find_map(|e| e.downcast_ref::<Error>())
}

fn is_of_expression(error: &(dyn StdError + 'static)) -> bool {
    error
        .downcast_ref::<ArrowError>()
        .is_some_and(|e| Fault::of_arrow(e) == Fault::Expression)
}

fn is_storage_full(error: &(dyn StdError + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|e| e.kind() == io::ErrorKind::StorageFull)
}

fn is_panic(error: &(dyn StdError + 'static)) -> bool {
    error.is::<Panicked>()
        || error
            .downcast_ref::<JoinError>()
            .is_some_and(JoinError::is_panic)
}

/// What a panic said, as an error.
#[derive(Debug)]
struct Panicked(String);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped at: {}", self.0)
    }
}

impl StdError for Panicked {}

/// A panic that was caught, for DataFusion to carry.
pub fn panicked(payload: &(dyn Any + Send)) -> DataFusionError {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no message").to_owned();
    DataFusionError::External(Box::new(Panicked(text)))
}

/// The error and its causes. An input/output error that wraps another one names that one's cause
/// as its own, so the wrapped error itself is looked at first.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&e| {
        let wrapped = e.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => e.source(),
        }
    })
}
