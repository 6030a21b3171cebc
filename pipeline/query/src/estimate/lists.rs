//! The uploaded lists of one app, as they are now: a release holds the groups made of them, not the
//! lists.

use std::collections::HashSet;

use tagmill_schemas::{Error, Result};

use super::STAGE;
use tagmill_rules::groups::read_list;
use tagmill_warehouse::store::open_pattern;

/// Where an app's lists are.
pub(super) struct Lists<'a> {
    /// The configuration's path with `{app}` and `{list}`; `None` when it has no lists.
    pub(super) template: Option<&'a str>,
    pub(super) app: &'a str,
}

impl Lists<'_> {
    /// The distinct ids of a list; lines that are no id are left out, as a night leaves them out.
    ///
    /// # Errors
    /// Setup when there is no such list; retry when the store fails.
    pub(super) async fn read(&self, list: &str) -> Result<HashSet<String>> {
        let unknown = || Error::setup(STAGE, format!("unknown list {list:?}"));
        let template = self
            .template
            .ok_or_else(|| unknown().fix("name where lists are in [groups] lists"))?;
        if ![self.app, list].into_iter().all(is_file_name) {
            return Err(unknown());
        }
        let (store, path) =
            open_pattern(&template.replace("{app}", self.app).replace("{list}", list))?;
        let bytes = store
            .try_get(&path)
            .await?
            .ok_or_else(|| unknown().at(store.name_of(&path)))?;
        let mut ids = HashSet::new();
        read_list(&bytes, &mut |id| {
            ids.insert(id.to_owned());
        });
        Ok(ids)
    }
}

/// Names come from data: one that is no plain file name can not name a list.
fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['/', '*', '{', '}'])
        && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::is_file_name;

    #[test]
    fn names_can_not_leave_the_folder_or_match_several() {
        assert!(is_file_name("vip") && is_file_name("家电"));
        for name in ["", "..", "../x", "a/b", "*", "{list}", "a\nb"] {
            assert!(!is_file_name(name), "{name:?}");
        }
    }
}
