//! What DataFusion does for us, and what a fault means for it: who has to act, why, and how.
//!
//! ```text
//!                                raw data   artifacts   release   statement
//! memory, disk, spill, store     retry      retry       retry     retry
//! file that is not there         retry      setup       refused   setup
//! Parquet                        refused    refused     refused   refused
//! expression, data               refused    refused     setup     setup
//! Arrow                          refused    refused     setup     refused
//! another library                setup      setup       setup     refused
//! panic                          setup      setup       setup     setup
//! plan                           setup      setup       setup     setup
//! ```

use tagmill_schemas::{Error, Kind, Reason};

use crate::fault::Fault;

/// What DataFusion was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Planning and reading raw data, up to the artifacts of a shard.
    RawData,
    /// Putting together rows of artifacts that no single shard can write.
    Artifacts,
    /// Reading a published release.
    Release,
    /// Running a person's statement.
    Statement,
}

impl Work {
    /// The error for a fault, without its cause.
    pub(crate) fn explain(self, stage: &'static str, fault: Fault) -> Error {
        let mut error = Error::new(self.kind(fault), stage, self.what(fault));
        if let Some(reason) = self.reason(fault) {
            error = error.for_reason(reason);
        }
        // Elsewhere DataFusion uses the system's folder for temporary files.
        if self == Self::RawData && matches!(fault, Fault::DiskFull | Fault::Spill) {
            error = error.at("run.spill");
        }
        match self.fix(fault) {
            Some(fix) => error.fix(fix),
            None => error,
        }
    }

    fn kind(self, fault: Fault) -> Kind {
        match (fault, self) {
            (Fault::Memory | Fault::DiskFull | Fault::Spill | Fault::Store, _) => Kind::Retry,
            (Fault::Missing, Self::RawData) => Kind::Retry,
            (Fault::Missing, Self::Release) | (Fault::Parquet, _) => Kind::Refused,
            (Fault::Missing | Fault::Panic, _) => Kind::Setup,
            (Fault::Expression | Fault::Data | Fault::Arrow, Self::Release) => Kind::Setup,
            // Who wrote the statement can write another.
            (Fault::Expression | Fault::Data, Self::Statement) => Kind::Setup,
            (Fault::Expression | Fault::Data | Fault::Arrow, _) => Kind::Refused,
            (Fault::Foreign, Self::Statement) => Kind::Refused,
            (Fault::Foreign | Fault::Plan, _) => Kind::Setup,
        }
    }

    fn reason(self, fault: Fault) -> Option<Reason> {
        match (fault, self) {
            (Fault::Memory, _) => Some(Reason::OutOfMemory),
            (Fault::DiskFull, _) => Some(Reason::SpillFull),
            (Fault::Parquet, _) | (Fault::Arrow, Self::RawData) => Some(Reason::Damaged),
            (Fault::Missing, Self::Release) => Some(Reason::Damaged),
            (Fault::Expression | Fault::Data, Self::RawData) => Some(Reason::Expression),
            (Fault::Panic, _) => Some(Reason::Defect),
            _ => None,
        }
    }

    fn what(self, fault: Fault) -> &'static str {
        match (self, fault) {
            (_, Fault::Memory) => "memory is exhausted",
            (Self::RawData, Fault::DiskFull) => "the spill folder is full",
            (Self::RawData, Fault::Spill) => "what was spilled can not be read or written",
            (_, Fault::DiskFull) => "no space is left on the disk",
            (_, Fault::Panic) => "stopped by a defect of this program or of a library",
            (Self::RawData, Fault::Store | Fault::Missing) => "a file can not be read or written",
            (Self::RawData, Fault::Parquet | Fault::Arrow) => "raw data can not be read",
            (Self::RawData, Fault::Expression) => "an expression fails on the data",
            (Self::RawData, Fault::Data) => "the data can not be used",
            (Self::RawData, Fault::Foreign | Fault::Plan) => "the plan can not be carried out",
            (Self::Artifacts, _) => "rows of the release can not be put together",
            (Self::Release, _) => "a release can not be read",
            (Self::Statement, _) => "the statement failed",
        }
    }

    fn fix(self, fault: Fault) -> Option<&'static str> {
        match (self, fault) {
            (Self::RawData, Fault::Memory) => {
                Some("raise run.memory, or make fewer things fit: more shards in a new warehouse")
            }
            (Self::RawData, Fault::DiskFull) => {
                Some("free disk space, or give the run more memory")
            }
            (Self::RawData, Fault::Parquet | Fault::Arrow) => Some("write the file again"),
            (Self::RawData, Fault::Expression) => Some(
                "write it so that it holds for every row (nullif, try_cast), or repair the data",
            ),
            (_, Fault::Memory) => Some("raise run.memory"),
            (_, Fault::DiskFull) => Some("free disk space"),
            (_, Fault::Panic) => Some("report it, with the data if it can be shown"),
            _ => None,
        }
    }
}
