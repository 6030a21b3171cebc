//! Texts that mean null, wherever a person would read them, and numbers that are none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Decimal128Array, Float64Array, ListBuilder, MapBuilder, StringArray,
    StringBuilder, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field};

use crate::hand::{DAY, Hand, NOON, day};

const NULLS: &str = "nulls = ['', 'NULL', 'unknown']\n";

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn bytes(values: &[&str]) -> ArrayRef {
    Arc::new(BinaryArray::from_iter_values(values))
}

fn noon(rows: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![NOON; rows]).with_timezone("UTC"))
}

/// Users by tag and value.
async fn tags(hand: &Hand) -> BTreeMap<(String, String), BTreeSet<String>> {
    let release = hand.published().await;
    let ids: BTreeMap<u64, String> = release
        .dictionary()
        .await
        .into_iter()
        .map(|((_, user), uid)| (uid, user))
        .collect();
    let tags = release.tags().await.into_iter();
    tags.map(|((_, tag, value), users)| {
        let users = users.iter().map(|uid| ids[uid].clone()).collect();
        ((tag, value.to_string()), users)
    })
    .collect()
}

fn expected(rows: &[(&str, &str, &[&str])]) -> BTreeMap<(String, String), BTreeSet<String>> {
    rows.iter()
        .map(|(tag, value, users)| {
            let users = users.iter().map(|user| (*user).to_owned()).collect();
            (((*tag).to_owned(), (*value).to_owned()), users)
        })
        .collect()
}

