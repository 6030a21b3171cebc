//! The suite of `tests/bitmap` and the bounded run of the fuzz targets once more, with kernels that
//! every processor of the architecture can run: no test of the others shows what those do.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../bitmap/bsi.rs"]
mod bsi;
#[path = "../bitmap/counts.rs"]
mod counts;
#[path = "../bitmap/damage.rs"]
mod damage;
#[path = "../bitmap/defects.rs"]
mod defects;
#[path = "../fuzz/main.rs"]
mod fuzz;
#[path = "../bitmap/golden.rs"]
mod golden;
#[path = "../bitmap/groups.rs"]
mod groups;
#[path = "../bitmap/laws.rs"]
mod laws;
#[path = "../bitmap/oracles.rs"]
mod oracles;
#[path = "../bitmap/parts.rs"]
mod parts;
#[path = "../bitmap/sets.rs"]
mod sets;

use tagmill_bitmap::{Kernels, kernels, use_kernels};

/// Tests start on many threads and in any order; this runs before all of them.
// SAFETY: the section holds addresses of functions that the loader calls before `main`, and this
// one only stores a number.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = {
    extern "C" fn choose() {
        use_kernels(Kernels::Portable);
    }
    choose
};

#[test]
fn kernels_are_the_portable_ones() {
    assert_eq!(kernels(), Kernels::Portable);
}

/// A file that is added to the suite is added here.
#[test]
fn the_whole_suite_is_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bitmap");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "main.rs" || include_str!("main.rs").contains(&format!("\"../bitmap/{name}\"")),
            "{name} is not in tests/portable/main.rs"
        );
    }
}
