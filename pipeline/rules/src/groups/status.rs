//! How a group's night goes.

use std::fmt;

use chrono::NaiveDate;

use tagmill_schemas::problem::{Code, Problem};

use crate::Lint;

/// What became of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Computed from tonight's data; an empty group is ok.
    Ok,
    /// Computed from older data of a source, or the last good members were kept.
    Stale,
    /// Computed, but a window misses a day, or a source that it rests on was skipped.
    Incomplete,
    /// Not computed: the row or the rule is wrong, or depends on a group that is not computed.
    Invalid,
    /// Not computed: its validity has ended.
    Expired,
    /// Not computed: switched off, or its validity has not begun.
    Disabled,
    /// Not computed: beyond the app's number of groups, or on a tag with more values than the app's
    /// limit.
    OverLimit,
    /// Its row or its file can not be read: the last members are kept for a while, then none.
    Lost,
    /// It was there, and is gone from files that can be read; told for one night.
    Removed,
}

impl Status {
    /// The name in `group_status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::Incomplete => "incomplete",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::OverLimit => "over_limit",
            Self::Lost => "lost",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One row of `group_status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStatus {
    /// The app.
    pub app: String,
    /// The group's name.
    pub group: String,
    /// What became of it.
    pub status: Status,
    /// XXH3-128 of the rule's canonical text; `None` if it was not compiled.
    pub rule_hash: Option<String>,
    /// The date its members are of; `None` if not published.
    pub as_of: Option<NaiveDate>,
    /// Members in all shards; `None` until they are counted, and if not published.
    pub cardinality: Option<u64>,
    /// Why it is not ok.
    pub reason: Option<String>,
    /// Line in the rule, from 1.
    pub line: Option<u32>,
    /// Column in the rule, in characters, from 1.
    pub column: Option<u32>,
    /// `file:line` of the row.
    pub place: Option<String>,
    /// What the rule's author should look at; nothing is wrong.
    pub hints: Vec<Lint>,
}

impl GroupStatus {
    /// What a person should know: [`Self::problem`] and what is published of the group.
    pub fn notice(&self) -> Option<Problem> {
        let fix = match self.as_of {
            Some(date) => format!("its members of {date} are kept, stale"),
            None => "group not published, the night goes on".to_owned(),
        };
        Some(Problem {
            fix: Some(fix),
            ..self.problem()?
        })
    }

    /// One a hint: `groups/tea.ndjson:7: look at rule tea_shop/lovers at 1:5: BETWEEN has its greater
    /// bound first: no value is between them`.
    pub fn hint_problems(&self) -> impl Iterator<Item = Problem> {
        self.hints.iter().map(move |hint| {
            let what = format!("{}:{}: {}", hint.line, hint.column, one_line(&hint.message));
            self.hint(&format!(" at {what}"))
        })
    }

    /// Something to look at in the rule.
    pub fn hint(&self, what: &str) -> Problem {
        let name = format!("{}/{}", one_line(&self.app), one_line(&self.group));
        self.placed(Problem::new(
            Code::Hint,
            format!("look at rule {name}{what}"),
        ))
    }

    /// At the row that the group is.
    fn placed(&self, problem: Problem) -> Problem {
        match &self.place {
            Some(place) => problem.at_place(place),
            None => problem,
        }
    }

    /// What is wrong: `groups/tea.ndjson:3: invalid rule tea_shop/typo at 1:1: unknown tag "gendr", did
    /// you mean "gender"?`; 1:1 is line and column in the rule.
    pub fn problem(&self) -> Option<Problem> {
        let what = match self.status {
            Status::Invalid => "invalid rule",
            Status::OverLimit => "over limit:",
            Status::Lost => "lost rule",
            _ => return None,
        };
        let reason = self.reason.as_ref()?;
        let position = self
            .line
            .zip(self.column)
            .map_or_else(String::new, |(line, column)| format!(" at {line}:{column}"));
        let (app, group) = (one_line(&self.app), one_line(&self.group));
        let reason = one_line(reason);
        let what = format!("{what} {app}/{group}{position}: {reason}");
        Some(self.placed(Problem::new(Code::Rule, what)))
    }
}

/// Names come from data: control characters escaped, cut to a line's length.
fn one_line(text: &str) -> String {
    let escaped = |c: char| {
        if c.is_control() {
            c.escape_debug().to_string()
        } else {
            c.to_string()
        }
    };
    match text.char_indices().nth(300) {
        Some((end, _)) => text[..end].chars().map(escaped).collect::<String>() + "...",
        None => text.chars().map(escaped).collect(),
    }
}
