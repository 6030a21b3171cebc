//! The views and table functions against answers that are counted row by row.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, UInt64Type};
use arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;
use tagmill_query::answers::{self, RuleNames};
use tagmill_schemas::shard::{Shards, hash_of_id};

use crate::events::{self, EVENT, Row, day, is_member, rows};
use crate::release::{Release, SHARDS, User, small};

type Test = fn(&Row) -> bool;
type Number = fn(&Row) -> i64;

pub async fn session(release: &Release) -> SessionContext {
    let ctx = release.session().await;
    let rules = RuleNames::default();
    answers::register(&ctx, &release.store, &release.manifest, rules)
        .await
        .unwrap();
    ctx
}

async fn batches(ctx: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    let rows = async { ctx.sql(sql).await?.collect().await };
    rows.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The rows as texts.
pub async fn table(ctx: &SessionContext, sql: &str) -> Vec<Vec<String>> {
    let mut table = Vec::new();
    for batch in batches(ctx, sql).await {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter();
            table.push(
                cells
                    .map(|cell| array_value_to_string(cell, row).unwrap())
                    .collect(),
            );
        }
    }
    table
}

async fn uids(ctx: &SessionContext, of: &str) -> BTreeSet<u64> {
    let rows = batches(ctx, &format!("SELECT uid FROM {of}")).await;
    let uids = rows
        .iter()
        .flat_map(|b| b.column(0).as_primitive::<UInt64Type>().values().to_vec());
    let uids: Vec<u64> = uids.collect();
    let distinct: BTreeSet<u64> = uids.iter().copied().collect();
    assert_eq!(uids.len(), distinct.len(), "{of}: a user is there once");
    distinct
}

/// A function's users in each of the ways it can be asked.
async fn same_users(ctx: &SessionContext, of: &str, expected: &BTreeSet<u64>) {
    assert_eq!(&uids(ctx, of).await, expected, "{of}");
    let count = table(ctx, &format!("SELECT count(*) FROM {of}")).await;
    assert_eq!(count, [[expected.len().to_string()]], "{of}");
    let both = table(ctx, &format!("SELECT uid, user_id FROM {of} ORDER BY uid")).await;
    let named = expected.iter().map(|uid| {
        let id = format!("user-{}-{}", uid >> 32, uid & 0xffff_ffff);
        vec![uid.to_string(), id]
    });
    assert_eq!(both, named.collect::<Vec<_>>(), "{of}");
    let ids = table(ctx, &format!("SELECT count(DISTINCT user_id) FROM {of}")).await;
    assert_eq!(ids, count, "{of}");
}

pub async fn error(ctx: &SessionContext, sql: &str) -> String {
    let rows = async { ctx.sql(sql).await?.collect().await };
    rows.await
        .err()
        .unwrap_or_else(|| panic!("{sql} has an answer"))
        .to_string()
}

fn doers(is_one: impl Fn(&Row) -> bool) -> BTreeSet<u64> {
    rows()
        .iter()
        .filter(|row| is_one(row))
        .map(Row::uid)
        .collect()
}

