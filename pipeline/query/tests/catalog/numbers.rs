//! What is natural to ask of bit slices, over shards, days, combinations, older files and newer ones,
//! against the numbers themselves.

use std::collections::BTreeMap;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;

use crate::columns::spent;
use crate::release::{small, users};

/// The cells of the first row of an answer, or the error.
async fn row(ctx: &SessionContext, sql: &str) -> Result<Vec<String>, String> {
    let rows = async { ctx.sql(sql).await?.collect().await };
    let batches = rows.await.map_err(|e| e.to_string())?;
    let cell = |column| {
        let shown = ArrayFormatter::try_new(column, &FormatOptions::default()).unwrap();
        shown.value(0).to_string()
    };
    Ok(batches[0]
        .columns()
        .iter()
        .map(|column| cell(column.as_ref()))
        .collect())
}

fn ages() -> Vec<i64> {
    let mut ages: Vec<i64> = users().iter().filter_map(|user| user.age).collect();
    ages.sort_unstable();
    ages
}

/// (day from the first, combination, amount) of every user.
fn amounts() -> Vec<(u64, i32, u32, i64)> {
    let mut found = Vec::new();
    for user in users() {
        let uid = u64::from(user.shard) << 32 | u64::from(user.ordinal);
        for day in FIRST..FIRST + 3 {
            for combination in 0..2 {
                let spent = spent(&user, day, combination);
                found.extend(spent.map(|(amount, _)| (uid, day, combination, amount)));
            }
        }
    }
    found
}

/// 2026-11-17.
const FIRST: i32 = 20_774;

#[tokio::test]
async fn numbers_of_a_tag_are_right_over_shards_with_and_without_offsets() {
    let ctx = small().await.session().await;
    let ages = ages();
    let (sum, count) = (ages.iter().sum::<i64>(), ages.len());
    let (min, max) = (ages[0], ages[count - 1]);
    let median = ages[count.div_ceil(2) - 1];
    let expected = [sum, count as i64, min, max, median].map(|number| number.to_string());
    let of = |slice: &str, bitmap: &str| {
        format!(
            "SELECT bsi_sum_agg({slice}, {bitmap}), bsi_count_agg({slice}, {bitmap}), \
             bsi_min_agg({slice}, {bitmap}), bsi_max_agg({slice}, {bitmap}), \
             bsi_quantile_agg({slice}, {bitmap}, 0.5)"
        )
    };
    for sql in [
        format!(
            "{} FROM tag_numbers WHERE tag = 'age'",
            of("slice", "bitmap")
        ),
        format!(
            "{} FROM (SELECT slice AS s, bitmap AS b FROM tag_numbers WHERE tag = 'age')",
            of("s", "b")
        ),
        format!(
            "WITH n AS (SELECT * FROM tag_numbers WHERE app = 'shop') {} FROM n x WHERE x.tag = 'age'",
            of("x.slice", "x.bitmap")
        ),
        format!(
            "{} FROM tag_numbers n JOIN (VALUES ('age')) AS wanted(name) ON n.tag = wanted.name",
            of("slice", "bitmap")
        ),
    ] {
        assert_eq!(row(&ctx, &sql).await.unwrap(), expected, "{sql}");
    }
    let weighed = "SELECT sum(weight * cardinality) FROM tag_numbers WHERE tag = 'age'";
    assert_eq!(row(&ctx, weighed).await.unwrap(), [format!("{sum}.0")]);
}

#[tokio::test]
async fn members_by_their_numbers_are_right_over_shards_with_and_without_offsets() {
    let ctx = small().await.session().await;
    let ages = ages();
    let number = |keep: &dyn Fn(i64) -> bool| ages.iter().filter(|age| keep(**age)).count();
    for (call, expected) in [
        (
            "bsi_compare_agg(slice, bitmap, '<', 0)",
            number(&|age| age < 0),
        ),
        (
            "bsi_compare_agg(slice, bitmap, '>=', -3)",
            number(&|age| age >= -3),
        ),
        (
            "bsi_between_agg(slice, bitmap, -5, 20)",
            number(&|age| (-5..=20).contains(&age)),
        ),
        ("bsi_top_agg(slice, bitmap, 100)", 100),
    ] {
        let sql = format!("SELECT bitmap_cardinality({call}) FROM tag_numbers WHERE tag = 'age'");
        assert_eq!(
            row(&ctx, &sql).await.unwrap(),
            [expected.to_string()],
            "{call}"
        );
    }
    let top = "SELECT bsi_min_agg(n.slice, bitmap_and(n.bitmap, t.top)) FROM tag_numbers n CROSS JOIN \
               (SELECT bsi_top_agg(slice, bitmap, 100) AS top FROM tag_numbers WHERE tag = 'age') t \
               WHERE n.tag = 'age'";
    let expected = ages[ages.len() - 100].to_string();
    assert_eq!(row(&ctx, top).await.unwrap(), [expected]);
}

