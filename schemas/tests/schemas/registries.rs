//! Registry rows: what is accepted, and which field an unacceptable one names.

use chrono::NaiveDate;
use serde_json::{Map, Value as Json, json};
use tagmill_schemas::ValueType;
use tagmill_schemas::registry::{EventRow, GroupRow, Placed, Role, RowError, TagRow};

fn object(row: Json) -> Map<String, Json> {
    row.as_object().unwrap().clone()
}

fn tag(row: Json) -> Result<TagRow, RowError> {
    TagRow::from_json(&object(row))
}

fn event(row: Json) -> Result<EventRow, RowError> {
    EventRow::from_json(&object(row))
}

fn group(row: Json) -> Result<GroupRow, RowError> {
    GroupRow::from_json(&object(row))
}

#[test]
fn reads_a_tag() {
    let row = tag(
        json!({"app": "tea", "tag": "../../x", "type": "string", "multi": true, "owner": "ann"}),
    )
    .unwrap();
    assert_eq!(
        row,
        TagRow {
            app: "tea".into(),
            tag: "../../x".into(),
            value_type: ValueType::String,
            multi: true
        }
    );
    assert!(
        !tag(json!({"app": "tea", "tag": "t", "type": "date", "multi": null}))
            .unwrap()
            .multi
    );
    assert!(
        tag(json!({"app": "tea", "tag": "t", "type": "date", "multi": "TRUE"}))
            .unwrap()
            .multi
    );
}

