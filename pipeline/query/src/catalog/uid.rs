//! The column `uid` of the table `users`: computed, as files have its two halves; a filter on it
//! reads the rows that can have it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Cast, Expr, LogicalPlanBuilder, ScalarUDF, ident};
use tagmill_schemas::Artifact;
use tagmill_schemas::artifact::{Columns, users};

use super::FileTable;

/// The column, and the function that computes it.
const UID: &str = "uid";

static FUNCTION: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let functions = tagmill_udfs::scalar_functions().into_iter();
    functions
        .map(Arc::new)
        .find(|function| function.name() == UID)
});

/// `uid(shard, ordinal)`.
///
/// # Errors
/// None: the function is among those of the workspace.
pub(crate) fn uid(shard: Expr, ordinal: Expr) -> Result<Expr> {
    let function = FUNCTION
        .as_ref()
        .ok_or_else(|| DataFusionError::Internal(format!("there is no function {UID}")))?;
    Ok(function.call(vec![shard, ordinal]))
}

/// The table of users with `uid` behind its columns.
pub(super) fn with_uid(users: Arc<FileTable>) -> Result<Arc<dyn TableProvider>> {
    let schema = users.schema();
    let own = schema.fields().iter().map(|field| ident(field.name()));
    let halves = [users::Column::Shard, users::Column::Ordinal].map(|half| ident(half.name()));
    let [shard, ordinal] = halves;
    let columns = own.chain([uid(shard, ordinal)?.alias(UID)]);
    let plan = LogicalPlanBuilder::scan(Artifact::Users.name(), provider_as_source(users), None)?
        .project(columns)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// Ordinals by shard.
pub(super) type Wanted = BTreeMap<u32, BTreeSet<u32>>;

/// The users that a filter lets `uid` be; `None` when it says something else. Numbers that no user
/// can have are none.
pub(super) fn wanted(filter: &Expr) -> Option<Wanted> {
    let uids = super::user_lookup::constants(filter, &is_uid, &number)?;
    let mut wanted = Wanted::new();
    for uid in uids.into_iter().flatten() {
        let (shard, ordinal) = ((uid >> 32) as u32, uid as u32);
        wanted.entry(shard).or_default().insert(ordinal);
    }
    Some(wanted)
}

/// Whether an expression is `uid(shard, ordinal)`, in whatever type it is compared.
fn is_uid(expr: &Expr) -> bool {
    let is_half = |expr: &Expr, half: users::Column| matches!(expr, Expr::Column(column) if column.name == half.name());
    match expr {
        Expr::Cast(Cast { expr, .. }) => is_uid(expr),
        Expr::ScalarFunction(ScalarFunction { func, args }) => {
            let [shard, ordinal] = args.as_slice() else {
                return false;
            };
            func.name() == UID
                && is_half(uncast(shard), users::Column::Shard)
                && is_half(uncast(ordinal), users::Column::Ordinal)
        }
        _ => false,
    }
}

fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(Cast { expr, .. }) => uncast(expr),
        other => other,
    }
}

/// A constant as a uid, `None` where no uid can be equal to it; `None` outside for what is no number.
fn number(literal: &Expr) -> Option<Option<u64>> {
    let Expr::Literal(value, _) = literal else {
        return None;
    };
    match value {
        ScalarValue::UInt64(Some(number)) => Some(Some(*number)),
        ScalarValue::Int64(Some(number)) => Some(u64::try_from(*number).ok()),
        ScalarValue::Decimal128(Some(number), _, 0) => Some(u64::try_from(*number).ok()),
        _ => None,
    }
}
