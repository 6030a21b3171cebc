//! `plan` tries the first rows of every source: what the night would reject is told before it runs.

use tagmill_pipeline as job;
use tagmill_pipeline::Silent;

use crate::fixture::request;
use crate::hand::{DAY, EVENTS, Hand, PROFILE_TAGS, PROFILES, day, text_columns};

async fn notes(hand: &Hand) -> Vec<String> {
    hand.init().await;
    let plan = job::plan(&request(&hand.config, day(DAY)), &Silent)
        .await
        .unwrap();
    plan.sources
        .into_iter()
        .flat_map(|source| source.notes)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_would_be_rejected_are_told_by_reason() {
    let hand = Hand::new(&[PROFILES, "filter = \"city <> 'Bonn'\"\n", PROFILE_TAGS]);
    let rows = [
        ["shop", "u1", "Oslo", "30"],
        ["shop", "u2", "Oslo", "old"],
        ["shop", "", "Oslo", "31"],
        ["shop", " u4 ", "Oslo", "32"],
        ["shop", "u5", "Oslo", "young"],
        ["shop", "u6", "Bonn", "33"],
        ["shop", "u7", "Oslo", "34"],
        ["shop", "u8", "Oslo", "35"],
    ];
    let columns = text_columns(["app", "user", "city", "age"], &rows);
    hand.write("raw/profiles/dt=2026-11-19/part.parquet", columns);
    assert_eq!(
        notes(&hand).await,
        [
            "of 8 rows tried rejected: 25.0 % bad_age, 12.5 % no_user; filtered: 12.5 %; 12.5 % of ids \
          have white space around them, which is part of the id"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn text_files_and_events_of_another_day_are_told() {
    let hand = Hand::new(&[&EVENTS.replace("*.parquet", "*")]);
    hand.write_bytes(
        "raw/events/dt=2026-11-19/a.csv",
        "app,user,event,time\nshop,u1,visit,2026-11-18 10:00:00\nshop\nshop,u1,visit,2026-11-19\n",
    );
    let told = notes(&hand).await;
    assert!(
        told.contains(&"1 of 1 files are read as csv".to_owned()),
        "{told:?}"
    );
    let tried = "of 3 rows tried rejected: 33.3 % late, 33.3 % unreadable_row";
    assert!(told.contains(&tried.to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_text_that_are_compared_by_letters_are_told() {
    for (filter, is_told) in [
        ("amount > paid", true),
        ("city between amount and 'z'", true),
        ("cast(amount as double) > cast(paid as double)", false),
        ("amount > '5' and amount <> paid", false),
    ] {
        let source = EVENTS.replace("*.parquet", "*");
        let hand = Hand::new(&[&source, &format!("filter = \"{filter}\"\n")]);
        hand.write_bytes(
            "raw/events/dt=2026-11-19/a.csv",
            "app,user,event,time,city,amount,paid\nshop,u1,visit,2026-11-19,Oslo,9,10\n",
        );
        hand.init().await;
        let wanted = request(&hand.config, day(DAY));
        let plan = job::plan(&wanted, &Silent).await.unwrap();
        let told: Vec<String> = plan.notices.iter().map(ToString::to_string).collect();
        let by_letters = |note: &String| note.contains("compared by their letters");
        assert_eq!(told.iter().any(by_letters), is_told, "{filter} {told:?}");
    }
}
