//! Group rows of every format, and the statuses of a night.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, ListArray, RecordBatch,
    StringArray, StringViewArray, TimestampNanosecondArray,
};
use arrow::datatypes::Int32Type;
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use tagmill_schemas::ValueType;
use tagmill_schemas::registry::{GroupRow, TagRow};

use super::{AppPlan, Rows, Status, by_app, plan_app, read_rows};
use crate::{Names, TagInfo};

const DATE: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 19).unwrap();

struct Shop;

impl Names for Shop {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        (name == "gender").then_some(TagInfo {
            value_type: ValueType::String,
            multi: false,
        })
    }
    fn tag_names(&self) -> Vec<&str> {
        vec!["gender"]
    }
    fn has_group(&self, _: &str) -> bool {
        false
    }
    fn group_names(&self) -> Vec<&str> {
        Vec::new()
    }
    fn has_list(&self, _: &str) -> bool {
        false
    }
    fn list_names(&self) -> Vec<&str> {
        Vec::new()
    }
}

fn groups(file: &str, bytes: &[u8]) -> Rows<GroupRow> {
    read_rows(file, bytes, GroupRow::from_json).unwrap()
}

fn error(file: &str, bytes: &[u8]) -> String {
    read_rows(file, bytes, GroupRow::from_json)
        .unwrap_err()
        .to_string()
}

fn faults(rows: &Rows<GroupRow>) -> Vec<(u64, Option<&str>, &str)> {
    rows.faults
        .iter()
        .map(|fault| (fault.line, fault.group.as_deref(), fault.reason.as_str()))
        .collect()
}

#[test]
fn ndjson_rows_fail_one_by_one() {
    let text = r#"{"app":"shop","group":"a","rule":"gender = 'F'","valid_to":"2026-11-30","enabled":false}

{"app":"shop","group":"b"}
not json
[1]
{"app":"shop","group":"c","rule":"true","valid_from":"tomorrow"}
{"app":"shop","group":"d","rule":"true","extra":[1]}
"#;
    let rows = groups("g.ndjson", text.as_bytes());
    assert_eq!(
        rows.rows
            .iter()
            .map(|row| (row.row.group.as_str(), row.line))
            .collect::<Vec<_>>(),
        [("a", 1), ("d", 7)]
    );
    assert!(!rows.rows[0].row.enabled);
    assert_eq!(
        faults(&rows),
        [
            (3, Some("b"), "rule: found nothing, expected text"),
            (
                4,
                None,
                "expected a JSON object: expected ident at column 2"
            ),
            (5, None, "expected a JSON object"),
            (
                6,
                Some("c"),
                "valid_from: found \"tomorrow\", expected a date like 2026-11-19"
            ),
        ]
    );
}

#[test]
fn csv_rows_fail_one_by_one() {
    let text = "group,app,rule,enabled,valid_from,note\na,shop,\"gender IN ('F', \
                'M')\",true,,x\nb,shop,true,maybe,,\nc,shop,true\nd,shop,\"x\"y,,,\ne,shop,true,,2026-11-01,\n";
    let rows = groups("g.csv", text.as_bytes());
    assert_eq!(
        rows.rows
            .iter()
            .map(|row| (row.row.group.as_str(), row.line))
            .collect::<Vec<_>>(),
        [("a", 2), ("e", 6)]
    );
    assert_eq!(rows.rows[0].row.rule, "gender IN ('F', 'M')");
    assert!(rows.rows[1].row.enabled);
    assert_eq!(
        faults(&rows),
        [
            (
                3,
                Some("b"),
                "enabled: found \"maybe\", expected true or false"
            ),
            (4, None, "found 3 fields, expected 6"),
            (5, None, "found text after a closing quote"),
        ]
    );
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// A column with a hole is one of floats, a date one of times.
#[test]
fn parquet_of_pandas_is_what_was_meant() {
    let nanoseconds = |day: i64| day * 86_400 * 1_000_000_000;
    let bytes = parquet(vec![
        ("app", Arc::new(Float64Array::from(vec![7.0, 7.0]))),
        ("group", Arc::new(StringArray::from(vec!["a", "b"]))),
        ("rule", Arc::new(StringArray::from(vec!["true", "true"]))),
        (
            "valid_to",
            Arc::new(TimestampNanosecondArray::from(vec![
                Some(nanoseconds(20_790)),
                None,
            ])),
        ),
        ("enabled", Arc::new(Float64Array::from(vec![0.0, f64::NAN]))),
    ]);
    let rows = groups("g.parquet", &bytes);
    assert_eq!(faults(&rows), []);
    let row = |at: usize| {
        let row = &rows.rows[at].row;
        (row.app.as_str(), row.valid_to, row.enabled)
    };
    assert_eq!(row(0), ("7", NaiveDate::from_ymd_opt(2026, 12, 3), false));
    assert_eq!(row(1), ("7", None, true));
}

#[test]
fn parquet_rows_fail_one_by_one() {
    let nested = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)]), None, None]);
    let bytes = parquet(vec![
        (
            "app",
            Arc::new(StringViewArray::from(vec!["shop", "shop", "shop"])),
        ),
        (
            "group",
            Arc::new(StringArray::from(vec![Some("a"), None, Some("c")])),
        ),
        (
            "rule",
            Arc::new(StringArray::from(vec![Some("true"), Some("true"), None])),
        ),
        (
            "valid_to",
            Arc::new(Date32Array::from(vec![Some(20_790), None, None])),
        ),
        (
            "enabled",
            Arc::new(BooleanArray::from(vec![Some(false), None, None])),
        ),
        ("owner", Arc::new(Int32Array::from(vec![7, 7, 7]))),
        ("nested", Arc::new(nested)),
    ]);
    let rows = groups("g.parquet", &bytes);
    assert_eq!(
        (rows.rows.len(), rows.rows[0].line, rows.rows[0].row.enabled),
        (1, 1, false)
    );
    assert_eq!(
        rows.rows[0].row.valid_to,
        NaiveDate::from_ymd_opt(2026, 12, 3)
    );
    assert_eq!(
        faults(&rows),
        [
            (2, None, "group: found nothing, expected text"),
            (3, Some("c"), "rule: found nothing, expected text")
        ]
    );
}