#[test]
fn a_bad_row_names_the_field_what_was_found_and_what_was_expected() {
    let cases = [
        (tag(json!({"app": "tea", "type": "string"})).unwrap_err(), "tag: found nothing, expected \
            text"),
        (tag(json!({"app": "tea", "tag": "", "type": "string"})).unwrap_err(), "tag: found \"\", \
            expected text that is not empty"),
        (tag(json!({"app": 7.5, "tag": "t", "type": "string"})).unwrap_err(), "app: found 7.5, \
            expected text that is not empty"),
        (tag(json!({"app": "a\0b", "tag": "t", "type": "string"})).unwrap_err(), "app: found a \
            zero byte, expected text without one"),
        (tag(json!({"app": "tea", "tag": "t", "type": "text"})).unwrap_err(), "type: found \
            \"text\", expected one of string, integer, double, date, boolean"),
        (tag(json!({"app": "tea", "tag": "t"})).unwrap_err(), "type: found nothing, expected \
            string, integer, double, date or boolean"),
        (tag(json!({"app": "tea", "tag": "t", "type": "date", "multi": 2})).unwrap_err(), "multi: \
            found 2, expected true or false"),
        (
            group(json!({"app": "tea", "group": "g", "rule": "true", "valid_form": "2026-01-01"})).unwrap_err(),
            "valid_form: found an unknown key, expected \"valid_from\"",
        ),
        (
            group(json!({"app": "tea", "group": "g", "rule": "true", "valid_to": "2026-11-31"})).unwrap_err(),
            "valid_to: found \"2026-11-31\", expected a date like 2026-11-19",
        ),
        (
            group(json!({"app": "tea", "group": "g", "rule": "true", "valid_from": "2026-11-02", "valid_to": "2026-11-01"})).unwrap_err(),
            "valid_to: found \"2026-11-01\", expected a date from 2026-11-02 on",
        ),
    ];
    for (error, message) in cases {
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_long_value_is_cut() {
    let error = tag(json!({"app": "tea", "tag": "t", "type": "x".repeat(10_000)})).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn reads_an_event_alone_and_with_properties() {
    let alone = event(json!({"app": "tea", "event": "open"})).unwrap();
    assert_eq!((alone.property, alone.role), (None, Role::Ignore));
    let city =
        event(json!({"app": "tea", "event": "order", "property": "city", "role": "dimension"}))
            .unwrap();
    assert_eq!(
        (city.role, city.value_type, city.scale),
        (Role::Dimension, ValueType::String, 0)
    );
    let price = event(json!({"app": "tea", "event": "order", "property": "price", "role": "measure", "type": "double", "scale": "2"})).unwrap();
    assert_eq!(
        (price.role, price.value_type, price.scale),
        (Role::Measure, ValueType::Double, 2)
    );
    let count = event(json!({"app": "tea", "event": "order", "property": "cups", "role": "measure", "type": "integer"})).unwrap();
    assert_eq!(count.scale, 0);
}

#[test]
fn refuses_a_property_that_does_not_fit_its_role() {
    let cases = [
        (json!({"app": "a", "event": "e", "property": "p"}), "role"),
        (
            json!({"app": "a", "event": "e", "role": "dimension"}),
            "property",
        ),
        (
            json!({"app": "a", "event": "e", "property": "p", "role": "measure"}),
            "type",
        ),
        (
            json!({"app": "a", "event": "e", "property": "p", "role": "measure", "type": "date"}),
            "type",
        ),
        (
            json!({"app": "a", "event": "e", "property": "p", "role": "measure", "type": "double"}),
            "scale",
        ),
        (
            json!({"app": "a", "event": "e", "property": "p", "role": "measure", "type": "double", "scale": 19}),
            "scale",
        ),
        (
            json!({"app": "a", "event": "e", "property": "p", "role": "measure", "type": "double", "scale": -1}),
            "scale",
        ),
        (
            json!({"app": "a", "event": "e", "property": "p", "role": "sum"}),
            "role",
        ),
    ];
    for (row, field) in cases {
        assert_eq!(event(row.clone()).unwrap_err().field, field, "{row}");
    }
}

#[test]
fn reads_a_group_and_its_validity() {
    let row = group(
        json!({"app": "tea", "group": "g", "name": "家电潜客", "rule": "age > 3", "valid_from": "2026-11-01", "valid_to": "2026-11-30"}),
    );
    let row = row.unwrap();
    assert_eq!((row.name.as_deref(), row.enabled), (Some("家电潜客"), true));
    let date = |text: &str| text.parse::<NaiveDate>().ok();
    assert_eq!(
        (row.valid_from, row.valid_to),
        (date("2026-11-01"), date("2026-11-30"))
    );
    assert!(
        !group(json!({"app": "tea", "group": "g", "rule": "true", "enabled": false}))
            .unwrap()
            .enabled
    );
}

#[test]
fn a_placed_row_says_where_it_stands() {
    let row = tag(json!({"app": "tea", "tag": "t", "type": "date"})).unwrap();
    assert_eq!(
        Placed {
            row,
            file: "tags/tea.ndjson".into(),
            line: 3
        }
        .place(),
        "tags/tea.ndjson:3"
    );
}

#[test]
fn what_pandas_makes_of_a_cell_is_the_cell() {
    let price = |scale: Json| {
        event(
            json!({"app": 7.0, "event": 94107, "property": "p", "role": "measure", "type": "double", "scale": scale}),
        )
    };
    for scale in [json!(2), json!(2.0), json!("2"), json!("2.0")] {
        let row = price(scale).unwrap();
        assert_eq!(
            (row.app.as_str(), row.event.as_str(), row.scale),
            ("7", "94107", 2)
        );
    }
    for scale in [
        json!(2.5),
        json!("2.5"),
        json!("2."),
        json!(true),
        json!(-2.0),
    ] {
        assert_eq!(price(scale.clone()).unwrap_err().field, "scale", "{scale}");
    }
    let valid = |from: &str| {
        group(
            json!({"app": "a", "group": "g", "rule": "true", "valid_from": from, "enabled": "False"}),
        )
    };
    for from in [
        "2026-11-19",
        "2026-11-19 00:00:00",
        "2026-11-19T00:00:00.000",
        "2026-11-19T00:00:00Z",
        "2026-11-19 00:00:00+08:00",
    ] {
        let row = valid(from).unwrap();
        assert_eq!(
            row.valid_from,
            NaiveDate::from_ymd_opt(2026, 11, 19),
            "{from}"
        );
        assert!(!row.enabled);
    }
    for from in [
        "2026-11-19 08:00:00",
        "2026-11-19 ",
        "2026-11-19T",
        "2026-11-19 00",
    ] {
        assert_eq!(valid(from).unwrap_err().field, "valid_from", "{from}");
    }
    for (multi, is) in [(json!(1), true), (json!(0.0), false), (json!("1.0"), true)] {
        let row = tag(json!({"app": "a", "tag": "t", "type": "date", "multi": multi})).unwrap();
        assert_eq!(row.multi, is);
    }
}
