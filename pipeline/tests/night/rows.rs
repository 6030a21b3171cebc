//! Rows that say something wrong, or nothing: what becomes of them stays theirs, and nobody else's
//! night.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, StringArray, TimestampMicrosecondArray};
use futures::TryStreamExt;

use crate::hand::{DAY, EVENTS, GROUPS, Hand, NOON, PROFILE_TAGS, PROFILES, day};
use crate::release::Published;

const AMOUNT: &str =
    "[source.measures]\namount = { value = 'amount', scale = 2, events = ['buy'] }\n";

async fn quality(release: &Published, source: &str, metric: &str) -> Option<u64> {
    release
        .quality()
        .await
        .get(&(
            source.to_owned(),
            Some("shop".to_owned()),
            metric.to_owned(),
        ))
        .copied()
}

async fn users(release: &Published) -> BTreeSet<String> {
    release
        .dictionary()
        .await
        .into_keys()
        .map(|(_, user)| user)
        .collect()
}

/// Events of one user: so many ids twice, at opposite ends of the file, and some without an id, in
/// the middle of it.
fn write_repeated(hand: &Hand, repeated: usize, without: usize) {
    let other = (0..40_000).map(|id| Some(format!("other{id}")));
    let ids = || (0..repeated).map(|id| Some(format!("event{id}")));
    let ids: StringArray = ids()
        .chain(other.clone().take(20_000))
        .chain((0..without).map(|_| None))
        .chain(other.skip(20_000))
        .chain(ids())
        .collect();
    let all = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; ids.len()])) };
    let time: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![NOON; ids.len()]).with_timezone("UTC"));
    let columns = vec![
        ("app", all("shop")),
        ("user", all("u1")),
        ("event", all("buy")),
        ("time", time),
        ("id", Arc::new(ids) as ArrayRef),
    ];
    hand.write(&format!("raw/events/dt={DAY}/part.parquet"), columns);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dedupe_key_is_the_same_in_every_batch_and_none_is_no_key() {
    let hand = Hand::new(&[EVENTS, "dedupe = { key = ['id'] }\n"]);
    write_repeated(&hand, 100, 3);
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(quality(&release, "events", "duplicates").await, Some(100));
    let counts = release.measures(day(DAY)).await;
    let counts = &counts[&(
        "shop".to_owned(),
        "buy".to_owned(),
        "*".to_owned(),
        0,
        false,
    )];
    assert_eq!(
        counts.values().copied().collect::<Vec<_>>(),
        [40_000 + 100 + 3]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_that_do_not_fit_are_left_out_and_counted() {
    let hand = Hand::new(&[EVENTS, AMOUNT]);
    let large = Some(9e16);
    hand.write_events(
        DAY,
        &[
            ("shop", "u1", "buy", None, large),
            ("shop", "u1", "buy", None, large),
            ("shop", "u2", "buy", None, Some(1.0)),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(
        quality(&release, "events", "over_limit:sums").await,
        Some(1)
    );
    let measures = release.measures(day(DAY)).await;
    let of = |measure: &str| {
        measures[&(
            "shop".to_owned(),
            "buy".to_owned(),
            measure.to_owned(),
            0,
            false,
        )]
            .clone()
    };
    assert_eq!(
        of("*").into_values().collect::<BTreeSet<_>>(),
        BTreeSet::from([1, 2])
    );
    assert_eq!(of("amount").into_values().collect::<Vec<_>>(), [100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_is_judged_on_events_that_have_it() {
    let hand = Hand::new(&[EVENTS, AMOUNT]);
    hand.write_events(
        DAY,
        &[
            ("shop", "u1", "visit", None, Some(1e30)),
            ("shop", "u2", "buy", None, Some(1e30)),
            ("shop", "u3", "buy", None, Some(2.0)),
        ],
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(
        (
            quality(&release, "events", "accepted").await,
            quality(&release, "events", "rejected:bad_amount").await
        ),
        (Some(2), Some(1))
    );
    assert_eq!(
        users(&release).await,
        ["u1", "u3"].map(str::to_owned).into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_known_by_rejected_rows_alone() {
    let labels = "[[source]]\nname = 'labels'\nkind = 'group_tags'\npath = \
                  '@OUT@/raw/profiles/dt={date}/*.parquet'\n\
                  columns = { app = 'app', user = 'user', tag = 'city', value = 'age' }\nregistry \
                  = '@OUT@/tags/*.ndjson'\nundeclared = 'reject'\n\
                  [[tag]]\nname = '*'\nsource = 'labels'\n";
    let hand = Hand::new(&[labels, GROUPS]);
    hand.write_bytes(
        "tags/a.ndjson",
        "{\"app\":\"shop\",\"tag\":\"level\",\"type\":\"integer\"}\n",
    );
    hand.write_bytes(
        "conf/a.ndjson",
        "{\"app\":\"shop\",\"group\":\"low\",\"rule\":\"NOT level > 2\"}\n",
    );
    let rows = [
        ("shop", Some("u1"), Some("level"), Some(1)),
        ("shop", Some("u2"), Some("other"), Some(1)),
        ("shop", Some("u1"), Some("other"), Some(3)),
    ];
    hand.write_profiles(DAY, &rows);
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(
        (
            quality(&release, "labels", "accepted").await,
            quality(&release, "labels", "rejected:undeclared_tag").await
        ),
        (Some(1), Some(2))
    );
    assert_eq!(users(&release).await, ["u1"].map(str::to_owned).into());
    assert_eq!(
        release.groups().await[&("shop".to_owned(), "low".to_owned())]
            .0
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_whose_list_is_simplified_away_is_computed() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, GROUPS]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), Some("Oslo"), None),
            ("shop", Some("u2"), None, Some(7)),
        ],
    );
    hand.write_bytes("lists/shop/vip.csv", "u1\n");
    let rules = [
        ("all", "in_list('vip') OR true"),
        ("none", "in_list('vip') AND age > 5 AND age < 2"),
    ];
    let rules = rules.map(|(group, rule)| {
        format!("{{\"app\":\"shop\",\"group\":\"{group}\",\"rule\":\"{rule}\"}}\n")
    });
    hand.write_bytes("conf/a.ndjson", rules.concat());
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let status = |group: &str| ("shop".to_owned(), group.to_owned());
    let statuses = release.statuses().await;
    assert_eq!(
        (
            statuses[&status("all")].0.as_str(),
            statuses[&status("none")].0.as_str()
        ),
        ("ok", "ok")
    );
    assert_eq!(release.groups().await[&status("all")].0.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tag_of_two_sources_is_the_first_ones() {
    let labels = |name: &str| {
        format!(
            "[[source]]\nname = '{name}'\nkind = 'group_tags'\npath = \
             '@OUT@/raw/{name}/*.parquet'\n\
             columns = \
             {{ app = 'app', user = 'user', tag = 'city', value = 'age' }}\n[[tag]]\nname = \
             '*'\nsource = '{name}'\n"
        )
    };
    let hand = Hand::new(&[&labels("first"), &labels("second")]);
    hand.write(
        "raw/first/a.parquet",
        crate::hand::profiles(&[("shop", Some("u1"), Some("level"), Some(1))]),
    );
    hand.write(
        "raw/second/a.parquet",
        crate::hand::profiles(&[
            ("shop", Some("u1"), Some("level"), Some(2)),
            ("shop", Some("u1"), Some("other"), Some(3)),
        ]),
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    let tags: Vec<(String, String)> = release
        .tags()
        .await
        .into_keys()
        .map(|(_, tag, value)| (tag, value.to_string()))
        .collect();
    assert_eq!(
        tags,
        [("level", "1"), ("other", "3")].map(|(tag, value)| (tag.to_owned(), value.to_owned()))
    );
    assert_eq!(
        quality(&release, "second", "tag_of_other_source").await,
        Some(1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_lists_that_are_no_users_are_counted() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, GROUPS]);
    hand.write_profiles(
        DAY,
        &[
            ("shop", Some("u1"), None, None),
            ("shop", Some("u2"), None, None),
        ],
    );
    hand.write_bytes("lists/shop/vip.csv", "u1\nnobody\nu2\nnobody else\n");
    hand.write_bytes(
        "conf/a.ndjson",
        "{\"app\":\"shop\",\"group\":\"vips\",\"rule\":\"in_list('vip')\"}\n",
    );
    hand.init_and_run().await.unwrap();
    let release = hand.published().await;
    assert_eq!(
        quality(&release, "groups.lists", "unknown_members").await,
        Some(2)
    );
    assert_eq!(
        release.groups().await[&("shop".to_owned(), "vips".to_owned())]
            .0
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_run_leaves_claims_but_no_ids_behind() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS, GROUPS]);
    hand.write_profiles(DAY, &[("shop", Some("u1"), None, None)]);
    hand.write_bytes("lists/shop/vip.csv", "u1\n");
    hand.write_bytes(
        "conf/a.ndjson",
        "{\"app\":\"shop\",\"group\":\"vips\",\"rule\":\"in_list('vip')\"}\n",
    );
    hand.init_and_run().await.unwrap();
    let store = crate::fixture::warehouse(&hand.config);
    let left: Vec<_> = store.walk("attempts").try_collect().await.unwrap();
    let names: Vec<_> = left
        .iter()
        .map(|file| file.path.rsplit('/').next())
        .collect();
    assert_eq!(names, [Some("0000000001.json")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_structs_are_columns_of_any_expression() {
    let hand = Hand::new(&[
        PROFILES,
        "filter = \"place['code'] > 0\"\n",
        "[[tag]]\nname = 'city'\nsource = 'profiles'\ntype = 'string'\nvalue = \"place['name']\"\n",
    ]);
    let text = |texts: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
    let fields =
        |name: &str, data_type| Arc::new(arrow::datatypes::Field::new(name, data_type, true));
    let place = arrow::array::StructArray::from(vec![
        (
            fields("name", arrow::datatypes::DataType::Utf8),
            text(["Oslo", "Rome"]),
        ),
        (
            fields("code", arrow::datatypes::DataType::Int64),
            Arc::new(arrow::array::Int64Array::from(vec![1, 0])) as ArrayRef,
        ),
    ]);
    let columns = vec![
        ("app", text(["shop", "shop"])),
        ("user", text(["u1", "u2"])),
        ("place", Arc::new(place) as ArrayRef),
    ];
    hand.write(&format!("raw/profiles/dt={DAY}/part.parquet"), columns);
    hand.init_and_run().await.unwrap();
    let tags: Vec<String> = hand
        .published()
        .await
        .tags()
        .await
        .into_keys()
        .map(|(_, _, value)| value.to_string())
        .collect();
    assert_eq!(tags, ["Oslo"]);
}