#[tokio::test]
async fn members_are_those_of_all_shards_and_only_ids_of_these_are_read() {
    let release = events::release().await;
    let ctx = session(&release).await;
    let expected = (0..3_u32).flat_map(|s| (0..200).map(move |o| (s, o)));
    let expected: BTreeSet<u64> = expected
        .filter(|(shard, ordinal)| is_member(*shard, *ordinal))
        .map(|(shard, ordinal)| u64::from(shard) << 32 | u64::from(ordinal))
        .collect();
    let before = release.counting.bytes_fetched("/users/");
    assert_eq!(uids(&ctx, "members('shop', 'some')").await, expected);
    assert_eq!(release.counting.bytes_fetched("/users/"), before);
    same_users(&ctx, "members('shop', 'some')", &expected).await;
    same_users(&ctx, "members('shop', 'empty')", &BTreeSet::new()).await;
    let sets =
        "SELECT name, users, came, went, bitmap_cardinality(bitmap) FROM group_sets ORDER BY name";
    let some = expected.len().to_string();
    assert_eq!(
        table(&ctx, sets).await,
        [
            ["empty", "0", "0", "0", "0"],
            ["some", &some, "4", "2", &some]
        ]
    );
    let plan = table(&ctx, "EXPLAIN SELECT name, users FROM group_sets").await;
    let plan = plan.concat().concat();
    assert!(!plan.contains("bitmap"), "sizes need no bitmap: {plan}");
    let plan = table(&ctx, "EXPLAIN SELECT user_id FROM members('shop', 'some')").await;
    let plan = plan.concat().concat();
    assert!(
        plan.contains("00002.parquet") && !plan.contains("00001.parquet"),
        "{plan}"
    );
    assert!(
        !plan.contains("FilterExec") && !plan.contains("JoinExec"),
        "{plan}"
    );
}

#[tokio::test]
async fn names_that_are_not_there_are_refused_with_the_nearest() {
    let ctx = session(&events::release().await).await;
    for (of, expected) in [
        ("members('shop', 'som')", "did you mean \"some\"?"),
        ("members('shop', 'xyz')", "there is empty, some"),
        ("members('shop', 'typo')", "it is invalid"),
        ("members('shopp', 'some')", "did you mean \"shop\"?"),
        ("members('shop', 5)", "argument 2 is 5, expected a text"),
        ("members('shop')", "found 1 arguments, expected 2 to 3"),
        ("audience('shop', 'agee > 3')", "did you mean \"age\"?"),
        ("did('shop', 'bu', '2026-11-19')", "did you mean \"buy\"?"),
        ("did('shop', 'buy', '2026-11-20')", "there is none"),
        ("did('shop', 'buy', '19.11.2026')", "expected a day such as"),
        (
            "did('shop', 'buy', '2026-11-19', 'citty = ''x''')",
            "did you mean \"city\"?",
        ),
        (
            "did('shop', 'buy', '2026-11-19', 'in_group(''some'')')",
            "dimensions only",
        ),
        (
            "event_sets('shop', 'by', '2026-11-19')",
            "did you mean \"buy\"?",
        ),
        ("groups_of('nobody')", "there is no user \"nobody\""),
    ] {
        let found = error(&ctx, &format!("SELECT count(*) FROM {of}")).await;
        assert!(found.contains(expected), "{of}: {found}");
    }
}

#[tokio::test]
async fn a_condition_holds_within_one_combination() {
    let ctx = session(&events::release().await).await;
    let did = |rest: &str| format!("did('shop', '{EVENT}', {rest})");
    let last = |row: &Row| row.day == day(19);
    same_users(&ctx, &did("'2026-11-19'"), &doers(last)).await;
    same_users(&ctx, &did("'2026-11-18..2026-11-19'"), &doers(|_| true)).await;
    let on_mac = doers(|r| last(r) && r.os == "mac" && r.city == Some("Beijing"));
    let apart = doers(|r| last(r) && r.os == "mac");
    let apart: BTreeSet<u64> = apart
        .intersection(&doers(|r| last(r) && r.city == Some("Beijing")))
        .copied()
        .collect();
    assert!(
        on_mac.len() < apart.len(),
        "the fixture tells the two questions apart"
    );
    let condition = "'2026-11-19', 'city = ''Beijing'' AND os = ''mac'''";
    same_users(&ctx, &did(condition), &on_mac).await;
    let conditions: [(&str, Test); 6] = [
        ("city IN (''Beijing'', ''Xi''''an'')", |r| {
            matches!(r.city, Some("Beijing" | "Xi'an"))
        }),
        ("NOT city = ''Beijing''", |r| r.city != Some("Beijing")),
        ("city LIKE ''%''''%'' OR os = ''mac''", |r| {
            r.city.is_some_and(|city| city.contains('\'')) || r.os == "mac"
        }),
        ("city IS NULL", |r| r.city.is_none()),
        ("city = ''nowhere''", |_| false),
        ("true", |_| true),
    ];
    for (condition, test) in conditions {
        let both = format!("'2026-11-18..2026-11-19', '{condition}'");
        same_users(&ctx, &did(&both), &doers(test)).await;
    }
}

