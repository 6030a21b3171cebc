//! The binary from outside: arguments, exit status, what goes to which stream.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that can not go on says so

mod bad_input;
mod configuration;
mod contents;
mod example;
mod faults;
mod help;
mod nights;
mod older_release;
mod problems;
mod process;
mod queries;
mod signals;
mod sql_prompt;
mod usage;
mod warehouse;
