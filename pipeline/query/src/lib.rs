//! Reading releases: as SQL tables, as lists of what they have, as estimates of rules, as statements
//! for other engines.

pub mod answers;
pub mod catalog;
mod computed;
pub mod contents;
pub mod engines;
pub mod estimate;
pub mod guard;
pub mod never_rows;
mod one_value;
