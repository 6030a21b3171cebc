//! The kernels against independent oracles: the standard library's sets, CRoaring, roaring-rs, the
//! format's golden files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bsi;
mod counts;
mod damage;
mod defects;
mod golden;
mod groups;
mod laws;
mod oracles;
mod parts;
mod sets;
