//! The bitmaps of a night, computed a second time with plain SQL: the raw files joined with the
//! dictionary, and `bitmap_build_agg`. Equal sets are equal bytes, whoever wrote them.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use tagmill_schemas::Artifact;

use crate::hand::{DAY, EVENTS, Hand, PROFILE_TAGS, PROFILES};
use crate::release::Published;

/// Enough users a shard for arrays, bitsets and runs.
const USERS: usize = 40_000;

/// Bitmaps by their key as text, its parts separated by `|`.
type Bitmaps = BTreeMap<String, Vec<u8>>;

/// Raw data whose tags have one user, every second one, every hundredth one, and all of an app.
async fn night() -> (Hand, Published) {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS]);
    let ids: Vec<String> = (0..USERS)
        .map(|user| format!("{:06}", user * 7_919 % 1_000_003))
        .collect();
    let profiles = ids.iter().enumerate().map(|(at, id)| {
        let city = match at {
            17 => Some("Oslo"),
            _ if at % 2 == 0 => Some("Rome"),
            _ => None,
        };
        let age = (at % 3 > 0).then_some(if at % 100 == 1 { 99 } else { 30 });
        (["shop", "tea"][at / 30_000], Some(id.as_str()), city, age)
    });
    let without_user = ("shop", None, Some("Rome"), Some(30));
    hand.write_profiles(DAY, &profiles.chain([without_user]).collect::<Vec<_>>());
    // Most users more than once; some of them have no profile in the app.
    let events: Vec<_> = (0..USERS)
        .map(|at| {
            let event = if at % 5 == 0 { "buy" } else { "visit" };
            let id = ids[at * 31 % (USERS / 2)].as_str();
            (["tea", "shop"][at % 2], id, event, None, None)
        })
        .collect();
    hand.write_events(DAY, &events);
    hand.init_and_run().await.unwrap();
    let published = hand.published().await;
    (hand, published)
}

/// Tables `profiles`, `events` and `users`, the last with the number of each.
async fn session(hand: &Hand, published: &Published) -> SessionContext {
    let ctx = SessionContext::new();
    tagmill_udfs::register_all(&ctx).unwrap();
    for table in ["profiles", "events"] {
        let folder = hand.path(&format!("raw/{table}/dt={DAY}"));
        let options = ParquetReadOptions::default();
        ctx.register_parquet(table, folder.to_str().unwrap(), options)
            .await
            .unwrap();
    }
    let users = published.batches(Artifact::Users).await;
    let users = users.into_iter().map(|(_, batch)| batch);
    let users = ctx.read_batches(users).unwrap();
    ctx.register_table("dictionary", users.into_view()).unwrap();
    let uid = "CAST((CAST(shard AS BIGINT) << 32) | CAST(ordinal AS BIGINT) AS BIGINT UNSIGNED)";
    let numbered =
        format!("CREATE VIEW users AS SELECT user_id, shard, {uid} AS uid FROM dictionary");
    ctx.sql(&numbered).await.unwrap();
    ctx
}

/// The bitmaps of the users that a query's rows `key`, `user` name, a bitmap a key and shard.
async fn built(ctx: &SessionContext, rows: &str) -> Bitmaps {
    let query = format!(
        "SELECT concat(r.key, '|', u.shard) AS key, bitmap_build_agg(u.uid) AS bitmap \
         FROM ({rows}) AS r JOIN users AS u ON u.user_id = r.\"user\" GROUP BY r.key, u.shard"
    );
    let batches = ctx.sql(&query).await.unwrap().collect().await.unwrap();
    let mut bitmaps = Bitmaps::new();
    for batch in &batches {
        let keys = cast(&batch["key"], &DataType::Utf8).unwrap();
        let cells = cast(&batch["bitmap"], &DataType::Binary).unwrap();
        let (keys, cells) = (keys.as_string::<i32>(), cells.as_binary::<i32>());
        for row in 0..batch.num_rows() {
            bitmaps.insert(keys.value(row).to_owned(), cells.value(row).to_vec());
        }
    }
    bitmaps
}

/// The published cells of an artifact by the given columns, of which the nulls are left out.
async fn cells(published: &Published, artifact: Artifact, key: &[&str]) -> Bitmaps {
    let mut bitmaps = Bitmaps::new();
    for (_, batch) in published.batches(artifact).await {
        let cells = batch["bitmap"].as_binary::<i32>();
        for row in 0..batch.num_rows() {
            let cell = cells.value(row).to_vec();
            assert!(bitmaps.insert(named(&batch, row, key), cell).is_none());
        }
    }
    bitmaps
}

fn named(batch: &RecordBatch, row: usize, key: &[&str]) -> String {
    let texts = key.iter().filter_map(|column| {
        let text = cast(&batch[*column].slice(row, 1), &DataType::Utf8).unwrap();
        text.as_string::<i32>()
            .iter()
            .next()
            .flatten()
            .map(str::to_owned)
    });
    texts.collect::<Vec<_>>().join("|")
}

#[track_caller]
fn assert_same(published: &Bitmaps, built: &Bitmaps, expected: usize) {
    let keys = |bitmaps: &Bitmaps| bitmaps.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(published), keys(built));
    for (key, cell) in published {
        assert!(built[key] == *cell, "{key}: other bytes");
    }
    assert_eq!(published.len(), expected, "{:?}", keys(published));
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_aggregates_build_the_bytes_that_the_operator_publishes() {
    let (hand, published) = night().await;
    let ctx = session(&hand, &published).await;

    let tags = "SELECT concat(app, '|city|', city) AS key, \"user\" FROM profiles WHERE city IS NOT NULL \
                UNION ALL \
                SELECT concat(app, '|age|', age) AS key, \"user\" FROM profiles WHERE age IS NOT NULL";
    let key = ["app", "tag", "value_string", "value_integer", "shard"];
    let found = cells(&published, Artifact::Tags, &key).await;
    // Rome, 30 and 99 in both shards of both apps, and one user in Oslo.
    assert_same(&found, &built(&ctx, tags).await, 13);

    let universe =
        "SELECT app AS key, \"user\" FROM profiles UNION ALL SELECT app, \"user\" FROM events";
    let found = cells(&published, Artifact::Universe, &["app", "shard"]).await;
    assert_same(&found, &built(&ctx, universe).await, 4);

    let events = "SELECT concat(app, '|', event) AS key, \"user\" FROM events";
    let found = cells(&published, Artifact::Behaviour, &["app", "event", "shard"]).await;
    assert_same(&found, &built(&ctx, events).await, 8);
}
