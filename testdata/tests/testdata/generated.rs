//! What the generator promises of a folder: same bytes for a seed whatever the threads, and what
//! the oracle finds in it adds up.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tagmill_testdata::event::Events;
use tagmill_testdata::generate::generate;
use tagmill_testdata::habit::Habits;
use tagmill_testdata::oracle::dictionary::Scope;
use tagmill_testdata::oracle::group::Outcome;
use tagmill_testdata::oracle::value::Value;
use tagmill_testdata::oracle::{Flavour, Night};
use tagmill_testdata::population::Population;
use tagmill_testdata::spec::{Preset, Spec};
use tagmill_testdata::table::{Place, Table};

fn small(preset: Preset) -> Spec {
    Spec {
        users: 3_000,
        events: 20_000,
        rules: 240,
        ..Spec::preset(preset)
    }
}

fn generate_with(threads: usize, spec: &Spec, out: &Path) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| generate(spec, out)).unwrap();
}

fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != "warehouse.toml" {
                found.insert(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_string_lossy()
                        .into_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

#[test]
fn same_seed_gives_the_same_bytes_whatever_the_threads() {
    let (one, three, other) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let spec = Spec {
        users: 500,
        events: 4_000,
        ..small(Preset::Dirty)
    };
    generate_with(1, &spec, one.path());
    generate_with(3, &spec, three.path());
    generate_with(2, &Spec { seed: 8, ..spec }, other.path());
    assert!(files(one.path()) == files(three.path()));
    assert!(files(one.path()) != files(other.path()));
}

#[test]
fn every_row_is_accepted_filtered_or_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let spec = small(Preset::Dirty);
    generate_with(2, &spec, folder.path());
    let night = Night::first(folder.path(), Flavour::Rich, spec.first_day, 4, Scope::App).unwrap();
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for ((source, _), account) in &night.facts.accounts {
        let rejected: u64 = account.rejected.values().sum();
        assert_eq!(
            account.read,
            account.accepted + account.filtered + rejected,
            "{source}"
        );
        account
            .rejected
            .iter()
            .for_each(|(reason, count)| *reasons.entry(reason).or_default() += count);
    }
    let expected = [
        "bad_birth",
        "bad_value",
        "late",
        "no_app",
        "no_time",
        "no_user",
    ];
    assert_eq!(reasons.keys().copied().collect::<Vec<_>>(), expected);
    assert!(
        night
            .facts
            .accounts
            .values()
            .any(|account| account.undeclared > 0)
    );
    assert!(
        night
            .facts
            .accounts
            .values()
            .any(|account| account.duplicates > 0)
    );
}

#[test]
fn the_second_night_keeps_every_number_and_appends() {
    let folder = tempfile::tempdir().unwrap();
    let spec = small(Preset::Demo);
    generate_with(2, &spec, folder.path());
    let first = Night::first(folder.path(), Flavour::Rich, spec.date(0), 4, Scope::Global).unwrap();
    let second = first
        .following(folder.path(), Flavour::Rich, spec.date(1))
        .unwrap();
    assert!(
        first
            .dictionary
            .numbers
            .iter()
            .all(|(id, number)| second.dictionary.numbers[id] == *number)
    );
    let grown = second.dictionary.numbers.len() - first.dictionary.numbers.len();
    assert!((40..90).contains(&grown), "{grown}");
    for shard in 0..4 {
        let mut ordinals: Vec<u32> = second
            .dictionary
            .numbers
            .values()
            .filter(|(s, _)| *s == shard)
            .map(|(_, ordinal)| *ordinal)
            .collect();
        ordinals.sort_unstable();
        assert!(
            ordinals
                .iter()
                .enumerate()
                .all(|(i, ordinal)| i as u32 == *ordinal)
        );
    }
}

#[test]
fn groups_agree_with_tags_and_odd_ones_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let spec = small(Preset::Demo);
    generate_with(2, &spec, folder.path());
    let night = Night::first(
        folder.path(),
        Flavour::Rich,
        spec.first_day,
        4,
        Scope::Global,
    )
    .unwrap();
    let (groups, tags) = (night.groups(), night.tags());
    let status = |group: &str| groups[&("tea_shop".to_owned(), group.to_owned())].status();
    let odd = [
        "typo",
        "not_a_rule",
        "on_typo",
        "nobody",
        "ended",
        "switched_off",
    ]
    .map(status);
    assert_eq!(
        odd,
        ["invalid", "invalid", "invalid", "ok", "expired", "disabled"]
    );
    assert_eq!(
        groups
            .values()
            .filter(|outcome| !matches!(outcome, Outcome::Ok(_)))
            .count(),
        5
    );
    assert!(
        groups
            .values()
            .filter(|outcome| matches!(outcome, Outcome::Ok(users) if !users.is_empty()))
            .count()
            > 180
    );
    let females = night
        .rules
        .iter()
        .find(|rule| rule.rule == "gender = 'F'")
        .unwrap();
    let expected = &tags[&(
        females.app.clone(),
        "gender".to_owned(),
        Value::String("F".to_owned()),
    )];
    assert_eq!(
        groups[&(females.app.clone(), females.group.clone())],
        Outcome::Ok(expected.clone())
    );
}

#[test]
fn behaviour_adds_up_to_the_accepted_rows() {
    let folder = tempfile::tempdir().unwrap();
    let spec = small(Preset::Demo);
    generate_with(2, &spec, folder.path());
    let night = Night::first(
        folder.path(),
        Flavour::Rich,
        spec.first_day,
        4,
        Scope::Global,
    )
    .unwrap();
    let behaviour = night.behaviour(2);
    let counted: i128 = behaviour
        .values()
        .flat_map(|event| event.counts.values())
        .flat_map(|users| users.values())
        .sum();
    let accepted: u64 = night
        .facts
        .accounts
        .iter()
        .filter(|((source, _), _)| ["platform", "custom", "scans"].contains(&source.as_str()))
        .map(|(_, a)| a.accepted - a.undeclared)
        .sum();
    assert_eq!(counted, i128::from(accepted));
    assert!(behaviour.values().any(|event| {
        event
            .counts
            .keys()
            .any(|combination| combination.is_overflow)
    }));
    assert!(
        behaviour[&("mega_mart".to_owned(), "purchase".to_owned())]
            .sums
            .keys()
            .all(|(measure, _)| measure == "amount")
    );
}

#[test]
fn a_hundred_million_users_are_streamed() {
    let spec = Spec::preset(Preset::Bench).scaled(20.0).unwrap();
    let (population, habits) = (Population::new(&spec), Habits::new(&spec));
    let events = Events::new(&spec, &population, &habits);
    assert_eq!(population.count(0), 100_000_000);
    let positions = 60_000_000..60_100_000;
    let batch = events
        .batch(&Place {
            day: 1,
            hour: 20,
            positions,
            count: population.count(1),
        })
        .unwrap();
    assert!(
        (20_000..200_000).contains(&batch.num_rows()),
        "{}",
        batch.num_rows()
    );
}
