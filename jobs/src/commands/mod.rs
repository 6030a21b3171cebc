//! One file per command: its arguments and what it calls.

pub mod estimate;
pub mod files;
pub mod init;
pub mod other;
pub mod plan;
pub mod releases;
pub mod run;
pub mod show;
pub mod sql;
pub mod status;
pub mod validate;
pub mod verify;
