//! Manifests of earlier versions read for ever.

use tagmill_schemas::manifest::{NUMBERED_BY_USER_ID, OverLimit, Stored, VERSION};
use tagmill_schemas::{Artifact, IdScope, Manifest};

use crate::fixture;
use crate::manifests::{GOLDEN, GOLDEN_V1, day_list, full, read_back};

const GOLDEN_V2: &str = "manifest.v2.json";
const GOLDEN_FILES_V2: &str = "files.v2.json";

/// The path that version 2 derives for the file of a path.
fn path_in_version_2(path: &str) -> String {
    let [artifact, date, run, name] = path.split('/').collect::<Vec<_>>()[..] else {
        panic!("{path}");
    };
    format!("{artifact}/date={date}/run={run}/{name}")
}

#[test]
fn version_2_reads_for_ever_and_keeps_its_folders() {
    let tags = full().encode().unwrap().tags;
    let read = read_back(fixture(GOLDEN_V2).as_bytes(), &tags);
    let mut expected = read_back(fixture(GOLDEN).as_bytes(), &tags);
    (expected.version, expected.lists) = (2, read.lists.clone());
    for file in &mut expected.files {
        file.path = path_in_version_2(&file.path);
    }
    assert_eq!(read, expected);
    let listed = read.lists[0]
        .read(fixture(GOLDEN_FILES_V2).as_bytes())
        .unwrap();
    let mut expected = day_list().0.read(&day_list().1.bytes).unwrap();
    for file in &mut expected {
        file.path = path_in_version_2(&file.path);
    }
    assert_eq!(listed, expected);
    // A release of today names such files by their old folders.
    let again = Manifest {
        version: VERSION,
        ..read
    };
    let encoded = again.encode().unwrap();
    assert_eq!(read_back(&encoded.json, &encoded.tags), again);
}

#[test]
fn version_1_reads_for_ever() {
    let stored = Stored::parse(fixture(GOLDEN_V1).as_bytes(), GOLDEN_V1).unwrap();
    assert_eq!(stored.tags_list(), None);
    let read = stored.with_tags(Vec::new());
    assert_eq!(
        (read.version, read.release, read.parent, read.id_scope),
        (1, 8, Some(7), IdScope::Global)
    );
    let shards: Vec<_> = read
        .direct_files(Artifact::Users)
        .map(|file| file.shard)
        .collect();
    assert_eq!(shards, [Some(9), Some(10)]);
    assert_eq!(read.tags.len(), 2);
    assert_eq!(read.numbering, NUMBERED_BY_USER_ID);
    // What it says is the same in version 3.
    let again = Manifest {
        version: VERSION,
        ..read
    };
    let encoded = again.encode().unwrap();
    assert_eq!(read_back(&encoded.json, &encoded.tags), again);
}

#[test]
fn the_limit_0_of_version_1_is_the_number_of_tags() {
    for (limit, expected) in [(0, OverLimit::Tags), (7, OverLimit::Values(7))] {
        let field = format!("\"source\":\"profiles\",\"over_limit\":{limit}}}");
        let json = fixture(GOLDEN_V1).replace("\"source\":\"profiles\"}", &field);
        let read = Stored::parse(json.as_bytes(), "m").unwrap();
        assert_eq!(read.with_tags(vec![]).tags[0].over_limit, Some(expected));
    }
}
