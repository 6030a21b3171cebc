//! The uploaded lists of one app, as they are now: a release holds the groups made of them, not the
//! lists.

use std::collections::HashSet;

use tagmill_schemas::{Error, Result};

use super::STAGE;
use tagmill_rules::groups::read_list;
use tagmill_schemas::nearest::nearest;
use tagmill_warehouse::store::ListFiles;

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
        let files = ListFiles::find(template).await?;
        let (store, found) = files.get(self.app, list).ok_or_else(|| {
            let near = nearest(list, files.names(self.app));
            let near = near.map(|near| format!(", did you mean {near:?}"));
            Error::setup(
                STAGE,
                format!("unknown list {list:?}{}", near.unwrap_or_default()),
            )
            .at(template)
        })?;
        let bytes = store.get(&found.path).await?;
        let mut ids = HashSet::new();
        read_list(&bytes, &mut |id| {
            ids.insert(id.to_owned());
        });
        Ok(ids)
    }
}
