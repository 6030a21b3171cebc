//! Names from data can not reach a path, and paths can not leave the warehouse.

use futures::TryStreamExt;
use tagmill_schemas::Artifact;

use crate::fixtures::{date, local, manifest, memory, night, rows_of, write};
use tagmill_warehouse::release::commit;
use tagmill_warehouse::store::Store;

const EVIL: [&str; 9] = [
    "../../x",
    "a/b",
    "=",
    "..",
    ".",
    "a\nb",
    "\u{0}",
    "/etc/passwd",
    "a\\..\\b",
];

#[tokio::test]
async fn evil_run_names_stay_below_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (outside, inside) = (folder.path(), folder.path().join("warehouse"));
    let store = Store::open(inside.to_str().unwrap()).unwrap();
    for (n, name) in EVIL.iter().enumerate() {
        let entry = write(
            &store,
            Artifact::Runs,
            "2026-11-19",
            name,
            Some(n as u32),
            &[rows_of(Artifact::Runs, 1)],
        )
        .await;
        assert!(entry.path.starts_with("runs/2026-11-19/"), "{}", entry.path);
        assert_eq!(entry.path.split('/').count(), 4, "{}", entry.path);
    }
    let inside = store
        .walk("runs/2026-11-19")
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert_eq!(inside.len(), EVIL.len());
    let beside: Vec<_> = std::fs::read_dir(outside)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(beside, ["warehouse"]);
}

#[tokio::test]
async fn evil_paths_are_refused_everywhere() {
    let store = memory("evil");
    for path in ["../x", "a/../../x", "/x", "a//b", "", "a/", "a/\nb", "a#1"] {
        let error = store.put(path, &b"x"[..]).await.unwrap_err();
        assert_eq!(error.exit_code(), 2, "{path:?}");
        assert_eq!(
            store.get(path).await.unwrap_err().exit_code(),
            2,
            "{path:?}"
        );
    }
    for pattern in ["../*", "a/../*", "a//*", "x**"] {
        assert_eq!(
            store.list(pattern).await.unwrap_err().exit_code(),
            2,
            "{pattern:?}"
        );
    }
}

#[tokio::test]
async fn a_name_of_ten_kilobytes_is_a_clear_error() {
    let (_folder, store) = local();
    let error = store.put(&"x".repeat(10_000), &b"x"[..]).await.unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
}

#[tokio::test]
async fn a_manifest_can_not_name_files_outside() {
    let store = memory("outside");
    let mut files = night(&store, "2026-11-19", "r").await;
    files[0].path = "tags/2026-11-19/r-1/../../../../x".to_owned();
    let error = commit(&store, &manifest(1, "2026-11-19", "r", files))
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 1, "{error}");
    assert_eq!(date("2026-11-19").to_string(), "2026-11-19");
}
