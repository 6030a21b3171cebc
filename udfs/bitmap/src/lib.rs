//! Portable 64-bit Roaring as bytes: a strict zero-copy view, canonical writers, set algebra
//! without decoding.
//!
//! ```text
//! bitmap64 := bucket count: u64, then per bucket, ascending: high: u32, bitmap32
//! bitmap32 := 12346: u32, container count n: u32,                  descriptors, offsets, containers
//!           | 12347 | (n - 1) << 16: u32, run flags: ceil(n/8) x u8, descriptors, offsets if n >= 4, containers
//! descriptors := n x { key: u16, cardinality - 1: u16 }, keys ascending
//! offsets     := n x u32, of each container, from the start of the bitmap32
//! container   := array of ascending u16, if at most 4096 values | bitset of 8192 bytes, if more
//!              | run count: u16, runs x { start: u16, length - 1: u16 }, if its flag is set
//! ```
//! All little endian (RoaringFormatSpec). What is written here is *canonical*: every container
//! takes its smallest serialized form, ties in the order array, bitset, run; no empty buckets. So
//! equal sets are equal bytes.

mod bsi;
mod format;
mod groups;
mod kernels;
mod sets;
mod slice;
mod sliced;
mod width;
pub mod wire;

pub use bsi::{Bsi, Comparison};
pub use format::bucket::{Bitmap32Ref, Containers};
pub use format::container::Container;
pub use format::defect::Defect;
pub use format::sorted::{write_sorted, write_sorted_u64};
pub use format::view::{BitmapRef, Buckets};
pub use groups::group_sets::{DrainedGroups, GroupSets};
pub use groups::shared::SharedBytes;
pub use kernels::cpu::{Kernels, kernels, use_kernels};
pub use kernels::pick::pick;
pub use kernels::sort::{SortKey, SortRow, sort_rows};
pub use sets::algebra::{and, and_not, or, xor};
pub use sets::clip::{clear, page, range};
pub use sets::count::{and_cardinality, and_not_cardinality, or_cardinality, xor_cardinality};
pub use sets::count_many::{and_cardinality_many, or_cardinality_many, xor_cardinality_many};
pub use sets::expanded::Expanded;
pub use sets::fill::{RANGE_MOST, RangeError, fill, flip, write_range};
pub use sets::many::{and_many, or_many};
pub use sets::remap::{remap, remap_in_turn, write_edited};
pub use sets::sample::sample;
pub use sets::shift::shift;
pub use sets::signed::{SignedError, change_signed_bits};
pub use sets::subset::{equals, has_all, has_any};
pub use slice::Slice;
pub use sliced::{Compared, SlicedNumbers};
pub use width::Width;

/// Cookie of a 32-bit bitmap without run containers; the container count follows.
const COOKIE_NO_RUNS: u32 = 12346;
/// Low half of the cookie of a 32-bit bitmap with run containers; the high half is the container
/// count less one.
const COOKIE_RUNS: u32 = 12347;
/// A bitmap with runs and fewer containers than this has no offsets.
const OFFSETS_FROM: usize = 4;
/// The most values an array container holds.
const ARRAY_MOST: usize = 4096;
/// Bytes of a bitset container.
const BITSET_BYTES: usize = 8192;
