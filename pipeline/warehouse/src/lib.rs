//! The warehouse: bytes at a place, artifact files, releases. It knows nothing of DataFusion.
//!
//! ```text
//! store      put, create-if-absent, list, read ranges: a directory, memory, S3, GCS, HTTP
//! artifact   rows and bitmaps to Parquet files, checksummed while they are written; read back
//! release    what a warehouse is, which release is current, how a run becomes the next one
//! ```

pub mod artifact;
pub mod release;
pub mod store;
