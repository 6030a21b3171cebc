//! Artifact files: written once as a stream, checksummed as the bytes pass, read back by
//! projection.
//!
//! ```text
//! RecordBatch ──► chunks, fixed cuts ──► Arrow's encoder ┐
//! keys, bitmap bytes ──► runs and pages ──► column chunks ┴► tap (XXH3-128, size) ──► upload ──► FileEntry
//!                                                                                     visible when finished
//! FileEntry ──► read_artifact ──► stream of RecordBatch
//! ```
//! A file's bytes are a function of its rows alone: not of the batches they came in, of threads, or
//! of the clock.

mod batch_rows;
mod bitmap_cells;
mod bitmap_rows;
mod bounds;
mod cell;
mod chunk;
mod chunks;
mod cure;
mod distinct;
mod guard;
mod hybrid;
mod key_chunk;
mod keyed_rows;
mod layout;
mod merging;
mod reader;
mod run_column;
mod spare;
mod table;
mod table_rows;
mod tap;
mod writer;

pub use cell::{Cell, value_cell};
pub use chunks::CHUNK_ROWS;
pub use cure::cure_of;
pub use guard::{decode_all, decode_guarded};
pub use keyed_rows::KeyedRows;
pub use merging::absorbed_parts;
pub use reader::{BatchStream, read_artifact, read_columns};
pub use spare::Spare;
pub use table_rows::{TableRows, typed_value};
pub use writer::ArtifactWriter;
