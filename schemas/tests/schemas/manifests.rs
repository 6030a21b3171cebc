//! The manifest: version 1 reads for ever, equal manifests are equal bytes, unsound ones are
//! refused.

use chrono::NaiveDate;
use tagmill_schemas::constants::Constants;
use tagmill_schemas::error::Kind;
use tagmill_schemas::manifest::{
    FileEntry, Input, InputFile, InputStatus, SourceCount, TagEntry, VERSION,
};
use tagmill_schemas::{Artifact, Config, IdScope, Manifest, ValueType};

use crate::fixture;

const GOLDEN: &str = "manifest.v1.json";

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn file(artifact: Artifact, shard: Option<u32>) -> FileEntry {
    let night = date("2026-11-19");
    FileEntry {
        artifact,
        path: artifact.path(night, "2026-11-19", 1, shard),
        date: night,
        shard,
        rows: 3,
        bytes: 4_096,
        checksum: "xxh3-128:99aa06d3014798d86001c324468d497f".to_owned(),
        cardinality: 12_884_901_891,
    }
}

/// Lists out of order on purpose.
fn manifest() -> Manifest {
    let count = |app: Option<&str>, accepted| SourceCount {
        source: "profiles".to_owned(),
        app: app.map(str::to_owned),
        read: accepted + 3,
        accepted,
        filtered: 1,
        rejected: 2,
    };
    let raw = |path: &str, etag: Option<&str>| InputFile {
        path: path.to_owned(),
        size: 10,
        etag: etag.map(str::to_owned),
        rows: 5,
    };
    let input = |source: &str, status, day: &str, files| Input {
        source: source.to_owned(),
        status,
        date: date(day),
        files,
    };
    Manifest {
        version: VERSION,
        release: 8,
        parent: Some(7),
        date: date("2026-11-19"),
        head_date: date("2026-11-20"),
        run: "2026-11-19".to_owned(),
        attempt: 1,
        config_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        code_version: "0.1.0".to_owned(),
        shards: 16,
        id_scope: IdScope::Global,
        inputs: vec![
            input(
                "profiles",
                InputStatus::Read,
                "2026-11-19",
                vec![
                    raw("raw/b.parquet", None),
                    raw("raw/a.parquet", Some("\"x\"")),
                ],
            ),
            input("custom", InputStatus::Skipped, "2026-11-19", vec![]),
            input("labels", InputStatus::Carried, "2026-11-18", vec![]),
        ],
        files: vec![
            file(Artifact::Users, Some(10)),
            file(Artifact::GroupStatus, None),
            file(Artifact::Users, Some(9)),
        ],
        tags: vec![
            TagEntry {
                app: "tea".into(),
                tag: "taste".into(),
                value_type: ValueType::String,
                multi: true,
                source: "labels".into(),
                over_limit: None,
                is_withheld: false,
            },
            TagEntry {
                app: "tea".into(),
                tag: "age".into(),
                value_type: ValueType::Integer,
                multi: false,
                source: "profiles".into(),
                over_limit: None,
                is_withheld: false,
            },
        ],
        counts: vec![count(Some("tea"), 4), count(None, 0)],
        reason: None,
    }
}

#[test]
fn version_1_is_these_bytes() {
    assert_eq!(
        String::from_utf8(manifest().to_json().unwrap()).unwrap(),
        fixture(GOLDEN)
    );
}

#[test]
fn version_1_reads_for_ever() {
    let read = Manifest::from_json(fixture(GOLDEN).as_bytes(), GOLDEN).unwrap();
    assert_eq!(
        String::from_utf8(read.to_json().unwrap()).unwrap(),
        fixture(GOLDEN)
    );
    assert_eq!(
        (read.release, read.parent, read.id_scope),
        (8, Some(7), IdScope::Global)
    );
    assert_eq!(
        read.files_of(Artifact::Users)
            .map(|file| file.shard)
            .collect::<Vec<_>>(),
        [Some(9), Some(10)]
    );
}

#[test]
fn the_order_of_lists_does_not_change_the_bytes() {
    let mut other = manifest();
    other.files.reverse();
    other.tags.reverse();
    other.counts.reverse();
    other.inputs.reverse();
    other
        .inputs
        .iter_mut()
        .for_each(|input| input.files.reverse());
    assert_eq!(other.to_json().unwrap(), manifest().to_json().unwrap());
}

#[test]
fn another_version_is_named_before_its_unknown_fields_are_met() {
    let newer = r#"{"version":2,"release":"seven"}"#;
    let error = Manifest::from_json(newer.as_bytes(), "releases/7.json").unwrap_err();
    assert_eq!(error.kind(), Kind::Setup);
    assert!(
        error
            .to_string()
            .contains("found version 2, this program reads 1, at releases/7.json"),
        "{error}"
    );
}

#[test]
fn refuses_what_is_not_a_manifest() {
    let unknown = fixture(GOLDEN).replacen("{", "{\"extra\":1,", 1);
    let truncated = &fixture(GOLDEN)[..100];
    for text in ["", "[]", "{}", "{\"version\":1}", &unknown, truncated] {
        let error = Manifest::from_json(text.as_bytes(), "m.json").unwrap_err();
        assert_eq!(
            (error.kind(), error.place()),
            (Kind::Refused, Some("m.json")),
            "{text}: {error}"
        );
    }
}

#[test]
fn refuses_a_manifest_whose_parts_do_not_fit() {
    type Change = fn(&mut Manifest);
    let changes: [(&str, Change); 10] = [
        ("version 2", |m| m.version = 2),
        ("release 0", |m| m.release = 0),
        ("parent Some(8)", |m| m.parent = Some(8)),
        ("head date", |m| m.head_date = date("2026-11-18")),
        ("listed twice", |m| m.files[2] = m.files[0].clone()),
        ("expected a file under", |m| {
            m.files[0].path = "tags/date=2026-11-19/run=r-1/all.parquet".to_owned()
        }),
        ("expected a file under", |m| {
            m.files[0].path = "users/date=2026-11-19/run=../../x".to_owned()
        }),
        ("expected one below 16", |m| m.files[0].shard = Some(16)),
        ("checksum", |m| m.files[0].checksum = "99aa".to_owned()),
        ("do not add up", |m| m.counts[0].read += 1),
    ];
    for (expected, change) in changes {
        let mut broken = manifest();
        change(&mut broken);
        let error = broken.to_json().unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn constants_read_back_and_refuse_another_configuration() {
    let config = Config::parse(&fixture("warehouse.toml"), "warehouse.toml").unwrap();
    let made = Constants::of(&config.warehouse);
    let json = made.to_json().unwrap();
    assert_eq!(String::from_utf8_lossy(&json), fixture("constants.v1.json"));
    assert_eq!(Constants::from_json(&json).unwrap(), made);
    made.check(&config.warehouse).unwrap();

    let other = Config::parse(
        &fixture("warehouse.toml").replace("shards    = 16", "shards = 8"),
        "warehouse.toml",
    )
    .unwrap();
    let error = made.check(&other.warehouse).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("made with shards = 16, the configuration has 8"),
        "{error}"
    );
    let newer = Constants::from_json(br#"{"format_version":2}"#).unwrap_err();
    assert_eq!(newer.kind(), Kind::Setup);
}
