//! Laws of values: canonical text reads back, the order is total, hashes agree with equality.

use std::cmp::Ordering;
use std::collections::HashSet;

use chrono::NaiveDate;
use proptest::prelude::*;
use tagmill_schemas::value::{date_of, days_of};
use tagmill_schemas::{Value, ValueType};

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".*".prop_map(Value::String),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_filter_map("finite", |number| Value::double(number).ok()),
        (-90_000_000..90_000_000i32).prop_map(Value::Date),
        any::<bool>().prop_map(Value::Boolean),
    ]
}

proptest! {
    #[test]
    fn canonical_text_reads_back(value in any_value()) {
        prop_assert_eq!(Value::parse(&value.to_string(), value.value_type()), Ok(value));
    }

    #[test]
    fn order_is_total(a in any_value(), b in any_value(), c in any_value()) {
        prop_assert_eq!(a.cmp_total(&b), b.cmp_total(&a).reverse());
        prop_assert_eq!(a == b, a.cmp_total(&b) == Ordering::Equal);
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn doubles_order_as_numbers_do(a in any::<f64>(), b in any::<f64>()) {
        if let (Ok(left), Ok(right)) = (Value::double(a), Value::double(b)) {
            prop_assert_eq!(Some(left.cmp_total(&right)), a.partial_cmp(&b));
        }
    }

    #[test]
    fn days_and_dates_are_inverse(days in -90_000_000..90_000_000i32) {
        prop_assert_eq!(date_of(days).map(days_of), Some(days));
    }
}

#[test]
fn zero_has_one_sign() {
    assert_eq!(
        Value::parse("-0.0", ValueType::Double),
        Value::parse("0", ValueType::Double)
    );
    assert_eq!(
        Value::double(-0.0).map(|zero| zero.to_string()),
        Ok("0".to_owned())
    );
    let both = [Value::double(-0.0).unwrap(), Value::double(0.0).unwrap()];
    assert_eq!(both.into_iter().collect::<HashSet<_>>().len(), 1);
}

#[test]
fn refuses_text_of_another_type_and_says_what_was_expected() {
    let cases = [
        (
            ValueType::Integer,
            vec!["", "1.0", " 1", "9223372036854775808", "1e3", "٣"],
            "an integer of 64 bits",
        ),
        (
            ValueType::Double,
            vec!["", "NaN", "inf", "-infinity", "1e400", "1,5"],
            "a finite double",
        ),
        (
            ValueType::Date,
            vec![
                "",
                "2026-2-3",
                "2026-02-30",
                "20261119",
                "2026-11-19 ",
                "2026-11-19T00:00:00",
            ],
            "a date like 2026-11-19",
        ),
        (
            ValueType::Boolean,
            vec!["", "yes", "2", "t"],
            "true or false",
        ),
    ];
    for (value_type, texts, expected) in cases {
        for text in texts {
            let error = Value::parse(text, value_type).unwrap_err();
            assert!(
                error.ends_with(&format!("expected {expected}")),
                "{value_type} {text:?}: {error}"
            );
        }
    }
}

#[test]
fn reads_each_type() {
    let cases = [
        (
            "北京",
            ValueType::String,
            Value::String("北京".to_owned()),
            "北京",
        ),
        ("+07", ValueType::Integer, Value::Integer(7), "7"),
        (
            "1e20",
            ValueType::Double,
            Value::Double(1e20),
            "100000000000000000000",
        ),
        ("2.50", ValueType::Double, Value::Double(2.5), "2.5"),
        (
            "2026-11-19",
            ValueType::Date,
            Value::date(NaiveDate::from_ymd_opt(2026, 11, 19).unwrap()),
            "2026-11-19",
        ),
        ("1969-12-31", ValueType::Date, Value::Date(-1), "1969-12-31"),
        ("TRUE", ValueType::Boolean, Value::Boolean(true), "true"),
        ("0", ValueType::Boolean, Value::Boolean(false), "false"),
    ];
    for (text, value_type, value, canonical) in cases {
        assert_eq!(Value::parse(text, value_type), Ok(value.clone()));
        assert_eq!(value.to_string(), canonical);
    }
}

#[test]
fn long_text_is_cut_in_errors() {
    let error = Value::parse(&"9".repeat(10_000), ValueType::Integer).unwrap_err();
    assert!(error.len() < 120, "{error}");
}

#[test]
fn a_day_outside_the_calendar_still_prints() {
    assert_eq!(Value::Date(i32::MAX).to_string(), "day 2147483647");
    assert_eq!(date_of(i32::MIN), None);
}
