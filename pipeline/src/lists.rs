//! Uploaded lists: which there are, and the ids of those that rules name.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_schemas::Result;
use tagmill_schemas::config::for_date;
use tagmill_schemas::manifest::{Input, InputStatus};

use super::registry::conf_file;
use super::{Observer, Request};
use tagmill_night::ListSpec;
use tagmill_rules::groups::read_list;
use tagmill_warehouse::store::ListFiles;

/// The input that lists are, and the source of what is counted of them.
pub const LISTS: &str = "groups.lists";

/// How many ids a list has.
pub struct ListSize {
    /// The app.
    pub app: String,
    /// Distinct ids.
    pub members: u64,
}

impl ListSize {
    /// Of a list.
    pub fn of(list: &ListSpec) -> Self {
        Self {
            app: list.app.clone(),
            members: list.members.len() as u64,
        }
    }
}

/// The lists of a warehouse.
#[derive(Default)]
pub struct Lists(ListFiles);

impl Lists {
    /// Lists the files of the configuration's pattern.
    pub async fn find(request: &Request) -> Result<Self> {
        let groups = request.config.groups.as_ref();
        match groups.and_then(|groups| groups.lists.as_ref()) {
            Some(pattern) => ListFiles::find(&for_date(pattern, request.date))
                .await
                .map(Self),
            None => Ok(Self::default()),
        }
    }

    /// The names of the lists of an app.
    pub fn names(&self, app: &str) -> Vec<&str> {
        self.0.names(app)
    }

    /// Reads the lists that rules name, each file once.
    pub async fn read(
        &self,
        wanted: &BTreeSet<(String, String)>,
        request: &Request,
        observer: &dyn Observer,
    ) -> Result<(Vec<ListSpec>, Vec<Input>)> {
        let (mut lists, mut files) = (Vec::new(), BTreeMap::new());
        for (app, list) in wanted {
            let Some((store, found)) = self.0.get(app, list) else {
                continue;
            };
            let bytes = store.get(&found.path).await?;
            let mut members = BTreeSet::new();
            let read = read_list(&bytes, &mut |id| {
                members.insert(id.to_owned());
            });
            if let Some((line, why)) = read.first_bad {
                observer.warn(&format!(
                    "list {}: {} lines are no id, the first is {line}: {why}",
                    store.name_of(&found.path),
                    read.bad
                ));
            }
            files.insert(found.path.clone(), conf_file(store, found));
            lists.push(ListSpec {
                app: app.clone(),
                list: list.clone(),
                members: members.into_iter().collect(),
            });
        }
        let input = Input {
            source: LISTS.into(),
            status: InputStatus::Read,
            date: request.date,
            files: files.into_values().collect(),
        };
        Ok((
            lists,
            if input.files.is_empty() {
                Vec::new()
            } else {
                vec![input]
            },
        ))
    }
}