#[tokio::test]
async fn a_condition_on_values_that_are_not_kept_is_refused_or_a_bound() {
    let release = events::release_without("events-unkept", Some("Xi'an")).await;
    let ctx = session(&release).await;
    let of = |what: &str, condition: &str| {
        let days = "2026-11-18..2026-11-19";
        format!("{what}('shop', '{EVENT}', '{days}', '{condition}')")
    };
    let kept = "city = ''Beijing''";
    same_users(
        &ctx,
        &of("did", kept),
        &doers(|r| r.city == Some("Beijing")),
    )
    .await;
    for unkept in [
        "city = ''Xi''''an''",
        "NOT city IN (''Beijing'', ''Xi''''an'')",
    ] {
        for what in ["did", "event_sets", "event_stats"] {
            let sql = format!("SELECT * FROM {}", of(what, unkept));
            let found = error(&ctx, &sql).await;
            assert!(found.contains("Xi'an"), "{sql}: {found}");
            assert!(found.contains("is not known"), "{sql}: {found}");
        }
    }
    for (condition, is_bound) in [(kept, false), ("NOT city LIKE ''B%''", true)] {
        for what in ["event_sets", "event_stats"] {
            let of = of(what, condition);
            let sql = format!("SELECT DISTINCT overflow FROM {of} WHERE dimension IS NULL");
            assert_eq!(table(&ctx, &sql).await, [[is_bound.to_string()]], "{sql}");
        }
    }
}

/// Users of a set, by day and value of `city`.
fn by_city(is_one: impl Fn(&Row) -> bool) -> BTreeMap<(String, String), BTreeSet<u64>> {
    let mut sets: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
    for row in rows().iter().filter(|row| is_one(row)) {
        if let Some(city) = row.city {
            let set = sets.entry((row.day.to_string(), city.to_owned()));
            set.or_default().insert(row.uid());
        }
    }
    sets
}

#[tokio::test]
async fn sets_of_events_unite_combinations_and_shards() {
    let ctx = session(&events::release().await).await;
    let columns = "SELECT date, value, users, bitmap_cardinality(bitmap) FROM";
    let under = format!("event_sets('shop', '{EVENT}', '2026-11-18..2026-11-19', 'os = ''mac''')");
    let cases: [(&str, Test); 2] = [("event_sets", |_| true), (&under, |r| r.os == "mac")];
    for (from, test) in cases {
        let sql = format!("{columns} {from} WHERE dimension = 'city' ORDER BY date, value");
        let expected = by_city(test).into_iter().map(|((day, city), users)| {
            let users = users.len().to_string();
            vec![day, city, users.clone(), users]
        });
        assert_eq!(
            table(&ctx, &sql).await,
            expected.collect::<Vec<_>>(),
            "{from}"
        );
        let sql =
            format!("SELECT users FROM {from} WHERE dimension IS NULL AND date = '2026-11-19'");
        let all = doers(|row| row.day == day(19) && test(row)).len();
        assert_eq!(table(&ctx, &sql).await, [[all.to_string()]], "{from}");
    }
}

/// Users, sum, average, least, median, greatest of sums per user.
fn stats(rows: &[Row], number: fn(&Row) -> i64, scale: f64) -> Vec<f64> {
    let mut sums: BTreeMap<u64, i64> = BTreeMap::new();
    for row in rows {
        *sums.entry(row.uid()).or_default() += number(row);
    }
    let mut sums: Vec<i64> = sums.into_values().collect();
    sums.sort_unstable();
    let total: i64 = sums.iter().sum();
    let median = sums[sums.len().div_ceil(2) - 1];
    let users = sums.len() as f64;
    let [total, least, median, most] =
        [total, sums[0], median, sums[sums.len() - 1]].map(|number| number as f64 / scale);
    vec![users, total, total / users, least, median, most]
}

