//! A configuration that is wrong or says more than this version does, from outside.

use crate::bad_input::{CONFIG, fails, goes_on, night, shop, write};
use crate::process::run;

#[test]
fn a_configuration_that_is_wrong_is_exit_2_for_every_command() {
    for (before, after, parts) in [
        ("shards = 2", "shard = 2", &["shard", "shards"][..]),
        (
            "name = 'city'\nsource = 'profiles'",
            "name = 'city'\nsource = 'profile'",
            &["\"profile\"", "profiles"],
        ),
        ("type = 'string'", "type = 'text'", &["\"text\"", "string"]),
        (
            "kind = 'attributes'",
            "kind = 'attribute'",
            &["attribute", "attributes"],
        ),
        ("url = 'w'", "url = ", &["warehouse.toml"]),
    ] {
        let folder = shop();
        write(
            folder.path(),
            "warehouse.toml",
            CONFIG.replace(before, after),
        );
        for arguments in [
            &["run", "--date", "2026-11-19"][..],
            &["validate"],
            &["plan", "--date", "2026-11-19"],
        ] {
            fails(folder.path(), &run(folder.path(), arguments), 2, parts);
        }
    }
}

#[test]
fn an_expression_that_is_no_sql_and_a_place_that_is_none_are_found_without_a_store() {
    for (before, after, parts) in [
        (
            "value = 'city'",
            "value = 'upper(city'",
            &["tag city value"][..],
        ),
        (
            "value = 'city'",
            "value = 'uper(city)'",
            &[
                "tag city value",
                "unknown function uper() (did you mean upper()?) can not stand",
            ],
        ),
        (
            "value = 'city'",
            "value = 'lower(max(city))'",
            &["tag city value", "the aggregate max()"],
        ),
        (
            "value = 'city'",
            "value = 'coalesce(city, cast(random() as varchar))'",
            &["random(), which gives a rerun another answer"],
        ),
        ("value = 'city'", "value = '(select 1)'", &["a subquery"]),
        (
            "[groups]",
            "[[source]]\nname = 'more'\nkind = 'attributes'\npath = 'raw/x'\nfilter = 'a > > \
             3'\ncolumns = { app = 'a', user = 'u' }\n[groups]",
            &["source more filter"],
        ),
        ("url = 'w'", "url = 'hdfs://host/w'", &["\"hdfs\"", "s3"]),
        ("path = 'raw/", "path = 's3:///", &["bucket"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            "warehouse.toml",
            CONFIG.replace(before, after),
        );
        fails(folder.path(), &run(folder.path(), &["validate"]), 2, parts);
    }
}

#[test]
fn what_is_configured_for_a_later_version_is_told() {
    let folder = shop();
    write(
        folder.path(),
        "warehouse.toml",
        CONFIG.to_owned() + "[retention]\nreleases = 7\n",
    );
    goes_on(
        &night(folder.path()),
        &["retention.releases is not in this version"],
    );
    assert!(
        run(folder.path(), &["validate"])
            .out
            .contains("retention.releases is not in this version")
    );
}
