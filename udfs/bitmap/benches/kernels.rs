//! The kernels on made-up sets of ids below 5,000,000, beside CRoaring; those of the processor at
//! hand beside the portable ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use croaring::{Bitmap, Bitmap64, Portable};
use std::hint::black_box;
use tagmill_bitmap::{
    BitmapRef, GroupSets, Kernels, and, and_cardinality, or, or_many, sort_rows, use_kernels,
    write_sorted,
};

const IDS: u64 = 5_000_000;

fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// About `count` ascending ids; with `burst`, in runs of up to that many.
fn ids(seed: u64, count: usize, burst: u64) -> Vec<u32> {
    let mut next = random(seed);
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let (start, len) = (next() % IDS, 1 + next() % burst);
        ids.extend((start..(start + len).min(IDS)).map(|id| id as u32));
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn bytes_of(ids: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_sorted(0, ids, &mut bytes);
    bytes
}

fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write_sorted");
    for count in [1, 3, 10, 100, 1_000, 100_000, 1_000_000] {
        let sets: Vec<Vec<u32>> = (1..=(100_000 / count).clamp(1, 1_000))
            .map(|seed| ids(seed as u64 * 77, count, 1))
            .collect();
        group.throughput(Throughput::Elements(sets.len() as u64));
        group.bench_with_input(BenchmarkId::new("ours", count), &sets, |bencher, sets| {
            let mut out = Vec::new();
            bencher.iter(|| {
                out.clear();
                sets.iter().for_each(|set| write_sorted(0, set, &mut out));
            });
        });
        group.bench_with_input(
            BenchmarkId::new("croaring", count),
            &sets,
            |bencher, sets| {
                let mut out = Vec::new();
                bencher.iter(|| {
                    for set in sets {
                        let mut bitmap = Bitmap::of(set);
                        bitmap.run_optimize();
                        black_box(bitmap.serialize_into_vec::<Portable>(&mut out));
                        out.clear();
                    }
                });
            },
        );
    }
    group.finish();
}

fn counting(criterion: &mut Criterion) {
    for (name, count, burst) in [
        ("bitsets", 1_000_000, 1),
        ("arrays", 50_000, 1),
        ("runs", 200_000, 400),
    ] {
        let lists = [ids(1, count, burst), ids(2, count, burst)];
        let bytes = [bytes_of(&lists[0]), bytes_of(&lists[1])];
        let [left, right] = [&bytes[0], &bytes[1]].map(|bytes| BitmapRef::parse(bytes).unwrap());
        let others = lists.map(|list| {
            let mut bitmap = Bitmap::of(&list);
            bitmap.run_optimize();
            bitmap
        });
        let mut group = criterion.benchmark_group(name);
        group.bench_function("and_cardinality from bytes, checked", |bencher| {
            bencher.iter(|| {
                let [left, right] =
                    [&bytes[0], &bytes[1]].map(|bytes| BitmapRef::parse(black_box(bytes)).unwrap());
                and_cardinality(&left, &right)
            });
        });
        group.bench_function("and_cardinality from bytes, layout checked", |bencher| {
            bencher.iter(|| {
                let [left, right] = [&bytes[0], &bytes[1]]
                    .map(|bytes| BitmapRef::parse_layout(black_box(bytes)).unwrap());
                and_cardinality(&left, &right)
            });
        });
        group.bench_function(
            "and_cardinality from bytes, croaring decodes and counts",
            |bencher| {
                bencher.iter(|| {
                    let [left, right] = [&bytes[0], &bytes[1]].map(|bytes| {
                        Bitmap64::try_deserialize::<Portable>(black_box(bytes)).unwrap()
                    });
                    left.and_cardinality(&right)
                });
            },
        );
        group.bench_function("and_cardinality, croaring in memory", |bencher| {
            bencher.iter(|| black_box(&others[0]).and_cardinality(black_box(&others[1])));
        });
        let mut out = Vec::new();
        let mut row = |name: &str, work: &mut dyn FnMut(&mut Vec<u8>)| {
            for (kernels, form) in [(Kernels::Portable, ", portable"), (Kernels::Native, "")] {
                use_kernels(kernels);
                group.bench_function(format!("{name}{form}"), |bencher| {
                    bencher.iter(|| {
                        out.clear();
                        work(&mut out);
                    });
                });
            }
        };
        row("and", &mut |out| and(&left, &right, out));
        row("or", &mut |out| or(&left, &right, out));
        let many = [left, right].repeat(10);
        row("or of 20", &mut |out| or_many(&many, out));
        group.bench_function("and, croaring in memory", |bencher| {
            bencher.iter(|| others[0].and(&others[1]))
        });
        group.bench_function("or, croaring in memory", |bencher| {
            bencher.iter(|| others[0].or(&others[1]))
        });
        group.finish();
    }
}

fn building(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    group.sample_size(10);
    let mut next = random(99);
    for groups in [10u64, 10_000, 500_000] {
        let rows: Vec<(usize, u64)> = (0..2_000_000)
            .map(|_| ((next() % groups) as usize, next() % IDS))
            .collect();
        group.throughput(Throughput::Elements(rows.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("groups", groups),
            &rows,
            |bencher, rows| {
                bencher.iter_batched_ref(
                    Vec::new,
                    |out| {
                        let mut sets = GroupSets::default();
                        rows.chunks(8192)
                            .for_each(|batch| sets.insert_all(batch.iter().copied()));
                        let mut drained = sets.drain();
                        for _ in 0..groups {
                            drained.write_next(out);
                        }
                    },
                    BatchSize::PerIteration,
                );
            },
        );
    }
    group.finish();
}

/// Keys of events: a seat above the number of a tuple.
fn sorting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sort");
    group.sample_size(10);
    for (count, bits) in [(100_000, 32), (3_000_000, 45)] {
        let mut next = random(7);
        let rows: Vec<u64> = (0..count).map(|_| next() >> (64 - bits)).collect();
        group.throughput(Throughput::Elements(count));
        let mut buffer = Vec::new();
        group.bench_with_input(BenchmarkId::new("ours", count), &rows, |bencher, rows| {
            bencher.iter_batched_ref(
                || rows.clone(),
                |rows| sort_rows(rows, &mut buffer),
                BatchSize::LargeInput,
            );
        });
        group.bench_with_input(BenchmarkId::new("std", count), &rows, |bencher, rows| {
            bencher.iter_batched_ref(
                || rows.clone(),
                |rows| rows.sort_unstable(),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, writing, counting, building, sorting);
criterion_main!(benches);
