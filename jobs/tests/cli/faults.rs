//! Streams that are full, files that are cut, urls with slips or secrets, statements that would
//! write: exit status, message, and what is left on disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use crate::bad_input::{fails, night, shop, write};
use crate::process::{Done, done, run, tagmill};

/// Every file below a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    found
}

fn published_shop() -> TempDir {
    let folder = shop();
    assert_eq!(night(folder.path()).code, Some(0));
    folder
}

fn sql(folder: &Path, statement: &str) -> Done {
    run(folder, &["sql", "-c", statement])
}

#[cfg(target_os = "linux")]
#[test]
fn a_published_night_is_exit_0_though_its_result_can_not_be_printed() {
    let folder = shop();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = tagmill(folder.path());
    command.args(["run", "--date", "2026-11-19"]).stdout(full);
    let done = done(command.stderr(Stdio::piped()).output().unwrap());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("release 1 is published, but"), "{done:?}");
}

#[test]
fn no_statement_writes_into_a_warehouse_or_over_its_configuration() {
    let folder = published_shop();
    let place = folder.path().canonicalize().unwrap();
    let place = place.to_str().unwrap();
    std::os::unix::fs::symlink(format!("{place}/w"), format!("{place}/link")).unwrap();
    let before = contents(folder.path());
    let targets = [
        format!("{place}/w/releases/00000000000000000001.json"),
        format!("{place}/w/releases/00000000000000000002.json"),
        format!("{place}/w/warehouse.json"),
        format!("{place}/link/releases/00000000000000000002.json"),
        format!("{place}/conf/../w/new/x.json"),
        format!("file://{place}/w/new/x.json"),
        format!("FILE://{place}/w/new/x.json"),
        "w/new/x.json".to_owned(),
        format!("tagmill://warehouse{place}/w/releases/00000000000000000002.json"),
        format!("{place}/warehouse.toml"),
    ];
    for target in &targets {
        let done = sql(
            folder.path(),
            &format!("COPY (SELECT 1 AS x) TO '{target}' STORED AS JSON"),
        );
        assert_eq!(done.code, Some(2), "{target}: {done:?}");
        assert!(done.last_error().contains("can not write"), "{done:?}");
    }
    let done = sql(
        folder.path(),
        &format!(
            "CREATE EXTERNAL TABLE t (x INT) STORED AS PARQUET LOCATION '{place}/w/tags/'; \
             INSERT INTO t VALUES (1)"
        ),
    );
    assert_eq!(done.code, Some(2), "{done:?}");
    let done = sql(
        folder.path(),
        &format!("SET datafusion.runtime.temp_directory = '{place}/w/tmp'"),
    );
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_statement_writes_elsewhere_unless_nothing_may_be_written() {
    let folder = published_shop();
    let copy = "COPY (SELECT 1 AS x) TO 'out/x.json' STORED AS JSON";
    let done = run(folder.path(), &["sql", "--read-only", "-c", copy]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.last_error().contains("--read-only"), "{done:?}");
    assert!(!folder.path().join("out").exists());
    assert_eq!(sql(folder.path(), copy).code, Some(0));
    assert_eq!(
        fs::read_to_string(folder.path().join("out/x.json")).unwrap(),
        "{\"x\":1}\n"
    );
}

#[test]
fn a_file_of_a_release_that_is_cut_is_exit_1_by_name() {
    let folder = published_shop();
    let files = contents(&folder.path().join("w"));
    let (file, whole) = files
        .iter()
        .find(|(path, _)| path.to_string_lossy().contains("/w/users/"))
        .unwrap();
    for keep in (0..whole.len()).step_by(1 + whole.len() / 16) {
        fs::write(file, &whole[..keep]).unwrap();
        let done = sql(folder.path(), "SELECT * FROM users");
        assert_eq!(done.code, Some(1), "{keep}: {done:?}");
        assert!(done.last_error().contains("/w/users/"), "{done:?}");
        assert!(!done.err.contains("panicked"), "{done:?}");
    }
}

#[test]
fn slips_in_urls_and_endpoints_are_exit_2_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let config = "version = 1\n[warehouse]\nurl = '@URL@'\nshards = 2\ntime_zone = 'UTC'\nid_scope \
                  = 'global'\n";
    for (url, endpoint, told) in [
        ("s3://bucket/w", "", "AWS_ENDPOINT is empty"),
        ("s3://bucket/w", "minio:9000", "AWS_ENDPOINT is"),
        ("s3:/bucket/w", "https://localhost:1", "did you mean s3://"),
    ] {
        write(
            folder.path(),
            "warehouse.toml",
            config.replace("@URL@", url),
        );
        for command in [
            &["validate"][..],
            &["status"],
            &["run", "--date", "2026-11-19"],
        ] {
            let mut tagmill = tagmill(folder.path());
            let done = done(
                tagmill
                    .args(command)
                    .env("AWS_ENDPOINT", endpoint)
                    .output()
                    .unwrap(),
            );
            fails(folder.path(), &done, 2, &[told]);
            assert!(!done.err.contains("panicked"), "{done:?}");
        }
    }
}

