//! What is in a folder and can not be looked at is told, never left out; what nobody asked for
//! harms nobody.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use futures::TryStreamExt;
use tagmill_warehouse::store::{Found, Store};

use crate::fixtures::local;

/// A store whose folder `in/dt=1/hour=10` has one file of data.
fn with_data() -> (tempfile::TempDir, Store) {
    let (folder, store) = local();
    write(&folder.path().join("in/dt=1/hour=10/a.parquet"));
    (folder, store)
}

fn write(file: &Path) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, b"x").unwrap();
}

async fn listed(store: &Store, pattern: &str) -> Vec<String> {
    let path = |found: Found| found.path;
    let found = store.list(pattern).await.unwrap();
    found.into_iter().map(path).collect()
}

#[tokio::test]
async fn a_link_to_nothing_is_told_wherever_it_stands() {
    for (link, patterns) in [
        (
            "in/dt=1/hour=10/b.parquet",
            &[
                "in/dt=1/hour=*/*.parquet",
                "in/dt=1/**/*.parquet",
                "in/**",
                "in/dt=1/hour=10/b.parquet",
            ][..],
        ),
        (
            "in/dt=1/hour=11",
            &["in/dt=1/hour=*/*.parquet", "in/**/*.parquet", "in/**"],
        ),
        (
            "in/dt=2",
            &["in/dt=2/hour=*/*.parquet", "in/dt=2/_SUCCESS", "in/dt=2/**"],
        ),
    ] {
        let (folder, store) = with_data();
        symlink("/nonexistent", folder.path().join(link)).unwrap();
        for pattern in patterns {
            let error = store.list(pattern).await.unwrap_err();
            assert_eq!(error.exit_code(), 3, "{pattern}: {error}");
            assert!(
                error.to_string().contains("a link to nothing, at /")
                    && error.place().unwrap().ends_with(link),
                "{pattern}: {error}"
            );
        }
        assert_eq!(listed(&store, "in/dt=1/hour=10/c.parquet").await.len(), 0);
    }
}

#[tokio::test]
async fn a_release_that_can_not_be_looked_at_is_not_skipped() {
    let (folder, store) = local();
    write(&folder.path().join("releases/00000000000000000001.json"));
    let newer = folder.path().join("releases/00000000000000000002.json");
    symlink("/nonexistent", newer).unwrap();
    let error = tagmill_warehouse::release::list_releases(&store)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("00000000000000000002.json"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 3);
}

#[tokio::test]
async fn links_are_followed_and_one_to_its_own_folder_ends() {
    let (folder, store) = with_data();
    let at = |path: &str| folder.path().join(path);
    write(&at("elsewhere/b.parquet"));
    symlink(at("elsewhere"), at("in/dt=1/hour=11")).unwrap();
    symlink(".", at("in/dt=1/hour=10/self")).unwrap();
    symlink(at("in"), at("elsewhere/back")).unwrap();
    let all = ["in/dt=1/hour=10/a.parquet", "in/dt=1/hour=11/b.parquet"];
    for pattern in ["in/dt=1/hour=*/*.parquet", "in/**/*.parquet", "in/**"] {
        assert_eq!(listed(&store, pattern).await, all, "{pattern}");
    }
}

#[tokio::test]
async fn an_odd_name_is_told_where_it_matches_and_harms_nobody_elsewhere() {
    for (name, shown) in [
        (&b"no\tes"[..], "no\\tes"),
        (b"two\nlines", "two\\nlines"),
        (b"caf\xe9", "caf\\\\xe9"),
    ] {
        let (folder, store) = with_data();
        let hour = folder.path().join("in/dt=1/hour=10");
        write(&hour.join(OsStr::from_bytes(&[name, b".txt"].concat())));
        let all = ["in/dt=1/hour=10/a.parquet"];
        assert_eq!(listed(&store, "in/dt=1/hour=10/*.parquet").await, all);
        assert_eq!(listed(&store, "in/dt=1/**/*.parquet").await, all);
        let walked: Vec<Found> = store.walk("in").try_collect().await.unwrap();
        assert_eq!(walked.len(), 1);
        let error = store.list("in/dt=1/hour=10/*").await.unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        let shown = shown.replace("\\\\", "\\");
        assert!(
            error.to_string().contains(&format!("{shown}.txt")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_folder_named_like_the_files_and_an_unfinished_name_are_told() {
    let (folder, store) = with_data();
    write(&folder.path().join("in/dt=1/hour=10/b.parquet/part-0"));
    let error = store.list("in/dt=1/hour=10/*.parquet").await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("found a folder that matches \"*.parquet\""),
        "{error}"
    );
    assert_eq!(listed(&store, "in/dt=1/hour=10/*").await.len(), 1);
    write(&folder.path().join("in/dt=1/hour=10/c#1"));
    let error = store.list("in/dt=1/hour=10/*").await.unwrap_err();
    assert!(error.to_string().contains("# and digits"), "{error}");
}

#[tokio::test]
async fn a_socket_where_a_file_is_wanted_is_refused() {
    let (folder, store) = with_data();
    let place = folder.path().join("in/dt=1/hour=10/b.parquet");
    let _open = std::os::unix::net::UnixListener::bind(&place).unwrap();
    let found = store.list("in/dt=1/hour=10/*.parquet").await.map(drop);
    let error = found.unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(error.to_string().contains("a socket"), "{error}");
    assert!(error.to_string().contains("b.parquet"), "{error}");
    // Nobody asked for it.
    assert_eq!(listed(&store, "in/dt=1/hour=10/a.*").await.len(), 1);
}