#[test]
fn other_registries_read_the_same_files() {
    let rows = read_rows(
        "t.csv",
        b"app,tag,type,multi\nshop,size,integer,true\n",
        TagRow::from_json,
    )
    .unwrap();
    assert_eq!(
        (rows.rows[0].row.tag.as_str(), rows.rows[0].row.multi),
        ("size", true)
    );
}

#[test]
fn files_that_can_not_be_read_are_errors() {
    assert_eq!(
        error("g.txt", b""),
        "registry: unknown kind of file, at g.txt; name it .ndjson, .csv or .parquet; a retry can \
         not help"
    );
    assert!(
        error("g.parquet", b"PAR1 no")
            .starts_with("registry: can not read the Parquet file, at g.parquet: ")
    );
    assert_eq!(
        error("g.csv", b"a,a\n"),
        "registry: the header has \"a\" twice, at g.csv; a retry can not help"
    );
    assert_eq!(groups("g.csv", b"").rows, []);
}

fn plan(rows: &str, limit: u64) -> AppPlan {
    let read = groups("g.ndjson", rows.as_bytes());
    let (apps, nameless) = by_app(read.rows, read.faults);
    assert_eq!(nameless, []);
    plan_app("shop", &apps["shop"], &Shop, limit, DATE)
}

fn row(group: &str, rule: &str, more: &str) -> String {
    format!("{{\"app\":\"shop\",\"group\":\"{group}\",\"rule\":\"{rule}\"{more}}}\n")
}

/// Group, status, position, reason.
type Line<'a> = (&'a str, Status, Option<(u32, u32)>, &'a str);

fn statuses(plan: &AppPlan) -> Vec<Line<'_>> {
    let of = |status: &super::GroupStatus| status.line.zip(status.column);
    plan.statuses
        .iter()
        .map(|status| {
            (
                status.group.as_str(),
                status.status,
                of(status),
                status.reason.as_deref().unwrap_or(""),
            )
        })
        .collect()
}

