//! What a release has: `apps`, `tags`, `groups`, `show`, `releases`.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Done, run};

/// The example with a second day, on which some are gone, some are new and a rule is wrong.
fn two_nights() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = run(folder.path(), &["init", "--example", "x"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let at = |path: &str| folder.path().join("x").join(path);
    let day = "raw/customers/dt=2026-01-16";
    std::fs::create_dir(at(day)).unwrap();
    std::fs::copy(
        at("raw/customers/dt=2026-01-15/part-0.parquet"),
        at(day).join("part-0.parquet"),
    )
    .unwrap();
    std::fs::write(
        at("groups/more.ndjson"),
        "{\"app\":\"shop\",\"group\":\"typo\",\"rule\":\"cty = 'Oslo'\"}\n\
         {\"app\":\"shop\",\"group\":\"nobody\",\"rule\":\"city = 'oslo'\"}\n",
    )
    .unwrap();
    let range = ["run", "--from", "2026-01-15", "--to", "2026-01-16"];
    let nights = asked(&folder, &range);
    assert_eq!(nights.code, Some(0), "{nights:?}");
    folder
}

fn asked(folder: &TempDir, arguments: &[&str]) -> Done {
    run(
        folder.path(),
        &[&["--config", "x/warehouse.toml"], arguments].concat(),
    )
}

fn answer(folder: &TempDir, arguments: &[&str]) -> Value {
    let done = asked(folder, &[&["--output", "json"], arguments].concat());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.out.lines().count(), 1, "{done:?}");
    serde_json::from_str(&done.out).unwrap()
}

#[test]
fn apps_tags_and_groups_list_what_there_is() {
    let folder = two_nights();
    let apps = answer(&folder, &["apps"]);
    assert_eq!(
        apps,
        json!({"release": 2, "apps": [{"app": "shop", "users": 60, "tags": 2,
               "groups": {"invalid": 1, "ok": 2}, "rows": 60, "rejected": 0}]})
    );
    assert!(asked(&folder, &["apps"]).out.contains("2 ok, 1 invalid"));

    let tags = answer(&folder, &["tags", "--app", "shop"]);
    let city = &tags["tags"][1];
    assert_eq!(
        (
            &city["tag"],
            &city["type"],
            &city["users"],
            &city["values"],
            &city["range"]
        ),
        (
            &json!("city"),
            &json!("string"),
            &json!(55),
            &json!(3),
            &json!(null)
        )
    );
    assert_eq!(city["samples"][0], json!({"value": "Oslo", "users": 33}));
    assert_eq!(tags["tags"][0]["range"], json!(["18", "67"]));
    let text = asked(&folder, &["tags"]).out;
    assert!(
        text.contains("Oslo (33), Bergen (11), Tromsø (11)"),
        "{text}"
    );

    let groups = answer(&folder, &["groups"]);
    let row = |group: &str| {
        let rows = groups["groups"].as_array().unwrap();
        rows.iter()
            .find(|row| row["group"] == group)
            .unwrap()
            .clone()
    };
    let young = row("young_in_oslo");
    assert_eq!(
        (&young["users"], &young["came"], &young["status"]),
        (&json!(15), &json!(0), &json!("ok"))
    );
    assert_eq!(row("typo")["users"], json!(null));
    assert_eq!(
        row("typo")["reason"],
        json!("unknown tag \"cty\", did you mean \"city\"?")
    );
    assert!(
        row("nobody")["reason"]
            .as_str()
            .unwrap()
            .contains("near: 'Oslo'")
    );
}

#[test]
fn an_unknown_app_is_told_with_those_there_are() {
    let folder = two_nights();
    for arguments in [
        &["tags", "--app", "shp"][..],
        &["groups", "--app", "shp"],
        &["estimate", "--app", "shp", "age > 3"],
    ] {
        let done = asked(&folder, arguments);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(
            done.last_error()
                .contains("unknown app \"shp\" in release 2; did you mean \"shop\"? apps: shop"),
            "{done:?}"
        );
    }
}

#[test]
fn releases_tell_when_how_long_and_how_many_rows() {
    let folder = two_nights();
    let releases = answer(&folder, &["releases"]);
    for release in releases["releases"].as_array().unwrap() {
        assert_eq!(release["rows"], 60);
        assert!(release["seconds"].as_u64().unwrap() < 600, "{release}");
        assert!(
            release["published"].as_str().unwrap().starts_with("20"),
            "{release}"
        );
    }
    let text = asked(&folder, &["releases"]).out;
    for word in ["published", "took", "rows"] {
        assert!(text.lines().next().unwrap().contains(word), "{text}");
    }
}

#[test]
fn a_lost_manifest_is_noticed() {
    let folder = two_nights();
    let again = asked(&folder, &["run", "--date", "2026-01-16"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let warehouse = asked(&folder, &["files", "--artifact", "groups"]).out;
    let root = warehouse.split("/groups/").next().unwrap();
    let manifest = |release: u64| format!("{root}/releases/{release:020}.json");
    std::fs::remove_file(manifest(2)).unwrap();
    let told = asked(&folder, &["releases"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.err.contains("release 2 has lost its manifest"),
        "{told:?}"
    );
    std::fs::remove_file(manifest(3)).unwrap();
    for date in ["2026-01-15", "2026-01-16"] {
        let refused = asked(&folder, &["run", "--date", date]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains("the mark of release 3"), "{refused:?}");
    }
}

#[test]
fn show_tells_apps_rejects_by_reason_and_growth() {
    let folder = two_nights();
    let path = folder.path().join("x/warehouse.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let strict = config.replace(
        "[[tag]]\nname   = \"city\"",
        "reject = { too_old = \"age > 66\" }\nmin_rows = 1\n\n[[tag]]\nname   = \"city\"",
    );
    assert_ne!(config, strict);
    std::fs::write(&path, strict).unwrap();
    let again = asked(&folder, &["run", "--date", "2026-01-16"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let show = answer(&folder, &["show"]);
    assert_eq!(show["apps"], json!(["shop"]));
    assert_eq!(
        show["fates"],
        json!([{"source": "customers", "metric": "rejected:too_old", "rows": 1}])
    );
    assert_eq!(
        (&show["growth"]["since"], &show["growth"]["users"]),
        (&json!(2), &json!(0))
    );
    let text = asked(&folder, &["show"]).out;
    for part in [
        "rejected: too_old",
        "since release 2: +0 users",
        "2 tags of 1 app (shop)",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}
