//! Uploaded lists by the names that their paths give them.
//!
//! ```text
//! conf/lists/{app}/{list}.csv   conf/lists/tea/vip.csv = the list vip of the app tea
//! conf/lists/{list}.csv         conf/lists/vip.csv     = the list vip of every app
//! ```

use std::collections::BTreeMap;

use tagmill_schemas::{Error, Result};

use super::{Found, Store, open_pattern};

/// (app, list) -> file; the app is `None` where the path names none.
#[derive(Default)]
pub struct ListFiles {
    store: Option<Store>,
    found: BTreeMap<(Option<String>, String), Found>,
}

impl ListFiles {
    /// Lists the files of a path with `{list}` and perhaps `{app}`.
    ///
    /// # Errors
    /// Refused when two files are one list; those of opening and listing a pattern.
    pub async fn find(template: &str) -> Result<Self> {
        let (store, glob) = open_pattern(&template.replace("{app}", "*").replace("{list}", "*"))?;
        let first = template.find('{').unwrap_or(0);
        let named = &template[template[..first].rfind('/').map_or(0, |slash| slash + 1)..];
        let mut found = BTreeMap::new();
        for file in store.list(&glob).await? {
            let Some(name) = names_in(named, &file.path) else {
                continue;
            };
            let path = file.path.clone();
            if let Some(Found { path: other, .. }) = found.insert(name.clone(), file) {
                let of = name
                    .0
                    .map_or_else(String::new, |app| format!(" of app {app:?}"));
                return Err(Error::refused(
                    store.stage(),
                    format!(
                        "two files are the list {:?}{of}: {other} and {path}",
                        name.1
                    ),
                )
                .at(store.name_of(&path))
                .fix("keep one of them"));
            }
        }
        Ok(Self {
            store: Some(store),
            found,
        })
    }

    /// The names of an app's lists, those of every app included.
    pub fn names(&self, app: &str) -> Vec<&str> {
        let belongs = |of: &Option<String>| of.as_deref().is_none_or(|of| of == app);
        self.found
            .keys()
            .filter(|(of, _)| belongs(of))
            .map(|(_, list)| list.as_str())
            .collect()
    }

    /// An app's list: its own, else that of every app.
    pub fn get(&self, app: &str, list: &str) -> Option<(&Store, &Found)> {
        let named = |app: Option<&str>| {
            let name = (app.map(str::to_owned), list.to_owned());
            self.found.get(&name)
        };
        let found = named(Some(app)).or_else(|| named(None))?;
        Some((self.store.as_ref()?, found))
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
