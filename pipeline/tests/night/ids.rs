//! Ids that are missing, very long, or come twice.

use crate::bad_input::{PART, SECOND, shop};
use crate::hand::{DAY, EVENTS, Hand, day, profiles};

#[tokio::test(flavor = "multi_thread")]
async fn null_and_empty_user_ids_are_rejected_with_their_rows_and_lose_nobody_else() {
    let hand = shop();
    hand.write_profiles(
        DAY,
        &[
            ("shop", None, Some("Oslo"), Some(1)),
            ("shop", Some(""), Some("Rome"), Some(2)),
            ("shop", Some("u1"), Some("Bonn"), Some(3)),
            ("", Some("u2"), None, None),
        ],
    );
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(
        (report.rows["profiles"], report.rejected, report.users),
        (4, 3, 1)
    );
    let release = hand.published().await;
    let quality = release.quality().await;
    assert_eq!(
        quality[&(
            "profiles".to_owned(),
            Some("shop".to_owned()),
            "rejected:no_user".to_owned()
        )],
        2
    );
    assert_eq!(
        quality[&("profiles".to_owned(), None, "rejected:no_app".to_owned())],
        1,
        "{quality:?}"
    );
    assert_eq!(release.rejects().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_four_kilobytes_is_a_user_and_a_longer_one_is_rejected() {
    let hand = shop();
    let (long, longer) = ("u".repeat(4 << 10), "u".repeat((4 << 10) + 1));
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some(&long), Some("Oslo"), None),
            ("shop", Some(&longer), Some("Oslo"), None),
            ("shop", Some("\u{1F600}\n\0 x"), Some("Oslo"), None),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let dictionary = release.dictionary().await;
    assert_eq!(dictionary.len(), 2);
    assert!(
        dictionary.contains_key(&(String::new(), long.clone()))
            && dictionary.contains_key(&(String::new(), "\u{1F600}\n\0 x".to_owned()))
    );
    assert_eq!(
        release.quality().await[&(
            "profiles".to_owned(),
            Some("shop".to_owned()),
            "rejected:long_user".to_owned()
        )],
        1
    );
    // The dictionary is read back, too.
    hand.write_profiles("2026-11-20", &[("shop", Some(&long), Some("Rome"), None)]);
    assert_eq!(hand.run("2026-11-20").await.unwrap().new_users, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicting_rows_of_a_user_count_all_and_one_wins_whatever_the_order_of_files() {
    let rows = [
        ("shop", Some("u1"), Some("Oslo"), Some(1)),
        ("shop", Some("u1"), Some("Rome"), None),
        ("shop", Some("u1"), None, Some(9)),
    ];
    let mut seen = Vec::new();
    for turn in 0..rows.len() {
        let hand = shop();
        let mut rows = rows;
        rows.rotate_left(turn);
        hand.write(PART, profiles(&rows[..1]));
        hand.write(SECOND, profiles(&rows[1..]));
        hand.init_and_run().await.unwrap();
        let release = hand.published().await;
        assert_eq!(
            release
                .manifest
                .counts
                .iter()
                .map(|c| c.accepted)
                .sum::<u64>(),
            3
        );
        let tags = release.tags().await;
        let of = |tag: &str| tags.keys().filter(|(_, name, _)| name == tag).count();
        assert!(of("city") <= 1 && of("age") <= 1, "{tags:?}");
        seen.push(tags);
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicated_event_counts_once_only_where_a_key_says_so() {
    for (key, expected) in [("", 2), ("dedupe = { key = ['time'] }\n", 1)] {
        let hand = Hand::new(&[EVENTS, key]);
        hand.write_events(
            DAY,
            &[
                ("shop", "u1", "visit", None, None),
                ("shop", "u1", "visit", None, None),
            ],
        );
        hand.init_and_run().await.unwrap();
        let measures = hand.published().await.measures(day(DAY)).await;
        let counts = &measures[&(
            "shop".to_owned(),
            "visit".to_owned(),
            "*".to_owned(),
            0,
            false,
        )];
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [expected]);
    }
}
