//! Users by id: which files and rows of `users` can hold the ids that a query's filters name, by the
//! look-up index instead of a scan of all ids; and users by number, whose rows are known at once.
//!
//! ```text
//! user_id = 'x' ─► hash ─► its shard's files ─► per file: pages of user_index with the hash ─► ordinals ─► pages of users
//! ```
//! A hash is not an id: the query's own filter compares the ids of the rows that are left.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::UInt32Type;
use datafusion::catalog::Session;
use datafusion::common::ScalarValue;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlanBuilder, Operator};
use datafusion::physical_plan::collect;
use datafusion::prelude::{ident, lit};
use tagmill_engine::external;
use tagmill_schemas::artifact::{Columns, FilePlace, user_index, users};
use tagmill_schemas::manifest::FileEntry;
use tagmill_schemas::shard::{Shards, hash_of_id, id_bytes, index_hash};
use tagmill_schemas::{Artifact, IdScope, Manifest, Result as OurResult};
use tagmill_warehouse::store::Store;

use super::release::file;
use super::{FileTable, uid};

/// The dictionary's files of a release, each with its index.
pub(super) struct UserLookup {
    shards: Shards,
    scope: IdScope,
    url: ObjectStoreUrl,
    warehouse: Store,
    /// Files of `users`; those of versions before 0.2 have no index.
    files: Vec<(FileEntry, Option<FileEntry>)>,
}

/// Rows of `users` that can match.
pub(super) struct Candidates {
    /// The files that they are in.
    pub files: Vec<FileEntry>,
    /// What is true of them; `None` when a file without an index is among the files.
    pub rows: Option<Expr>,
}

impl UserLookup {
    /// Of a release; nothing is read.
    pub(super) fn of(
        manifest: &Manifest,
        warehouse: &Store,
        url: &ObjectStoreUrl,
    ) -> OurResult<Self> {
        let of = |artifact| {
            manifest
                .files
                .iter()
                .filter(move |f| f.artifact == artifact)
        };
        let mut indexes: HashMap<&str, &FileEntry> = of(Artifact::UserIndex)
            .map(|index| (index.path.as_str(), index))
            .collect();
        let files = of(Artifact::Users).map(|users| {
            let beside = FilePlace::of(&users.path).map(|at| at.beside(Artifact::UserIndex).path());
            let index = beside.and_then(|path| indexes.remove(path.as_str()).cloned());
            (users.clone(), index)
        });
        Ok(Self {
            shards: Shards::new(manifest.shards)?,
            scope: manifest.id_scope,
            url: url.clone(),
            warehouse: warehouse.clone(),
            files: files.collect(),
        })
    }

