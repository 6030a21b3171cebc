//! Set algebra on serialized bitmaps: results as bytes, as counts, as answers.

pub(crate) mod algebra;
pub(crate) mod chunks;
pub(crate) mod clip;
pub(crate) mod combine;
pub(crate) mod count;
pub(crate) mod count_many;
pub(crate) mod expanded;
pub(crate) mod fill;
pub(crate) mod many;
pub(crate) mod order;
pub(crate) mod remap;
pub(crate) mod sample;
pub(crate) mod shift;
pub(crate) mod signed;
pub(crate) mod subset;
pub(crate) mod within;
