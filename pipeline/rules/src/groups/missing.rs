//! Groups of the release before that have no row tonight: lost, where rows can not be read, or
//! removed.
//!
//! ```text
//! groups before ── without a row tonight ─┬─ their file is damaged ───────────────► lost
//!                                         ├─ a row there that names no group ─────► lost, the nearest line
//!                                         └─ else ────────────────────────────────► removed
//! ```
//! A row that nobody can read stands for one group: of several candidates it is the one whose line
//! was nearest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{AppRows, Fault, Status};

/// A group as the release before had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The name of its status.
    pub status: String,
    /// The date its members were of; `None` if it had none.
    pub as_of: Option<NaiveDate>,
    /// `file:line` of its row.
    pub place: Option<String>,
}

/// (app, group) -> how it was.
pub type GroupsBefore = BTreeMap<(String, String), Before>;

/// A group that was there and has no row tonight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The group's name.
    pub group: String,
    /// Whether rows that can not be read may be why; else somebody removed it.
    pub is_lost: bool,
    /// The date of the members that are kept; `None`: nobody is a member any more.
    pub kept: Option<NaiveDate>,
    /// Why, and what is kept.
    pub reason: String,
    /// `file:line` or the file that can not be read; of a removed group where its row was.
    pub place: Option<String>,
}

impl Missing {
    /// `Lost` or `Removed`.
    pub fn status(&self) -> Status {
        match self.is_lost {
            true => Status::Lost,
            false => Status::Removed,
        }
    }
}

/// What could not be read tonight.
#[derive(Debug, Clone, Copy)]
pub struct Unread<'a> {
    /// Rows that name no app or no group.
    pub faults: &'a [Fault],
    /// Files of which any number of rows may be lost.
    pub damaged: &'a BTreeSet<String>,
    /// The files there are.
    pub files: &'a BTreeSet<String>,
}

/// Adds every group of the release before that has no row tonight; those of lost rows keep their
/// members for `max_days` after the date they are of.
pub fn add_missing(
    apps: &mut BTreeMap<String, AppRows>,
    before: &GroupsBefore,
    unread: Unread<'_>,
    (date, max_days): (NaiveDate, u32),
) {
    let is_gone = |(app, group): &&(String, String)| {
        !apps.get(app.as_str()).is_some_and(|rows| rows.has(group))
    };
    let removed = Status::Removed.name();
    let gone: Vec<&(String, String)> = before
        .iter()
        .filter(|(key, was)| was.status != removed && is_gone(key))
        .map(|(key, _)| key)
        .collect();
    let mut lost = of_damaged_files(&gone, before, unread);
    for fault in unread.faults {
        if let Some(key) = nearest(fault, &gone, before, &lost, unread.files) {
            let place = format!("{}:{}", fault.file, fault.line);
            lost.insert(key, (fault.reason.clone(), place));
        }
    }
    for key in gone {
        let was = &before[key];
        let missing = match lost.remove(key) {
            Some((reason, place)) => lost_group(key, was, (reason, place), (date, max_days)),
            None => Missing {
                group: key.1.clone(),
                is_lost: false,
                kept: None,
                reason: "its row is gone from the files of rules".to_owned(),
                place: was.place.clone(),
            },
        };
        apps.entry(key.0.clone()).or_default().add_missing(missing);
    }
}

fn lost_group(
    key: &(String, String),
    was: &Before,
    (reason, place): (String, String),
    (date, max_days): (NaiveDate, u32),
) -> Missing {
    let age = |of: NaiveDate| date.signed_duration_since(of).num_days();
    let kept = was.as_of.filter(|&of| age(of) <= i64::from(max_days));
    let reason = match (was.as_of, kept) {
        (Some(of), None) => format!(
            "its row can not be read: {reason}; its members of {of} are {} days old, more than \
             groups.max_lost_days",
            age(of)
        ),
        _ => format!("its row can not be read: {reason}"),
    };
    Missing {
        group: key.1.clone(),
        is_lost: true,
        kept,
        reason,
        place: Some(place),
    }
}

