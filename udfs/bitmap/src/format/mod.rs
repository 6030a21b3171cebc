//! The format: reading a serialized bitmap in place, and writing a canonical one.

pub(crate) mod among;
pub(crate) mod bucket;
pub(crate) mod check;
pub(crate) mod container;
pub(crate) mod cursor;
pub(crate) mod defect;
pub(crate) mod encode;
pub(crate) mod keys;
pub(crate) mod runs;
pub(crate) mod scattered;
pub(crate) mod sorted;
pub(crate) mod stretches;
pub(crate) mod unite;
pub(crate) mod view;
pub(crate) mod writer;