#[tokio::test]
async fn sums_of_measures_add_shards_days_and_combinations_up() {
    let ctx = small().await.session().await;
    let amounts = amounts();
    let sum = |keep: &dyn Fn(i32, u32) -> bool| {
        let kept = amounts
            .iter()
            .filter(|(_, day, combination, _)| keep(*day, *combination));
        kept.map(|(.., amount)| amount).sum::<i64>()
    };
    for (condition, expected) in [
        ("true", sum(&|_, _| true)),
        ("date = '2026-11-18'", sum(&|day, _| day == FIRST + 1)),
        ("combination = 1", sum(&|_, combination| combination == 1)),
    ] {
        let from = format!("FROM behaviour_measures WHERE measure = 'amount' AND {condition}");
        let sql = format!("SELECT bsi_sum_agg(slice, bitmap), sum(weight * cardinality) {from}");
        let expected = [expected.to_string(), format!("{expected}.0")];
        assert_eq!(row(&ctx, &sql).await.unwrap(), expected, "{condition}");
    }
    let by_measure = "SELECT measure, bsi_sum_agg(slice, bitmap) FROM behaviour_measures GROUP BY measure \
                      ORDER BY measure DESC";
    let expected = ["amount".to_owned(), sum(&|_, _| true).to_string()];
    assert_eq!(row(&ctx, by_measure).await.unwrap(), expected);
}

#[tokio::test]
async fn what_has_no_one_answer_is_refused() {
    let ctx = small().await.session().await;
    for (sql, expected) in [
        (
            "SELECT bsi_sum_agg(slice, bitmap) FROM tag_numbers",
            "in one group, expected those of one: filter by what they are of, or GROUP BY it",
        ),
        (
            "SELECT bsi_sum_agg(slice, bitmap) FROM behaviour_measures",
            "in one group, expected those of one: filter by what they are of, or GROUP BY it",
        ),
        (
            "SELECT bsi_max_agg(slice, bitmap) FROM behaviour_measures WHERE measure = 'amount'",
            "expected one number a member: filter by what tells their numbers apart",
        ),
        (
            "SELECT bsi_quantile_agg(slice, bitmap, 0.5) FROM behaviour_measures WHERE measure = 'amount' \
             AND date = '2026-11-18'",
            "expected one number a member",
        ),
    ] {
        let error = row(&ctx, sql).await.unwrap_err();
        assert!(error.contains(expected), "{sql}: {error}");
    }
    // One combination of one day has one number a user.
    let mut of_day: BTreeMap<u64, i64> = BTreeMap::new();
    let own = |day, combination| day == FIRST + 1 && combination == 0;
    of_day.extend(
        amounts()
            .into_iter()
            .filter(|(_, day, combination, _)| own(*day, *combination))
            .map(|(uid, .., amount)| (uid, amount)),
    );
    let sql = "SELECT bsi_max_agg(slice, bitmap), bsi_min_agg(slice, bitmap) FROM behaviour_measures \
               WHERE measure = 'amount' AND date = '2026-11-18' AND combination = 0";
    let expected = [of_day.values().max(), of_day.values().min()].map(|n| n.unwrap().to_string());
    assert_eq!(row(&ctx, sql).await.unwrap(), expected);
}

#[tokio::test]
async fn slices_that_are_no_release_s_are_put_together_as_ever() {
    let ctx = small().await.session().await;
    let rows = "(VALUES (-1, [1, 2]), (0, [1]), (-1, [2, 3]), (0, [1, 3])) AS t(slice, members)";
    let sql = format!("SELECT bsi_sum_agg(slice, bitmap_from_array(members)) FROM {rows}");
    assert_eq!(row(&ctx, &sql).await.unwrap(), ["2"]);
}
