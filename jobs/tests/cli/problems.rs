//! Problems as people and programs read them: all at once, at `path:line:column`, as objects in JSON.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::{CONFIG, fails, night, shop, write};
use crate::process::{Done, run};

/// What standard output has as the one line of JSON, and the exit status.
fn json_of(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let done = run(folder, &[&["--output", "json"], arguments].concat());
    assert_eq!(done.out.lines().count(), 1, "{done:?}");
    (done.code, serde_json::from_str(&done.out).unwrap())
}

fn changed(before: &str, after: &str) -> TempDir {
    let folder = shop();
    assert!(CONFIG.contains(before), "{before}");
    write(
        folder.path(),
        "warehouse.toml",
        CONFIG.replace(before, after),
    );
    folder
}

fn has(done: &Done, line: &str) {
    let text = format!("{}{}", done.out, done.err);
    assert!(text.contains(line), "{line:?} is not in {text}");
}

const TWO_TAGS: &str = "value = 'uper(city)'
[[tag]]
name = 'home'
source = 'profiles'
type = 'string'
value = 'trim(city'";

#[test]
fn every_wrong_expression_is_told_with_its_place() {
    let folder = changed("value = 'city'", TWO_TAGS);
    for arguments in [
        &["validate"][..],
        &["plan", "--date", "2026-11-19"],
        &["run", "--date", "2026-11-19"],
    ] {
        let done = run(folder.path(), arguments);
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{done:?}");
        has(
            &done,
            "warehouse.toml:16:9: tag city value: the unknown function uper()",
        );
        has(&done, "warehouse.toml:21:9: tag home value: ");
        assert!(
            done.last_error()
                .contains("2 mistakes are found, at warehouse.toml"),
            "{done:?}"
        );
        let (code, told) = json_of(folder.path(), arguments);
        assert_eq!(code, Some(2));
        let problems = told["error"]["problems"].as_array().unwrap();
        let place = |i: usize| [&problems[i]["line"], &problems[i]["column"]];
        assert_eq!(
            (place(0), place(1)),
            (
                [16, 9].map(Value::from).each_ref(),
                [21, 9].map(Value::from).each_ref()
            )
        );
        assert_eq!(problems[0]["code"], "expression");
        assert_eq!(told["error"]["exit"], 2);
    }
}