/// Values of one dimension.
async fn dimension(hand: &Hand, name: &str) -> BTreeSet<String> {
    let (_, values) = hand.published().await.behaviour(day(DAY)).await;
    let values = values.into_keys().filter(|key| key.2 == name);
    values.filter_map(|key| key.3).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_mean_null_as_text_does() {
    for of in [texts, bytes] {
        let sources = format!(
            "[[source]]\nname = 'labels'\nkind = 'group_tags'\npath = \
             '@OUT@/raw/labels/dt={{date}}/*.parquet'\ncolumns = {{ app = 'app', user = 'user', tag \
             = 'tag', value = 'value' }}\n{NULLS}[[tag]]\nname = '*'\nsource = 'labels'\n\
             [[source]]\nname = 'events'\nkind = 'behaviour'\npath = \
             '@OUT@/raw/events/dt={{date}}/*.parquet'\ncolumns = {{ app = 'app', user = 'user', \
             event = 'event', time = 'time' }}\n{NULLS}[source.dimensions]\ncity = 'city'\n"
        );
        let hand = Hand::new(&[&sources]);
        let users = ["u1", "u2", "u3", "NULL", "unknown", "u4", ""];
        hand.write(
            &format!("raw/labels/dt={DAY}/part.parquet"),
            vec![
                ("app", of(&["a", "a", "a", "a", "a", "NULL", "a"])),
                ("user", of(&users)),
                (
                    "tag",
                    of(&["lvl", "lvl", "lvl", "lvl", "lvl", "lvl", "lvl"]),
                ),
                (
                    "value",
                    of(&["gold", "NULL", "", "gold", "gold", "gold", "gold"]),
                ),
            ],
        );
        hand.write(
            &format!("raw/events/dt={DAY}/part.parquet"),
            vec![
                ("app", of(&["a", "a", "a", "a"])),
                ("user", of(&["u1", "NULL", "u2", "u3"])),
                ("event", of(&["BUY", "BUY", "unknown", "BUY"])),
                ("city", of(&["北京", "北京", "北京", "NULL"])),
                ("time", noon(4)),
            ],
        );
        hand.init_and_run().await.unwrap();
        assert_eq!(tags(&hand).await, expected(&[("lvl", "gold", &["u1"])]));
        let release = hand.published().await;
        let users: Vec<String> = release
            .dictionary()
            .await
            .into_keys()
            .map(|key| key.1)
            .collect();
        assert_eq!(users, ["u1", "u2", "u3"]);
        let (events, _) = release.behaviour(day(DAY)).await;
        let sizes: Vec<_> = events
            .iter()
            .map(|((_, event), users)| (event.as_str(), users.len()))
            .collect();
        assert_eq!(sizes, [("BUY", 2)]);
        assert_eq!(dimension(&hand, "city").await, ["北京".to_owned()].into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_hold_inside_lists_split_text_maps_and_structs() {
    let tag = |name: &str, multi: bool, value: &str| {
        format!(
            "[[tag]]\nname = '{name}'\nsource = 'p'\ntype = 'string'\nmulti = {multi}\nvalue = \"{value}\"\n"
        )
    };
    let sections = [
        "[[source]]\nname = 'p'\nkind = 'attributes'\npath = '@OUT@/raw/p/dt={date}/*.parquet'\ncolumns = { app = 'app', user = 'user' }\n".to_owned(),
        NULLS.to_owned(),
        tag("list", true, "list"),
        tag("split", true, "string_to_array(text, '|')"),
        tag("first", false, "split_part(text, '|', 1)"),
        tag("second", false, "coalesce(split_part(text, '|', 2), 'none')"),
        tag("trimmed", false, "trim(spaced)"),
        tag("written", false, "coalesce(spaced, 'unknown')"),
        tag("field", false, "s['c']"),
        tag("entry", false, "m['c']"),
    ]
    .concat();
    let hand = Hand::new(&[&sections]);
    let list = |values: &[&[&str]]| -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in values {
            row.iter()
                .for_each(|text| builder.values().append_value(text));
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let map = |values: &[&str]| -> ArrayRef {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for value in values {
            builder.keys().append_value("c");
            builder.values().append_value(value);
            builder.append(true).unwrap();
        }
        Arc::new(builder.finish())
    };
    let field = Arc::new(Field::new("c", DataType::Utf8, true));
    let fields = StructArray::from(vec![(field, texts(&["NULL", "c2", ""]))]);
    hand.write(
        &format!("raw/p/dt={DAY}/part.parquet"),
        vec![
            ("app", texts(&["a"; 3])),
            ("user", texts(&["u1", "u2", "u3"])),
            (
                "list",
                list(&[&["books", "unknown"], &["NULL", ""], &["books", "tea"]]),
            ),
            ("text", texts(&["tea||NULL", "NULL|x", "unknown"])),
            ("spaced", texts(&[" NULL ", "unknown", " ok "])),
            ("s", Arc::new(fields)),
            ("m", map(&["unknown", "m2", "NULL"])),
        ],
    );
    hand.init_and_run().await.unwrap();
    // `unknown` as a whole is null before it is split: it has no second part.
    let all = expected(&[
        ("list", "books", &["u1", "u3"]),
        ("list", "tea", &["u3"]),
        ("split", "tea", &["u1"]),
        ("split", "x", &["u2"]),
        ("first", "tea", &["u1"]),
        ("second", "none", &["u1", "u3"]),
        ("second", "x", &["u2"]),
        ("trimmed", "ok", &["u3"]),
        ("written", " NULL ", &["u1"]),
        ("written", "unknown", &["u2"]),
        ("written", " ok ", &["u3"]),
        ("field", "c2", &["u2"]),
        ("entry", "m2", &["u2"]),
    ]);
    assert_eq!(tags(&hand).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_keep_their_digits_and_their_nulls() {
    let registry = r#"{"app":"a","event":"buy","property":"no","role":"dimension","type":"string"}
{"app":"a","event":"buy","property":"city","role":"dimension","type":"string"}
{"app":"a","event":"buy","property":"qty","role":"dimension","type":"integer"}
{"app":"a","event":"buy","property":"amount","role":"measure","type":"double","scale":2}
"#;
    let source = format!(
        "[[source]]\nname = 'c'\nkind = 'custom_events'\npath = \
         '@OUT@/raw/c/dt={{date}}/*.parquet'\ncolumns = {{ app = 'app', user = 'user', event = \
         'event', time = 'time', properties = 'props' }}\nregistry = '@OUT@/conf/*.ndjson'\n{NULLS}"
    );
    let rows = [
        ("20261119000000000001", "北京", "3.0", "90071992547409.93"),
        ("20261119000000000002", "NULL", "-0", "1.50"),
        ("915156.9222427051", "unknown", "3e0", "NaN"),
        ("1.50", "", "4", "0.005"),
    ];
    let json = rows.map(|(no, city, qty, amount)| {
        let amount = if amount == "NaN" { "\"NaN\"" } else { amount };
        format!(r#"{{"no": {no}, "city": "{city}", "qty": {qty}, "amount": {amount}}}"#)
    });
    let maps = || -> ArrayRef {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for (no, city, qty, amount) in rows {
            for (key, value) in [("no", no), ("city", city), ("qty", qty), ("amount", amount)] {
                builder.keys().append_value(key);
                builder.values().append_value(value);
            }
            builder.append(true).unwrap();
        }
        Arc::new(builder.finish())
    };
    let json: ArrayRef = Arc::new(StringArray::from_iter_values(&json));
    for (is_json, props) in [(true, json), (false, maps())] {
        let hand = Hand::new(&[&source]);
        hand.write_bytes("conf/events.ndjson", registry);
        hand.write(
            &format!("raw/c/dt={DAY}/part.parquet"),
            vec![
                ("app", texts(&["a"; 4])),
                ("user", texts(&["u1", "u2", "u3", "u4"])),
                ("event", texts(&["buy"; 4])),
                ("time", noon(4)),
                ("props", props),
            ],
        );
        hand.init_and_run().await.unwrap();
        // As JSON 1.50 is a number, in a map it is text.
        let price = if is_json { "1.5" } else { "1.50" };
        let numbers = [
            "20261119000000000001",
            "20261119000000000002",
            "915156.9222427051",
            price,
        ];
        assert_eq!(
            dimension(&hand, "no").await,
            numbers.map(str::to_owned).into()
        );
        assert_eq!(dimension(&hand, "city").await, ["北京".to_owned()].into());
        let quantities = ["0", "3", "4"].map(str::to_owned);
        assert_eq!(dimension(&hand, "qty").await, quantities.into());
        let measures = hand.published().await.measures(day(DAY)).await;
        let amounts: BTreeSet<i128> = measures
            .iter()
            .filter(|(key, _)| key.2 == "amount")
            .flat_map(|(_, numbers)| numbers.values().copied())
            .collect();
        assert_eq!(
            amounts,
            [9_007_199_254_740_993, 150, 0].into(),
            "json {is_json}"
        );
        let quality = hand.published().await.quality().await;
        assert!(
            quality
                .keys()
                .all(|(_, _, metric)| !metric.starts_with("rejected")),
            "{quality:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_see_not_a_number_as_null_and_decimals_exactly() {
    let tag = |name: &str, value: &str| {
        format!("[[tag]]\nname = '{name}'\nsource = 'p'\ntype = 'boolean'\nvalue = \"{value}\"\n")
    };
    let sections = [
        "[[source]]\nname = 'p'\nkind = 'attributes'\npath = '@OUT@/raw/p/dt={date}/*.parquet'\ncolumns = { app = 'app', user = 'user' }\n".to_owned(),
        tag("high", "score > 5"),
        tag("few", "score IN (0.0, 1.0, 2.0, 3.0)"),
        tag("zero", "score = 0.0"),
        tag("tenth", "score = 0.1"),
        tag("exact", "amount = 8.89"),
        tag("between", "amount BETWEEN 8.89 AND 8.90"),
        tag("product", "amount * 1.1 >= 9.779"),
    ]
    .concat();
    let hand = Hand::new(&[&sections]);
    let scores = vec![Some(f64::NAN), Some(-0.0), Some(0.1), Some(6.0), None];
    let amounts = Decimal128Array::from(vec![889, 890, 888, 407, 10_000])
        .with_precision_and_scale(10, 2)
        .unwrap();
    hand.write(
        &format!("raw/p/dt={DAY}/part.parquet"),
        vec![
            ("app", texts(&["a"; 5])),
            ("user", texts(&["u1", "u2", "u3", "u4", "u5"])),
            ("score", Arc::new(Float64Array::from(scores)) as ArrayRef),
            ("amount", Arc::new(amounts)),
        ],
    );
    hand.init_and_run().await.unwrap();
    assert_eq!(
        tags(&hand).await,
        expected(&[
            ("high", "true", &["u4"]),
            ("high", "false", &["u2", "u3"]),
            ("few", "true", &["u2"]),
            ("few", "false", &["u3", "u4"]),
            ("zero", "true", &["u2"]),
            ("zero", "false", &["u3", "u4"]),
            ("tenth", "true", &["u3"]),
            ("tenth", "false", &["u2", "u4"]),
            ("exact", "true", &["u1"]),
            ("exact", "false", &["u2", "u3", "u4", "u5"]),
            ("between", "true", &["u1", "u2"]),
            ("between", "false", &["u3", "u4", "u5"]),
            ("product", "true", &["u1", "u2", "u5"]),
            ("product", "false", &["u3", "u4"]),
        ])
    );
}
