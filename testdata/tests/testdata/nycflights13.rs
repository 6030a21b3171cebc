//! The committed real data set is what its provenance says, and its configuration names files that
//! are there.

use std::fs;
use std::path::{Path, PathBuf};

use tagmill_testdata::oracle::row::{for_each_row, parquet_files};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("nycflights13")
}

#[test]
fn rows_are_those_of_the_expected_results() {
    let (mut flights, mut days) = (0, 0);
    for entry in fs::read_dir(root().join("expected")).unwrap() {
        let expected: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        let date = expected["date"].as_str().unwrap();
        for source in ["planes", "labels", "flights"] {
            let mut rows = 0;
            let folder = root().join(format!("raw/{source}/dt={date}"));
            for_each_row(&folder, |_| {
                rows += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(
                Some(rows),
                expected["read"][source].as_u64(),
                "{source} of {date}"
            );
            flights += if source == "flights" { rows } else { 0 };
        }
        days += 1;
    }
    assert_eq!((days, flights), (7, 6_554));
}

#[test]
fn the_fixture_stays_small_and_is_configured() {
    let bytes: u64 = parquet_files(&root())
        .unwrap()
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(bytes < 3_000_000, "{bytes}");
    let config: toml::Table = fs::read_to_string(root().join("warehouse.toml"))
        .unwrap()
        .parse()
        .unwrap();
    for source in config["source"].as_array().unwrap() {
        let pattern = source["path"]
            .as_str()
            .unwrap()
            .replace("{date}", "2013-03-08");
        assert!(
            root().join(pattern.trim_end_matches("/*.parquet")).is_dir(),
            "{pattern}"
        );
    }
}
