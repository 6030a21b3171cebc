//! Sources of CSV and NDJSON: every record has a fate, and a line that is none costs itself alone.

use std::collections::BTreeMap;

use tagmill_pipeline as job;
use tagmill_pipeline::Silent;
use tagmill_schemas::Kind;
use tagmill_testdata::oracle::value::Value;

use crate::bad_input::fails;
use crate::fixture::request;
use crate::hand::{DAY, Hand, PROFILE_TAGS, PROFILES, day, text_columns};
use crate::rule_files::Told;

const CSV: &str = "raw/profiles/dt=2026-11-19/part.csv";
/// Two rows of app, user, city and age.
const GZIP: &str = "1f8b08000000000002ff4b2c28d0292d4e2dd249ce2ca9d4494c4fe52acec8070a19eaf817e7e4eb\
                    181b40f9463a41f9b9a93a26065c005d4cd68f32000000";
const ZSTD: &str = "28b52ffd20329101006170702c757365722c636974792c6167650a73686f702c75312c4f736c6f2c3330\
                    0a73686f702c75322c526f6d652c34300a";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Profiles of any format, with tags and what is said of the source.
fn profiles(more: &str) -> Hand {
    let source = PROFILES.replace("*.parquet", "*");
    Hand::new(&[&source, more, PROFILE_TAGS])
}

/// Number of users by value of a tag.
async fn sizes(hand: &Hand, tag: &str) -> BTreeMap<String, usize> {
    let tags = hand.published().await.tags().await;
    let of_tag = tags.into_iter().filter(|((_, name, _), _)| name == tag);
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    of_tag
        .map(|((_, _, value), users)| (text(value), users.len()))
        .collect()
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected
        .map(|(value, users)| (value.to_owned(), users))
        .into()
}

