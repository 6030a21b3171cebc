//! What rules mean, user by user, and their canonical forms.

use super::sample::{DATE, Sample};
use crate::{Atom, Expr, Test, analyse, compile, rule_hash};
use tagmill_schemas::Value;

fn canonical(rule: &str) -> String {
    compile(rule, &Sample, DATE)
        .unwrap_or_else(|error| panic!("{rule}: {error}"))
        .to_string()
}

fn passes(rule: &str, value: &Value) -> bool {
    match compile(rule, &Sample, DATE) {
        Ok(Expr::Atom(Atom::Tag { test, .. })) => {
            assert_eq!(
                test.passing(std::slice::from_ref(value)).len(),
                usize::from(test.matches(value)),
                "{rule}"
            );
            test.matches(value)
        }
        other => panic!("{rule} is {other:?}"),
    }
}

#[test]
fn writes_every_condition_in_canonical_form() {
    for (rule, expected) in [
        ("gender = 'F'", "gender = 'F'"),
        ("'it''s' = city", "city = 'it''s'"),
        ("25 <= age", "age >= 25"),
        ("age > 18", "age >= 19"),
        ("age < -5", "age <= -6"),
        ("age = 18.0", "age = 18"),
        ("spend > 18", "spend > 18.0"),
        ("spend = -0", "spend = 0.0"),
        ("age BETWEEN 25 AND 36", "age BETWEEN 25 AND 36"),
        ("age BETWEEN 25 AND 25", "age = 25"),
        ("age NOT BETWEEN 25 AND 36", "age NOT BETWEEN 25 AND 36"),
        ("age BETWEEN 36 AND 25", "false"),
        ("age NOT BETWEEN 36 AND 25", "age IS NOT NULL"),
        ("age > 9223372036854775807", "false"),
        ("city IN ('b', 'a', 'b')", "city IN ('a', 'b')"),
        ("city NOT IN ('b', 'a')", "city NOT IN ('a', 'b')"),
        ("city LIKE 'Bei%'", "city LIKE 'Bei%'"),
        (
            "city NOT ILIKE 'a!%' ESCAPE '!'",
            "city NOT ILIKE 'a!%' ESCAPE '!'",
        ),
        ("signup >= DATE '2026-01-01'", "signup >= DATE '2026-01-01'"),
        ("signup > '2026-01-01'", "signup >= DATE '2026-01-02'"),
        ("signup >= run_date() - 30", "signup >= DATE '2026-10-20'"),
        (
            "run_date() - INTERVAL '30' DAY <= signup",
            "signup >= DATE '2026-10-20'",
        ),
        (
            "signup = (run_date() - INTERVAL 2 DAYS) + INTERVAL '1 day'",
            "signup = DATE '2026-11-18'",
        ),
        ("date = RUN_DATE()", "\"date\" = DATE '2026-11-19'"),
        ("gender IS NULL", "gender IS NULL"),
        ("NOT (gender IS NULL)", "gender IS NOT NULL"),
        ("NOT NOT (age = 1)", "age = 1"),
        ("vip", "vip = true"),
        ("vip IS FALSE", "vip = false"),
        ("vip <> true", "vip = false"),
        ("vip IS NOT TRUE", "NOT (vip = true)"),
        ("vip IN (true, false)", "vip IS NOT NULL"),
        (
            "vip AND (age = 1 OR gender = 'F') AND vip",
            "(age = 1 OR gender = 'F') AND vip = true",
        ),
        ("vip OR true", "true"),
        ("vip AND NOT true", "false"),
        (
            "age >= 25 AND vip AND age < 37",
            "age BETWEEN 25 AND 36 AND vip = true",
        ),
        (
            "visits >= 25 AND visits < 37",
            "visits <= 36 AND visits >= 25",
        ),
        (
            "spend >= 1 AND spend < 2 AND vip",
            "(spend >= 1.0 AND spend < 2.0) AND vip = true",
        ),
        ("age > 5 AND age < 3", "false"),
        (
            "in_group('vips') AND in_list('list') AND NOT in_split('a', 0, 50)",
            "NOT (in_split('a', 0, 50)) AND in_group('vips') AND in_list('list')",
        ),
        ("in_split('a', 0, 100)", "true"),
    ] {
        assert_eq!(canonical(rule), expected, "{rule}");
        assert_eq!(canonical(expected), expected, "{rule}");
    }
}

#[test]
fn not_equal_needs_a_value_and_not_does_not() {
    let atom = |test| {
        Expr::Atom(Atom::Tag {
            tag: "interests".to_owned(),
            test,
        })
    };
    let is_x = Test::In(vec![Value::String("x".to_owned())]);
    assert_eq!(
        compile("interests <> 'x'", &Sample, DATE).unwrap(),
        atom(Test::Not(Box::new(is_x.clone())))
    );
    assert_eq!(
        compile("NOT interests = 'x'", &Sample, DATE).unwrap(),
        Expr::Not(Box::new(atom(is_x)))
    );
}

#[test]
fn tests_match_the_values_they_should() {
    let text = |text: &str| Value::String(text.to_owned());
    assert!(passes("city LIKE 'B_i%g'", &text("Beijing")));
    assert!(passes("city LIKE '%'", &text("")));
    assert!(passes("city LIKE '_京'", &text("北京")));
    assert!(!passes("city LIKE 'bei%'", &text("Beijing")));
    assert!(passes("city ILIKE 'BEI%ÉE'", &text("beijing-année")));
    assert!(passes("city LIKE '100\\%'", &text("100%")));
    assert!(!passes("city LIKE '100\\%'", &text("1000")));
    assert!(passes("city LIKE '%a%b%c%'", &text("xxaxbxbxcx")));
    assert!(!passes("city LIKE '%a%b%c'", &text("xxaxbxbxcx")));
    assert!(passes("city NOT LIKE 'a%'", &text("b")));
    assert!(passes("city < 'b'", &text("azzz")));
    assert!(passes("spend BETWEEN -1.5 AND 1e2", &Value::Double(-1.5)));
    assert!(!passes("spend > 5", &Value::Double(5.0)));
    assert!(!passes("age < 5", &Value::Double(1.0)));
}

#[test]
fn like_takes_time_at_most_in_the_product_of_lengths() {
    let rule = format!("city LIKE '{}b'", "%a".repeat(1_000));
    assert!(!passes(&rule, &Value::String("a".repeat(20_000))));
}

#[test]
fn the_hash_stays_with_the_meaning_and_the_date() {
    let hash = |rule: &str, date| rule_hash(&analyse(rule, &Sample, date).unwrap().text);
    let rule = "age >= 25 and (vip OR signup >= run_date() - 30) AND city IN ('a', 'b')";
    let same =
        "  city in ('b','a') -- first\n AND ((signup >= RUN_DATE() - 30 or \"vip\")) AND 25 <= age";
    assert_eq!(hash(rule, DATE), hash(same, DATE));
    assert_eq!(hash(rule, DATE), hash(rule, DATE + chrono::Days::new(40)));
    assert_ne!(hash(rule, DATE), hash("age >= 26", DATE));
    // From the reference implementation in C.
    assert_eq!(hash("vip", DATE), "84707d55ddae6508b2dddd8ed923bd48");
}

#[test]
fn names_are_taken_as_written_and_keywords_may_be_names() {
    assert_eq!(
        canonical("date = '2026-01-01' AND \"age\" = 1"),
        "\"date\" = DATE '2026-01-01' AND age = 1"
    );
}
