//! The manifest: old versions read for ever, equal manifests are equal bytes, unsound ones are
//! refused, newer ones are named as newer.

use chrono::NaiveDate;
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::constants::Constants;
use tagmill_schemas::error::Kind;
use tagmill_schemas::manifest::{
    BehaviourDays, CarriedScope, DayList, DayOfWindows, Decisions, FileEntry, History, Input,
    InputFile, InputStatus, ListKind, ListObject, MissingDay, MissingEvents, NUMBERED_BY_USER_ID,
    Outcome, OverLimit, PAGE, Past, ReleaseKind, SourceCount, StateOfApps, Stored, Summary,
    TagEntry, VERSION, Verdict,
};
use tagmill_schemas::{Artifact, Config, IdScope, Manifest, ValueType};

use crate::fixture;

pub const GOLDEN_V1: &str = "manifest.v1.json";
pub const GOLDEN: &str = "manifest.v3.json";
const GOLDEN_TAGS: &str = "tags.v2.json";
const GOLDEN_FILES: &str = "files.v3.json";

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
        superseded: 0,
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
        kind: ReleaseKind::Night,
        date: date("2026-11-19"),
        head_date: date("2026-11-20"),
        run: "2026-11-19".to_owned(),
        attempt: 1,
        config_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        code_version: "0.1.0".to_owned(),
        shards: 16,
        id_scope: IdScope::Global,
        // As in the manifests of before it was kept, which are read for ever.
        time_zone: None,
        numbering: NUMBERED_BY_USER_ID,
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
        lists: vec![],
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
        history: History::default(),
        behaviour: BehaviourDays::default(),
        decisions: Decisions::default(),
        reason: None,
    }
}

/// A night's list of behaviour, as a manifest refers to it.
pub fn day_list() -> (DayList, ListObject) {
    let night = date("2026-11-19");
    let files = [
        file(Artifact::Behaviour, Some(10)),
        file(Artifact::Behaviour, Some(9)),
        file(Artifact::BehaviourMeasures, Some(9)),
    ];
    DayList::of(ListKind::Behaviour, night, &files).unwrap()
}

/// With everything that version 3 has a place for.
pub fn full() -> Manifest {
    let past = |release, day: &str, kind| Past {
        release,
        date: date(day),
        head_date: date("2026-11-20"),
        kind,
    };
    let mut made = manifest();
    made.kind = ReleaseKind::Backfill;
    made.lists = vec![day_list().0];
    made.history.recent = vec![
        past(6, "2026-11-20", ReleaseKind::Night),
        past(7, "2026-11-18", ReleaseKind::Rollback),
    ];
    made.tags[0].over_limit = Some(OverLimit::Tags);
    made.tags[1].over_limit = Some(OverLimit::Values(9));
    made.reason = Some("the 19th came late".to_owned());
    made.decisions = Decisions {
        replaces: vec![6],
        bad: vec![5],
        carried: vec![CarriedScope {
            scope: "source".to_owned(),
            name: "labels".to_owned(),
            date: date("2026-11-18"),
            reason: "not ready".to_owned(),
        }],
        accepted_missing: vec![MissingDay {
            source: "custom".to_owned(),
            date: date("2026-11-19"),
        }],
        verdict: Some(Verdict {
            outcome: Outcome::Forced,
            checks: 12,
            failed: vec!["profiles_volume".to_owned()],
            reason: Some("a holiday".to_owned()),
        }),
    };
    made
}