/// Lost groups with reason and place.
type LostGroups<'a> = BTreeMap<&'a (String, String), (String, String)>;

/// The groups whose file is damaged, or had another name while some file is.
fn of_damaged_files<'a>(
    gone: &[&'a (String, String)],
    before: &GroupsBefore,
    unread: Unread<'_>,
) -> LostGroups<'a> {
    let damaged = |key: &(String, String)| {
        let file = file_of(&before[key]);
        let own = unread
            .damaged
            .iter()
            .find(|name| Some(name.as_str()) == file);
        let is_there = file.is_some_and(|file| unread.files.contains(file));
        own.or_else(|| unread.damaged.first().filter(|_| !is_there))
    };
    gone.iter()
        .filter_map(|&key| {
            let file = damaged(key)?;
            let reason = unread.faults.iter().find(|fault| fault.file == *file);
            let reason = reason.map_or_else(
                || "the file has no row".to_owned(),
                |fault| format!("{} (line {})", fault.reason, fault.line),
            );
            Some((key, (reason, file.clone())))
        })
        .collect()
}

/// The group that a row without a name most likely was.
fn nearest<'a>(
    fault: &Fault,
    gone: &[&'a (String, String)],
    before: &GroupsBefore,
    lost: &LostGroups<'_>,
    files: &BTreeSet<String>,
) -> Option<&'a (String, String)> {
    let is_candidate = |key: &&&(String, String)| {
        let file = file_of(&before[**key]);
        let may_be_there = file.is_none_or(|file| file == fault.file || !files.contains(file));
        may_be_there
            && !lost.contains_key(**key)
            && fault.app.as_ref().is_none_or(|app| *app == key.0)
            && fault.group.as_ref().is_none_or(|group| *group == key.1)
    };
    let distance = |key: &&&(String, String)| {
        let line = line_of(&before[**key]).unwrap_or(u64::MAX);
        line.abs_diff(fault.line)
    };
    gone.iter()
        .filter(is_candidate)
        .min_by_key(distance)
        .copied()
}

fn file_of(was: &Before) -> Option<&str> {
    Some(was.place.as_deref()?.rsplit_once(':')?.0)
}

