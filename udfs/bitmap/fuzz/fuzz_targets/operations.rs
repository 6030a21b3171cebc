//! See `bodies::operations`.
#![no_main]

#[path = "../../tests/fuzz/bodies.rs"]
#[allow(dead_code, reason = "each target calls one of the functions")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::operations(data));