#[test]
fn secrets_in_urls_are_refused_and_never_shown() {
    let folder = shop();
    let sound = fs::read_to_string(folder.path().join("warehouse.toml")).unwrap();
    for url in [
        "http://user:s3cr3t@127.0.0.1:9/{date}/*.parquet",
        "s3://KEY:s3cr3t@bucket/{date}.parquet",
        "s3://bucket/{date}.parquet?aws_secret_access_key=s3cr3t",
    ] {
        let source = format!(
            "[[source]]\nname = 'other'\nkind = 'attributes'\npath = '{url}'\ncolumns = {{ app = \
             'app', user = 'user' }}\n"
        );
        write(folder.path(), "warehouse.toml", sound.clone() + &source);
        for command in [
            &["validate"][..],
            &["run", "--date", "2026-11-19"],
            &["plan", "--date", "2026-11-19"],
        ] {
            let done = run(folder.path(), command);
            fails(folder.path(), &done, 2, &["credentials", "environment"]);
            assert!(!done.err.contains("s3cr3t"), "{done:?}");
        }
    }
    write(folder.path(), "warehouse.toml", sound);
    assert_eq!(night(folder.path()).code, Some(0));
    let done = sql(
        folder.path(),
        "SELECT * FROM 'http://user:s3cr3t@127.0.0.1:9/x.parquet'",
    );
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(!done.err.contains("s3cr3t"), "{done:?}");
}

#[test]
fn sql_that_is_nested_too_deeply_is_exit_2() {
    let folder = published_shop();
    let chain = vec!["x = 1"; 20_000].join(" OR ");
    write(
        folder.path(),
        "deep.sql",
        format!("SELECT count(*) FROM users WHERE {chain}"),
    );
    let done = run(folder.path(), &["sql", "-f", "deep.sql"]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.last_error().contains("levels"), "{done:?}");
    let sound = fs::read_to_string(folder.path().join("warehouse.toml")).unwrap();
    let tag = "\n[[tag]]\nname = 'deep'\nsource = 'profiles'\ntype = 'boolean'\nvalue = \"@\"\n";
    write(
        folder.path(),
        "warehouse.toml",
        sound + &tag.replace('@', &chain),
    );
    for command in [&["validate"][..], &["run", "--date", "2026-11-19"]] {
        let done = run(folder.path(), command);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.last_error().contains("levels"), "{done:?}");
    }
}

#[test]
fn lines_of_one_kind_are_bounded_and_names_do_not_steer_a_terminal() {
    let folder = shop();
    let sound = fs::read_to_string(folder.path().join("warehouse.toml")).unwrap();
    let labels = "[[source]]\nname = 'labels'\nkind = 'group_tags'\npath = \
                  'raw/dt={date}/*.parquet'\ncolumns = { app = 'app', user = 'user', tag = 'user', \
                  value = 'city' }\nregistry = 'tags/*.ndjson'\nundeclared = 'ignore'\n\
                  [[tag]]\nname = '*'\nsource = 'labels'\n";
    write(folder.path(), "warehouse.toml", sound + labels);
    let rows: String = (0..5_000)
        .map(|row| format!("{{\"app\":\"shop\",\"tag\":\"t{row}\",\"type\":\"a\u{202e}b\"}}\n"))
        .collect();
    write(folder.path(), "tags/a.ndjson", rows);
    let done = night(folder.path());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.err.matches("is not used").count(), 20, "{done:?}");
    assert!(done.err.contains("4980 more problems"), "{done:?}");
    assert!(!done.err.contains('\u{202e}'), "{done:?}");
}
