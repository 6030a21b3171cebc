//! Whether the columns that a source's expressions read are in its files, and are what they are taken
//! for.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use tagmill_schemas::config::Source;
use tagmill_schemas::{Error, Result};

use super::context::place;
use super::files::RawFiles;
use super::sql::column_names;
use super::wanted::Wanted;
use crate::plan::columns::{BROKEN_COLUMN, FOLDER_COLUMN};

/// The raw columns that these expressions read.
pub(super) fn used_columns(cleaned: &[(String, Expr)]) -> BTreeSet<String> {
    let names = cleaned.iter().flat_map(|(_, value)| column_names(value));
    names.collect()
}

/// A column that the configuration needs has to be in every file with rows.
pub(super) fn check_columns(
    source: &Source,
    files: &RawFiles,
    cleaned: &[(String, Expr)],
) -> Result<()> {
    let used = used_columns(cleaned);
    used.iter().try_for_each(|name| files.check_agreed(name))?;
    for file in files.files.iter().filter(|file| file.rows > 0) {
        let lacks = |name: &&String| {
            file.schema.index_of(name).is_err()
                && !file.is_open()
                && !files.partition_columns.contains(name)
                && ![FOLDER_COLUMN, BROKEN_COLUMN].contains(&name.as_str())
        };
        if let Some(name) = used.iter().find(lacks) {
            let found: Vec<&str> = file
                .schema
                .fields()
                .iter()
                .map(|f| f.name().as_str())
                .collect();
            let what = format!(
                "missing column {name:?}, which source {} needs: found {}",
                source.name,
                found.join(", ")
            );
            return Err(Error::refused("scan", what)
                .at(files.store.name_of(&file.found.path))
                .fix("deliver the column or change the configuration"));
        }
    }
    Ok(())
}

/// A column whose times are taken as UTC, because nobody says otherwise, is an instant: AT TIME ZONE
/// would not say of which zone they are.
pub(super) fn check_zones(
    source: &Source,
    files: &RawFiles,
    wanted: &Wanted,
    cleaned: &[(String, Expr)],
) -> Result<()> {
    if files.times.is_said || !files.times.are_instants {
        return Ok(());
    }
    let naive = files.naive_columns();
    let is_cleaned = |name: &str| {
        let mut cleaned = source.clean.iter();
        cleaned.any(|(column, _)| column.eq_ignore_ascii_case(name))
    };
    let of_wanted = wanted.expressions().flat_map(columns_with_zone);
    let of_wanted = of_wanted.filter(|(name, _)| !is_cleaned(name));
    let of_cleaned = cleaned
        .iter()
        .flat_map(|(_, value)| columns_with_zone(value));
    let mut zoned = of_cleaned.chain(of_wanted);
    let Some((name, zone)) = zoned.find(|(name, _)| naive.contains(name.as_str())) else {
        return Ok(());
    };
    let what = format!(
        "column {name:?} has times without a zone, which are taken as UTC: AT TIME ZONE does not \
         change that"
    );
    Err(Error::setup("configuration", what)
        .at(place(source, "naive_times"))
        .fix(format!(
            "set naive_times = {zone:?} and leave AT TIME ZONE out"
        )))
}

/// Columns that get another zone in an expression, and the zone.
fn columns_with_zone(expression: &Expr) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let visited = expression.apply(|node| {
        if let Expr::Cast(cast) = node
            && let Expr::Column(column) = cast.expr.as_ref()
            && let DataType::Timestamp(_, Some(zone)) = cast.field.data_type()
        {
            found.push((column.name.clone(), zone.to_string()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    visited.map_or_else(|_| Vec::new(), |_| found)
}
