//! Two nights of generated data against the oracle.

use std::collections::BTreeMap;

use tagmill_testdata::oracle::Night;
use tagmill_testdata::oracle::group::Outcome;
use tagmill_testdata::spec::{Preset, Spec};

use crate::compare::{equals_the_oracle, group_members, same};
use crate::fixture::{Generated, init, published, run};
use crate::release::Published;

async fn two_nights_equal_the_oracle(preset: Preset) {
    let data = Generated::small(preset);
    init(&data.config).await;
    let first = run(&data.config, data.date(0)).await.unwrap();
    let (night, combinations) = data.expected(0);
    equals_the_oracle(&published(&data.config).await, &night, combinations).await;
    assert_eq!(
        (first.release, first.parent, first.users, first.new_users),
        (
            Some(1),
            None,
            night.dictionary.numbers.len() as u64,
            night.dictionary.numbers.len() as u64
        )
    );

    let second = run(&data.config, data.date(1)).await.unwrap();
    let (after, combinations) = data.expected(1);
    let release = published(&data.config).await;
    equals_the_oracle(&release, &after, combinations).await;
    assert_eq!(
        second.new_users,
        (after.dictionary.numbers.len() - night.dictionary.numbers.len()) as u64
    );
    entered_and_left_compare_with_the_night_before(&release, &night, &after).await;
    let (events, _) = release.behaviour(data.date(0)).await;
    assert!(
        !events.is_empty(),
        "the behaviour of the first night is gone"
    );
}

pub async fn entered_and_left_compare_with_the_night_before(
    release: &Published,
    before: &Night,
    after: &Night,
) {
    let (old, new) = (group_members(before), group_members(after));
    let none = Default::default();
    // A group that everybody left is still there to say so.
    let computed = after
        .groups()
        .into_iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Ok(_)))
        .map(|(key, _)| key);
    let expected = computed
        .filter(|key| new.contains_key(key) || old.contains_key(key))
        .map(|key| {
            let (users, old) = (
                new.get(&key).unwrap_or(&none),
                old.get(&key).unwrap_or(&none),
            );
            let counts = (
                users.difference(old).count() as u64,
                old.difference(users).count() as u64,
            );
            (key.clone(), counts)
        });
    let expected: BTreeMap<_, _> = expected.collect();
    let found = release
        .groups()
        .await
        .into_iter()
        .map(|(key, (_, entered, left))| (key, (entered, left)))
        .collect();
    same("entered, left", &found, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_nights_equal_the_oracle() {
    two_nights_equal_the_oracle(Preset::Demo).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dirty_nights_with_ids_scoped_by_app_equal_the_oracle() {
    two_nights_equal_the_oracle(Preset::Dirty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_of_attributes_and_events_alone_equals_the_oracle() {
    let spec = Spec {
        users: 2_000,
        events: 12_000,
        rules: 60,
        days: 1,
        apps: 40,
        rule_apps: 8,
        ..Spec::preset(Preset::Apps)
    };
    let data = Generated::new(spec);
    init(&data.config).await;
    run(&data.config, data.date(0)).await.unwrap();
    let (night, combinations) = data.expected(0);
    equals_the_oracle(&published(&data.config).await, &night, combinations).await;
}
