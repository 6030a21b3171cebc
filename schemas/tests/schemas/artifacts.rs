//! Artifact schemas, names and paths, written out: what is on disk is a promise.

use std::collections::HashSet;

use chrono::NaiveDate;
use tagmill_schemas::Artifact;

use crate::fixture;

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 19).unwrap()
}

/// One line per column: `name type`, `?` after the type where null is allowed.
fn written_out(artifacts: impl IntoIterator<Item = Artifact>) -> String {
    let mut text = String::new();
    for artifact in artifacts {
        text += &format!("{artifact} by {}\n", artifact.sort_key().join(", "));
        for field in artifact.schema().fields() {
            text += &format!(
                "  {} {}{}\n",
                field.name(),
                field.data_type(),
                if field.is_nullable() { "?" } else { "" }
            );
        }
    }
    text
}

#[test]
fn schemas_are_those_of_version_2() {
    assert_eq!(written_out(Artifact::ALL), fixture("artifacts.v2.txt"));
}

/// Files of version 1 are read as those of today, but for columns that nobody reads any more.
#[test]
fn columns_of_version_1_are_there_or_retired() {
    let retired: Vec<String> = Artifact::ALL
        .iter()
        .flat_map(|artifact| artifact.retired_columns())
        .map(|column| format!("  {} {}", column.name, column.data_type))
        .collect();
    let then = fixture("artifacts.v1.txt");
    let kept = then
        .lines()
        .filter(|line| !retired.iter().any(|column| column == line));
    let is_later = |artifact: &Artifact| {
        use Artifact::{FunnelState, Funnels, UserIndex, Windows};
        matches!(artifact, UserIndex | Windows | Funnels | FunnelState)
    };
    let is_of_then = |artifact: &Artifact| !is_later(artifact);
    let now = written_out(Artifact::ALL.into_iter().filter(is_of_then));
    assert_eq!(kept.collect::<Vec<_>>(), now.lines().collect::<Vec<_>>());
}

#[test]
fn names_read_back_and_are_those_of_serde() {
    for artifact in Artifact::ALL {
        assert_eq!(Artifact::from_name(artifact.name()), Some(artifact));
        assert_eq!(serde_json::to_value(artifact).unwrap(), artifact.name());
    }
    assert_eq!(Artifact::from_name("no such artifact"), None);
}

#[test]
fn paths_name_artifact_date_run_attempt_and_shard() {
    assert_eq!(
        Artifact::Tags.path(date(), "2026-11-19", 2, Some(3)),
        "tags/2026-11-19/2026-11-19-2/00003.parquet"
    );
    assert_eq!(
        Artifact::GroupStatus.path(date(), "r1", 1, None),
        "group_status/2026-11-19/r1-1/all.parquet"
    );
}

#[test]
fn no_run_name_leaves_its_folder_or_meets_another() {
    let names = [
        "", "a", "a_", "a/b", "../../x", "a=b", "a b", "a\nb", "é", "a_2f", "_",
    ];
    let paths: HashSet<_> = names
        .iter()
        .map(|name| Artifact::Users.path(date(), name, 1, None))
        .collect();
    assert_eq!(paths.len(), names.len());
    for path in paths {
        assert_eq!(path.split('/').count(), 4, "{path}");
        assert!(
            path.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/=-_.".contains(&byte))
                && !path.contains(".."),
            "{path}"
        );
    }
}
