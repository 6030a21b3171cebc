//! Bytes that are no UTF-8 in a column that is said to be: they cost their row, not the night.

use std::collections::BTreeMap;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tagmill_testdata::oracle::value::Value;

use crate::hand::{DAY, Hand, PROFILE_TAGS, PROFILES};

const BAD: &[u8] = b"a\xff\xfeb";

/// A file of required text columns; `likes` is a list when it is among them.
fn text_file(names: &[&str], rows: &[Vec<&[u8]>], has_dictionary: bool) -> Vec<u8> {
    let column = |name: &&str| {
        match *name {
        "likes" => "OPTIONAL GROUP likes (LIST) { REPEATED GROUP list { OPTIONAL BYTE_ARRAY element (UTF8); } }".to_owned(),
        name => format!("REQUIRED BYTE_ARRAY {name} (UTF8);"),
    }
    };
    let columns: String = names.iter().map(column).collect();
    let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} }}")).unwrap());
    let properties = WriterProperties::builder().set_dictionary_enabled(has_dictionary);
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties.build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (at, name) in names.iter().enumerate() {
        let values: Vec<ByteArray> = rows.iter().map(|row| row[at].to_vec().into()).collect();
        let mut column = group.next_column().unwrap().unwrap();
        let (levels, repeated) = (vec![3; rows.len()], vec![0; rows.len()]);
        let is_list = *name == "likes";
        column
            .typed::<ByteArrayType>()
            .write_batch(
                &values,
                is_list.then_some(levels.as_slice()),
                is_list.then_some(repeated.as_slice()),
            )
            .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

fn rows<'r>(cells: &'r [[&'r str; 4]]) -> Vec<Vec<&'r [u8]>> {
    let bytes = |cell: &&'r str| match *cell {
        "BAD" => BAD,
        text => text.as_bytes(),
    };
    cells
        .iter()
        .map(|row| row.iter().map(bytes).collect())
        .collect()
}

const CELLS: [[&str; 4]; 5] = [
    ["shop", "u1", "Oslo", "30"],
    ["shop", "BAD", "Oslo", "30"],
    ["shop", "u2", "BAD", "31"],
    ["BAD", "u3", "Rome", "32"],
    ["shop", "u4", "Rome", "33"],
];
const NAMES: [&str; 4] = ["app", "user", "city", "age"];

async fn metrics(hand: &Hand) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for ((_, _, metric), rows) in hand.published().await.quality().await {
        *sums.entry(metric).or_default() += rows;
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_no_utf_8_costs_its_row_in_every_encoding() {
    for has_dictionary in [true, false] {
        let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
        let folder = "raw/profiles/dt=2026-11-19";
        let file = text_file(&NAMES, &rows(&CELLS), has_dictionary);
        hand.write_bytes(&format!("{folder}/b.parquet"), file);
        // Others of the source are read as before, also with other types.
        hand.write_profiles(DAY, &[]);
        let clean = [["shop", "u5", "Oslo", "30"], ["shop", "u6", "Bonn", "1"]];
        hand.write_bytes(
            &format!("{folder}/a.parquet"),
            text_file(&NAMES, &rows(&clean), true),
        );
        let report = hand.init_and_run().await.unwrap();
        assert_eq!(
            (report.rows["profiles"], report.rejected, report.attempt),
            (7, 3, 2)
        );
        assert_eq!(metrics(&hand).await["rejected:invalid_text"], 3);
        let tags = hand.published().await.tags().await;
        let of = |tag: &str, value| tags[&("shop".to_owned(), tag.to_owned(), value)].len();
        assert_eq!(of("city", Value::String("Oslo".into())), 2);
        assert_eq!(of("age", Value::Integer(30)), 2);
        assert_eq!(of("age", Value::Integer(33)), 1);
        let rejects = hand.published().await.rejects().await;
        let shown = rejects
            .iter()
            .any(|(.., row)| row.contains(r#""city":"a��b""#));
        assert!(shown, "{rejects:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_inside_lists_counts_and_columns_that_nobody_reads_do_not() {
    let names = ["app", "user", "likes", "note"];
    let cells = [
        ["shop", "u1", "tea", "BAD"],
        ["shop", "u2", "BAD", "x"],
        ["shop", "u3", "tea", "x"],
    ];
    let hand = Hand::new(&[
        PROFILES,
        "[[tag]]\nname = 'likes'\nsource = 'profiles'\ntype = 'string'\nmulti = true\nvalue = \
         'likes'\n",
    ]);
    let file = text_file(&names, &rows(&cells), true);
    hand.write_bytes("raw/profiles/dt=2026-11-19/a.parquet", file);
    let report = hand.init_and_run().await.unwrap();
    assert_eq!((report.users, report.rejected), (2, 1));
    let tags = hand.published().await.tags().await;
    assert_eq!(
        tags.values()
            .map(std::collections::BTreeSet::len)
            .collect::<Vec<_>>(),
        [2]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_tags_that_are_read_before_the_night_are_no_reason_to_end_it() {
    let hand = Hand::new(&[
        "[[source]]\nname = 'labels'\nkind = 'group_tags'\npath = \
         '@OUT@/raw/profiles/dt={date}/*.parquet'\ncolumns = { app = 'app', user = 'user', tag = \
         'city', value = 'age' }\n[[tag]]\nname = '*'\nsource = 'labels'\n",
        crate::hand::GROUPS,
    ]);
    hand.write_bytes(
        "conf/g.ndjson",
        "{\"app\":\"shop\",\"group\":\"g\",\"rule\":\"Rome = '33'\"}\n",
    );
    let file = text_file(&NAMES, &rows(&CELLS), true);
    hand.write_bytes("raw/profiles/dt=2026-11-19/a.parquet", file);
    let report = hand.init_and_run().await.unwrap();
    assert_eq!((report.users, report.rejected), (2, 3));
    let groups = hand.published().await.statuses().await;
    let g = &groups[&("shop".to_owned(), "g".to_owned())];
    assert_eq!(g, &("ok".to_owned(), Some(1)));
}
