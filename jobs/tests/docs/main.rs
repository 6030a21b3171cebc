//! README.md and docs/: every example is run, every link and make target exists.
//!
//! `UPDATE_DOCS=1 cargo test --release --workspace --test docs` writes again what examples print.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that can not go on says so

mod compare;
mod examples;
mod lab;
mod markdown;
mod natural;
mod pages;
mod workflow;
