//! Analysis of events over days, against answers that are counted row by row.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::prelude::SessionContext;

use crate::answers::{error, session, table};
use crate::events::{self, EVENT, Row, day, is_member, rows};

/// What a row is called at a level.
type Label = fn(&Row) -> Option<String>;

const BOTH: &str = "2026-11-18..2026-11-19";

/// Users, events, sum, sum a user, sum an event; exact or not.
fn totals<'r>(rows: impl Iterator<Item = &'r Row>) -> Vec<String> {
    let (mut users, mut events, mut sum) = (BTreeSet::new(), 0, 0);
    for row in rows {
        users.insert(row.uid());
        events += 1;
        sum += row.amount;
    }
    let sum = sum as f64 / 100.0;
    let numbers = [sum, sum / users.len() as f64, sum / f64::from(events)];
    let counts = [users.len().to_string(), events.to_string()];
    let numbers = numbers.map(|number| format!("{number:?}"));
    counts.into_iter().chain(numbers).collect()
}

fn city(row: &Row) -> Option<String> {
    row.city.map(str::to_owned)
}

fn os(row: &Row) -> Option<String> {
    Some(row.os.to_owned())
}

/// The rows by some columns, in their order; NULL is the empty text.
fn grouped(is_one: impl Fn(&Row) -> bool, by: &[fn(&Row) -> Option<String>]) -> Vec<Vec<String>> {
    let all = rows();
    let mut groups: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
    for row in all.iter().filter(|row| is_one(row)) {
        let key = by.iter().map(|of| of(row).unwrap_or_default()).collect();
        groups.entry(key).or_default().push(row);
    }
    let rows = groups.into_iter().map(|(mut key, rows)| {
        key.extend(totals(rows.into_iter()));
        key
    });
    rows.collect()
}

async fn sorted(ctx: &SessionContext, columns: &str, from: &str) -> Vec<Vec<String>> {
    let keys = match columns {
        "" => String::new(),
        columns => format!("{columns}, "),
    };
    let sql = format!("SELECT {keys}users, events, sum, per_user, per_event FROM {from}");
    let mut found = table(ctx, &sql).await;
    found.sort();
    found
}

#[tokio::test]
async fn totals_are_those_of_rows_by_any_dimensions_and_condition() {
    let ctx = session(&events::release().await).await;
    let of = |rest: &str| {
        format!("event_totals('shop', '{EVENT}', '{BOTH}', measure => 'amount'{rest})")
    };
    let found = sorted(&ctx, "", &of("")).await;
    assert_eq!(found, grouped(|_| true, &[]));
    let found = sorted(&ctx, "city", &of(", by => 'city'")).await;
    assert_eq!(found, grouped(|_| true, &[city]));
    let found = sorted(&ctx, "os, city", &of(", by => ['os', 'city']")).await;
    assert_eq!(found, grouped(|_| true, &[os, city]));
    let mac = ", condition => 'os = ''mac'' AND city IS NOT NULL'";
    let found = sorted(&ctx, "", &of(mac)).await;
    let is_mac = |row: &Row| row.os == "mac" && row.city.is_some();
    assert_eq!(found, grouped(is_mac, &[]));
    let some = format!("{mac}, audience => 'in_group(''some'')', by => 'city'");
    let found = sorted(&ctx, "city", &of(&some)).await;
    let is_some = |row: &Row| is_mac(row) && is_member(row.shard, row.ordinal);
    assert_eq!(found, grouped(is_some, &[city]));
    let found = sorted(&ctx, "date, city", &of(", by => 'city', per => 'day'")).await;
    let date = |row: &Row| Some(row.day.to_string());
    assert_eq!(found, grouped(|_| true, &[date, city]));
    let counts = "SELECT users, events, sum, exact FROM";
    let nobody =
        format!("{counts} event_totals('shop', '{EVENT}', '{BOTH}', condition => 'false')");
    assert_eq!(table(&ctx, &nobody).await, [["0", "0", "", "true"]]);
}

