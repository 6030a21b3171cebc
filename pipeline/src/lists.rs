//! Uploaded lists: which there are, and the ids of those that rules name.

use std::collections::{BTreeMap, BTreeSet};

use tagmill_schemas::Result;
use tagmill_schemas::manifest::{Input, InputStatus};

use super::registry::conf_file;
use super::{Observer, Request};
use tagmill_night::ListSpec;
use tagmill_night::scan::for_date;
use tagmill_rules::groups::read_list;
use tagmill_warehouse::store::{Found, Store, open_pattern};

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

/// The lists of a warehouse: (app, list) -> file. Without `{app}` in the pattern a list belongs to
/// every app, `None`.
#[derive(Default)]
pub struct Lists {
    store: Option<Store>,
    found: BTreeMap<(Option<String>, String), Found>,
}

impl Lists {
    /// Lists the files of the configuration's pattern.
    pub async fn find(request: &Request) -> Result<Self> {
        let Some(pattern) = request
            .config
            .groups
            .as_ref()
            .and_then(|g| g.lists.as_ref())
        else {
            return Ok(Self::default());
        };
        let pattern = for_date(pattern, request.date);
        let (store, glob) = open_pattern(&pattern.replace("{app}", "*").replace("{list}", "*"))?;
        let named = &pattern[pattern.find('{').map_or(0, |brace| {
            pattern[..brace].rfind('/').map_or(0, |slash| slash + 1)
        })..];
        let mut found = BTreeMap::new();
        for file in store.list(&glob).await? {
            if let Some((app, list)) = names_in(named, &file.path) {
                found.insert((app, list), file);
            }
        }
        Ok(Self {
            store: Some(store),
            found,
        })
    }

    /// The names of the lists of an app.
    pub fn names(&self, app: &str) -> Vec<&str> {
        let belongs = |of: &Option<String>| of.as_deref().is_none_or(|of| of == app);
        self.found
            .keys()
            .filter(|(of, _)| belongs(of))
            .map(|(_, list)| list.as_str())
            .collect()
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
            let found = self
                .found
                .get(&(Some(app.clone()), list.clone()))
                .or_else(|| self.found.get(&(None, list.clone())));
            let (Some(store), Some(found)) = (&self.store, found) else {
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

/// The values of `{app}` and `{list}` in a path of this pattern; both are one folder or file name,
/// or a part of one.
fn names_in(pattern: &str, path: &str) -> Option<(Option<String>, String)> {
    let (pattern, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    let path = path.get(path.len().checked_sub(pattern.len())?..)?;
    let (mut app, mut list) = (None, None);
    for (pattern, part) in pattern.iter().zip(path) {
        for (name, value) in [("{app}", &mut app), ("{list}", &mut list)] {
            if let Some((before, after)) = pattern.split_once(name) {
                *value = Some(part.strip_prefix(before)?.strip_suffix(after)?.to_owned());
            }
        }
    }
    Some((app, list?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_place_of_the_braces() {
        let found = |pattern, path| names_in(pattern, path);
        assert_eq!(
            found("{app}/{list}.csv", "conf/lists/tea/vip.csv"),
            Some((Some("tea".into()), "vip".into()))
        );
        assert_eq!(
            found("list-{list}.txt", "x/list-a.b.txt"),
            Some((None, "a.b".into()))
        );
        assert_eq!(found("{app}/{list}.csv", "vip.csv"), None);
        assert_eq!(found("{app}/{list}.csv", "tea/vip.txt"), None);
    }
}
