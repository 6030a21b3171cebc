//! What is left of a day's rows once they are cleaned and counted. Reads nothing, writes nothing:
//! plain types.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Kind, Value};

/// What became of the rows of one source and app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Rows in the files.
    pub read: u64,
    /// Rows that passed; rows of undeclared events and older attribute rows are among them.
    pub accepted: u64,
    /// Rows a filter or a list of events left out, and copies of events.
    pub filtered: u64,
    /// Rows with something wrong, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Accepted rows whose event no registry row declares.
    pub undeclared: u64,
    /// Filtered rows that are copies of events.
    pub duplicates: u64,
}

/// Why a row goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Left out on purpose.
    Filtered,
    /// A copy of an event.
    Duplicate,
    /// Something is wrong with it.
    Rejected(&'static str),
}

/// The user id is null, empty or a null token.
pub const NO_USER: Refusal = Refusal::Rejected("no_user");
/// The app is null or empty.
pub const NO_APP: Refusal = Refusal::Rejected("no_app");
/// The event has no time.
pub const NO_TIME: Refusal = Refusal::Rejected("no_time");
/// The event belongs to another day.
pub const LATE: Refusal = Refusal::Rejected("late");
/// A property that is not of its declared type.
pub const BAD_PROPERTY: Refusal = Refusal::Rejected("bad_property");
/// A value that is not of its tag's type.
pub const BAD_VALUE: Refusal = Refusal::Rejected("bad_value");

/// An event that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFact {
    /// Who.
    pub user: String,
    /// Values in the order of the source's dimensions.
    pub dimensions: Vec<Option<Value>>,
    /// Measures that have a value, times ten to the power of their scale.
    pub measures: BTreeMap<String, i128>,
}

/// App and event.
pub type EventKey = (String, String);

/// Everything a day says.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// By source and app; `None` is the null app.
    pub accounts: BTreeMap<(String, Option<String>), Account>,
    /// App and user of every accepted row.
    pub sightings: BTreeSet<(String, String)>,
    /// How many events each app has of each user, copies included.
    pub activity: BTreeMap<(String, String), u64>,
    /// Values of each app, tag and user.
    pub tags: BTreeMap<(String, String), BTreeMap<String, BTreeSet<Value>>>,
    /// Type of the tags that every app has.
    pub platform_kinds: BTreeMap<String, Kind>,
    /// Type of each app's own tags.
    pub kinds: BTreeMap<(String, String), Kind>,
    /// Names of each event's dimensions, in their order.
    pub dimensions: BTreeMap<EventKey, Vec<String>>,
    /// Events after deduplication.
    pub events: BTreeMap<EventKey, Vec<EventFact>>,
}

impl Facts {
    /// Type of an app's tag, if there is such a tag.
    pub fn kind(&self, app: &str, tag: &str) -> Option<Kind> {
        let own = self.kinds.get(&(app.to_owned(), tag.to_owned()));
        own.or_else(|| self.platform_kinds.get(tag)).copied()
    }

    /// Counts one row, and sees its user if it is accepted.
    pub fn count(&mut self, source: &str, app: Option<&str>, outcome: Result<&str, Refusal>) {
        let account = self
            .accounts
            .entry((source.to_owned(), app.map(str::to_owned)))
            .or_default();
        account.read += 1;
        match outcome {
            Ok(_) => account.accepted += 1,
            Err(Refusal::Filtered) => account.filtered += 1,
            Err(Refusal::Duplicate) => {
                account.filtered += 1;
                account.duplicates += 1;
            }
            Err(Refusal::Rejected(reason)) => *account.rejected.entry(reason).or_default() += 1,
        }
        if let (Some(app), Ok(user)) = (app, outcome) {
            self.sightings.insert((app.to_owned(), user.to_owned()));
        }
    }

    /// Counts one event, or a copy of one, of a user.
    pub fn be_active(&mut self, app: &str, user: &str) {
        let key = (app.to_owned(), user.to_owned());
        *self.activity.entry(key).or_default() += 1;
    }

    /// Marks an accepted row as one whose event nobody declares.
    pub fn count_undeclared(&mut self, source: &str, app: &str) {
        self.accounts
            .entry((source.to_owned(), Some(app.to_owned())))
            .or_default()
            .undeclared += 1;
    }

    /// Gives a user a value.
    pub fn add_value(&mut self, app: &str, tag: &str, user: &str, value: Value) {
        self.tags
            .entry((app.to_owned(), tag.to_owned()))
            .or_default()
            .entry(user.to_owned())
            .or_default()
            .insert(value);
    }
}