    /// The rows that can match the filters; `None` when these name no user ids and no uids.
    pub(super) async fn candidates(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Option<Candidates>> {
        let conditions = filters.iter().flat_map(split_conjunction);
        if let Some(wanted) = conditions.into_iter().find_map(uid::wanted) {
            return Ok(Some(self.numbered(&wanted)));
        }
        let Some(hashes) = self.hashes(filters) else {
            return Ok(None);
        };
        let mut found = Candidates {
            files: Vec::new(),
            rows: None,
        };
        let (mut ordinals, mut are_all_known) = (BTreeSet::new(), true);
        for (users, index) in &self.files {
            let Some(wanted) = users.shard.and_then(|shard| hashes.get(&shard)) else {
                continue;
            };
            let Some(index) = index else {
                are_all_known = false;
                found.files.push(users.clone());
                continue;
            };
            let in_file = self.ordinals(state, index, wanted).await?;
            if !in_file.is_empty() {
                found.files.push(users.clone());
                ordinals.extend(in_file);
            }
        }
        found.rows = are_all_known.then(|| {
            let ordinals = ordinals.into_iter().map(lit).collect();
            ident(users::Column::Ordinal.name()).in_list(ordinals, false)
        });
        Ok(Some(found))
    }

    /// The rows of users whose numbers are known.
    fn numbered(&self, wanted: &uid::Wanted) -> Candidates {
        let has_shard = |users: &FileEntry| match users.shard {
            Some(shard) => wanted.contains_key(&shard),
            None => true,
        };
        let files = self.files.iter().map(|(users, _)| users);
        let ordinals: BTreeSet<u32> = wanted.values().flatten().copied().collect();
        let column = || ident(users::Column::Ordinal.name());
        let listed = column().in_list(ordinals.iter().copied().map(lit).collect(), false);
        let ends = ordinals.first().zip(ordinals.last());
        Candidates {
            files: files.filter(|users| has_shard(users)).cloned().collect(),
            rows: ends.map(|(first, last)| column().between(lit(*first), lit(*last)).and(listed)),
        }
    }

    /// The index hashes of the ids that the filters name, by shard.
    fn hashes(&self, filters: &[Expr]) -> Option<BTreeMap<u32, BTreeSet<u32>>> {
        let conditions = || filters.iter().flat_map(split_conjunction);
        let ids = conditions().find_map(|filter| texts(filter, users::Column::UserId.name()))?;
        let apps = match self.scope {
            IdScope::Global => vec![""],
            IdScope::App => {
                conditions().find_map(|filter| texts(filter, users::Column::App.name()))?
            }
        };
        let mut hashes: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        let mut scoped = Vec::new();
        for (app, id) in apps
            .iter()
            .flat_map(|app| ids.iter().map(move |id| (app, id)))
        {
            let hash = hash_of_id(id_bytes(self.scope, app, id, &mut scoped));
            let of_shard = hashes.entry(self.shards.of_hash(hash)).or_default();
            of_shard.insert(index_hash(hash));
        }
        Some(hashes)
    }

    /// The ordinals of these hashes in one file's index: reads the pages that can have them.
    async fn ordinals(
        &self,
        state: &dyn Session,
        index: &FileEntry,
        hashes: &BTreeSet<u32>,
    ) -> Result<Vec<u32>> {
        let schema = Artifact::UserIndex.schema();
        let file = file(index, &self.warehouse, &schema).map_err(external)?;
        let table = FileTable::new(self.url.clone(), &schema, Vec::new(), vec![file]);
        let wanted = hashes.iter().map(|hash| lit(*hash)).collect();
        let source = provider_as_source(Arc::new(table));
        let plan = LogicalPlanBuilder::scan(Artifact::UserIndex.name(), source, None)?
            .filter(ident(user_index::Column::Hash.name()).in_list(wanted, false))?
            .project([ident(user_index::Column::Ordinal.name())])?
            .build()?;
        let plan = state.create_physical_plan(&plan).await?;
        let batches = collect(plan, state.task_ctx()).await?;
        Ok(batches
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<UInt32Type>().values())
            .copied()
            .collect())
    }
}

/// The texts that the filter lets a column have; `None` when it says something else.
fn texts<'a>(filter: &'a Expr, column: &str) -> Option<Vec<&'a str>> {
    let is_column = |expr: &Expr| matches!(expr, Expr::Column(c) if c.name == column);
    constants(filter, &is_column, &text)
}

/// The constants that the filter lets an expression be; `None` when it says something else.
pub(super) fn constants<'a, T>(
    filter: &'a Expr,
    is_it: &dyn Fn(&Expr) -> bool,
    constant: &dyn Fn(&'a Expr) -> Option<T>,
) -> Option<Vec<T>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) => match (is_it(left), is_it(right)) {
            (true, _) => Some(vec![constant(right)?]),
            (_, true) => Some(vec![constant(left)?]),
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Or,
            right,
        }) => {
            let mut either = constants(left, is_it, constant)?;
            either.extend(constants(right, is_it, constant)?);
            Some(either)
        }
        Expr::InList(list) if !list.negated && is_it(&list.expr) => {
            list.list.iter().map(constant).collect()
        }
        _ => None,
    }
}

fn text(literal: &Expr) -> Option<&str> {
    match literal {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _)
        | Expr::Literal(ScalarValue::Utf8View(Some(text)), _)
        | Expr::Literal(ScalarValue::LargeUtf8(Some(text)), _) => Some(text),
        _ => None,
    }
}
