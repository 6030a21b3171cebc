//! The names a rule may use, and the refusal of one it may not.

use chrono::NaiveDate;
use tagmill_schemas::ValueType;
use tagmill_schemas::manifest::OverLimit;
use tagmill_schemas::nearest::nearest;

use super::WindowState;

/// What a rule must know about a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagInfo {
    /// The type its values and constants have.
    pub value_type: ValueType,
    /// Whether a user may have several values.
    pub multi: bool,
}

/// What a rule must know about an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventInfo {
    /// The names of its dimensions.
    pub dimensions: Vec<String>,
    /// The names of its measures.
    pub measures: Vec<String>,
    /// Whether it may have others: who declares them is not read tonight.
    pub is_open: bool,
}

/// The tags, groups, lists and events of one app.
pub trait Names {
    /// The tag of this name.
    fn tag(&self, name: &str) -> Option<TagInfo>;
    /// Every tag, for a suggestion.
    fn tag_names(&self) -> Vec<&str>;
    /// Whether the app has such a group, valid or not.
    fn has_group(&self, name: &str) -> bool;
    /// Every group, for a suggestion.
    fn group_names(&self) -> Vec<&str>;
    /// Whether the app has such a list.
    fn has_list(&self, name: &str) -> bool;
    /// Every list, for a suggestion.
    fn list_names(&self) -> Vec<&str>;
    /// What its tags are called in messages.
    fn tag_kind(&self) -> &'static str {
        "tag"
    }
    /// Whether behaviour can be asked for here; else the functions of it are refused.
    fn has_behaviour(&self) -> bool {
        false
    }
    /// The event of this name.
    fn event(&self, _name: &str) -> Option<EventInfo> {
        None
    }
    /// Every event, for a suggestion.
    fn event_names(&self) -> Vec<&str> {
        Vec::new()
    }
    /// Why a number of behaviour can not be given tonight.
    fn missing(&self, _state: &WindowState) -> Option<String> {
        None
    }
    /// The date of the members that the release before has of a group.
    fn kept_since(&self, _group: &str) -> Option<NaiveDate> {
        None
    }
    /// The limit that the values of this tag exceed, if that is why they are not published.
    fn withheld(&self, _tag: &str) -> Option<OverLimit> {
        None
    }
}

/// Longer names are no typing mistakes, and the distance takes the product of both lengths.
const LONGEST_SUGGESTION: usize = 64;

/// `unknown tag "gendr", did you mean "gender"?`
pub(crate) fn unknown<'a>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let short = |text: &&str| text.chars().nth(LONGEST_SUGGESTION).is_none();
    let near = if short(&name) {
        nearest(name, known.into_iter().filter(short))
    } else {
        None
    };
    match near {
        Some(near) => format!(
            "unknown {kind} {}, did you mean {}?",
            quoted(name),
            quoted(near)
        ),
        None => format!("unknown {kind} {}", quoted(name)),
    }
}

/// A name from data, in double quotes, escaped and cut so that a message stays one readable line.
pub(crate) fn quoted(name: &str) -> String {
    format!("{:?}", cut(name))
}

/// At most 60 characters of a text.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
