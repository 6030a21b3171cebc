//! The whole night from outside: generated and hand-made data through `job::run`, what it publishes
//! against the oracle, what it refuses against the list of bad input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod bytes_read;
mod cells;
mod compare;
mod custom;
mod days;
mod empty_days;
mod estimates_over_days;
mod event_limits;
mod failing_rows;
mod faults;
mod fixture;
mod folders;
mod funnels;
mod hand;
mod ids;
mod infinite_properties;
mod invalid_text;
mod late;
mod limits;
mod many_files;
mod merging;
mod named_columns;
mod nights;
mod nulls;
mod numbers;
mod operator;
mod release;
mod rows;
mod rule_files;
mod same_bytes;
mod set_aside;
mod setup;
mod sources_lost;
mod sql;
mod tag_limit;
mod text_files;
mod travel;
mod trial;
mod types;
mod unseen_events;
mod values;
mod windows;
mod windows_missing;
mod zones;
