//! What of a configuration is allowed and rarely meant.

use chrono::NaiveDate;
use tagmill_schemas::Config;
use tagmill_schemas::config::for_date;
use tagmill_schemas::problem::{Code, Position, Problem};

/// Tables of a source that may be meant for another one.
const TABLES: [&str; 4] = ["clean", "reject", "dimensions", "measures"];

/// What is worth a look.
pub fn hints(config: &Config) -> Vec<Problem> {
    let mut hints = undated(config);
    hints.extend(behind_tags(config));
    hints
}

/// TOML gives `[source.clean]` to the last `[[source]]`, also behind tags of another one.
fn behind_tags(config: &Config) -> Vec<Problem> {
    let [_, .., last] = config.sources.as_slice() else {
        return Vec::new();
    };
    let tags = config.tags.iter();
    let tags = tags.filter_map(|tag| config.places.get(&format!("tag {}", tag.name)));
    let Some(first_tag) = tags.min() else {
        return Vec::new();
    };
    let table = |key: &&str| config.places.get(&format!("source {} {key}", last.name));
    let behind = TABLES
        .iter()
        .filter_map(|key| Some((key, table(key).filter(|at| *at > first_tag)?)));
    let hint = |(key, at): (&&str, &Position)| {
        let what = format!(
            "[source.{key}] stands behind a [[tag]] and belongs to the last source, {}",
            last.name
        );
        Problem::new(Code::Hint, what).at_position(at)
    };
    behind.map(hint).collect()
}

/// Sources whose path is the same for every date.
fn undated(config: &Config) -> Vec<Problem> {
    let is_same = |path: &str| {
        let on = |day| NaiveDate::from_ymd_opt(2001, 2, day).map(|date| for_date(path, date));
        on(3) == on(4)
    };
    let undated = config.sources.iter().filter(|source| is_same(&source.path));
    undated
        .map(|source| {
            let what = format!(
                "source {}: path has no {{date}}, so every night reads the same files",
                source.name
            );
            let hint = Problem::new(Code::Hint, what);
            match config.places.get(&format!("source {} path", source.name)) {
                Some(at) => hint.at_position(at),
                None => hint,
            }
        })
        .collect()
}
