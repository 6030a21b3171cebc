//! Programs on their way through JSON.

use super::sample::{DATE, Sample};
use crate::{Program, compile};

/// Rules may nest deeper than a JSON reader follows: 50 parentheses, NOT before each.
#[test]
fn the_deepest_rule_travels_as_json() {
    let deepest = (0..49).fold("vip".to_owned(), |rule, depth| {
        let word = if depth % 2 == 0 { "AND" } else { "OR" };
        format!("NOT (age = {depth} {word} {rule})")
    });
    let expr = compile(&deepest, &Sample, DATE).unwrap();
    let (program, _) = Program::build(&[("g".to_owned(), expr)]);
    let json = serde_json::to_string(&program).unwrap();
    assert_eq!(serde_json::from_str::<Program>(&json).unwrap(), program);
}

#[test]
fn constants_travel_exactly() {
    for rule in [
        "spend > 0.1",
        "spend IN (1e300, -7.000000000000001)",
        "city LIKE 'a!%' ESCAPE '!'",
        "signup < DATE '2026-11-19' OR age > -9223372036854775808",
        "NOT in_list('list') OR in_split('a b', 0, 7) OR vip",
    ] {
        let expr = compile(rule, &Sample, DATE).unwrap();
        let program = Program::of(&expr);
        let json = serde_json::to_string(&program).unwrap();
        let read: Program = serde_json::from_str(&json).unwrap();
        assert_eq!(read, program, "{rule}");
    }
}

#[test]
fn rejects_a_program_with_a_step_beyond_its_slots_or_atoms() {
    let has_age = compile("age IS NOT NULL", &Sample, DATE).unwrap();
    let json = serde_json::to_string(&Program::of(&has_age)).unwrap();
    assert!(serde_json::from_str::<Program>(&json).is_ok());
    for (found, wrong) in [
        (r#""slots":1"#, r#""slots":0"#),
        (r#""slots":1"#, r#""slots":1000000000"#),
        (r#""atom":0"#, r#""atom":1"#),
        (r#""slot":0"#, r#""slot":7"#),
    ] {
        assert!(json.contains(found), "{json}");
        let damaged = json.replace(found, wrong);
        assert!(
            serde_json::from_str::<Program>(&damaged).is_err(),
            "{damaged}"
        );
    }
}