fn line_of(was: &Before) -> Option<u64> {
    was.place.as_deref()?.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::groups::{GroupStatus, Rows, by_app, plan_app, read_rows};
    use crate::{Names, TagInfo};
    use tagmill_schemas::registry::GroupRow;

    /// Tonight, or so many days before.
    fn day(before: i64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() - chrono::TimeDelta::days(before)
    }

    /// An app without tags and lists.
    struct Bare;

    impl Names for Bare {
        fn tag(&self, _: &str) -> Option<TagInfo> {
            None
        }
        fn tag_names(&self) -> Vec<&str> {
            Vec::new()
        }
        fn has_group(&self, _: &str) -> bool {
            false
        }
        fn group_names(&self) -> Vec<&str> {
            Vec::new()
        }
        fn has_list(&self, _: &str) -> bool {
            false
        }
        fn list_names(&self) -> Vec<&str> {
            Vec::new()
        }
    }

    fn before(groups: &[(&str, &str)]) -> GroupsBefore {
        let was = |(group, place): &(&str, &str)| {
            let before = Before {
                status: "ok".to_owned(),
                as_of: Some(day(1)),
                place: Some((*place).to_owned()),
            };
            (("tea".to_owned(), (*group).to_owned()), before)
        };
        groups.iter().map(was).collect()
    }

    /// The statuses of the app's groups by name, when the file `f.ndjson` has these lines.
    fn statuses(text: &str, damaged: bool, before: &GroupsBefore) -> Vec<GroupStatus> {
        let Rows { rows, faults } =
            read_rows("f.ndjson", text.as_bytes(), GroupRow::from_json).unwrap();
        let (mut apps, nameless) = by_app(rows, faults);
        let file = BTreeSet::from(["f.ndjson".to_owned()]);
        let none = BTreeSet::new();
        let unread = Unread {
            faults: &nameless,
            damaged: if damaged { &file } else { &none },
            files: &file,
        };
        add_missing(&mut apps, before, unread, (day(0), 7));
        let rows = apps.remove("tea").unwrap_or_default();
        plan_app("tea", &rows, &Bare, 100, day(0)).statuses
    }

    fn named(statuses: &[GroupStatus]) -> Vec<(&str, &str)> {
        statuses
            .iter()
            .map(|s| (s.group.as_str(), s.status.name()))
            .collect()
    }

    #[test]
    fn a_row_that_nobody_can_read_is_the_group_of_the_nearest_line() {
        let was = before(&[
            ("a", "f.ndjson:1"),
            ("b", "f.ndjson:2"),
            ("c", "f.ndjson:9"),
        ]);
        let found = statuses("\nnot json\n", false, &was);
        assert_eq!(
            named(&found),
            [("a", "removed"), ("b", "lost"), ("c", "removed")]
        );
        let lost = &found[1];
        assert_eq!(
            (lost.as_of, lost.place.as_deref()),
            (Some(day(1)), Some("f.ndjson:2"))
        );
        assert!(
            lost.reason
                .as_ref()
                .unwrap()
                .contains("expected a JSON object")
        );
        assert!(
            lost.notice()
                .unwrap()
                .to_string()
                .contains("are kept, stale"),
            "{lost:?}"
        );
        assert_eq!(found[0].as_of, None);
    }

    #[test]
    fn a_row_that_names_another_app_or_group_takes_no_other_one() {
        let was = before(&[("a", "f.ndjson:1")]);
        let found = statuses("{\"app\":\"shop\",\"rule\":\"true\"}\n", false, &was);
        assert_eq!(named(&found), [("a", "removed")]);
        let found = statuses("{\"app\":\"tea\",\"rule\":\"true\"}\n", false, &was);
        assert_eq!(named(&found), [("a", "lost")]);
    }

    #[test]
    fn all_groups_of_a_damaged_file_are_lost_and_those_of_others_removed() {
        let was = before(&[
            ("a", "f.ndjson:1"),
            ("b", "f.ndjson:2"),
            ("c", "other.ndjson:1"),
        ]);
        let found = statuses("", true, &was);
        // The file of c is not there: it may have been this one.
        assert_eq!(named(&found), [("a", "lost"), ("b", "lost"), ("c", "lost")]);
        let other = "{\"app\":\"tea\",\"group\":\"d\",\"rule\":\"true\"}\n";
        let found = statuses(other, false, &was);
        let removed = ["a", "b", "c"].map(|group| (group, "removed"));
        assert_eq!(named(&found), [&removed[..], &[("d", "ok")]].concat());
    }

    #[test]
    fn members_are_kept_for_some_days_and_a_removed_group_is_told_once() {
        let mut was = before(&[("a", "f.ndjson:1"), ("b", "f.ndjson:2")]);
        was.values_mut().for_each(|was| was.as_of = Some(day(8)));
        let found = statuses("x\ny\n", true, &was);
        assert_eq!(named(&found), [("a", "lost"), ("b", "lost")]);
        assert_eq!(found[0].as_of, None);
        assert!(found[0].reason.as_ref().unwrap().contains("8 days old"));
        was.values_mut()
            .for_each(|was| was.status = "removed".to_owned());
        assert!(statuses("", false, &was).is_empty());
    }

    #[test]
    fn a_group_on_a_lost_one_is_computed_and_on_a_removed_one_invalid() {
        let was = before(&[("a", "f.ndjson:2")]);
        let rule = "{\"app\":\"tea\",\"group\":\"b\",\"rule\":\"in_group('a')\"}\n";
        let found = statuses(&format!("{rule}not json\n"), false, &was);
        assert_eq!(named(&found), [("a", "lost"), ("b", "ok")]);
        let found = statuses(rule, false, &was);
        assert_eq!(named(&found), [("a", "removed"), ("b", "invalid")]);
        assert!(
            found[1]
                .reason
                .as_ref()
                .unwrap()
                .contains("which is removed")
        );
    }
}