fn written(manifest: &Manifest) -> Vec<u8> {
    manifest.encode().unwrap().json
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Reads what was written, with the tags of its list.
pub fn read_back(json: &[u8], tags: &ListObject) -> Manifest {
    let stored = Stored::parse(json, "m.json").unwrap();
    let list = stored.tags_list().unwrap();
    stored.with_tags(ListObject::tags(list, &tags.bytes).unwrap())
}

#[test]
fn version_3_is_these_bytes_and_reads_for_ever() {
    let encoded = full().encode().unwrap();
    assert_eq!(text(encoded.json.clone()), fixture(GOLDEN));
    assert_eq!(text(encoded.tags.bytes.clone()), fixture(GOLDEN_TAGS));
    assert_eq!(text(day_list().1.bytes), fixture(GOLDEN_FILES));
    let read = read_back(fixture(GOLDEN).as_bytes(), &encoded.tags);
    let mut expected = full();
    expected.inputs = read.inputs.clone();
    FileEntry::sort(&mut expected.files);
    expected.tags.sort();
    expected.counts.sort();
    assert_eq!(read, expected);
    assert_eq!(read.inputs[2].files[0].path, "raw/a.parquet");
}

#[test]
fn a_summary_is_the_head_and_the_sums_of_all_files() {
    for json in [written(&full()), fixture(GOLDEN_V1).into_bytes()] {
        let summary = Summary::parse(&json, "m").unwrap();
        let files = if summary.reason.is_some() { 6 } else { 3 };
        assert_eq!(
            (summary.release, summary.files, summary.bytes),
            (8, files, files * 4_096)
        );
    }
}

#[test]
fn a_changed_byte_is_damage_that_names_the_file() {
    let json = written(&full());
    for at in (0..json.len()).step_by(7) {
        let mut broken = json.clone();
        broken[at] ^= 1;
        let error = Stored::parse(&broken, "releases/8.json").unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{at}: {error}");
        assert_eq!(error.place(), Some("releases/8.json"), "{at}");
    }
    let list = day_list().1;
    let (reference, _) = day_list();
    let mut broken = list.bytes.clone();
    broken[30] ^= 1;
    let error = reference.read(&broken).unwrap_err();
    assert!(error.to_string().contains("the list is damaged"), "{error}");
    assert_eq!(reference.read(&list.bytes).unwrap().len(), 3);
}

/// The manifest as another program would have written it.
fn written_otherwise(changes: &[(&str, &str)]) -> Vec<u8> {
    let mut json = text(written(&full()));
    let body = json.rfind(",\"checksum\":").unwrap();
    json.truncate(body);
    for (from, to) in changes {
        assert!(json.contains(from), "{from}");
        json = json.replacen(from, to, 1);
    }
    let checksum = Checksum::of(json.as_bytes());
    format!("{json},\"checksum\":\"{checksum}\"}}\n").into_bytes()
}

#[test]
fn a_newer_manifest_that_needs_no_newer_reader_is_read_but_not_continued() {
    let json = written_otherwise(&[
        ("\"version\":3", "\"version\":4,\"news\":{\"a\":[1]}"),
        ("[\"group_status\",1", "[\"portraits\",1"),
        (
            "{\"artifact\":\"group_status\"",
            "{\"artifact\":\"portraits\",\"more\":1",
        ),
        ("{\"kind\":\"behaviour\"", "{\"kind\":\"windows\""),
    ]);
    let read = Stored::parse(&json, "m").unwrap().with_tags(vec![]);
    assert_eq!(
        (read.version, read.files.len(), read.lists.len()),
        (4, 2, 0)
    );
    assert_eq!(Summary::parse(&json, "m").unwrap().files, 6);
    for error in [
        read.check_is_continued().unwrap_err(),
        read.encode().unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Setup);
        let sentence = error.to_string();
        assert!(
            sentence.contains("made by a newer tagmill (0.1.0, format 4)"),
            "{sentence}"
        );
    }
}

#[test]
fn a_manifest_for_newer_readers_is_named_before_its_unknown_fields_are_met() {
    let newer = [
        written_otherwise(&[
            (
                "\"version\":3,\"minimum_reader\":3",
                "\"version\":5,\"minimum_reader\":4",
            ),
            ("\"code_version\":\"0.1.0\"", "\"code_version\":\"0.3.0\""),
            ("\"release\":8", "\"release\":\"eight\""),
        ]),
        br#"{"version":4,"release":"eight","code_version":"0.3.0"}"#.to_vec(),
    ];
    for json in newer {
        let error = Stored::parse(&json, "releases/8.json").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let sentence = error.to_string();
        assert!(
            sentence.contains("made by a newer tagmill (0.3.0), needs a reader of format 4"),
            "{sentence}"
        );
        assert_eq!(error.place(), Some("releases/8.json"));
        assert!(Summary::parse(&json, "releases/8.json").is_err());
    }
}

