//! The files of an artifact that a manifest does not hold itself but in a list a date: read when a
//! query's filters leave the date, once a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use tagmill_engine::external;
use tagmill_schemas::manifest::{DayList, FileEntry, Totals};
use tagmill_schemas::{Artifact, Manifest};
use tagmill_warehouse::release::load_each_list;
use tagmill_warehouse::store::Store;

use super::prune;
use super::release::{file, known_of, one_date};

/// The lists that a session has read, by checksum: two artifacts share one.
pub(super) type ReadLists = Arc<Mutex<HashMap<u128, Arc<Vec<FileEntry>>>>>;

/// The listed files of one artifact.
pub(super) struct ListedFiles {
    artifact: Artifact,
    schema: SchemaRef,
    warehouse: Store,
    lists: Vec<DayList>,
    read: ReadLists,
}

impl ListedFiles {
    /// Those of a release; nothing is read yet.
    pub(super) fn of(
        artifact: Artifact,
        manifest: &Manifest,
        warehouse: &Store,
        read: &ReadLists,
    ) -> Self {
        Self {
            artifact,
            schema: artifact.schema(),
            warehouse: warehouse.clone(),
            lists: manifest.lists_of(artifact).cloned().collect(),
            read: Arc::clone(read),
        }
    }

    /// Rows and bytes of all of them.
    pub(super) fn size(&self) -> (usize, usize) {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let totals = self.lists.iter().map(|list| self.totals(list));
        totals.fold((0, 0), |(rows, bytes), sum| {
            (
                rows.saturating_add(size(sum.rows)),
                bytes.saturating_add(size(sum.bytes)),
            )
        })
    }

    fn totals(&self, list: &DayList) -> Totals {
        let totals = list.totals.get(&self.artifact);
        totals.copied().unwrap_or_default()
    }

    /// The files of the lists whose date the filters do not exclude.
    pub(super) async fn matching(
        &self,
        state: &dyn Session,
        schema: SchemaRef,
        filters: &[Expr],
    ) -> Result<Vec<PartitionedFile>> {
        let known = |list: &DayList| -> Arc<Statistics> {
            let rows = self.totals(list).rows;
            let date = one_date(self.artifact, list.date);
            Arc::new(known_of(rows, None, date, &self.schema))
        };
        let known = self.lists.iter().map(known).collect();
        let keep = prune::keeps(state, schema, filters, known)?;
        let lists = self.lists.iter().zip(keep);
        let wanted: Vec<&DayList> = lists
            .filter_map(|(list, keep)| keep.then_some(list))
            .collect();
        let mut files = Vec::new();
        for entries in self.entries(&wanted).await? {
            let own = entries.iter().filter(|file| file.artifact == self.artifact);
            for entry in own {
                files.push(file(entry, &self.warehouse, &self.schema).map_err(external)?);
            }
        }
        Ok(files)
    }

    async fn entries(&self, wanted: &[&DayList]) -> Result<Vec<Arc<Vec<FileEntry>>>> {
        let known = |list: &DayList| -> Option<Arc<Vec<FileEntry>>> {
            let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.get(&list.list.0).cloned()
        };
        let unread: Vec<&DayList> = wanted
            .iter()
            .copied()
            .filter(|list| known(list).is_none())
            .collect();
        let loaded = load_each_list(&self.warehouse, unread.iter().copied())
            .await
            .map_err(external)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        for (list, files) in unread.into_iter().zip(loaded) {
            read.insert(list.list.0, Arc::new(files));
        }
        let files = wanted.iter().filter_map(|list| read.get(&list.list.0));
        Ok(files.cloned().collect())
    }
}