#[tokio::test]
async fn the_view_of_a_day_says_the_same() {
    let ctx = session(&events::release().await).await;
    let found = "SELECT city, users, sum FROM event_totals('shop', 'buy', DATE '2026-11-19', by => 'city', \
                 measure => 'amount') WHERE city IS NOT NULL ORDER BY city";
    let same = "SELECT value, users, sum FROM event_stats WHERE date = '2026-11-19' AND event = 'buy' \
                AND dimension = 'city' AND measure = 'amount' ORDER BY value";
    assert_eq!(table(&ctx, found).await, table(&ctx, same).await);
    let plan = table(&ctx, &format!("EXPLAIN {found}"))
        .await
        .concat()
        .concat();
    assert!(plan.contains("AnalysisExec: app=shop, event=buy"), "{plan}");
    assert!(plan.contains("days_with_rows=1, shards=3"), "{plan}");
}

#[tokio::test]
async fn levels_have_the_users_of_all_below_once() {
    let ctx = session(&events::release().await).await;
    let of = format!("event_rollup('shop', '{EVENT}', '{BOTH}', 'os, city', measure => 'amount')");
    let none = |_: &Row| None;
    let mut expected = Vec::new();
    let levels: [[Label; 2]; 3] = [[none, none], [os, none], [os, city]];
    for (depth, by) in levels.into_iter().enumerate() {
        for mut row in grouped(|_| true, &by) {
            row.insert(0, depth.to_string());
            expected.push(row);
        }
    }
    expected.sort();
    assert_eq!(sorted(&ctx, "level, os, city", &of).await, expected);
}

#[tokio::test]
async fn the_groups_beyond_the_top_are_one_row_with_their_own_users() {
    let ctx = session(&events::release().await).await;
    let of = |more: &str| {
        format!("event_totals('shop', '{EVENT}', '{BOTH}', 'os, city', 'amount'{more})")
    };
    let first = "SELECT os, city, users FROM ";
    let order = "ORDER BY users DESC, os, city";
    let all = table(&ctx, &format!("{first}{} {order}", of(""))).await;
    let top = format!("{first}{} WHERE others IS NULL {order}", of(", top => 2"));
    assert_eq!(table(&ctx, &top).await, all[..2]);
    let is_top = |row: &Row| {
        let key = [os(row), city(row)].map(Option::unwrap_or_default);
        all[..2].iter().any(|found| found[..2] == key)
    };
    let rest = format!("{} WHERE others = 'os, city'", of(", top => 2"));
    assert_eq!(
        sorted(&ctx, "", &rest).await,
        grouped(|row| !is_top(row), &[])
    );
}

#[tokio::test]
async fn kept_values_are_exact_and_the_others_are_one_row() {
    let release = events::release_without("totals-unkept", Some("Xi'an")).await;
    let ctx = session(&release).await;
    let of = |more: &str| {
        format!("event_totals('shop', '{EVENT}', '{BOTH}', measure => 'amount'{more})")
    };
    let found = sorted(&ctx, "others, city", &of(", by => 'city'")).await;
    let others = |row: &Row| (row.city == Some("Xi'an")).then(|| "city".to_owned());
    let kept = |row: &Row| city(row).filter(|city| city != "Xi'an");
    assert_eq!(found, grouped(|_| true, &[others, kept]));
    let exact = |from: String| format!("SELECT DISTINCT exact FROM {from}");
    for (condition, is_exact) in [
        ("city = ''Beijing''", true),
        ("NOT city = ''Beijing''", true),
        ("city = ''Xi''''an''", false),
        ("city LIKE ''B%''", false),
        ("os = ''mac''", true),
    ] {
        let from = of(&format!(", condition => '{condition}'"));
        let found = table(&ctx, &exact(from)).await;
        assert_eq!(found, [[is_exact.to_string()]], "{condition}");
    }
    let other = of(", condition => 'city <> ''Beijing'''");
    let is_other = |row: &Row| row.city.is_some_and(|city| city != "Beijing");
    assert_eq!(sorted(&ctx, "", &other).await, grouped(is_other, &[]));
}

