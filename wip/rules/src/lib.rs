//! Rules and groups: rule text in, one program of bitmap algebra per app out, and the status of every group.

pub mod groups;
pub mod rules;