#[test]
fn every_missing_column_is_told_with_its_place() {
    let folder = changed(
        "columns = { app = 'app', user = 'user' }",
        "filter = 'plan > 3'\ncolumns = { app = 'apq', user = 'usr' }",
    );
    let done = run(folder.path(), &["plan", "--date", "2026-11-19"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    has(
        &done,
        "warehouse.toml:11:10: source profiles filter: missing column \"plan\"",
    );
    has(
        &done,
        "warehouse.toml:12:19: source profiles columns.app: missing column \"apq\", did you mean \"app\"",
    );
    has(
        &done,
        "warehouse.toml:12:33: source profiles columns.user: missing column \"usr\", did you mean \"user\"",
    );
}

#[test]
fn one_mistake_is_one_sentence_with_its_place() {
    let folder = changed("value = 'city'", "value = 'citty'");
    let done = night(folder.path());
    fails(
        folder.path(),
        &done,
        1,
        &[
            "missing column \"citty\", did you mean \"city\"",
            "at warehouse.toml:16:9, tag city value",
        ],
    );
}

#[test]
fn a_list_without_multi_says_multi() {
    let folder = changed("value = 'city'", "value = \"make_array(city)\"");
    let done = night(folder.path());
    fails(
        folder.path(),
        &done,
        1,
        &[
            "found list of text",
            "set multi = true",
            "warehouse.toml:16:9",
        ],
    );
}

#[test]
fn a_folder_that_never_was_is_a_mistake_and_the_nearest_is_named() {
    let folder = changed(
        "path = 'raw/dt={date}/*.parquet'",
        "path = 'rav/dt={date}/*.parquet'",
    );
    let done = night(folder.path());
    fails(
        folder.path(),
        &done,
        2,
        &[
            "no file of any date: its folder does not exist, at rav",
            "did you mean raw?",
        ],
    );
    // A folder that is there waits for its date.
    let folder = changed("dt={date}", "day={date}");
    fails(
        folder.path(),
        &night(folder.path()),
        3,
        &["has no data for 2026-11-19"],
    );
}

#[test]
fn a_path_without_a_date_is_told() {
    let folder = changed(
        "path = 'raw/dt={date}/*.parquet'",
        "path = 'raw/*/*.parquet'",
    );
    let hint = "warehouse.toml:10:8: source profiles: path has no {date}, so every night reads the same files";
    let validated = run(folder.path(), &["validate", "--strict"]);
    assert_eq!(validated.code, Some(0), "{validated:?}");
    has(&validated, hint);
    has(&run(folder.path(), &["plan", "--date", "2026-11-19"]), hint);
    has(&night(folder.path()), hint);
}

#[test]
fn problems_of_rules_are_objects_and_told_once() {
    let folder = shop();
    let rules = "{\"app\":\"shop\",\"group\":\"typo\",\"rule\":\"cty = 'Oslo'\"}\nno json\n";
    write(folder.path(), "conf/b.ndjson", rules);
    let (_, told) = json_of(folder.path(), &["validate"]);
    let problems = told["problems"].as_array().unwrap();
    let find = |code: &str| {
        problems
            .iter()
            .find(|problem| problem["code"] == code)
            .unwrap()
    };
    assert_eq!(find("rule")["line"], json!(1));
    assert!(
        find("rule")["file"]
            .as_str()
            .unwrap()
            .ends_with("conf/b.ndjson")
    );
    assert!(
        find("row")["message"]
            .as_str()
            .unwrap()
            .starts_with("group row is not used")
    );
    let plan = run(folder.path(), &["plan", "--date", "2026-11-19"]);
    let all = format!("{}{}", plan.out, plan.err);
    assert_eq!(all.matches("invalid rule shop/typo").count(), 1, "{all}");
    has(
        &plan,
        "conf/b.ndjson:1: invalid rule shop/typo at 1:1: unknown tag \"cty\"",
    );
}

#[test]
fn plan_says_what_the_run_does_and_what_nobody_has() {
    let folder = changed(
        "kind = 'attributes'",
        "kind = 'attributes'\nlate = { policy = 'carry' }",
    );
    assert_eq!(night(folder.path()).code, Some(0));
    write(
        folder.path(),
        "conf/b.ndjson",
        "{\"app\":\"shop\",\"group\":\"rom\",\"rule\":\"city = 'rome'\"}\n\
         {\"app\":\"shpo\",\"group\":\"x\",\"rule\":\"city = 'Rome'\"}\n",
    );
    // Another source has data, this one is late.
    let more = "[[source]]\nname = 'more'\nkind = 'attributes'\npath = 'raw/dt=2026-11-19/*.parquet'\n\
                columns = { app = 'app', user = 'user' }\n[groups]";
    let config = std::fs::read_to_string(folder.path().join("warehouse.toml")).unwrap();
    write(
        folder.path(),
        "warehouse.toml",
        config.replace("[groups]", more),
    );
    let (_, plan) = json_of(folder.path(), &["plan", "--date", "2026-11-20"]);
    let (_, run) = json_of(folder.path(), &["run", "--date", "2026-11-20"]);
    assert_eq!(plan["groups"], run["groups"], "{plan}");
    assert_eq!(plan["groups"]["stale"], json!(3));
    let notices = plan["notices"].to_string();
    for part in [
        "its values of 2026-11-19 are carried, stale",
        "look at rule shop/rom: no user has had city 'rome', near: 'Rome'",
        "no user of app \\\"shpo\\\" has been seen, near: \\\"shop\\\"",
    ] {
        assert!(notices.contains(part), "{part} is not in {notices}");
    }
}