async fn numbers(ctx: &SessionContext, sql: &str) -> Vec<Vec<f64>> {
    let mut numbers = Vec::new();
    for batch in batches(ctx, sql).await {
        for row in 0..batch.num_rows() {
            let cell = |column: &dyn Array| {
                let column = cast(column, &DataType::Float64).unwrap();
                column.as_primitive::<Float64Type>().value(row)
            };
            numbers.push(
                batch
                    .columns()
                    .iter()
                    .map(|column| cell(column.as_ref()))
                    .collect(),
            );
        }
    }
    numbers
}

const STATS: &str = "SELECT users, sum, avg, min, median, max FROM";

#[tokio::test]
async fn stats_of_events_add_up_over_combinations_shards_and_offsets() {
    let ctx = session(&events::release().await).await;
    let today = || rows().into_iter().filter(|row| row.day == day(19));
    let under = format!("event_stats('shop', '{EVENT}', '2026-11-19', 'os = ''mac''')");
    let cases: [(&str, Test); 2] = [("event_stats", |_| true), (&under, |r| r.os == "mac")];
    let measures: [(&str, Number, f64); 2] =
        [("*", |_| 1, 1.0), ("amount", |row| row.amount, 100.0)];
    for (from, test) in cases {
        for (measure, number, scale) in measures {
            for city in [None, Some("Beijing"), Some("O'Fallon")] {
                let of: Vec<Row> = today()
                    .filter(|row| test(row) && (city.is_none() || row.city == city))
                    .collect();
                let set = match city {
                    None => "dimension IS NULL".to_owned(),
                    Some(city) => format!(
                        "dimension = 'city' AND value = '{}'",
                        city.replace('\'', "''")
                    ),
                };
                let sql = format!(
                    "{STATS} {from} WHERE date = '2026-11-19' AND measure = '{measure}' AND {set}"
                );
                assert_eq!(
                    numbers(&ctx, &sql).await,
                    [stats(&of, number, scale)],
                    "{sql}"
                );
            }
        }
    }
}

#[tokio::test]
async fn stats_of_a_tag_put_the_offset_in() {
    let ctx = session(&small().await).await;
    let ages: Vec<i64> = crate::release::users()
        .iter()
        .filter_map(|user| user.age)
        .collect();
    let mut sorted = ages.clone();
    sorted.sort_unstable();
    assert!(sorted[0] < 0);
    let (users, total) = (ages.len() as f64, ages.iter().sum::<i64>() as f64);
    let median = sorted[sorted.len().div_ceil(2) - 1] as f64;
    let expected = [
        users,
        total,
        total / users,
        sorted[0] as f64,
        median,
        sorted[sorted.len() - 1] as f64,
    ];
    let sql = format!("{STATS} tag_stats WHERE app = 'shop' AND tag = 'age'");
    assert_eq!(numbers(&ctx, &sql).await, [expected]);
}

#[tokio::test]
async fn audiences_are_whom_the_rule_selects() {
    let ctx = session(&small().await).await;
    let expected = |test: &dyn Fn(&User) -> bool| -> BTreeSet<u64> {
        let all = crate::release::users();
        let own = all.iter().filter(|user| user.in_app && test(user));
        own.map(|user| u64::from(user.shard) << 32 | u64::from(user.ordinal))
            .collect()
    };
    let women = expected(&|user| user.gender == Some("F"));
    same_users(&ctx, "members('shop', 'women')", &women).await;
    let rule = "audience('shop', 'gender = ''F'' AND age < 20 AND NOT vip')";
    let some = expected(&|u| {
        u.gender == Some("F") && u.age.is_some_and(|age| age < 20) && u.vip != Some(true)
    });
    assert!(!some.is_empty());
    same_users(&ctx, rule, &some).await;
    let others = expected(&|user| user.gender != Some("F"));
    same_users(&ctx, "audience('shop', 'NOT in_group(''women'')')", &others).await;
}