#[test]
fn every_row_gets_a_status() {
    let plan = plan(
        &[
            row("typo", "gendr = 'F'", ""),
            row(
                "fine",
                "gender = 'F'",
                r#","valid_from":"2026-11-19","valid_to":"2026-11-19""#,
            ),
            row("old", "true", r#","valid_to":"2026-11-18""#),
            row("new", "true", r#","valid_from":"2026-11-20""#),
            row("off", "gendr", r#","enabled":false"#),
            row("twice", "true", ""),
            row("twice", "true", ""),
            "{\"app\":\"shop\",\"group\":\"empty\"}\n".to_owned(),
            row("on_typo", "gender = 'F' OR in_group('typo')", ""),
            row("on_on_typo", "in_group('on_typo')", ""),
            row("on_old", "in_group('old')", ""),
            row("ring", "in_group('rung')", ""),
            row("rung", "NOT in_group('ring')", ""),
            row("on_fine", "in_group('fine')", ""),
        ]
        .concat(),
        100,
    );
    assert_eq!(
        statuses(&plan),
        [
            (
                "empty",
                Status::Invalid,
                None,
                "rule: found nothing, expected text"
            ),
            ("fine", Status::Ok, None, ""),
            ("new", Status::Disabled, None, "valid from 2026-11-20"),
            ("off", Status::Disabled, None, "switched off by enabled"),
            ("old", Status::Expired, None, "valid to 2026-11-18"),
            ("on_fine", Status::Ok, None, ""),
            (
                "on_old",
                Status::Invalid,
                Some((1, 10)),
                "depends on group \"old\", which is expired"
            ),
            (
                "on_on_typo",
                Status::Invalid,
                Some((1, 10)),
                "depends on group \"on_typo\", which is invalid"
            ),
            (
                "on_typo",
                Status::Invalid,
                Some((1, 26)),
                "depends on group \"typo\", which is invalid"
            ),
            (
                "ring",
                Status::Invalid,
                Some((1, 10)),
                "cycle of in_group: \"ring\" -> \"rung\" -> \"ring\""
            ),
            (
                "rung",
                Status::Invalid,
                Some((1, 14)),
                "cycle of in_group: \"rung\" -> \"ring\" -> \"rung\""
            ),
            (
                "twice",
                Status::Invalid,
                None,
                "found 2 rows for the group, expected one: g.ndjson:6, g.ndjson:7"
            ),
            (
                "typo",
                Status::Invalid,
                Some((1, 1)),
                "unknown tag \"gendr\", did you mean \"gender\"?"
            ),
        ]
    );
    let typo = &plan.statuses[12];
    assert_eq!(
        typo.notice().unwrap().to_string(),
        "g.ndjson:1: invalid rule shop/typo at 1:1: unknown tag \"gendr\", did you mean \
         \"gender\"?; group not published, the night goes on"
    );
    let fine = &plan.statuses[1];
    assert_eq!(
        (
            fine.as_of,
            fine.rule_hash.as_ref().map(String::len),
            fine.place.as_deref()
        ),
        (Some(DATE), Some(32), Some("g.ndjson:2"))
    );
    let mut emitted = Vec::new();
    let mut emit = |index, _: &[u64]| {
        emitted.push(index);
        Ok(())
    };
    let program = plan.rules.program();
    program.evaluate(3, &mut |_, _| Ok(()), &mut emit).unwrap();
    assert_eq!(emitted, [0, 1]);
    let names = [1, 5].map(|index| plan.statuses[index].group.clone());
    assert_eq!(plan.rules.groups(), names);
    assert!(plan.compiled.iter().map(|(name, _)| name).eq(&names));
}

#[test]
fn the_first_groups_by_name_stay_within_the_limit() {
    let rows = [
        row("c", "true", ""),
        row("a", "true", r#","enabled":false"#),
        row("d", "in_group('c')", ""),
        row("b", "oops", ""),
    ]
    .concat();
    let over = "the app has 3 active groups, its limit is 2";
    assert_eq!(
        statuses(&plan(&rows, 2)),
        [
            ("a", Status::Disabled, None, "switched off by enabled"),
            ("b", Status::Invalid, Some((1, 1)), "unknown tag \"oops\""),
            ("c", Status::Ok, None, ""),
            ("d", Status::OverLimit, None, over),
        ]
    );
    assert_eq!(
        plan(&rows, 1).statuses[2].notice().unwrap().to_string(),
        "g.ndjson:1: over limit: shop/c: the app has 3 active groups, its limit is 1; group not \
         published, the night goes on"
    );
}

#[test]
fn a_group_on_one_over_the_limit_is_invalid() {
    let rows = [row("a", "in_group('b')", ""), row("b", "true", "")].concat();
    assert_eq!(
        statuses(&plan(&rows, 1))[0],
        (
            "a",
            Status::Invalid,
            Some((1, 10)),
            "depends on group \"b\", which is over_limit"
        )
    );
}

#[test]
fn the_order_of_files_does_not_matter() {
    let texts = [
        "{\"app\":\"shop\",\"group\":\"x\",\"rule\":\"true\"}",
        "{\"app\":\"shop\",\"group\":\"x\"}",
        "{\"app\":\"\",\"group\":\"y\"}",
    ];
    let read = |order: [usize; 3]| {
        let all: Vec<_> = order
            .into_iter()
            .map(|index| groups(&format!("{index}.ndjson"), texts[index].as_bytes()))
            .collect();
        let rows = all.iter().flat_map(|file| file.rows.clone()).collect();
        let faults = all.iter().flat_map(|file| file.faults.clone()).collect();
        let (apps, nameless) = by_app(rows, faults);
        (
            plan_app("shop", &apps["shop"], &Shop, 9, DATE).statuses,
            nameless.len(),
            apps.len(),
        )
    };
    let first = read([0, 1, 2]);
    assert_eq!(first, read([2, 1, 0]));
    assert_eq!((first.1, first.2), (1, 1));
    assert_eq!(
        first.0[0].reason.as_deref(),
        Some("found 2 rows for the group, expected one: 0.ndjson:1, 1.ndjson:1")
    );
}