#[tokio::test]
async fn arguments_have_names_and_wrong_ones_tell_the_nearest() {
    let ctx = session(&events::release().await).await;
    let named =
        "SELECT uid FROM did(days => '2026-11-19', event => 'buy', app => 'shop') ORDER BY uid";
    let placed = "SELECT uid FROM did('shop', 'buy', '2026-11-19') ORDER BY uid";
    assert_eq!(table(&ctx, named).await, table(&ctx, placed).await);
    for (of, expected) in [
        (
            "did('shop', 'buy', dayz => '2026-11-19')",
            "did you mean \"days\"?",
        ),
        (
            "did('shop', event => 'buy', event => 'buy')",
            "argument event is given twice",
        ),
        (
            "did('shop', days => '2026-11-19')",
            "argument event is missing",
        ),
        (
            "did(app => 'shop', 'buy')",
            "without a name is after one with",
        ),
        (
            "event_totals('shop', 'bu', '2026-11-19')",
            "did you mean \"buy\"?",
        ),
        (
            "event_totals('shop', 'buy', '2026-11-19', by => 'citi')",
            "did you mean \"city\"?",
        ),
        (
            "event_totals('shop', 'buy', '2026-11-19', by => 'city, city')",
            "is there twice",
        ),
        (
            "event_totals('shop', 'buy', '2026-11-19', measure => 'amont')",
            "did you mean \"amount\"?",
        ),
        (
            "event_totals('shop', 'buy', '2026-11-19', per => 'week')",
            "expected 'range' or 'day'",
        ),
        (
            "event_totals('shop', 'buy', '2026-11-19', top => 0)",
            "expected a whole number from 1",
        ),
        (
            "event_totals('shop', 'buy', '2026-11-19', condition => 'citi = ''x''')",
            "did you mean \"city\"?",
        ),
        (
            "event_totals('shop', 'buy', '2026-11-19', audience => 'in_group(''som'')')",
            "did you mean \"some\"?",
        ),
        (
            "event_rollup('shop', 'buy', '2026-11-19', '')",
            "from the outermost to the innermost",
        ),
    ] {
        let found = error(&ctx, &format!("SELECT count(*) FROM {of}")).await;
        assert!(found.contains(expected), "{of}: {found}");
    }
}

/// Of every user of some the events, or cents.
fn by_user(is_one: impl Fn(&Row) -> bool, number: fn(&Row) -> i64) -> BTreeMap<u64, i64> {
    let mut users = BTreeMap::new();
    for row in rows().iter().filter(|row| is_one(row)) {
        *users.entry(row.uid()).or_default() += number(row);
    }
    users
}

#[tokio::test]
async fn a_histogram_has_every_user_once() {
    let ctx = session(&events::release().await).await;
    let of = |rest: &str| format!("event_histogram('shop', '{EVENT}', '{BOTH}'{rest})");
    let bins = "SELECT at_least, below, users, exact FROM";
    let found = table(&ctx, &format!("{bins} {}", of(", bounds => '2, 4'"))).await;
    let users = by_user(|_| true, |_| 1);
    let within = |low: i64, high: i64| {
        let found = users.values().filter(|n| (low..high).contains(*n)).count();
        found.to_string()
    };
    let bin = |low: &str, high: &str, users: String| {
        vec![low.to_owned(), high.to_owned(), users, "true".to_owned()]
    };
    let expected = [
        bin("", "2.0", within(0, 2)),
        bin("2.0", "4.0", within(2, 4)),
        bin("4.0", "", within(4, 100)),
    ];
    assert_eq!(found, expected);
    let users = by_user(|row| row.os == "mac", |row| row.amount);
    let rest = ", [-0.5, 1000.25], 'amount', condition => 'os = ''mac'''";
    let found = table(&ctx, &format!("SELECT users FROM {}", of(rest))).await;
    let counts = [
        users.values().filter(|cents| **cents < -50).count(),
        users
            .values()
            .filter(|cents| (-50..100_025).contains(*cents))
            .count(),
        users.values().filter(|cents| **cents >= 100_025).count(),
    ];
    assert_eq!(found, counts.map(|count| vec![count.to_string()]));
    let found = table(
        &ctx,
        &format!("SELECT users FROM {}", of(", '1', zeros => true")),
    )
    .await;
    let all = by_user(|_| true, |_| 1).len();
    assert_eq!(found, [[(600 - all).to_string()], [all.to_string()]]);
}

