//! Artifact files: written once as a stream, checksummed as the bytes pass, read back by projection.
//!
//! ```text
//! RecordBatch ──► chunks ──► Parquet encoder ──► tap (XXH3-128, size) ──► upload ──► FileEntry
//!                 fixed cuts                                              visible when finished
//! FileEntry ──► read_artifact ──► stream of RecordBatch
//! ```
//! A file's bytes are a function of its rows alone: not of the batches they came in, of threads, or of the clock.

mod chunks;
mod layout;
mod reader;
mod tap;
mod writer;

pub use chunks::CHUNK_ROWS;
pub use reader::{BatchStream, file_reader, read_artifact};
pub use writer::ArtifactWriter;
