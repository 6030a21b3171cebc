//! Folders named `key=value` on the way to an object, as Hive and Spark write them.
//!
//! ```text
//! events/dt=2026-11-19/app=a%2Fb/part.parquet ──► (dt, 2026-11-19), (app, a/b)
//! ```

use percent_encoding::percent_decode_str;

/// A folder's key, and its value unless that is null.
pub type Partition = (String, Option<String>);

/// What Hive and Spark call a folder whose value is null.
const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The `key=value` folders of a path, outermost first; what writers escape in names is as it was,
/// null is `None`.
pub fn partitions_of(path: &str) -> Vec<Partition> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let pairs = folders
        .split('/')
        .filter_map(|folder| folder.split_once('='));
    pairs
        .map(|(key, value)| {
            (
                unescaped(key),
                Some(value)
                    .filter(|value| *value != NULL_VALUE)
                    .map(unescaped),
            )
        })
        .collect()
}

/// A name that only looks escaped stays as it is.
fn unescaped(name: &str) -> String {
    percent_decode_str(name)
        .decode_utf8()
        .map_or_else(|_| name.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::partitions_of;

    #[test]
    fn values_come_from_the_folders_only_and_are_unescaped() {
        let found = |path| {
            partitions_of(path)
                .into_iter()
                .map(|(key, value)| format!("{key}={value:?}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            found("events/dt=2026-11-19/hour=07/a=b.parquet"),
            "dt=Some(\"2026-11-19\") hour=Some(\"07\")"
        );
        assert_eq!(
            found("app=a%2Fb/x=Caf%C3%A9/x"),
            "app=Some(\"a/b\") x=Some(\"Café\")"
        );
        assert_eq!(
            found("app=__HIVE_DEFAULT_PARTITION__/share=100%/odd=%FF/x"),
            "app=None share=Some(\"100%\") odd=Some(\"%FF\")"
        );
        assert_eq!(found("a=b.parquet"), "");
    }
}
