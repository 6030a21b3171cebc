//! `bitmap_build_agg` beside DataFusion's own `count(*)` with the same GROUP BY, on rows in memory;
//! and beside `roaring_agg` of the crate `datafusion-roaring`, where there are no more than 10,000
//! groups: it takes ids of 32 bits and holds an object for each group.
//!
//! Ids are below 5,000,000, at random or ascending; groups are at random. Takes the number of rows
//! as its argument, 50 million if there is none: cargo bench --bench `sql_aggregates` -- 50000000.
//! Prints seconds of the fastest of three runs, of all cores, and how far the memory of the process
//! rose above what it held before the query. With a number of groups and `random` or `sorted`
//! behind the number of rows, only that table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const IDS: u64 = 5_000_000;
const BATCH: usize = 8192;
const GROUPS: [u64; 3] = [10, 10_000, 5_000_000];
const GROUPS_OF_OBJECTS: u64 = 10_000;

/// A number that looks random for each row.
fn mix(row: u64, seed: u64) -> u64 {
    let bits = (row ^ seed << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let bits = (bits ^ bits >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    bits ^ bits >> 32
}

/// Partitions of batches; rows go to the partitions in turn, a batch at a time.
fn table(rows: u64, groups: u64, is_sorted: bool, partitions: usize) -> MemTable {
    let schema = Arc::new(Schema::new(vec![
        Field::new("g", DataType::UInt32, false),
        Field::new("id", DataType::UInt64, false),
        Field::new("id32", DataType::UInt32, false),
    ]));
    let mut parts = vec![Vec::new(); partitions];
    for (number, start) in (0..rows).step_by(BATCH).enumerate() {
        let batch = start..rows.min(start + BATCH as u64);
        let group: ArrayRef = Arc::new(UInt32Array::from_iter_values(
            batch.clone().map(|row| (mix(row, 1) % groups) as u32),
        ));
        let id = |row: u64| {
            if is_sorted {
                row * IDS / rows
            } else {
                mix(row, 2) % IDS
            }
        };
        let ids: ArrayRef = Arc::new(UInt64Array::from_iter_values(batch.clone().map(id)));
        let ids32: ArrayRef = Arc::new(UInt32Array::from_iter_values(
            batch.map(|row| id(row) as u32),
        ));
        parts[number % partitions]
            .push(RecordBatch::try_new(Arc::clone(&schema), vec![group, ids, ids32]).unwrap());
    }
    MemTable::try_new(schema, parts).unwrap()
}

/// What a query took.
struct Measured {
    /// Of the fastest run.
    seconds: f64,
    rows: usize,
    /// The most memory of a run above what was held before it, in MiB.
    memory: u64,
}

async fn measure(context: &SessionContext, query: &str) -> Measured {
    let mut measured = Measured {
        seconds: f64::MAX,
        rows: 0,
        memory: 0,
    };
    for _ in 0..3 {
        give_back();
        let held = memory("VmRSS:");
        // Makes VmHWM start from what is held now.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        measured.rows = run(context, query).await;
        measured.memory = measured.memory.max(memory("VmHWM:").saturating_sub(held));
    }
    for _ in 0..3 {
        let start = Instant::now();
        run(context, query).await;
        measured.seconds = measured.seconds.min(start.elapsed().as_secs_f64());
    }
    measured
}

/// Runs a query; returns how many rows it gives.
async fn run(context: &SessionContext, query: &str) -> usize {
    let plan = context
        .sql(query)
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let mut batches = execute_stream(plan, context.task_ctx()).unwrap();
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        rows += batch.unwrap().num_rows();
    }
    rows
}

/// Gives memory that is not used back to the system, where the allocator can: else a query would
/// take what the one before it left.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> i32;
        }
        // SAFETY: it only gives memory back that nothing holds.
        unsafe { malloc_trim(0) };
    }
}

/// Memory of the process in MiB; 0 where that can not be read.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// One table: `count(*)`, `bitmap_build_agg` and perhaps `roaring_agg` over it, and a line of what
/// they took.
#[tokio::main]
async fn compare(rows: u64, groups: u64, is_sorted: bool) {
    let context = SessionContext::new();
    tagmill_udfs::register_all(&context).unwrap();
    let partitions = context.state().config().target_partitions();
    context
        .register_table("t", Arc::new(table(rows, groups, is_sorted, partitions)))
        .unwrap();
    // First, as ClickHouse has run its INSERT before: the code of the program is read into memory.
    let count = measure(&context, "SELECT g, count(*) FROM t GROUP BY g").await;
    let build = measure(&context, "SELECT g, bitmap_build_agg(id) FROM t GROUP BY g").await;
    assert_eq!(count.rows, build.rows);
    let order = if is_sorted { "sorted" } else { "random" };
    let ratio = build.seconds / count.seconds;
    print!(
        "{groups:>9} {order:>7} {:>10.3} {:>10.3} {ratio:>7.2} {:>10} {:>10}",
        build.seconds, count.seconds, build.memory, count.memory
    );
    if groups <= GROUPS_OF_OBJECTS {
        datafusion_roaring::all_udafs()
            .into_iter()
            .for_each(|aggregate| context.register_udaf(aggregate));
        let other = measure(&context, "SELECT g, roaring_agg(id32) FROM t GROUP BY g").await;
        assert_eq!(other.rows, build.rows);
        print!(
            " {:>14.3} {:>7.2}",
            other.seconds,
            other.seconds / build.seconds
        );
    }
    println!();
}

/// Each table in a process of its own: what one has let go of would be taken for free by the next.
fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let rows = arguments
        .first()
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(50_000_000);
    if let [_, groups, order] = arguments.as_slice() {
        return compare(rows, groups.parse().unwrap(), order == "sorted");
    }
    println!("{rows} rows, ids below {IDS}");
    println!(
        "{:>9} {:>7} {:>10} {:>10} {:>7} {:>10} {:>10} {:>14} {:>7}",
        "groups",
        "ids",
        "build s",
        "count s",
        "ratio",
        "build MiB",
        "count MiB",
        "roaring_agg s",
        "ratio"
    );
    for (groups, order) in GROUPS
        .into_iter()
        .flat_map(|groups| [(groups, "random"), (groups, "sorted")])
    {
        let arguments = [rows.to_string(), groups.to_string(), order.to_string()];
        assert!(
            Command::new(std::env::current_exe().unwrap())
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
    }
}
