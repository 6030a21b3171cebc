//! The kernels and formats of tagmill-udfs, from their own sources.

#[path = "../../src/bitmap/mod.rs"]
pub mod bitmap;
#[path = "../../src/wire/mod.rs"]
pub mod wire;
