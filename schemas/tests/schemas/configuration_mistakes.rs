//! All mistakes of a configuration at once, each at its line and column.

use tagmill_schemas::problem::Problem;
use tagmill_schemas::{Config, Error};

use crate::configuration::LEAST;

fn refused(text: &str) -> Error {
    Config::parse(text, "w.toml").expect_err("is refused")
}

fn lines(text: &str) -> Vec<String> {
    refused(text)
        .problems()
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[test]
fn every_mistake_is_told_in_the_order_of_the_file() {
    let text = "version = 1
[warehouse]
url = \"wh\"
time_zone = \"Asia/Shangai\"
id_scope = \"apps\"
[[source]]
name = \"shop\"
kind = \"attributes\"
paht = \"raw/{dat}\"
late = { policy = \"carri\", max_days = 0 }
columns = { app = \"'x'\" }
[[tag]]
name = \"city\"
source = \"shop\"
type = \"text\"
[[tag]]
name = \"é\"
source = \"shpo\"
type = \"strin\"
[groups]
rules = 7
";
    let found = lines(text);
    let expected = [
        "w.toml:4:13: time_zone: found \"Asia/Shangai\", expected an IANA time zone like",
        "w.toml:5:12: found id_scope = \"apps\", expected one of app, global; did you mean \"app\"",
        "w.toml:9:1: unknown key \"paht\" in [[source]] \"shop\"; did you mean \"path\"",
        "w.toml:10:19: found policy = \"carri\", expected one of",
        "w.toml:10:39: found max_days = 0, expected a whole number from 1",
        "w.toml:11:11: missing key \"user\" in columns of [[source]] \"shop\"",
        "w.toml:15:8: found type = \"text\", expected one of",
        "w.toml:18:10: unknown source \"shpo\"; did you mean \"shop\"",
        "w.toml:19:8: found type = \"strin\", expected one of",
        "w.toml:21:9: found rules = 7, expected text",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\nis not {expected}");
    }
    let error = refused(text).to_string();
    assert!(
        error.starts_with("configuration: 10 mistakes are found, at w.toml; correct each"),
        "{error}"
    );
}

#[test]
fn a_problem_is_an_object() {
    let problems = refused(&format!("{LEAST}[run]\nmemori = \"1GB\"\n")).problems();
    assert_eq!(
        serde_json::to_value(&problems).unwrap(),
        serde_json::json!([{
            "code": "key", "file": "w.toml", "line": 7, "column": 1,
            "message": "unknown key \"memori\" in [run]", "fix": "did you mean \"memory\""
        }])
    );
}

#[test]
fn columns_count_characters_as_people_do() {
    let text = format!(
        "{LEAST}[[source]]\nname = \"p\"\nkind = \"attributes\"\npath = \"p\"\n\
                        columns = {{ app = \"é\", usr = \"u\" }}\n"
    );
    let found = lines(&text);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("w.toml:10:24: unknown key \"usr\"")),
        "{found:?}"
    );
}

#[test]
fn text_without_quotes_and_quotes_of_word_processors_are_told() {
    for (line, advice) in [
        ("type = integer", "text needs quotes: \"integer\""),
        ("type = string # of text", "text needs quotes: \"string\""),
        (
            "path = raw/{date}/*.parquet",
            "text needs quotes: \"raw/{date}/*.parquet\"",
        ),
        ("day = { by = time }", "text needs quotes: \"time\""),
        ("nulls = [none]", "text needs quotes: \"none\""),
        (
            "type = \u{201c}integer\u{201d}",
            "quotes have to be straight",
        ),
    ] {
        let found = lines(&format!("version = 1\n{line}\n"));
        assert!(
            found
                .iter()
                .any(|problem| problem.contains(advice) && problem.starts_with("w.toml:2:")),
            "{line}: {found:?}"
        );
    }
}
