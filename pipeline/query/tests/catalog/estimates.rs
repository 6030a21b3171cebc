//! Estimates against the same users as plain rows.

use tagmill_query::estimate::estimate;
use tagmill_schemas::ValueType;
use tagmill_schemas::config::Tag;
use tagmill_schemas::manifest::{OverLimit, SourceCount};
use xxhash_rust::xxh3::xxh3_64;

use crate::release::{APP, User, small, users};

fn split(user: &User, salt: &str) -> u64 {
    xxh3_64(format!("{salt}\0{}", user.id()).as_bytes()) % 100
}

#[tokio::test]
async fn counts_equal_filtering_the_rows() {
    type Oracle = fn(&User) -> bool;
    let rules: [(&str, Oracle); 22] = [
        ("gender = 'F'", |u| u.gender == Some("F")),
        ("gender <> 'F'", |u| u.gender.is_some_and(|g| g != "F")),
        ("NOT gender = 'F'", |u| u.gender != Some("F")),
        ("gender IS NULL", |u| u.gender.is_none()),
        ("gender IS NOT NULL", |u| u.gender.is_some()),
        ("gender IN ('F', 'O''Brien')", |u| {
            matches!(u.gender, Some("F" | "O'Brien"))
        }),
        ("gender NOT IN ('F', 'M')", |u| {
            u.gender.is_some_and(|g| g != "F" && g != "M")
        }),
        ("gender LIKE 'O%'", |u| u.gender == Some("O'Brien")),
        ("gender LIKE '\\%x\\_'", |u| u.gender == Some("%x_")),
        ("gender NOT LIKE '%r%'", |u| {
            u.gender.is_some_and(|g| !g.contains('r'))
        }),
        ("age BETWEEN 25 AND 36", |u| {
            u.age.is_some_and(|a| (25..=36).contains(&a))
        }),
        ("age NOT BETWEEN 25 AND 36", |u| {
            u.age.is_some_and(|a| !(25..=36).contains(&a))
        }),
        ("age < 0", |u| u.age.is_some_and(|a| a < 0)),
        ("age = 30", |u| u.age == Some(30)),
        ("signup >= DATE '2025-01-01'", |u| {
            u.signup.is_some_and(|d| d >= 20_089)
        }),
        ("score > 12.5 AND score <= 100", |u| {
            u.score.is_some_and(|s| s > 12.5 && s <= 100.0)
        }),
        ("vip AND NOT age > 30", |u| {
            u.vip == Some(true) && u.age.is_none_or(|a| a <= 30)
        }),
        ("vip = false OR gender = 'M'", |u| {
            u.vip == Some(false) || u.gender == Some("M")
        }),
        ("in_group('women') AND age > 50", |u| {
            u.gender == Some("F") && u.age.is_some_and(|a| a > 50)
        }),
        ("in_split('salt', 10, 40) AND NOT vip", |u| {
            u.in_app && (10..40).contains(&split(u, "salt")) && u.vip != Some(true)
        }),
        ("NOT in_split('salt', 10, 40)", |u| {
            u.in_app && !(10..40).contains(&split(u, "salt"))
        }),
        ("true", |u| u.in_app),
    ];
    let release = small().await;
    let ctx = release.session().await;
    let users = users();
    for (rule, oracle) in rules {
        let expected = users
            .iter()
            .filter(|user| user.in_app && oracle(user))
            .count() as u64;
        let found = estimate(&ctx, &release.manifest, &[], None, APP, rule)
            .await
            .unwrap();
        assert_eq!(found.users, expected, "{rule}");
        assert_eq!(found.universe, 18_000);
        assert_eq!(
            found.shards.iter().map(|shard| shard.users).sum::<u64>(),
            expected
        );
    }
}

