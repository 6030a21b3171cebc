//! Files of rules that are damaged, wrong or not there: no group is lost without a word.

use tagmill_pipeline as job;
use tagmill_schemas::Kind;
use tagmill_warehouse::release::list_releases;

use crate::fixture::{request, warehouse};
use crate::hand::{DAY, GROUPS, day, text_columns};
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
    // Deleted groups are gone, but for the one that a row nobody can read was.
    hand.write_bytes(
        "conf/a.ndjson",
        ["not json\n".to_owned(), rule("tea", 0)].concat(),
    );
    let error = hand.run("2026-11-20").await.unwrap_err();
    let words = "19 of 20 groups of app \"shop\" are removed, more than groups.max_removed (50 %)";
    assert!(error.to_string().contains(words), "{error}");
    let accepted = hand
        .config
        .replace("[groups]", "[groups]\nmax_removed = '100%'");
    let report = crate::fixture::run(&accepted, day("2026-11-20")).await;
    let groups: Vec<(String, u64)> = report.unwrap().groups.into_iter().collect();
    let expected = [("lost", 1), ("ok", 1), ("removed", 38)];
    assert_eq!(
        groups,
        expected.map(|(status, count)| (status.to_owned(), count))
    );
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
async fn lost_groups_keep_their_members_for_some_days_and_removed_ones_end() {
    let hand = shop(&[GROUPS, "max_lost_days = 1\n"]);
    let rule = |group: &str, rule: &str| {
        format!("{{\"app\":\"shop\",\"group\":\"{group}\",\"rule\":\"{rule}\"}}\n")
    };
    hand.write_bytes(
        "conf/shop.ndjson",
        [rule("adults", "age > 3"), rule("old", "age > 35")].concat(),
    );
    let of_adults = rule("both", "in_group('adults')");
    hand.write_bytes(
        "conf/other.ndjson",
        [of_adults.as_str(), &rule("gone", "age > 3")].concat(),
    );
    let tea = r#"{"app":"tea","group":"all","rule":"true"}"#;
    hand.write_bytes("conf/tea.ndjson", tea);
    hand.init_and_run().await.unwrap();
    // One file is broken, of the other a row is deleted.
    hand.write_bytes("conf/shop.ndjson", "[{\"app\"\n");
    hand.write_bytes("conf/other.ndjson", of_adults);
    let told = Told::default();
    for (date, members) in [("2026-11-20", Some(2)), ("2026-11-21", None)] {
        hand.write_profiles(date, &ROWS);
        let report = job::run(&request(&hand.config, day(date)), &told).await;
        let warnings = report.unwrap().warnings.join("\n");
        assert!(warnings.contains("lost rule shop/adults"), "{warnings}");
        let statuses = hand.published().await.statuses().await;
        let of = |group: &str| statuses.get(&("shop".to_owned(), group.to_owned()));
        let lost = ("lost".to_owned(), members);
        assert_eq!(of("adults"), Some(&lost));
        match members {
            Some(_) => {
                assert_eq!(of("both"), Some(&("stale".to_owned(), Some(2))));
                assert_eq!(of("gone"), Some(&("removed".to_owned(), None)));
            }
            None => {
                assert_eq!(of("both"), Some(&("invalid".to_owned(), None)));
                assert_eq!(of("gone"), None);
            }
        }
        let groups = hand.published().await.groups().await;
        let of = |group: &str| {
            groups
                .get(&("shop".to_owned(), group.to_owned()))
                .map(|g| g.2)
        };
        let ended = if members.is_some() { "gone" } else { "adults" };
        assert_eq!(
            (of(ended), of("old")),
            (Some(2), Some(u64::from(members.is_none())))
        );
    }
    let told = told.0.into_inner().unwrap().join("\n");
    assert!(
        told.contains("its members of 2026-11-19 are kept, stale"),
        "{told}"
    );
    assert!(
        told.contains("2 days old, more than groups.max_lost_days"),
        "{told}"
    );
    // What can be read again is a group as before.
    hand.write_bytes("conf/shop.ndjson", rule("adults", "age > 3"));
    hand.write_profiles("2026-11-22", &ROWS);
    let groups = hand.run("2026-11-22").await.unwrap().groups;
    assert_eq!((groups["ok"], groups["removed"]), (3, 1));
}

/// Keeps what is said.
#[derive(Default)]
pub struct Told(pub std::sync::Mutex<Vec<String>>);

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
async fn a_tag_that_rows_bring_is_known_at_once_and_what_nobody_has_is_told() {
    let labels = "[[source]]
name = 'labels'
kind = 'group_tags'
path = '@OUT@/raw/labels/dt={date}/*.parquet'
columns = { app = 'app', user = 'user', tag = 'tag', value = 'value' }
[[tag]]
name = '*'
source = 'labels'
";
    let hand = shop(&[labels, GROUPS]);
    let rows = [["shop", "u1", "segment", "gold"]];
    let columns = text_columns(["app", "user", "tag", "value"], &rows);
    hand.write(&format!("raw/labels/dt={DAY}/part.parquet"), columns);
    let rule = |app: &str, group: &str, rule: &str| {
        format!("{{\"app\":\"{app}\",\"group\":\"{group}\",\"rule\":\"{rule}\"}}\n")
    };
    let rules = [
        rule("shop", "gold", "segment = 'gold'"),
        rule("shop", "mistyped", "segmnt = 'gold'"),
        rule("shop", "nowhere", "city = 'Osl'"),
        rule("shop", "never", "age > 40 AND age < 20"),
        rule("teaa", "all", "true"),
    ];
    hand.write_bytes("conf/a.ndjson", rules.concat());
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let (statuses, reasons) = (release.statuses().await, release.reasons().await);
    for (app, group, status, users, reason) in [
        ("shop", "gold", "ok", Some(1), None),
        (
            "shop",
            "mistyped",
            "invalid",
            None,
            Some("did you mean \"segment\"?"),
        ),
        (
            "shop",
            "nowhere",
            "ok",
            Some(0),
            Some("no user has city 'Osl', near: 'Oslo'"),
        ),
        (
            "shop",
            "never",
            "ok",
            Some(0),
            Some("can never be true: no value of \"age\""),
        ),
        (
            "teaa",
            "all",
            "ok",
            Some(0),
            Some("no user of app \"teaa\" has been seen, near: \"tea\""),
        ),
    ] {
        let key = (app.to_owned(), group.to_owned());
        assert_eq!(statuses[&key], (status.to_owned(), users), "{group}");
        let found = reasons.get(&key).map(String::as_str);
        let is_said = reason.is_none_or(|reason| found.is_some_and(|found| found.contains(reason)));
        assert!(
            is_said && reason.is_some() == found.is_some(),
            "{group}: {found:?}"
        );
    }
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
            "conf/a.csv:1: group row is not used: expected a header with the column app, found \
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
