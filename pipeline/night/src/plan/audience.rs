//! The rules of the night and the ids of the lists that they name: compiled and read by the driver,
//! written to a file of the attempt, read once by every process that runs shards.
//!
//! ```text
//! driver ─► attempts/…/audience.json ─► Audience, shared by all shards of a process
//!           NightSpec: path, size, checksum
//! ```
//! Rules are no part of the plan itself: a scheduler copies a plan for every task.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tagmill_rules::Atom;
use tagmill_rules::groups::AppRules;
use tagmill_schemas::{Error, Result};
use tagmill_warehouse::release::AttemptFile;
use tagmill_warehouse::store::Store;

use super::windows::NightWindows;

const STAGE: &str = "groups";
const NAME: &str = "audience.json";
/// Of the file; a process reads only files of its own version.
const VERSION: u32 = 2;

/// The rules of every app, the lists, and the numbers of behaviour that rules ask for.
#[derive(Debug, Default)]
pub struct Audience {
    rules: BTreeMap<String, AppRules>,
    lists: Vec<ListSpec>,
    windows: NightWindows,
}

/// The ids of one uploaded list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSpec {
    /// The app.
    pub app: String,
    /// The list's name.
    pub list: String,
    /// User ids, distinct.
    pub members: Vec<String>,
}

/// Where the rules of a night are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceSpec {
    /// Rules of all apps.
    pub rules: usize,
    /// Lists that they name.
    pub lists: usize,
    /// `None` before the driver has written them, and when there are none.
    pub file: Option<AttemptFile>,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    rules: &'a [&'a AppRules],
    lists: &'a [ListSpec],
    windows: &'a NightWindows,
}

/// The file as it is read.
#[derive(Deserialize)]
struct Read {
    version: u32,
    rules: Vec<AppRules>,
    lists: Vec<ListSpec>,
    windows: NightWindows,
}

impl AudienceSpec {
    /// The rules of these apps and the lists that they name, not yet written.
    pub fn of<'r>(rules: impl IntoIterator<Item = &'r AppRules>, lists: &[ListSpec]) -> Self {
        let rules = rules.into_iter().map(|rules| rules.groups().len());
        Self {
            rules: rules.sum(),
            lists: lists.len(),
            file: None,
        }
    }

    /// Writes the rules and lists to a file of an attempt, if there are any.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn write(
        &mut self,
        rules: &[&AppRules],
        lists: &[ListSpec],
        windows: &NightWindows,
        store: &Store,
        attempt: (&str, u32),
    ) -> Result<()> {
        if self.rules + self.lists == 0 {
            return Ok(());
        }
        let written = Written {
            version: VERSION,
            rules,
            lists,
            windows,
        };
        let json = serde_json::to_vec(&written)
            .map_err(|e| Error::setup(STAGE, "the rules can not be written as json").because(e))?;
        self.file = Some(AttemptFile::write(store, attempt, NAME, json).await?);
        Ok(())
    }

    /// Reads what [`AudienceSpec::write`] wrote.
    ///
    /// # Errors
    /// Setup when it was not written, or by another version; retry when it is gone or damaged.
    pub async fn read(&self, store: &Store) -> Result<Audience> {
        let Some(file) = &self.file else {
            return match self.rules + self.lists {
                0 => Ok(Audience::default()),
                _ => Err(Error::setup(
                    STAGE,
                    "the rules of the night are not written",
                )),
            };
        };
        let bytes = file.read(store).await?;
        let refuse = |what: &str| Error::setup(STAGE, what).at(store.name_of(&file.path));
        let read: Read = serde_json::from_slice(&bytes)
            .map_err(|e| refuse("the rules of the night can not be read").because(e))?;
        if read.version != VERSION {
            let what = format!("found version {}, expected {VERSION}", read.version);
            return Err(refuse(&what).fix("run driver and shards with one version"));
        }
        let by_app = |rules: AppRules| (rules.app().to_owned(), rules);
        Ok(Audience {
            rules: read.rules.into_iter().map(by_app).collect(),
            lists: read.lists,
            windows: read.windows,
        })
    }
}

impl Audience {
    /// The rules of an app.
    pub fn rules(&self, app: &str) -> Option<&AppRules> {
        self.rules.get(app)
    }

    /// Every list, in the order in which the driver gave them.
    pub fn lists(&self) -> &[ListSpec] {
        &self.lists
    }

    /// The numbers of behaviour that rules ask for.
    pub fn windows(&self) -> &NightWindows {
        &self.windows
    }

    /// The ids of a list; none if there is no such list.
    pub fn members(&self, app: &str, list: &str) -> &[String] {
        let found = self
            .lists
            .iter()
            .find(|found| found.app == app && found.list == list);
        found.map_or(&[], |list| &list.members)
    }

    /// Whether a rule or a list looks at the ids of users.
    pub fn needs_ids(&self) -> bool {
        let mut atoms = self
            .rules
            .values()
            .flat_map(|rules| rules.program().atoms());
        !self.lists.is_empty() || atoms.any(Atom::needs_ids)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use tagmill_schemas::Kind;

    fn lists() -> Vec<ListSpec> {
        let list = |app: &str, members: &[&str]| ListSpec {
            app: app.to_owned(),
            list: "vips".to_owned(),
            members: members.iter().map(|id| (*id).to_owned()).collect(),
        };
        vec![list("a", &["u1", "家"]), list("b", &[])]
    }

    async fn written(store: &Store) -> AudienceSpec {
        let mut spec = AudienceSpec::of([], &lists());
        let attempt = ("r", 3);
        let windows = NightWindows::default();
        spec.write(&[], &lists(), &windows, store, attempt)
            .await
            .unwrap();
        spec
    }

    #[tokio::test]
    async fn lists_come_back_as_they_were_written() {
        let store = Store::open("memory://audience/round_trip").unwrap();
        let spec = written(&store).await;
        assert_eq!(
            spec.file.as_ref().unwrap().path,
            "attempts/run=r/0000000003/audience.json"
        );
        let read = spec.read(&store).await.unwrap();
        assert_eq!(read.lists(), lists());
        assert_eq!(read.members("a", "vips"), ["u1", "家"]);
        assert!(read.members("a", "other").is_empty() && read.needs_ids());
        assert!(read.rules("a").is_none());
    }

    #[tokio::test]
    async fn rejects_another_file_in_its_place() {
        let store = Store::open("memory://audience/damaged").unwrap();
        let spec = written(&store).await;
        let path = &spec.file.as_ref().unwrap().path;
        let mut bytes = store.get(path).await.unwrap().to_vec();
        bytes.push(b' ');
        store.put(path, bytes.clone()).await.unwrap();
        let longer = spec.read(&store).await.unwrap_err();
        assert!(longer.what().contains("bytes, expected"), "{longer}");
        bytes.pop();
        bytes[3] ^= 1;
        store.put(path, bytes).await.unwrap();
        let other = spec.read(&store).await.unwrap_err();
        assert!(other.what().contains("found checksum"), "{other}");
        assert_eq!(other.kind(), Kind::Retry);
    }

    #[tokio::test]
    async fn rules_that_were_not_written_are_no_night_without_rules() {
        let store = Store::open("memory://audience/unwritten").unwrap();
        let spec = AudienceSpec::of([], &lists());
        assert_eq!(spec.read(&store).await.unwrap_err().kind(), Kind::Setup);
        let none = AudienceSpec::default().read(&store).await.unwrap();
        assert!(none.lists().is_empty() && !none.needs_ids());
    }
}
