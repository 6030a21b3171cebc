//! Estimates of rules over days that no night computes, against rows written by hand.

use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use tagmill_query::estimate::Estimate;
use tagmill_schemas::Result;
use tagmill_warehouse::release::newest_release;

use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::release::Published;
use crate::windows::{ASKS, Nights, OF_EVENTS, USERS, after, rows_of};

async fn estimate(release: &Published, rule: &str) -> Result<Estimate> {
    let ctx = SessionContext::new();
    // As it stands in the store: files of lists are there once.
    let manifest = newest_release(&release.store).await?.unwrap();
    tagmill_query::catalog::register(&ctx, &release.store, &manifest).await?;
    tagmill_query::estimate::estimate(&ctx, &manifest, &[], None, "shop", rule).await
}

/// Compares every rule with the rows until a date.
async fn check(nights: &Nights, date: NaiveDate) {
    let release = nights.hand.published().await;
    for ask in &ASKS {
        let users = (0..USERS).map(|user| format!("u{user}"));
        let holds = |user: &String| (ask.holds)(&nights.past(user, date));
        let expected = users.filter(holds).count() as u64;
        let found = estimate(&release, ask.rule).await.unwrap();
        assert_eq!(found.users, expected, "{} on {date}", ask.rule);
        assert!(found.exact && found.bounds.is_none(), "{}", ask.rule);
        let not = estimate(&release, &format!("NOT ({})", ask.rule)).await;
        assert_eq!(not.unwrap().users, USERS as u64 - expected, "{}", ask.rule);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_answers_rules_that_no_night_has() {
    let mut nights = Nights::new().await;
    nights.write_rules(&[]);
    for night in 0..8 {
        nights.run(after(night), rows_of(night)).await;
    }
    check(&nights, after(7)).await;
    // A replayed date before the head counts at once.
    nights.run(after(5), rows_of(105)).await;
    check(&nights, after(7)).await;
    let release = nights.hand.published().await;
    let found = estimate(
        &release,
        "event_count('pay', 4) >= 3 AND event_sum('pay', 'amount', 4) > 0",
    );
    let days = found.await.unwrap().behaviour.unwrap();
    assert_eq!((days.from, days.to, days.days), (after(4), after(7), 4));
    assert!(days.missing.is_empty());
    assert_eq!(days.since, after(0));
    let none = estimate(&release, "city = 'Oslo'").await.unwrap();
    assert!(none.behaviour.is_none() && none.exact);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_a_night_has_is_the_same() {
    let mut nights = Nights::new().await;
    nights.write_rules(&ASKS);
    for night in 0..5 {
        nights.run(after(night), rows_of(night)).await;
    }
    check(&nights, after(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_missing_or_before_the_first_are_told() {
    let mut nights = Nights::new().await;
    nights.write_rules(&[]);
    for night in [0, 1, 3] {
        nights.run(after(night), rows_of(night)).await;
    }
    check(&nights, after(3)).await;
    let release = nights.hand.published().await;
    let found = estimate(&release, "event_days('visit', 30) > 0")
        .await
        .unwrap();
    let days = found.behaviour.as_ref().unwrap();
    assert_eq!((days.days, days.since), (3, after(0)));
    assert_eq!(days.missing, [format!("{} had no night", after(2))]);
    let text = found.to_string();
    assert!(text.contains("days before count as empty"), "{text}");
    assert!(text.contains("incomplete: "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_sends_is_named() {
    let mut nights = Nights::new().await;
    nights.write_rules(&[]);
    for night in 0..5 {
        // Nobody visits in the newest days.
        let mut rows = rows_of(night);
        rows.retain(|row| night == 0 || row.1 == "pay");
        nights.run(after(night), rows).await;
    }
    let release = nights.hand.published().await;
    for (rule, expected) in [
        (
            "event_count('pya', 3) > 0",
            "1:13: unknown event \"pya\", did you mean \"pay\"?",
        ),
        (
            "event_sum('pay', 'amont', 3) > 0",
            "unknown measure \"amont\", did you mean \"amount\"?",
        ),
        (
            "event_count('pay', 3, citi = 'Oslo') > 0",
            "unknown dimension \"citi\", did you mean \"city\"?",
        ),
    ] {
        let error = estimate(&release, rule).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{rule}: {error}");
    }
    let visits = estimate(&release, "event_count('visit', 3) = 0").await;
    assert_eq!(visits.unwrap().users, USERS as u64);
    let nowhere = estimate(&release, "event_count('pay', 9, city = 'Olso') > 0").await;
    let nowhere = nowhere.unwrap().nobody_has;
    assert!(
        nowhere[0].starts_with("no event pay has city 'Olso', near: 'Oslo'"),
        "{nowhere:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_limits_keep_out_gives_bounds() {
    let limits = "[limits]\ncombinations_per_user = 2\n";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS, OF_EVENTS, GROUPS, limits]);
    hand.write_bytes("conf/rules.ndjson", "");
    hand.init().await;
    let date = day(DAY).to_string();
    hand.write_profiles(&date, &[("shop", Some("u1"), None, None)]);
    let pays = |user, city| ("shop", user, "pay", Some(city), Some(1.0));
    hand.write_events(
        &date,
        &[
            pays("u1", "Bern"),
            pays("u1", "Oslo"),
            pays("u1", "Rome"),
            pays("u1", "Zug"),
            pays("u2", "Rome"),
            pays("u3", "Oslo"),
        ],
    );
    hand.run(&date).await.unwrap();
    let release = hand.published().await;
    let rome = estimate(&release, "event_count('pay', 3, city = 'Rome') >= 1");
    let rome = rome.await.unwrap();
    assert!(!rome.exact, "{rome}");
    assert_eq!(rome.bounds, Some((1, 2)), "{rome}");
    assert!(rome.to_string().contains("not exact: 1 to 2 users"));
    let all = estimate(&release, "event_count('pay', 3) >= 4")
        .await
        .unwrap();
    assert!(all.exact && all.users == 1);
}
