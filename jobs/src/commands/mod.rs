//! One file per command: its arguments and what it calls.

pub mod apps;
pub mod completions;
pub mod estimate;
pub mod files;
pub mod groups;
pub mod init;
mod nights;
pub mod other;
pub mod plan;
pub mod publish;
pub mod releases;
pub mod run;
pub mod show;
pub mod sql;
pub mod status;
pub mod tags;
pub mod validate;
pub mod verify;
