//! One tag value costs one tag value's bytes: measured with a store that counts.

use arrow::array::AsArray;
use datafusion::prelude::SessionContext;

use crate::release::{Release, small, wide};

async fn rows(ctx: &SessionContext, sql: &str) -> usize {
    ctx.sql(sql)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap()
        .iter()
        .map(|batch| batch.num_rows())
        .sum()
}

/// Bytes fetched from the files of one artifact by a query in a session of its own, and the
/// artifact's size.
async fn cost(release: &Release, artifact: &str, sql: &str) -> (u64, u64) {
    let ctx = release.session().await;
    let before = release.counting.bytes_fetched(artifact);
    assert!(rows(&ctx, sql).await > 0, "{sql}");
    let size = release
        .manifest
        .files
        .iter()
        .filter(|file| format!("/{}", file.path).starts_with(artifact))
        .map(|file| file.bytes)
        .sum();
    (release.counting.bytes_fetched(artifact) - before, size)
}

#[tokio::test]
async fn one_value_of_three_thousand_costs_a_small_share() {
    let release = wide().await;
    let queries = [
        "SELECT bitmap FROM tags WHERE app = 'shop' AND tag = 'city' AND value_string = \
         'city-01234'",
        "SELECT bitmap_cardinality(bitmap) FROM tags WHERE bitmap_cardinality(bitmap) > 3 AND tag \
         = 'city' AND value_string = 'city-01234'",
        "SELECT bitmap, code FROM tags_string WHERE app = 'shop' AND tag = 'city' AND value = \
         'city-01234'",
        "SELECT bitmap FROM tags WHERE tag = 'city' AND value_string LIKE 'city-0123%'",
        "SELECT bitmap FROM tags WHERE tag = 'city' AND value_string IN ('city-01234', \
         'city-01236')",
    ];
    for sql in queries {
        let (read, size) = cost(&release, "/tags/", sql).await;
        println!(
            "{read:>9} of {size} bytes ({:.2} %): {sql}",
            read as f64 * 100.0 / size as f64
        );
        assert!(
            size > 20_000_000,
            "the fixture is too small to tell: {size}"
        );
        // Two footers of the hinted size, the keys' pages and one page of bitmaps a shard.
        assert!(read < 600_000, "{read} of {size} bytes for {sql}");
    }
}

#[tokio::test]
async fn values_come_back_as_they_were_written() {
    let release = wide().await;
    let ctx = release.session().await;
    let sql = "SELECT shard, bitmap_to_array(bitmap) FROM tags WHERE value_string = 'city-00007' \
               ORDER BY shard";
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    let expected: Vec<u64> = (0..2_000_u32)
        .map(|i| u64::from(i * 499 + (7 * 31 + i * i) % 499) | 1 << 32)
        .collect();
    let last = batches.last().unwrap();
    let members = last.column(1).as_list::<i32>().value(last.num_rows() - 1);
    assert_eq!(
        members
            .as_primitive::<arrow::datatypes::UInt64Type>()
            .values()
            .to_vec(),
        expected
    );
}

#[tokio::test]
async fn files_of_other_shards_and_dates_are_not_touched() {
    let release = small().await;
    let ctx = release.session().await;
    let before = release.counting.fetched();
    assert_eq!(
        rows(
            &ctx,
            "SELECT bitmap FROM universe WHERE app = 'shop' AND shard = 2"
        )
        .await,
        1
    );
    assert_eq!(
        rows(
            &ctx,
            "SELECT bitmap FROM behaviour WHERE date = DATE '2026-11-18' AND shard IN (0, 1)"
        )
        .await,
        2
    );
    let after = release.counting.fetched();
    let touched: Vec<_> = after
        .iter()
        .filter(|(path, fetched)| before.get(*path) != Some(fetched))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(
        touched,
        [
            "deep/warehouse/behaviour/2026-11-18/r-1/00000.parquet",
            "deep/warehouse/behaviour/2026-11-18/r-1/00001.parquet",
            "deep/warehouse/universe/2026-11-19/r-1/00002.parquet",
        ]
    );
}

#[tokio::test]
async fn counting_rows_reads_nothing() {
    let release = small().await;
    let ctx = release.session().await;
    let before = release.counting.fetched();
    let batches = ctx
        .sql("SELECT count(*) FROM users")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    assert_eq!(
        batches[0]
            .column(0)
            .as_primitive::<arrow::datatypes::Int64Type>()
            .value(0),
        20_000
    );
    assert_eq!(release.counting.fetched(), before);
}