#[tokio::test]
async fn reads_only_the_bitmaps_of_the_rule() {
    let release = small().await;
    let ctx = release.session().await;
    let bitmaps = async |rule: &str| {
        estimate(&ctx, &release.manifest, &[], None, APP, rule)
            .await
            .unwrap()
            .bitmaps
    };
    assert_eq!(bitmaps("gender = 'F'").await, 4);
    assert_eq!(bitmaps("gender = 'F' AND NOT vip").await, 8);
    assert_eq!(bitmaps("NOT vip").await, 8);
    assert_eq!(bitmaps("in_group('women')").await, 4);
    // The users that have an age and, whatever the range, seven digits of it above an offset in two
    // shards, ten digits and who is below zero in the others.
    assert_eq!(bitmaps("age BETWEEN 3 AND 70").await, 2 * 8 + 2 * 12);
    assert_eq!(bitmaps("false").await, 0);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_rule_or_an_app() {
    let release = small().await;
    let ctx = release.session().await;
    let error = async |app: &str, rule: &str| {
        estimate(&ctx, &release.manifest, &[], None, app, rule)
            .await
            .unwrap_err()
    };
    let typo = error(APP, "gendr = 'F'").await;
    assert_eq!(typo.exit_code(), 2);
    assert!(
        typo.to_string()
            .contains("1:1: unknown tag \"gendr\", did you mean \"gender\"?"),
        "{typo}"
    );
    assert!(
        error("shpo", "true")
            .await
            .to_string()
            .contains("did you mean \"shop\"")
    );
    assert!(
        error(APP, "in_group('typo')")
            .await
            .to_string()
            .contains("unknown group \"typo\"")
    );
    assert!(
        error(APP, "in_list('x')")
            .await
            .to_string()
            .contains("unknown list \"x\"")
    );
}

#[tokio::test]
async fn a_tag_whose_values_are_withheld_is_no_tag_that_nobody_has() {
    let release = small().await;
    let ctx = release.session().await;
    let mut manifest = release.manifest.clone();
    manifest
        .tags
        .iter_mut()
        .filter(|entry| entry.tag == "gender")
        .for_each(|entry| {
            (entry.over_limit, entry.is_withheld) = (Some(OverLimit::Values(2)), true)
        });
    for rule in ["gender = 'F'", "vip OR NOT (age > 3 AND gender IS NULL)"] {
        let error = estimate(&ctx, &manifest, &[], None, APP, rule)
            .await
            .unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error
                .to_string()
                .contains("the values of tag \"gender\" are not in release"),
            "{error}"
        );
    }
    assert!(
        estimate(&ctx, &manifest, &[], None, APP, "vip")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn lists_are_read_as_they_are_now() {
    let release = small().await;
    let ctx = release.session().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(APP)).unwrap();
    // Two users of the app, one of the other app, one whom nobody knows.
    std::fs::write(
        folder.path().join(APP).join("vips.csv"),
        "user_id\nuser-0-1\nuser-3-4998\nuser-2-9\nstranger\n",
    )
    .unwrap();
    let template = format!("{}/{{app}}/{{list}}.csv", folder.path().display());
    let users = async |rule: &str| {
        estimate(&ctx, &release.manifest, &[], Some(&template), APP, rule)
            .await
            .map(|found| found.users)
    };
    assert_eq!(users("in_list('vips')").await.unwrap(), 2);
    assert_eq!(users("NOT in_list('vips')").await.unwrap(), 17_998);
    let absent = users("in_list('vip')").await.unwrap_err();
    assert!(
        absent
            .to_string()
            .contains("unknown list \"vip\", did you mean \"vips\", at ")
            && absent.exit_code() == 2,
        "{absent}"
    );
}

#[tokio::test]
async fn a_tag_of_the_platform_is_one_of_an_app_in_which_nobody_has_a_value() {
    let release = small().await;
    let ctx = release.session().await;
    let mut manifest = release.manifest.clone();
    let app = Some("other".to_owned());
    manifest.counts.push(SourceCount {
        source: "profiles".to_owned(),
        app,
        read: 1,
        accepted: 1,
        filtered: 0,
        rejected: 0,
        superseded: 0,
    });
    let (name, source, value) = (
        "gender".to_owned(),
        "profiles".to_owned(),
        Some("gender".to_owned()),
    );
    let gender = Tag {
        name,
        source,
        value_type: Some(ValueType::String),
        multi: false,
        value,
        scale: None,
    };
    let found = estimate(&ctx, &manifest, &[gender], None, "other", "gender IS NULL")
        .await
        .unwrap();
    assert!(
        found.universe > 0 && found.users == found.universe,
        "{found:?}"
    );
    assert!(
        estimate(&ctx, &manifest, &[], None, "other", "gender IS NULL")
            .await
            .is_err()
    );
}

/// A column that is always null, or a tag of today: the night says ok, 0.
#[tokio::test]
async fn a_declared_tag_that_nobody_has_is_no_unknown_one() {
    let release = small().await;
    let ctx = release.session().await;
    for value_type in ValueType::ALL {
        let tag = Tag {
            name: "booked".to_owned(),
            source: "profiles".to_owned(),
            value_type: Some(value_type),
            multi: false,
            value: Some("booked".to_owned()),
            scale: None,
        };
        let users = async |rule: &str| {
            let tags = std::slice::from_ref(&tag);
            let found = estimate(&ctx, &release.manifest, tags, None, APP, rule).await;
            found.unwrap().users
        };
        assert_eq!(users("booked IS NOT NULL").await, 0, "{value_type}");
        assert_eq!(users("booked IS NULL").await, 18_000, "{value_type}");
        assert!(users("gender = 'F' AND booked IS NULL").await > 0);
        if value_type == ValueType::Integer {
            assert_eq!(users("booked > 3 OR booked NOT BETWEEN 1 AND 2").await, 0);
            assert_eq!(users("NOT booked > 3").await, 18_000);
        }
    }
    let typo = estimate(&ctx, &release.manifest, &[], None, APP, "booked IS NULL").await;
    assert!(
        typo.unwrap_err()
            .to_string()
            .contains("unknown tag \"booked\"")
    );
}
