//! The names that a rule of the night may use: tags of the configuration, of registries and of
//! earlier releases, and lists.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use tagmill_schemas::ValueType;
use tagmill_schemas::manifest::OverLimit;
use tagmill_schemas::nearest::nearest;

use super::event_days::EventDays;
use super::known_events::KnownEvents;
use tagmill_night::{LabelSpec, TagSpec};
use tagmill_rules::groups::GroupsBefore;
use tagmill_rules::{EventInfo, Names, TagInfo, WindowState};

/// What rules of one app may name.
pub struct RuleNames<'a> {
    /// Tags of attributes sources.
    pub platform: &'a [TagSpec],
    /// Tags of group-tags sources: the app's own, and those of every app.
    pub labels: Option<&'a BTreeMap<String, LabelSpec>>,
    /// See `labels`.
    pub shared_labels: &'a BTreeMap<String, LabelSpec>,
    /// Uploaded lists.
    pub lists: Vec<&'a str>,
    /// The app's tags whose values are not published, with the limit that they exceed.
    pub withheld: Option<&'a BTreeMap<String, OverLimit>>,
    /// Whether rows may bring any other tag: one that is like no known one is then a text.
    pub is_open: bool,
    /// The app.
    pub app: &'a str,
    /// Events that rules may ask for.
    pub events: &'a KnownEvents<'a>,
    /// Which days of events there are; `None` where nothing is computed.
    pub days: Option<&'a EventDays<'a>>,
    /// The groups of the release before.
    pub before: &'a GroupsBefore,
    /// Tags that were asked for and are unknown.
    pub unknown: RefCell<BTreeSet<String>>,
}

impl RuleNames<'_> {
    /// A tag that nobody declares, if rows may bring it.
    fn undeclared(&self, name: &str) -> Option<TagInfo> {
        self.unknown.borrow_mut().insert(name.to_owned());
        let is_typing_mistake = || nearest(name, self.tag_names()).is_some();
        (self.is_open && !is_typing_mistake()).then_some(TagInfo {
            value_type: ValueType::String,
            multi: false,
        })
    }
}

impl Names for RuleNames<'_> {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        let platform = self
            .platform
            .iter()
            .find(|tag| tag.name == name)
            .map(|tag| TagInfo {
                value_type: tag.value_type,
                multi: tag.multi,
            });
        let label = || {
            self.shared_labels
                .get(name)
                .or_else(|| self.labels?.get(name))
                .map(|label| TagInfo {
                    value_type: label.value_type,
                    multi: label.multi,
                })
        };
        platform.or_else(label).or_else(|| self.undeclared(name))
    }

    fn tag_names(&self) -> Vec<&str> {
        let labels = self
            .labels
            .into_iter()
            .chain([self.shared_labels])
            .flat_map(|labels| labels.keys().map(String::as_str));
        self.platform
            .iter()
            .map(|tag| tag.name.as_str())
            .chain(labels)
            .collect()
    }

    /// Groups are the rows of the app: whoever plans them knows.
    fn has_group(&self, _: &str) -> bool {
        false
    }

    fn group_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn has_list(&self, name: &str) -> bool {
        self.lists.contains(&name)
    }

    fn list_names(&self) -> Vec<&str> {
        self.lists.clone()
    }

    fn has_behaviour(&self) -> bool {
        true
    }

    fn event(&self, name: &str) -> Option<EventInfo> {
        self.events.event(self.app, name)
    }

    fn event_names(&self) -> Vec<&str> {
        self.events.names(self.app)
    }

    fn missing(&self, state: &WindowState) -> Option<String> {
        self.days?.missing(self.app, state, self.events)
    }

    fn kept_since(&self, group: &str) -> Option<NaiveDate> {
        let key = (self.app.to_owned(), group.to_owned());
        self.before.get(&key)?.as_of
    }

    fn withheld(&self, tag: &str) -> Option<OverLimit> {
        self.withheld?.get(tag).copied()
    }
}
