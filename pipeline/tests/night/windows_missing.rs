//! Days of behaviour that are missing, that never come, or of which limits keep something out.

use tagmill_pipeline::accept_missing;
use tagmill_schemas::Config;

use crate::hand::{DAY, EVENTS, GROUPS, Hand, PROFILE_TAGS, PROFILES, day};
use crate::windows::{ASKS, Nights, OF_EVENTS, after, rows_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_day_keeps_the_members_and_is_named() {
    let mut nights = Nights::new().await;
    nights.write_rules(&ASKS);
    for night in 0..3 {
        nights.run(after(night), rows_of(night)).await;
    }
    let before = nights.hand.published().await.groups().await;
    // No night of the fourth day.
    nights.run(after(4), rows_of(4)).await;
    let release = nights.hand.published().await;
    let (statuses, reasons) = (release.statuses().await, release.reasons().await);
    let key = |group: &str| ("shop".to_owned(), group.to_owned());
    for ask in &ASKS {
        assert_eq!(statuses[&key(ask.group)].0, "incomplete", "{}", ask.group);
        let reason = &reasons[&key(ask.group)];
        let expected = format!("needs {}, which misses source events", after(3));
        assert!(reason.contains(&expected), "{reason}");
    }
    let kept = release.groups().await;
    assert_eq!(
        kept.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    for (group, (members, ..)) in &kept {
        assert_eq!(*members, before[group].0, "{group:?}");
    }
    // Three days later what asks for three days has them all.
    nights.run(after(5), rows_of(5)).await;
    nights.run(after(6), rows_of(6)).await;
    let release = nights.hand.published().await;
    let statuses = release.statuses().await;
    assert_eq!(statuses[&key("never")].0, "ok");
    assert_eq!(statuses[&key("often")].0, "incomplete");
    // The day comes: everything is whole again.
    nights.run(after(3), rows_of(3)).await;
    nights.run(after(7), rows_of(7)).await;
    let release = nights.check(after(7), &ASKS).await;
    assert!(
        release
            .statuses()
            .await
            .values()
            .all(|(status, _)| status == "ok")
    );
}

/// Members by user id of a group of the newest release.
async fn members(hand: &Hand, group: &str) -> Vec<String> {
    let release = hand.published().await;
    let users = release.dictionary().await;
    let groups = release.groups().await;
    let key = ("shop".to_owned(), group.to_owned());
    let members = groups.get(&key).map(|(members, ..)| members.clone());
    let members = members.unwrap_or_default();
    let named = users.into_iter().filter(|(_, uid)| members.contains(uid));
    named.map(|((_, user), _)| user).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_limits_keep_out_is_told_and_what_is_known_counts() {
    let limits = "[limits]\ncombinations_per_user = 2\n";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS, OF_EVENTS, GROUPS, limits]);
    hand.write_bytes(
        "conf/rules.ndjson",
        [
            "{\"app\":\"shop\",\"group\":\"all\",\"rule\":\"event_count('pay', 2) = 4\"}\n",
            "{\"app\":\"shop\",\"group\":\"bern\",\"rule\":\"event_count('pay', 2, city = 'Bern') >= 1\"}\n",
            "{\"app\":\"shop\",\"group\":\"rome\",\"rule\":\"event_sum('pay', 'amount', 2, city = 'Rome') >= 0.1\"}\n",
        ]
        .concat(),
    );
    let pays =
        |user: &'static str, city: &'static str| ("shop", user, "pay", Some(city), Some(0.1));
    // The tuples of u1 are Bern, Oslo, Rome, Zug: the last two share a number.
    let rows = [
        pays("u1", "Bern"),
        pays("u1", "Oslo"),
        pays("u1", "Rome"),
        pays("u1", "Zug"),
        pays("u2", "Rome"),
        pays("u3", "Oslo"),
    ];
    let mut date = day(DAY);
    hand.init().await;
    for night in 0..4 {
        let text = date.to_string();
        hand.write_profiles(&text, &[("shop", Some("u1"), None, None)]);
        let rows = if night == 0 { &rows[..] } else { &rows[4..5] };
        hand.write_events(&text, rows);
        hand.run(&text).await.unwrap();
        let (is_first, has_shared) = (night == 0, night < 2);
        assert_eq!(
            members(&hand, "all").await.is_empty(),
            !has_shared,
            "{night}"
        );
        let bern = if has_shared { vec!["u1"] } else { vec![] };
        assert_eq!(members(&hand, "bern").await, bern);
        assert_eq!(members(&hand, "rome").await, ["u2"], "is_first: {is_first}");
        let reasons = hand.published().await.reasons().await;
        let reason = |group: &str| {
            let reason = reasons.get(&("shop".to_owned(), group.to_owned()));
            reason.is_some_and(|reason| reason.contains("not exact: of 1 users"))
        };
        let young = reasons
            .values()
            .any(|reason| reason.contains("has the days since 2026-11-19"));
        assert_eq!(young, is_first, "{reasons:?}");
        // In the window for two nights, then it is exact again; without a condition it always is.
        assert_eq!(
            (reason("bern"), reason("rome")),
            (has_shared, has_shared),
            "{reasons:?}"
        );
        assert!(!reason("all"));
        date = date.succ_opt().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_day_that_never_comes_is_accepted_and_empty() {
    let mut nights = Nights::new().await;
    nights.write_rules(&ASKS);
    for night in [0, 1, 3] {
        nights.run(after(night), rows_of(night)).await;
    }
    let config = Config::parse(&nights.hand.config, "warehouse.toml").unwrap();
    let accept = async |source: &str, night: u64| {
        let accepted = accept_missing(&config, source, after(night)).await;
        accepted.map_err(|error| error.to_string())
    };
    for (source, night, expected) in [
        ("event", 2, "did you mean \"events\"?"),
        ("events", 1, "are not missing"),
        ("events", 4, "is after the newest night"),
    ] {
        let refused = accept(source, night).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(accept("events", 2).await.unwrap().release, 4);
    assert!(
        accept("events", 2)
            .await
            .unwrap_err()
            .contains("are not missing")
    );
    nights.run(after(4), rows_of(4)).await;
    nights.check(after(4), &ASKS).await;
    nights.run(after(5), rows_of(5)).await;
    // It comes nevertheless.
    nights.run(after(2), rows_of(2)).await;
    nights.run(after(6), rows_of(6)).await;
    let release = nights.check(after(6), &ASKS).await;
    assert!(
        release
            .statuses()
            .await
            .values()
            .all(|(status, _)| status == "ok")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_the_night_does_without_is_a_missing_day_until_a_run_brings_it() {
    let late = "late = { policy = 'skip' }\n";
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, EVENTS, late, OF_EVENTS, GROUPS]);
    hand.write_bytes(
        "conf/rules.ndjson",
        "{\"app\":\"shop\",\"group\":\"payers\",\"rule\":\"event_count('pay', 3) >= 1\"}\n{\"app\":\"shop\",\"group\":\"on\",\"rule\":\"NOT in_group('payers')\"}\n",
    );
    hand.init().await;
    let profiles = [
        ("shop", Some("u1"), None, None),
        ("shop", Some("u2"), None, None),
    ];
    let status = async |group: &str| {
        let statuses = hand.published().await.statuses().await;
        statuses[&("shop".to_owned(), group.to_owned())].clone()
    };
    for night in 0..4 {
        let text = after(night).to_string();
        hand.write_profiles(&text, &profiles);
        if night != 1 {
            let pays = [("shop", "u2", "pay", None, Some(1.0))];
            hand.write_events(&text, &pays[..usize::from(night == 0)]);
        }
        hand.run(&text).await.unwrap();
        let (payers, on) = (status("payers").await, status("on").await);
        let expected = if night == 0 { "ok" } else { "incomplete" };
        assert_eq!(payers, (expected.to_owned(), Some(1)), "{night}");
        let expected = if night == 0 { "ok" } else { "stale" };
        assert_eq!(on, (expected.to_owned(), Some(1)), "{night}");
    }
    let missing = hand.published().await.manifest.behaviour.missing;
    assert_eq!(missing.len(), 1);
    assert_eq!(
        (missing[0].date, missing[0].source.as_str()),
        (after(1), "events")
    );
    // It comes late: the next night is whole.
    hand.write_events(&after(1).to_string(), &[]);
    hand.run(&after(1).to_string()).await.unwrap();
    assert!(hand.published().await.manifest.behaviour.missing.is_empty());
    let text = after(4).to_string();
    hand.write_profiles(&text, &profiles);
    hand.write_events(&text, &[]);
    hand.run(&text).await.unwrap();
    assert_eq!(status("payers").await, ("ok".to_owned(), Some(0)));
    assert!(members(&hand, "on").await.len() == 2);
}