#[test]
fn a_history_keeps_the_newest_and_moves_the_others_to_pages() {
    let mut history = History::default();
    let mut pages = Vec::new();
    for release in 1..=300 {
        let day = date("2026-01-01") + chrono::Days::new(release);
        let past = Past {
            release,
            date: day,
            head_date: day,
            kind: ReleaseKind::Night,
        };
        let (longer, new) = history.followed_by(past).unwrap();
        history = longer;
        pages.extend(new);
        assert!(
            history.recent.len() >= PAGE.min(release as usize) && history.recent.len() < 2 * PAGE
        );
    }
    assert_eq!((history.older.len(), pages.len()), (3, 3));
    let page = &history.older[1];
    assert_eq!(
        (page.first, page.last, page.list),
        (65, 128, pages[1].checksum)
    );
    let releases = ListObject::history(page.list, &pages[1].bytes).unwrap();
    assert_eq!((releases.len(), releases[0].release), (PAGE, 65));
    assert_eq!((page.from, page.to), (releases[0].date, releases[63].date));
    assert!(ListObject::tags(page.list, &pages[1].bytes).is_err());
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
    assert_eq!(written(&other), written(&manifest()));
}

#[test]
fn refuses_what_is_not_a_manifest() {
    let unknown = fixture(GOLDEN_V1).replacen("{", "{\"extra\":1,", 1);
    let truncated = &fixture(GOLDEN_V1)[..100];
    let unsealed = "{\"version\":2,\"minimum_reader\":2,\"release\":1}";
    let negative = "{\"version\":-1}";
    for text in [
        "",
        "[]",
        "{}",
        "{\"version\":1}",
        &unknown,
        truncated,
        unsealed,
        negative,
    ] {
        let error = Stored::parse(text.as_bytes(), "m.json").unwrap_err();
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
    let changes: [(&str, Change); 12] = [
        ("format 4", |m| m.version = 4),
        ("is there twice", |m| m.lists = vec![day_list().0; 2]),
        ("holds behaviour", |m| {
            m.lists = vec![DayList {
                kind: ListKind::Accounts,
                ..day_list().0
            }]
        }),
        ("release 0", |m| m.release = 0),
        ("parent Some(8)", |m| m.parent = Some(8)),
        ("head date", |m| m.head_date = date("2026-11-18")),
        ("listed twice", |m| m.files[2] = m.files[0].clone()),
        ("expected a file \"", |m| {
            m.files[0].path = "tags/2026-11-19/r-1/all.parquet".to_owned()
        }),
        ("expected a file \"", |m| {
            m.files[0].path = "users/2026-11-19/../../x".to_owned()
        }),
        ("expected one below 16", |m| {
            let night = date("2026-11-19");
            m.files[0].shard = Some(16);
            m.files[0].path = Artifact::Users.path(night, "r", 1, Some(16));
        }),
        ("checksum", |m| m.files[0].checksum = "99aa".to_owned()),
        ("do not add up", |m| m.counts[0].read += 1),
    ];
    for (expected, change) in changes {
        let mut broken = manifest();
        change(&mut broken);
        let error = broken.encode().unwrap_err();
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

#[test]
fn days_of_behaviour_come_back_in_order_and_are_not_written_where_there_is_nothing_to_say() {
    assert!(!text(manifest().encode().unwrap().json).contains("\"behaviour\":{"));
    let missing = |of: &str, app: Option<&str>| MissingEvents {
        date: date(of),
        source: "events".to_owned(),
        app: app.map(str::to_owned),
    };
    let made = Manifest {
        behaviour: BehaviourDays {
            missing: vec![
                missing("2026-11-18", Some("tea")),
                missing("2026-11-17", None),
            ],
            made_of: vec![DayOfWindows {
                date: date("2026-11-16"),
                list: day_list().0.list,
            }],
            windows: vec![StateOfApps {
                state: "event_count('pay', 3)".to_owned(),
                since: date("2026-11-16"),
                apps: vec!["tea".to_owned()],
            }],
        },
        ..manifest()
    };
    let encoded = made.encode().unwrap();
    let mut expected = made.behaviour;
    expected.missing.reverse();
    assert_eq!(read_back(&encoded.json, &encoded.tags).behaviour, expected);
}