/// Rows of the night by metric.
async fn quality(hand: &Hand) -> BTreeMap<String, u64> {
    let quality = hand.published().await.quality().await;
    let mut sums = BTreeMap::new();
    for ((_, _, metric), rows) in quality {
        *sums.entry(metric).or_default() += rows;
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_of_csv_costs_its_line_alone() {
    let hand = profiles("");
    let mut text = b"\xef\xbb\xbfapp,user,\"city\",age\r\n".to_vec();
    text.extend_from_slice(
        b"shop,u1,\"Os\"\"lo, N\",30\r\nshop,u2,\"a\r\nb\",\r\n\r\nshop,u3\nshop,u4,Rome,1,2\n\
          shop,u5,\xff\xfe,7\nshop,u6,\"Rome,8\nshop,u7,Rome,35.0\nshop,u8,,x\nshop,u9,\"Bonn\",9",
    );
    hand.write_bytes(CSV, text);
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(report.rows["profiles"], 9);
    assert_eq!((report.users, report.rejected), (4, 5));
    assert_eq!(
        sizes(&hand, "city").await,
        counts([("Os\"lo, N", 1), ("a\r\nb", 1), ("Rome", 1), ("Bonn", 1)])
    );
    assert_eq!(
        sizes(&hand, "age").await,
        counts([("30", 1), ("35", 1), ("9", 1)])
    );
    let found = quality(&hand).await;
    for (metric, rows) in [
        ("read", 9),
        ("accepted", 4),
        ("rejected:unreadable_row", 3),
        ("rejected:invalid_text", 1),
        ("rejected:bad_age", 1),
    ] {
        assert_eq!(found.get(metric), Some(&rows), "{metric} in {found:?}");
    }
    let rejects = hand.published().await.rejects().await;
    let lines: Vec<&String> = rejects.iter().map(|(.., row)| row).collect();
    assert!(
        lines
            .iter()
            .any(|row| row.contains(r#"{"line":"shop,u6,\"Rome,8"}"#)),
        "{lines:?}"
    );
}

/// As parallel packers write: a frame that readers skip, then one with bytes, and so on; each holds
/// its bytes as they are.
fn frames() -> Vec<u8> {
    let lines = [
        "app,user,city,age\nshop,u1,",
        "Oslo,30\n",
        "shop,u2,Rome,40\n",
    ];
    let frame = |line: &&str| {
        let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0skip".as_slice();
        let magic = b"\x28\xb5\x2f\xfd\x20".as_slice();
        let block = ((line.len() as u32) << 3 | 1).to_le_bytes();
        [
            skipped,
            magic,
            &[line.len() as u8],
            &block[..3],
            line.as_bytes(),
        ]
        .concat()
    };
    lines.iter().flat_map(frame).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_files_other_delimiters_and_names_of_files_are_read() {
    for (name, more, content) in [
        ("a.csv.gz", "", bytes(GZIP)),
        ("a.csv.zst", "", bytes(ZSTD)),
        ("frames.csv.zst", "", frames()),
        ("A.CSV", "", b"app,user,city,age\nshop,u1,Oslo,30\nshop,u2,Rome,40\n".to_vec()),
        ("a.tsv", "", b"app\tuser\tcity\tage\nshop\tu1\tOslo\t30\nshop\tu2\tRome\t40".to_vec()),
        ("a.txt", "format = 'csv'\ndelimiter = ';'\n", b"app;user;city;age\rshop;u1;Oslo;30\rshop;u2;Rome;40\r".to_vec()),
        ("a.jsonl", "", b"{\"app\":\"shop\",\"user\":\"u1\",\"city\":\"Oslo\",\"age\":30}\n{\"app\":\"shop\",\"user\":\"u2\",\"city\":\"Rome\",\"age\":40.0}".to_vec()),
    ] {
        let hand = profiles(more);
        hand.write_bytes(&format!("raw/profiles/dt=2026-11-19/{name}"), content);
        let report = hand.init_and_run().await.unwrap();
        assert_eq!((report.rows["profiles"], report.rejected), (2, 0), "{name}");
        assert_eq!(sizes(&hand, "city").await, counts([("Oslo", 1), ("Rome", 1)]), "{name}");
        assert_eq!(sizes(&hand, "age").await, counts([("30", 1), ("40", 1)]), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_beside_parquet_is_one_source_and_bytes_do_not_depend_on_threads() {
    let hand = profiles("");
    let rows = [["shop", "u1", "Oslo", "30"], ["shop", "u2", "Rome", "40"]];
    hand.write(
        "raw/profiles/dt=2026-11-19/a.parquet",
        text_columns(["app", "user", "city", "age"], &rows),
    );
    for file in 0..7 {
        let line = |row: i32| format!("shop,u{file}_{row},city{},{row}\nbroken\n", row % 3);
        let lines: String = (0..500).map(line).collect();
        let name = format!("raw/profiles/dt=2026-11-19/b{file}.csv");
        hand.write_bytes(&name, format!("app,user,city,age\n{lines}"));
    }
    hand.write_bytes(
        "raw/profiles/dt=2026-11-19/c.ndjson",
        "{\"app\":\"shop\",\"user\":\"n\",\"city\":\"Oslo\"}\n",
    );
    let config = hand.config.replace(
        "kind = 'attributes'",
        "kind = 'attributes'\nmax_rejected = '90%'",
    );
    crate::fixture::init(&config).await;
    let mut found = Vec::new();
    for threads in [1, 4] {
        let mut request = request(&config, day(DAY));
        request.threads = Some(threads);
        let report = job::run(&request, &Silent).await.unwrap();
        assert_eq!((report.rows["profiles"], report.rejected), (7_003, 3_500));
        let manifest = hand.published().await;
        let checksums: Vec<String> = manifest
            .checksums()
            .into_iter()
            .filter_map(|((artifact, ..), sum)| {
                let is_of_night = matches!(
                    artifact,
                    tagmill_schemas::Artifact::Tags
                        | tagmill_schemas::Artifact::Quality
                        | tagmill_schemas::Artifact::Rejects
                );
                is_of_night.then_some(sum)
            })
            .collect();
        found.push(checksums);
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(sizes(&hand, "city").await["Oslo"], 2);
}

const CUSTOM: &str = "[[source]]
name = 'custom'
kind = 'custom_events'
path = '@OUT@/raw/custom/dt={date}/*.ndjson'
columns = { app = 'app', user = 'user', event = 'event', time = 'at', properties = 'props' }
registry = '@OUT@/conf/events.ndjson'
max_rejected = '90%'
";

#[tokio::test(flavor = "multi_thread")]
async fn objects_in_ndjson_are_properties_and_numbers_keep_their_digits() {
    let hand = Hand::new(&[CUSTOM]);
    hand.write_bytes(
        "conf/events.ndjson",
        "{\"app\":\"tea\",\"event\":\"order\",\"property\":\"city\",\"role\":\"dimension\"}\n{\"app\":\"tea\",\"event\":\"order\",\"property\":\"price\",\"role\":\"measure\",\"type\":\"double\",\"scale\":2}\n",
    );
    hand.write_bytes(
        "raw/custom/dt=2026-11-19/a.ndjson",
        "{\"app\":\"tea\",\"user\":20261119000000000001,\"event\":\"order\",\"at\":\"2026-11-19T10:00:00Z\",\"props\":{\"city\":\"Oslo\",\"price\":1.25}}\r\n\
         \n\
         {\"user\":7,\"app\":\"tea\",\"event\":\"order\",\"at\":\"2026-11-19 11:00:00\",\"props\":{\"city\":\"Oslo\",\"price\":\"2.50\"},\"more\":[1,{}]}\n\
         {\"app\":\"tea\",\"user\":8,\"event\":\"order\"\n[1]\n{\"app\":\"tea\",\"user\":9,\"event\":\"or\\ud800\",\"at\":\"2026-11-19\"}\n",
    );
    let report = hand.init_and_run().await.unwrap();
    let rejects = hand.published().await.rejects().await;
    assert_eq!(
        (report.rows["custom"], report.rejected),
        (5, 3),
        "{rejects:?}"
    );
    let release = hand.published().await;
    let users: Vec<String> = release
        .dictionary()
        .await
        .into_keys()
        .map(|key| key.1)
        .collect();
    assert_eq!(users, ["20261119000000000001", "7"]);
    let (_, values) = release.behaviour(day(DAY)).await;
    assert!(
        values
            .keys()
            .any(|key| key.2 == "city" && key.3.as_deref() == Some("Oslo"))
    );
    let sums = release.measures(day(DAY)).await;
    let total: i128 = sums
        .iter()
        .filter(|(key, _)| key.2 == "price")
        .flat_map(|(_, n)| n.values())
        .sum();
    assert_eq!(total, 375);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_in_ndjson_are_values_of_a_multi_valued_tag_and_a_name_that_nobody_has_is_told() {
    let hand = Hand::new(&[
        "[[source]]\nname = 'p'\nkind = 'attributes'\npath = '@OUT@/raw/p/dt={date}/*.ndjson'\n\
         columns = { app = \"'shop'\", user = 'id' }\n[[tag]]\nname = 'likes'\nsource = 'p'\ntype = \
         'string'\nmulti = true\nvalue = 'likes'\n[[tag]]\nname = 'city'\nsource = 'p'\ntype = \
         'string'\nvalue = \"upper(citi)\"\n",
    ]);
    hand.write_bytes(
        "raw/p/dt=2026-11-19/a.ndjson",
        "{\"id\":1,\"likes\":[\"tea\",null,3.0]}\n{\"id\":2,\"likes\":[],\"city\":\"Oslo\"}\n{\"id\":3}\n",
    );
    hand.write_bytes(
        "raw/p/dt=2026-11-19/b.ndjson",
        "{\"id\":4,\"likes\":null}\n",
    );
    let report = hand.init_and_run().await.unwrap();
    assert_eq!((report.users, report.rejected), (4, 0));
    assert_eq!(sizes(&hand, "likes").await, counts([("tea", 1), ("3", 1)]));
    assert_eq!(sizes(&hand, "city").await, BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_of_text_are_the_numbers_that_are_written() {
    let hand = Hand::new(&[
        "[[source]]\nname = 'orders'\nkind = 'behaviour'\npath = '@OUT@/raw/o/dt={date}/*.csv'\n\
         columns = { app = \"'shop'\", user = 'CustomerID', event = \"'buy'\" }\nday = { by = 'path' \
         }\n[source.measures]\namount = { value = 'Amount', scale = 2 }\n",
    ]);
    hand.write_bytes(
        "raw/o/dt=2026-11-19/a.csv",
        "CustomerID,Amount\n1,0.1\n1,0.2\n1,\n1,NaN\n2,1e400\n2,many\n2,92233720368547758.06\n",
    );
    let report = hand.init_and_run().await.unwrap();
    assert_eq!((report.rows["orders"], report.rejected), (7, 2));
    assert_eq!(quality(&hand).await.get("rejected:bad_amount"), Some(&2));
    let sums = hand.published().await.measures(day(DAY)).await;
    let amounts = sums.iter().filter(|(key, _)| key.2 == "amount");
    let mut found: Vec<i128> = amounts.flat_map(|(_, n)| n.values().copied()).collect();
    found.sort_unstable();
    assert_eq!(found, [30, 9_223_372_036_854_775_806]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_text_of_the_kind_are_refused_by_name() {
    let half = bytes(GZIP)[..30].to_vec();
    for (name, content, what) in [
        ("a.csv.gz", half, "not whole gzip"),
        ("a.csv", b"\xff\xfea\0p\0p\0\n\0".to_vec(), "UTF-16"),
        (
            "a.json",
            b"[{\"app\":\"shop\"},\n{\"app\":\"shop\"}]".to_vec(),
            "JSON list",
        ),
        (
            "a.csv",
            b"app,user,town,age\nshop,u1,Oslo,3\n".to_vec(),
            "missing column \"city\": the files have app, user, town, age, dt, at",
        ),
        (
            "a.csv",
            b"app,user,city,age,city\nshop,u1,Oslo,3,x\n".to_vec(),
            "\"city\" is there twice",
        ),
        (
            "a.csv",
            b"app;user;city;age\nshop;u1;Oslo;3\n".to_vec(),
            "missing column",
        ),
    ] {
        let hand = profiles("");
        hand.write_bytes(&format!("raw/profiles/dt=2026-11-19/{name}"), content);
        fails(&hand, hand.init_and_run().await, Kind::Refused, &[what]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_has_no_rows_whatever_its_format() {
    for nothing in ["", "\n\n", "\u{feff}"] {
        let hand = profiles("");
        hand.write_bytes(CSV, "app,user,city,age\nshop,u1,Oslo,3\n");
        hand.write_bytes("raw/profiles/dt=2026-11-19/b.csv", nothing);
        hand.init().await;
        let heard = Told::default();
        let report = job::run(&request(&hand.config, day(DAY)), &heard)
            .await
            .unwrap();
        assert_eq!(
            (report.rows["profiles"], report.rejected),
            (1, 0),
            "{nothing:?}"
        );
        let told = heard.0.lock().unwrap().join("\n");
        assert!(told.contains("b.csv is empty: it has no rows"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delimiter_that_is_not_said_is_told() {
    for (written, said) in [(";", ";"), ("|", "|"), ("\t", "\\t")] {
        let hand = profiles("");
        let rows = "app,user,city,age\nshop,u1,Oslo,3\n".replace(',', written);
        hand.write_bytes(CSV, rows);
        let cure = format!("say delimiter = \"{said}\"");
        fails(&hand, hand.init_and_run().await, Kind::Refused, &[&cure]).await;
    }
}
