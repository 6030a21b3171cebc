//! Every refusal, with its exact message and position.

use super::sample::{DATE, Sample};
use crate::{analyse, compile};

/// `1:1: message` of a refused rule.
fn refusal(rule: &str) -> String {
    compile(rule, &Sample, DATE).map_or_else(
        |error| error.to_string(),
        |expr| format!("accepted as {expr}"),
    )
}

macro_rules! refuses {
    ($($name:ident: $($rule:expr => $message:expr),+ ;)+) => {
        $(#[test] fn $name() { $(assert_eq!(refusal($rule), $message, "{}", $rule);)+ })+
    };
}

refuses! {
    rejects_unknown_names_with_the_nearest:
        "gendr = 'F'" => r#"1:1: unknown tag "gendr", did you mean "gender"?"#,
        "age > 3 AND\n  Gender = 'F'" => r#"2:3: unknown tag "Gender", did you mean "gender"?"#,
        "shoe_size > 40" => r#"1:1: unknown tag "shoe_size""#,
        "in_group('wips')" => r#"1:10: unknown group "wips", did you mean "vips"?"#,
        "in_list('lists')" => r#"1:9: unknown list "lists", did you mean "list"?"#,
        "in_grup('vips')" => r#"1:1: unknown function "in_grup", did you mean "in_group"?"#,
        "length(city) > 3" => r#"1:1: unknown function "length""#;
    rejects_the_clock_and_chance:
        "signup < now()" => "1:10: now() is refused: a rerun would give another answer; use \
                             run_date()",
        "signup < now() - 3" => "1:10: now() is refused: a rerun would give another answer; use \
                                 run_date()",
        "signup < CURRENT_DATE" => "1:10: current_date() is refused: a rerun would give another \
                                    answer; use run_date()",
        "current_timestamp > signup" => "1:1: current_timestamp() is refused: a rerun would give \
                                         another answer; use run_date()",
        "age < random()" => "1:7: random() is refused: a rerun would give another answer; use \
                             in_split('salt', 0, 10) for a tenth of the users";
    rejects_tags_compared_with_tags:
        "age = visits" => r#"1:7: tag "age" is compared with tag "visits", expected a constant"#,
        "age IN (1, visits)" => r#"1:12: tag "age" is compared with tag "visits", expected a constant"#,
        "age BETWEEN 1 AND visits" => r#"1:19: tag "age" is compared with tag "visits", expected a constant"#,
        "city LIKE gender" => r#"1:11: tag "city" is compared with tag "gender", expected a constant"#;
    rejects_constants_of_another_type:
        "age = '25'" => r#"1:7: tag "age" is an integer: expected a whole number of 64 bits, found '25'"#,
        "age = 1.5" => r#"1:7: tag "age" is an integer: expected a whole number of 64 bits, found 1.5"#,
        "age = 9223372036854775808" => r#"1:7: tag "age" is an integer: expected a whole number of 64 bits, found 9223372036854775808"#,
        "gender = 5" => r#"1:10: tag "gender" is a string: expected text in single quotes, found 5"#,
        "spend > 1e999" => r#"1:9: tag "spend" is a double: expected a finite number, found 1e999"#,
        "vip = 'true'" => r#"1:7: tag "vip" is a boolean: expected true or false, found 'true'"#,
        "signup > '19.11.2026'" => r#"1:10: tag "signup" is a date: expected a date like DATE '2026-11-19' or run_date() - 30, found '19.11.2026'"#,
        "signup > DATE '2026-02-30'" => "1:15: expected a date like '2026-11-19', found \
                                         '2026-02-30'",
        "age > DATE '2026-02-03'" => r#"1:12: tag "age" is an integer: expected a whole number of 64 bits, found DATE '2026-02-03'"#,
        "gender = NULL" => r#"1:10: tag "gender" is a string: expected a value; for users without one write IS NULL, found NULL"#,
        "gender = F" => "1:10: expected a value, found F; text needs single quotes",
        "gender = \"F\"" => r#"1:10: expected a value, found the name "F"; text needs single quotes"#;
    rejects_conditions_the_type_does_not_have:
        "vip > false" => r#"1:1: tag "vip" is a boolean: it has no order, use = or <>"#,
        "vip BETWEEN false AND true" => r#"1:1: tag "vip" is a boolean: it has no order, use = or <>"#,
        "age LIKE '1%'" => r#"1:1: tag "age" is an integer: LIKE needs a string"#,
        "age" => r#"1:1: tag "age" is an integer, not a condition: compare it with a value"#,
        "NOT gender" => r#"1:5: tag "gender" is a string, not a condition: compare it with a value"#,
        "age IS TRUE" => r#"1:1: tag "age" is an integer, not a condition: compare it with a value"#,
        "city LIKE 'a\\'" => "1:11: the pattern ends in its escape sign \\",
        "city LIKE 'a' ESCAPE 'xy'" => "1:22: expected one character after ESCAPE";
    rejects_what_is_no_condition:
        "5" => "1:1: expected a condition on a tag, as in age >= 18",
        "1 = 1" => "1:1: expected a tag on one side of the comparison, found two constants",
        "age + 1 > 5" => "1:1: expected a tag by itself, found arithmetic or another comparison",
        "-age > 5" => "1:2: expected a tag by itself, found arithmetic or another comparison",
        "age = age = 3" => "1:1: expected a tag by itself, found arithmetic or another comparison",
        "(age, city) = 3" => "1:2: expected a tag",
        "run_date()" => "1:1: run_date() is a date, not a condition: compare a tag with it",
        "in_group('vips') = 3" => "1:1: in_group() is a condition, not a value",
        "NOT age + 3" => "1:5: expected a condition on a tag, as in age >= 18";
    rejects_arithmetic_that_is_not_whole_days:
        "age > 1 + 2" => "1:7: expected a date before + or -: other arithmetic is not part of the \
                          rule language",
        "signup > run_date() - 1.5" => "1:23: expected whole days, as in run_date() - 30 or \
                                        run_date() - INTERVAL '30' DAY",
        "signup > run_date() - INTERVAL '1 month'" => "1:32: expected whole days, as in \
                                                       run_date() - 30 or run_date() - INTERVAL \
                                                       '30' DAY",
        "signup > INTERVAL '1 day'" => "1:19: expected a date before the interval, as in \
                                        run_date() - INTERVAL '30' DAY",
        "signup > run_date() - 99999999999" => "1:10: the date is beyond the calendar",
        "signup > run_date(3)" => "1:10: run_date() takes no arguments; write run_date() - 30 for \
                                   30 days before";
    rejects_wrong_arguments:
        "in_group(vips)" => "1:1: expected in_group('name')",
        "in_list('list', 'b')" => "1:1: expected in_list('name')",
        "in_split('s', 50, 50)" => "1:1: expected in_split('salt', from, to), whole percents with \
                                    0 <= from < to <= 100",
        "in_split('s', 0, 101)" => "1:1: expected in_split('salt', from, to), whole percents with \
                                    0 <= from < to <= 100",
        "in_split('', 0, 10)" => "1:1: expected in_split('salt', from, to), the salt as text that \
                                  is not empty",
        "in_split('s', 0)" => "1:1: expected in_split('salt', from, to), three arguments";
    rejects_sql_that_is_no_rule:
        "(SELECT 1) = 1" => "1:2: SELECT is not part of the rule language",
        "age = CASE WHEN true THEN 1 END" => "1:7: CASE is not part of the rule language",
        "cast(age as text) = '1'" => "1:1: CAST is not part of the rule language",
        "age::text = '1'" => "1:4: :: is not part of the rule language",
        "t.age = 1" => "1:2: found a dot; a tag name with a dot needs double quotes",
        "age == 1" => "1:5: found ==, expected =",
        "age = 1; drop table x" => "1:8: ; is not part of the rule language",
        "age = $1" => "1:7: $1 is not part of the rule language",
        "city ~ 'x'" => "1:6: ~ is not part of the rule language",
        "age IS DISTINCT FROM 1" => "1:5: expected NULL, TRUE or FALSE after IS",
        "city SIMILAR TO 'x'" => "1:6: expected AND, OR or the end of the rule, found SIMILAR",
        "age > ANY (1)" => "1:7: unknown function \"any\"";
    rejects_broken_syntax:
        "" => "1:1: the rule is empty",
        " -- nothing\n" => "1:1: the rule is empty",
        "age >" => "1:6: expected an expression, found the end of the rule",
        "age > 5 AND" => "1:12: expected an expression, found the end of the rule",
        "(age > 5" => "1:9: expected ), found the end of the rule",
        "age > 5)" => "1:8: expected AND, OR or the end of the rule, found )",
        "age IN ()" => "1:9: expected an expression, found )",
        "age > 5 city = 'x'" => "1:9: expected AND, OR or the end of the rule, found city",
        "city = 'abc" => "1:8: unterminated string literal",
        "AND age > 5" => "1:1: expected an expression, found AND",
        "age > 5 AND OR vip" => "1:13: expected an expression, found OR",
        "NOT in ('x')" => "1:5: expected an expression, found in";
}

#[test]
fn counts_columns_in_characters() {
    assert_eq!(
        refusal("city = '北京' AND gendr = 'F'"),
        r#"1:17: unknown tag "gendr", did you mean "gender"?"#
    );
}

#[test]
fn cuts_and_escapes_names_in_messages() {
    let long = "x".repeat(10_000);
    assert_eq!(
        refusal(&format!("{long} = 1")).len(),
        "1:1: unknown tag \"\"...".len() + 60
    );
    assert_eq!(refusal("\"a\nb\" = 1"), r#"1:1: unknown tag "a\nb""#);
}

/// On a stack far smaller than a thread's usual one.
fn on_a_small_stack(rule: String) -> String {
    let thread = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || refusal(&rule))
        .unwrap();
    thread.join().unwrap()
}

#[test]
fn bounds_size_and_depth() {
    let deep = |depth: usize| format!("{}age > 5{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(refusal(&deep(50)), "accepted as age >= 6");
    assert_eq!(
        refusal(&deep(51)),
        "1:51: parentheses are nested deeper than 50"
    );
    assert_eq!(
        on_a_small_stack(deep(20_000)),
        "1:51: parentheses are nested deeper than 50"
    );
    assert_eq!(
        refusal(&format!("{}vip", "NOT ".repeat(5))),
        "1:17: more than 4 NOT or signs in a row"
    );
    let chain = |count: usize| vec!["vip"; count].join(" AND ");
    assert_eq!(on_a_small_stack(chain(1_000)), "accepted as vip = true");
    assert_eq!(
        refusal(&chain(1_001)),
        "1:8001: the rule has more than 2000 names and operators; split it with in_group()"
    );
    assert_eq!(
        refusal(&" ".repeat(70_000)),
        "1:1: the rule has 70000 bytes, expected at most 65536"
    );
}

#[test]
fn hostile_chains_end_quickly_without_overflowing_the_stack() {
    for unit in [
        "vip = ",
        "vip AND ",
        "vip OR NOT ",
        "vip IS NULL IS NULL ",
        "age + ",
        "1 + ",
        "vip IS TRUE = ",
        "run_date() - ",
    ] {
        let rule = unit.repeat(2_000 / unit.split_whitespace().count().max(1)) + "vip";
        on_a_small_stack(rule);
    }
    for (open, close) in [
        ("(", ")"),
        ("NOT (", ")"),
        ("vip IN (", ")"),
        ("f(", ")"),
        ("INTERVAL '1' + (", ")"),
        ("(a, ", ")"),
        ("vip = (", ""),
    ] {
        on_a_small_stack(open.repeat(45) + "==" + &close.repeat(45));
        on_a_small_stack(open.repeat(45) + "1 2" + &close.repeat(45));
        on_a_small_stack(open.repeat(45) + "x" + &close.repeat(44));
    }
    for word in [
        "NOT ",
        "INTERVAL ",
        "DATE ",
        "CASE ",
        "EXISTS ",
        "- ",
        "LIKE ",
        "BETWEEN ",
        "IN ",
        "ESCAPE ",
        "IS NOT ",
    ] {
        on_a_small_stack(word.repeat(1_900));
    }
}

#[test]
fn lists_of_constants_may_be_long() {
    let values: Vec<_> = (0..10_000).map(|value| format!("-{value}")).collect();
    assert!(compile(&format!("age IN ({})", values.join(",")), &Sample, DATE).is_ok());
}

#[test]
fn lints_other_value_conditions_on_multi_valued_tags() {
    let lints = |rule: &str| analyse(rule, &Sample, DATE).unwrap().lints;
    assert_eq!(lints("city <> 'x' AND NOT (interests = 'x')"), []);
    let found = lints("vip AND interests <> 'x'");
    assert_eq!((found[0].line, found[0].column), (1, 9));
    assert_eq!(
        found[0].message,
        "tag \"interests\" has several values, so this means \"has some other value\"; for users \
         without the value write NOT (interests = 'x')"
    );
    assert!(
        lints("interests NOT IN ('x', 'y')")[0]
            .message
            .ends_with("write NOT (interests IN ('x', 'y'))")
    );
    assert!(
        lints("interests NOT LIKE 'x%'")[0]
            .message
            .ends_with("write NOT (interests LIKE 'x%')")
    );
    assert_eq!(
        lints("age BETWEEN 9 AND 3")[0].message,
        "BETWEEN has its greater bound first: no value is between them"
    );
}

#[test]
fn conditions_that_exclude_each_other_are_pointed_out() {
    let message = |rule: &str| {
        let compiled = analyse(rule, &Sample, DATE).unwrap();
        compiled.lints.first().map(|lint| lint.message.clone())
    };
    for (rule, tag) in [
        ("age > 40 AND age < 20", "age"),
        (
            "(age > 40 OR vip) AND city = 'Oslo' AND city = 'Rome'",
            "city",
        ),
        ("age IN (1, 2) AND (vip AND age > 2)", "age"),
        (
            "signup > DATE '2026-01-01' AND signup < DATE '2026-01-02'",
            "signup",
        ),
        ("city IS NULL AND city LIKE 'O%'", "city"),
        ("visits IS NULL AND visits = 3", "visits"),
    ] {
        let expected = format!("can never be true: no value of \"{tag}\" fulfils all conditions");
        assert_eq!(message(rule), Some(expected), "{rule}");
    }
    for rule in [
        "age > 20 AND age < 40",
        "visits > 40 AND visits < 20",
        "age > 40 OR age < 20",
        "age IN (1, 2) AND age > 1",
        "city LIKE 'O%' AND city LIKE 'R%'",
        "NOT (age > 40) AND age > 50",
    ] {
        assert_eq!(message(rule), None, "{rule}");
    }
}
