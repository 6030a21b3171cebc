//! Numbers of behaviour in rules: equal ones are one, and what is refused.

use super::sample::{DATE, Sample};
use crate::{Atom, Expr, compile};

fn text(rule: &str) -> String {
    compile(rule, &Sample, DATE).unwrap().to_string()
}

fn refusal(rule: &str) -> String {
    compile(rule, &Sample, DATE).unwrap_err().to_string()
}

#[test]
fn a_state_is_its_canonical_text() {
    for (rule, expected) in [
        (
            "event_count('purchase', 30) >= 3",
            "event_count('purchase', 30) >= 3",
        ),
        (
            "3 <= EVENT_COUNT('purchase',30, back => 0)",
            "event_count('purchase', 30) >= 3",
        ),
        (
            "event_sum('purchase', 'amount', 7, os = 'mac' AND (city = 'B')) > 100.5",
            "event_sum('purchase', 'amount', 7, city = 'B' AND os = 'mac') > 100.5",
        ),
        (
            "event_count('visit', 30, back => 30, city IN ('b', 'a')) BETWEEN 1 AND 5",
            "event_count('visit', 30, city IN ('a', 'b'), back => 30) BETWEEN 1 AND 5",
        ),
        ("event_days('visit', 7) <> 2", "event_days('visit', 7) <> 2"),
        ("event_days('visit', 7) IS NULL", "false"),
        (
            "event_last('visit') IS NULL",
            "NOT (event_last('visit') IS NOT NULL)",
        ),
        (
            "event_first('visit', os IS NULL) >= run_date() - 30",
            "event_first('visit', os IS NULL) >= DATE '2026-10-20'",
        ),
    ] {
        assert_eq!(text(rule), expected);
        assert_eq!(text(expected), expected);
    }
}

#[test]
fn the_days_of_a_window_end_on_the_run_date_or_before() {
    let days = |rule: &str| {
        let Expr::Atom(Atom::Behaviour { state, .. }) = compile(rule, &Sample, DATE).unwrap()
        else {
            panic!("{rule}");
        };
        let (first, last) = state.window.unwrap().days_of(DATE).unwrap();
        (first.to_string(), last.to_string())
    };
    let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
    assert_eq!(
        days("event_count('visit', 1) = 0"),
        pair("2026-11-19", "2026-11-19")
    );
    assert_eq!(
        days("event_days('visit', 7) > 1"),
        pair("2026-11-13", "2026-11-19")
    );
    let back = "event_count('visit', 30, back => 30) > 1";
    assert_eq!(days(back), pair("2026-09-21", "2026-10-20"));
}

#[test]
fn what_is_not_there_or_not_meant_is_refused_with_its_place() {
    for (rule, expected) in [
        (
            "event_count('purchas', 30) > 1",
            "1:13: unknown event \"purchas\", did you mean \"purchase\"?",
        ),
        (
            "event_sum('visit', 'amont', 3) > 1",
            "1:20: unknown measure \"amont\", did you mean \"amount\"?",
        ),
        (
            "event_count('visit', 3, cty = 'x') > 1",
            "1:25: unknown dimension \"cty\", did you mean \"city\"?",
        ),
        (
            "event_count('visit', 0) > 1",
            "1:22: expected 1 to 366 days",
        ),
        ("event_count('visit') > 1", "1:1: expected a number of days"),
        (
            "event_count('visit', 3)",
            "1:1: event_count() is a number, not a condition",
        ),
        (
            "event_count('visit', 3, in_split('s', 0, 5)) > 1",
            "1:25: a condition of an event can name its dimensions only",
        ),
        (
            "event_first('visit', back => 3) IS NULL",
            "1:30: expected no other argument",
        ),
        (
            "event_count('visit', 3, ago => 3) > 1",
            "1:1: expected event_count('event', days",
        ),
        (
            "event_sum('visit', 'amount', 3) > 1234567890.1234567",
            "1:35: expected a number of at most 15 digits",
        ),
        ("event_count('visit', 3) > 'x'", "expected a whole number"),
    ] {
        let found = refusal(rule);
        assert!(found.contains(expected), "{rule}: {found}");
    }
}
