//! A release against the oracle's night: accounts, dictionary, universe, tags, behaviour, groups.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use tagmill_testdata::oracle::Night;
use tagmill_testdata::oracle::group::Outcome;
use tagmill_testdata::oracle::value::{Kind, Value};

use crate::release::{Numbers, Published, Users};

/// Names the first keys in which two maps differ.
pub fn same<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
) {
    let keys: BTreeSet<&K> = found.keys().chain(expected.keys()).collect();
    let different: Vec<&K> = keys
        .into_iter()
        .filter(|key| found.get(key) != expected.get(key))
        .collect();
    let show = |key: &&K| {
        let mut line = format!(
            "  {key:?}\n    found    {:?}\n    expected {:?}",
            found.get(key),
            expected.get(key)
        );
        line.truncate(
            line.char_indices()
                .nth(600)
                .map_or(line.len(), |(at, _)| at),
        );
        line
    };
    let lines: Vec<String> = different.iter().take(6).map(show).collect();
    assert!(
        different.is_empty(),
        "{what}: {} of {} keys differ\n{}",
        different.len(),
        expected.len(),
        lines.join("\n")
    );
}

/// Everything but entered and left.
pub async fn equals_the_oracle(published: &Published, night: &Night, combinations: u32) {
    accounts(published, night).await;
    dictionary(published, night).await;
    same(
        "universe",
        &published.universe().await,
        &night
            .universe
            .iter()
            .map(|(app, users)| (app.clone(), night.uids(app, users)))
            .collect(),
    );
    tags(published, night).await;
    behaviour(published, night, combinations).await;
    groups(published, night).await;
}

async fn accounts(published: &Published, night: &Night) {
    let counts = published
        .manifest
        .counts
        .iter()
        .map(|c| {
            (
                (c.source.clone(), c.app.clone()),
                [c.read, c.accepted, c.filtered, c.rejected],
            )
        })
        .collect();
    let expected = night
        .facts
        .accounts
        .iter()
        .map(|(key, a)| {
            (
                key.clone(),
                [a.read, a.accepted, a.filtered, a.rejected.values().sum()],
            )
        })
        .collect();
    same("read, accepted, filtered, rejected", &counts, &expected);
    let mut metrics = BTreeMap::new();
    for ((source, app), account) in &night.facts.accounts {
        let named = [
            ("read", account.read),
            ("accepted", account.accepted),
            ("filtered", account.filtered),
            ("undeclared_event", account.undeclared),
            ("duplicates", account.duplicates),
        ];
        let rejected = account
            .rejected
            .iter()
            .map(|(reason, count)| (format!("rejected:{reason}"), *count));
        for (metric, count) in named
            .map(|(metric, count)| (metric.to_owned(), count))
            .into_iter()
            .chain(rejected)
            .filter(|(_, count)| *count > 0)
        {
            metrics.insert((source.clone(), app.clone(), metric), count);
        }
    }
    let is_scoped = night
        .dictionary
        .numbers
        .keys()
        .any(|(app, _)| !app.is_empty());
    for (app, lists) in &night.lists {
        let is_named = |list: &String| {
            night
                .rules
                .iter()
                .any(|rule| rule.app == *app && rule.rule.contains(&format!("in_list('{list}')")))
        };
        let scope = if is_scoped {
            app.clone()
        } else {
            String::new()
        };
        let is_known = |member: &String| {
            night
                .dictionary
                .numbers
                .contains_key(&(scope.clone(), member.clone()))
        };
        let unknown = lists
            .iter()
            .filter(|(list, _)| is_named(list))
            .flat_map(|(_, members)| members)
            .filter(|member| !is_known(member))
            .count() as u64;
        if unknown > 0 {
            metrics.insert(
                (
                    "groups.lists".to_owned(),
                    Some(app.clone()),
                    "unknown_members".to_owned(),
                ),
                unknown,
            );
        }
    }
    let mut found = published.quality().await;
    found.retain(|(_, _, metric), _| {
        !metric.starts_with("over_limit:")
            && metric != "undeclared_property"
            && metric != "superseded"
    });
    same("quality", &found, &metrics);
}

async fn dictionary(published: &Published, night: &Night) {
    let expected = night
        .dictionary
        .numbers
        .iter()
        .map(|(identity, &(shard, ordinal))| {
            (
                identity.clone(),
                u64::from(shard) << 32 | u64::from(ordinal),
            )
        })
        .collect();
    same("dictionary", &published.dictionary().await, &expected);
}

