//! The real Roaring data sets: set operations on bytes here against CRoaring's on its own
//! structures.
//!
//! Takes the folder of the data as its argument: per set, a folder with the text files of its
//! archive (comma-separated ascending ids) and `<set>.list` with the names in the archive's order
//! (`unzip -Z1 <set>.zip > <set>.list`). Checks the sums that RoaringBitmap's own benchmarks
//! publish, then prints microseconds for the 199 consecutive pairs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use croaring::{Bitmap, Bitmap64, Portable};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use tagmill_bitmap::{
    BitmapRef, and, and_cardinality, and_not, or, or_cardinality_many, or_many, write_sorted, xor,
};

/// Name, and sums of AND, OR, XOR, ANDNOT over consecutive pairs, then the cardinality of the union
/// of all.
const SETS: [(&str, [u64; 5]); 4] = [
    ("census1881", [23, 2_007_691, 2_007_668, 1_003_836, 988_653]),
    (
        "census1881_srt",
        [206, 1_360_167, 1_359_961, 679_375, 656_346],
    ),
    (
        "wikileaks-noquotes",
        [3_327, 541_893, 538_566, 271_605, 242_540],
    ),
    ("uscensus2000", [0, 11_954, 11_954, 5_970, 5_985]),
];

type Combine = fn(&BitmapRef<'_>, &BitmapRef<'_>, &mut Vec<u8>);
type Other = fn(&Bitmap, &Bitmap) -> Bitmap;
const OPERATIONS: [(&str, Combine, Other); 4] = [
    ("and", and, Bitmap::and),
    ("or", or, Bitmap::or),
    ("xor", xor, Bitmap::xor),
    ("and_not", and_not, Bitmap::andnot),
];

fn read(folder: &Path, set: &str) -> Option<Vec<Vec<u32>>> {
    let list = std::fs::read_to_string(folder.join(format!("{set}.list"))).ok()?;
    let lists = list.lines().map(|name| {
        let text = std::fs::read_to_string(folder.join(set).join(name)).unwrap();
        text.trim()
            .split(',')
            .map(|id| id.trim().parse().unwrap())
            .collect()
    });
    Some(lists.collect())
}

/// Microseconds of the fastest of several rounds.
fn fastest<R>(mut work: impl FnMut() -> R) -> f64 {
    let rounds = (0..60).map(|_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64() * 1e6
    });
    rounds.fold(f64::MAX, f64::min)
}

fn row(set: &str, what: &str, ours: f64, other: (&str, f64)) {
    println!(
        "{set:20} {what:26} {ours:10.1}  {:22} {:10.1}  {:6.2} x",
        other.0,
        other.1,
        other.1 / ours
    );
}

fn measure(set: &str, lists: &[Vec<u32>], sums: [u64; 5]) {
    let bytes: Vec<Vec<u8>> = lists
        .iter()
        .map(|list| {
            let mut out = Vec::new();
            write_sorted(0, list, &mut out);
            out
        })
        .collect();
    let views: Vec<BitmapRef<'_>> = bytes
        .iter()
        .map(|bytes| BitmapRef::parse(bytes).unwrap())
        .collect();
    let others: Vec<Bitmap> = lists
        .iter()
        .map(|list| {
            let mut bitmap = Bitmap::of(list);
            bitmap.run_optimize();
            bitmap
        })
        .collect();
    let mut out = Vec::new();
    for (number, (name, combine, other)) in OPERATIONS.into_iter().enumerate() {
        let sum: u64 = views
            .windows(2)
            .map(|pair| {
                out.clear();
                combine(&pair[0], &pair[1], &mut out);
                BitmapRef::parse(&out).unwrap().cardinality()
            })
            .sum();
        assert_eq!(sum, sums[number], "{set} {name}");
        let ours = fastest(|| {
            for pair in views.windows(2) {
                out.clear();
                combine(&pair[0], &pair[1], &mut out);
            }
        });
        let theirs = fastest(|| {
            others
                .windows(2)
                .map(|pair| other(&pair[0], &pair[1]).cardinality())
                .sum::<u64>()
        });
        row(set, name, ours, ("croaring in memory", theirs));
    }
    let ours = fastest(|| {
        views
            .windows(2)
            .map(|pair| and_cardinality(&pair[0], &pair[1]))
            .sum::<u64>()
    });
    let theirs = fastest(|| {
        others
            .windows(2)
            .map(|pair| pair[0].and_cardinality(&pair[1]))
            .sum::<u64>()
    });
    row(set, "and_cardinality", ours, ("croaring in memory", theirs));
    let parse = |bytes| BitmapRef::parse(bytes).unwrap();
    let ours = fastest(|| {
        bytes
            .windows(2)
            .map(|pair| and_cardinality(&parse(&pair[0]), &parse(&pair[1])))
            .sum::<u64>()
    });
    let decode = |bytes: &[u8]| Bitmap64::try_deserialize::<Portable>(bytes).unwrap();
    let theirs = fastest(|| {
        bytes
            .windows(2)
            .map(|pair| decode(&pair[0]).and_cardinality(&decode(&pair[1])))
            .sum::<u64>()
    });
    row(
        set,
        "and_cardinality from bytes",
        ours,
        ("croaring from bytes", theirs),
    );
    out.clear();
    or_many(&views, &mut out);
    assert_eq!(
        BitmapRef::parse(&out).unwrap().cardinality(),
        sums[4],
        "{set} union of all"
    );
    let ours = fastest(|| {
        out.clear();
        or_many(&views, &mut out);
    });
    let references: Vec<&Bitmap> = others.iter().collect();
    let theirs = fastest(|| Bitmap::fast_or(&references).cardinality());
    row(set, "union of all", ours, ("croaring fast_or", theirs));
    assert_eq!(
        or_cardinality_many(&views),
        sums[4],
        "{set} count of the union of all"
    );
    let counted = fastest(|| or_cardinality_many(&views));
    row(
        set,
        "union of all, counted",
        counted,
        ("croaring fast_or", theirs),
    );
    let theirs = fastest(|| {
        let mut union = Bitmap::fast_or(&references);
        union.run_optimize();
        union.serialize::<Portable>()
    });
    row(set, "union of all", ours, ("croaring to bytes", theirs));
    let ours = fastest(|| {
        out.clear();
        lists
            .iter()
            .for_each(|list| write_sorted(0, list, &mut out));
    });
    let theirs = fastest(|| {
        for list in lists {
            let mut bitmap = Bitmap::of(list);
            bitmap.run_optimize();
            black_box(bitmap.serialize::<Portable>());
        }
    });
    row(
        set,
        "write sorted lists",
        ours,
        ("croaring of + serialize", theirs),
    );
}

fn main() {
    let Some(folder) = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"))
    else {
        println!("no folder of the real Roaring data sets was given: nothing is measured");
        return;
    };
    println!(
        "{:20} {:26} {:>10}  {:22} {:>10}",
        "set", "operation", "us", "compared with", "us"
    );
    for (set, sums) in SETS {
        match read(Path::new(&folder), set) {
            Some(lists) => measure(set, &lists, sums),
            None => println!("{set:20} has no {set}.list in {folder}: not measured"),
        }
    }
}
