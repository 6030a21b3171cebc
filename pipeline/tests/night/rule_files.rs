//! Files of rules that are damaged, wrong or not there: no group is lost without a word.

use tagmill_pipeline as job;
use tagmill_schemas::Kind;
use tagmill_warehouse::release::list_releases;

use crate::fixture::{request, warehouse};
use crate::hand::{DAY, GROUPS, day};
use crate::setup::{ROWS, shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_rules_does_not_take_its_groups_away() {
    let hand = shop(&[GROUPS]);
    let rule = |app: &str, group: usize| {
        format!("{{\"app\":\"{app}\",\"group\":\"g{group}\",\"rule\":\"age > 3\"}}\n")
    };
    let rules: String = (0..20)
        .flat_map(|group| [rule("shop", group), rule("tea", group)])
        .collect();
    hand.write_bytes("conf/a.ndjson", &rules);
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    for damaged in [
        "",
        "[]",
        "<html>\n<body>\n",
        &rules.replace("\"group\"", "\"name\""),
        &rules[..rules.len() / 2 + 10],
    ] {
        hand.write_bytes("conf/a.ndjson", damaged);
        let error = hand.run("2026-11-20").await.unwrap_err();
        assert!(
            error.kind() == Kind::Refused
                && error
                    .to_string()
                    .contains("conf/a.ndjson, of which rows seem to be lost"),
            "{damaged:?}: {error}"
        );
    }
    // Deleted groups are gone, whatever one row that nobody can read was.
    hand.write_bytes(
        "conf/a.ndjson",
        ["not json\n".to_owned(), rule("tea", 0)].concat(),
    );
    assert_eq!(hand.run("2026-11-20").await.unwrap().groups["ok"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_app_whose_rules_break_does_not_stop_the_others() {
    let hand = shop(&[GROUPS]);
    let rule = |app: &str, group: usize, tag: &str| {
        format!("{{\"app\":\"{app}\",\"group\":\"g{group}\",\"rule\":\"{tag} > 3\"}}\n")
    };
    let rules = |tag: &str| -> String {
        (0..5)
            .flat_map(|group| [rule("shop", group, tag), rule("tea", group, "age")])
            .collect()
    };
    hand.write_bytes("conf/a.ndjson", rules("age"));
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    hand.write_bytes("conf/a.ndjson", rules("agee"));
    assert_eq!(hand.run("2026-11-20").await.unwrap().groups["invalid"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_one_app_that_damage_takes_away_are_told() {
    let hand = shop(&[GROUPS]);
    let rule = |app: &str, group: usize| {
        format!("{{\"app\":\"{app}\",\"group\":\"g{group}\",\"rule\":\"age > 3\"}}\n")
    };
    hand.write_bytes(
        "conf/shop.ndjson",
        (0..5).map(|group| rule("shop", group)).collect::<String>(),
    );
    hand.write_bytes("conf/tea.ndjson", rule("tea", 0));
    hand.init_and_run().await.unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    hand.write_bytes("conf/shop.ndjson", &rule("shop", 0)[..20]);
    let told = Told::default();
    job::run(&request(&hand.config, day("2026-11-20")), &told)
        .await
        .unwrap();
    let lines = told.0.into_inner().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("conf/shop.ndjson seem to be lost: 5 groups")),
        "{lines:?}"
    );
}

/// Keeps what is said.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<String>>);

impl job::Observer for Told {
    fn stage(&self, _: &'static str, _: &str) {}

    fn progress(&self, _: u64, _: u64) {}

    fn warn(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_not_there_do_not_take_all_groups_away() {
    let hand = shop(&[GROUPS]);
    hand.write_bytes(
        "conf/a.ndjson",
        "{\"app\":\"shop\",\"group\":\"a\",\"rule\":\"age > 3\"}\n",
    );
    hand.init_and_run().await.unwrap();
    std::fs::remove_file(hand.path("conf/a.ndjson")).unwrap();
    hand.write_profiles("2026-11-20", &ROWS);
    let error = hand.run("2026-11-20").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Retry);
    assert!(
        error
            .to_string()
            .contains("groups.rules has no file, but 1 groups were there before"),
        "{error}"
    );
    assert_eq!(
        list_releases(&warehouse(&hand.config))
            .await
            .unwrap()
            .newest(),
        Some(1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_file_without_header_is_told_and_loses_no_group_silently() {
    let hand = shop(&[&GROUPS.replace("ndjson", "csv")]);
    hand.write_bytes("conf/a.csv", "shop,a,age > 3\n");
    hand.init().await;
    let told = Told::default();
    job::run(&request(&hand.config, day(DAY)), &told)
        .await
        .unwrap();
    let told = told.0.into_inner().unwrap().join("\n");
    assert!(
        told.contains(
            "conf/a.csv:1 is not used: expected a header with the column app, found \
                           \"shop,a,age > 3\""
        ),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_beyond_the_limit_of_an_app_are_over_limit_for_that_app_alone() {
    let hand = shop(&[GROUPS, "[limits]\ngroups = 1\n"]);
    let rule = |app: &str, group: &str| {
        format!("{{\"app\":\"{app}\",\"group\":\"{group}\",\"rule\":\"age > 3\"}}\n")
    };
    hand.write_bytes(
        "conf/a.ndjson",
        [rule("shop", "a"), rule("shop", "b"), rule("tea", "a")].concat(),
    );
    hand.init_and_run().await.unwrap();
    let statuses = hand.published().await.statuses().await;
    let of = |app: &str, group: &str| statuses[&(app.to_owned(), group.to_owned())].0.clone();
    let mut shop = [of("shop", "a"), of("shop", "b")];
    shop.sort();
    assert_eq!(
        (shop, of("tea", "a")),
        (["ok".to_owned(), "over_limit".to_owned()], "ok".to_owned())
    );
}