async fn tags(published: &Published, night: &Night) {
    let expected: BTreeMap<_, Users> = night
        .tags()
        .into_iter()
        .map(|((app, tag, value), users)| {
            let uids = night.uids(&app, &users);
            ((app, tag, value), uids)
        })
        .collect();
    same("tags", &published.tags().await, &expected);
    let codes = published.codes().await;
    assert!(
        expected.keys().all(|key| codes.contains_key(key)),
        "a published value has no code"
    );
    let mut by_tag: BTreeMap<(&String, &String), BTreeSet<u32>> = BTreeMap::new();
    codes.iter().for_each(|((app, tag, _), &code)| {
        by_tag.entry((app, tag)).or_default().insert(code);
    });
    assert!(
        by_tag
            .values()
            .all(|codes| codes.iter().enumerate().all(|(i, &code)| i as u32 == code)),
        "codes have gaps"
    );
    same(
        "tag numbers",
        &published.tag_numbers().await,
        &numbers(night),
    );
}

/// Numeric and date tags with one value a user; doubles only with a scale, which `balance` alone
/// has (2).
fn numbers(night: &Night) -> BTreeMap<(String, String), Numbers> {
    let mut numbers = BTreeMap::new();
    for ((app, tag), users) in &night.facts.tags {
        let kind = night.facts.kind(app, tag).unwrap();
        let is_number = match kind {
            Kind::Integer | Kind::Date => tag != "lucky_numbers",
            Kind::Double => tag == "balance",
            Kind::String | Kind::Boolean => false,
        };
        if is_number {
            let scaled = |value: &Value| match value {
                Value::Integer(v) => i128::from(*v),
                Value::Date(v) => i128::from(*v),
                Value::Double(v) => (v * 100.0).round_ties_even() as i128,
                _ => unreachable!(),
            };
            let of_user = users.iter().map(|(user, values)| {
                (
                    night.dictionary.uid(app, user).unwrap(),
                    scaled(values.iter().next().unwrap()),
                )
            });
            numbers.insert((app.clone(), tag.clone()), of_user.collect());
        }
    }
    numbers
}

pub async fn behaviour(published: &Published, night: &Night, combinations: u32) {
    let (events, values) = published.behaviour(night.date).await;
    let (mut expected_events, mut expected_values, mut expected_measures) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for ((app, event), day) in night.behaviour(combinations) {
        let numbers = |users: &BTreeMap<String, i128>| -> Numbers {
            users
                .iter()
                .map(|(user, n)| (night.dictionary.uid(&app, user).unwrap(), *n))
                .collect()
        };
        expected_events.insert((app.clone(), event.clone()), night.uids(&app, &day.users));
        for ((dimension, value, at), users) in &day.values {
            let key = (
                app.clone(),
                event.clone(),
                dimension.clone(),
                Some(value.to_string()),
                at.number,
                at.is_overflow,
            );
            expected_values.insert(key, night.uids(&app, users));
        }
        for (at, users) in &day.counts {
            expected_measures.insert(
                (
                    app.clone(),
                    event.clone(),
                    "*".to_owned(),
                    at.number,
                    at.is_overflow,
                ),
                numbers(users),
            );
        }
        for ((measure, at), users) in &day.sums {
            expected_measures.insert(
                (
                    app.clone(),
                    event.clone(),
                    measure.clone(),
                    at.number,
                    at.is_overflow,
                ),
                numbers(users),
            );
        }
    }
    same("users of events", &events, &expected_events);
    same("users of dimension values", &values, &expected_values);
    same(
        "counts and sums",
        &published.measures(night.date).await,
        &expected_measures,
    );
}

async fn groups(published: &Published, night: &Night) {
    let outcomes = night.groups();
    let statuses = published.statuses().await;
    let expected = outcomes.iter().map(|(key, outcome)| {
        let size = if let Outcome::Ok(users) = outcome {
            Some(users.len() as u64)
        } else {
            None
        };
        (key.clone(), (outcome.status().to_owned(), size))
    });
    same("group status", &statuses, &expected.collect());
    let members = published
        .groups()
        .await
        .into_iter()
        .map(|(key, (users, _, _))| (key, users))
        .filter(|(_, users)| !users.is_empty())
        .collect();
    same("groups", &members, &group_members(night));
}

/// The uids of every group that is not empty.
pub fn group_members(night: &Night) -> BTreeMap<(String, String), Users> {
    let computed = night
        .groups()
        .into_iter()
        .filter_map(|(key, outcome)| match outcome {
            Outcome::Ok(users) if !users.is_empty() => {
                Some((key.clone(), night.uids(&key.0, &users)))
            }
            _ => None,
        });
    computed.collect()
}
