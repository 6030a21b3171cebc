//! Reading releases: as SQL tables, as estimates of rules, as statements for other engines.

pub mod catalog;
pub mod engines;
pub mod estimate;