#[tokio::test]
async fn a_user_has_groups_tags_and_a_number() {
    let ctx = session(&small().await).await;
    let all = crate::release::users();
    // An id is in the shard that it belongs to only by chance here.
    let shards = Shards::new(SHARDS).unwrap();
    let is_at_home = |user: &User| shards.of_hash(hash_of_id(user.id().as_bytes())) == user.shard;
    let user = all
        .iter()
        .find(|u| u.gender == Some("F") && u.age.is_some() && u.shard == 2 && is_at_home(u))
        .unwrap();
    let id = user.id();
    let groups = table(&ctx, &format!("SELECT app, name FROM groups_of('{id}')")).await;
    assert_eq!(groups, [["shop", "women"]]);
    let tags = format!(
        "SELECT value FROM tags_of('{id}', 'shop') WHERE tag IN ('age', 'gender') ORDER BY tag"
    );
    assert_eq!(
        table(&ctx, &tags).await,
        [[user.age.unwrap().to_string()], ["F".to_owned()]]
    );
    let uid = u64::from(user.shard) << 32 | u64::from(user.ordinal);
    for filter in [
        format!("uid = {uid}"),
        format!("uid IN ({uid}, 18446744073709551615)"),
        format!("uid = uid({}, {})", user.shard, user.ordinal),
        format!("user_id = '{id}'"),
    ] {
        let found = table(
            &ctx,
            &format!("SELECT uid, user_id FROM users WHERE {filter}"),
        )
        .await;
        assert_eq!(found, [[uid.to_string(), id.clone()]], "{filter}");
        let plan = table(
            &ctx,
            &format!("EXPLAIN SELECT user_id FROM users WHERE {filter}"),
        )
        .await;
        let plan = plan.concat().concat();
        let is_pruned = plan.contains("00002.parquet") && !plan.contains("00001.parquet");
        assert!(
            is_pruned || filter.starts_with("user_id"),
            "{filter}: {plan}"
        );
    }
    let other = "SELECT count(*) FROM users WHERE uid = -1 OR uid = 99999999999999";
    assert_eq!(table(&ctx, other).await, [["0"]]);
    let all = "SELECT count(DISTINCT uid), max(uid) FROM users WHERE uid > 5";
    assert_eq!(
        table(&ctx, all).await,
        [["19994".to_owned(), (3_u64 << 32 | 4_999).to_string()]]
    );
}

#[tokio::test]
async fn values_of_tags_are_texts_of_all_shards() {
    let ctx = session(&small().await).await;
    let users = crate::release::users();
    let count = |test: &dyn Fn(&User) -> bool| users.iter().filter(|u| test(u)).count().to_string();
    for (tag, value, expected) in [
        (
            "gender",
            "O''Brien",
            count(&|u| u.gender == Some("O'Brien")),
        ),
        ("age", "-10", count(&|u| u.age == Some(-10))),
        ("score", "0.125", count(&|u| u.score == Some(0.125))),
        ("vip", "true", count(&|u| u.vip == Some(true))),
        ("signup", "2024-10-04", count(&|u| u.signup == Some(20_000))),
    ] {
        let of =
            format!("FROM tag_sets WHERE app = 'shop' AND tag = '{tag}' AND value = '{value}'");
        let found = table(
            &ctx,
            &format!("SELECT users, bitmap_cardinality(bitmap) {of}"),
        )
        .await;
        assert_eq!(found, [[expected.clone(), expected]], "{tag}");
        let plan = table(&ctx, &format!("EXPLAIN SELECT users {of}"))
            .await
            .concat()
            .concat();
        assert!(
            !plan.contains("bitmap") && !plan.contains("FilterExec"),
            "{plan}"
        );
    }
}
