//! Roaring bitmaps for DataFusion: kernels on serialized bytes, and the SQL functions over them.
//!
//! [`bitmap`] knows nothing of SQL or Arrow: it reads and writes byte slices in the portable 64-bit Roaring format.

pub mod bitmap;