#[tokio::test]
async fn quantiles_are_numbers_that_somebody_has() {
    let ctx = session(&events::release().await).await;
    let sql = format!(
        "SELECT value FROM event_quantiles('shop', '{EVENT}', '{BOTH}', [0, 0.1, 0.5, 0.99, 1], 'amount', \
         audience => 'in_group(''some'')')"
    );
    let users = by_user(|row| is_member(row.shard, row.ordinal), |row| row.amount);
    let mut cents: Vec<i64> = users.into_values().collect();
    cents.sort_unstable();
    let at = |part: usize| {
        let place = (part * cents.len()).div_ceil(100).max(1);
        vec![format!("{:?}", cents[place - 1] as f64 / 100.0)]
    };
    assert_eq!(table(&ctx, &sql).await, [0, 10, 50, 99, 100].map(at));
}

#[tokio::test]
async fn retention_counts_who_was_there_before_and_came_back() {
    let ctx = session(&events::release().await).await;
    let of = |what: &str, rest: &str| {
        format!("{what}('shop', '{EVENT}', '{BOTH}', cohort => '{EVENT}'{rest})")
    };
    let users = |is_one: &dyn Fn(&Row) -> bool| -> BTreeSet<u64> {
        rows()
            .iter()
            .filter(|row| is_one(row))
            .map(Row::uid)
            .collect()
    };
    let on = |of_month, os: Option<&'static str>| {
        users(&move |row| row.day == day(of_month) && os.is_none_or(|os| row.os == os))
    };
    let both = |a: &BTreeSet<u64>, b: &BTreeSet<u64>| a.intersection(b).count();
    let columns = "SELECT cohort, size, day, users, complete, exact FROM";
    let rest = ", condition => 'os = ''mac''', cohort_condition => 'os = ''linux'''";
    let cases = [("", None, None), (rest, Some("linux"), Some("mac"))];
    for (rest, before, after) in cases {
        let found = table(&ctx, &format!("{columns} {}", of("retention", rest))).await;
        let row = |first: u32, later: u32| {
            let (cohort, back) = (on(first, before), on(later, after));
            let numbers = [cohort.len(), (later - first) as usize, both(&cohort, &back)];
            let mut row = vec![day(first).to_string()];
            row.extend(numbers.map(|number| number.to_string()));
            row.extend(["true", "true"].map(str::to_owned));
            row
        };
        assert_eq!(found, [row(18, 18), row(18, 19), row(19, 19)], "{rest}");
    }
    let sql = format!("SELECT * FROM {}", of("retention_triangle", ""));
    let (first, last) = (on(18, None), on(19, None));
    let back = both(&first, &last) as f64 * 100.0 / first.len() as f64;
    let triangle = [
        vec![
            "2026-11-18".into(),
            first.len().to_string(),
            "100.0 %".into(),
            format!("{back:.1} %"),
        ],
        vec![
            "2026-11-19".into(),
            last.len().to_string(),
            "100.0 %".into(),
            String::new(),
        ],
    ];
    assert_eq!(table(&ctx, &sql).await, triangle);
    let weeks = of(
        "retention",
        ", period => 'week', audience => 'in_group(''some'')'",
    );
    let sql = format!("SELECT cohort, size, week, users, complete FROM {weeks}");
    let some = users(&|row| is_member(row.shard, row.ordinal))
        .len()
        .to_string();
    assert_eq!(
        table(&ctx, &sql).await,
        [["2026-11-16", &some, "0", &some, "false"]]
    );
}

#[tokio::test]
async fn files_of_other_days_and_artifacts_are_not_read() {
    let release = events::release().await;
    let ctx = session(&release).await;
    let of = format!("event_totals('shop', '{EVENT}', '2026-11-18', by => 'city')");
    let before = release.counting.fetched();
    table(&ctx, &format!("SELECT * FROM {of}")).await;
    let after = release.counting.fetched();
    let touched = after
        .iter()
        .filter(|(path, fetched)| before.get(*path) != Some(fetched));
    for (path, _) in touched {
        assert!(
            path.contains("/behaviour") && path.contains("/2026-11-18/"),
            "{path}"
        );
    }
}
