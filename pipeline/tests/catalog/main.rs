//! The catalog over a small release written by the artifact writer: what is read, and what comes out.

mod bytes_read;
mod estimates;
mod raw_sources;
mod release;
mod tables;
