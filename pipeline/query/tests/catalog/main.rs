//! The catalog over a small release written by the artifact writer: what is read, and what comes
//! out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that can not go on says so

mod analysis;
mod answers;
mod bytes_read;
mod columns;
mod estimates;
mod events;
mod guards;
mod numbers;
mod raw_sources;
mod release;
mod statements;
mod tables;
