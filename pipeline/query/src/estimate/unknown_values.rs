//! Texts that a rule asks for and no user of the app has, with the nearest that one has.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use datafusion::common::cast::{as_string_view_array, as_uint64_array};
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{cast, ident, lit};
use datafusion::prelude::SessionContext;
use tagmill_rules::{Atom, Expr, Test};
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Result, Value};

use crate::catalog::failed;

/// Of a tag with more values none is looked for that is near.
const MOST_VALUES: usize = 10_000;

/// One line for each text: `no user has city 'Bejing', near: 'Beijing' (975)`.
///
/// # Errors
/// Those of reading the release's tags.
pub(super) async fn unknown_values(
    ctx: &SessionContext,
    app: &str,
    rule: &Expr,
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for atom in rule.atoms() {
        let Atom::Tag {
            tag,
            test: Test::In(values),
        } = atom
        else {
            continue;
        };
        let wanted: Vec<&String> = values
            .iter()
            .filter_map(|value| match value {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let known = users_by_value(ctx, app, tag).await?;
        for text in wanted.into_iter().filter(|text| !known.contains_key(*text)) {
            let names = known.keys().map(String::as_str).take(MOST_VALUES);
            let near = nearest(text, names);
            let near = near.map_or_else(String::new, |near| {
                let users = known.get(near).copied().unwrap_or(0);
                format!(", near: '{near}' ({users})")
            });
            lines.push(format!("no user has {tag} '{text}'{near}"));
        }
    }
    lines.dedup();
    Ok(lines)
}

async fn users_by_value(
    ctx: &SessionContext,
    app: &str,
    tag: &str,
) -> Result<BTreeMap<String, u64>> {
    let rows = async {
        let of_tag = ident("app").eq(lit(app)).and(ident("tag").eq(lit(tag)));
        let text = ident("value_string");
        let users = cast(ident("users"), DataType::UInt64);
        ctx.table("tags")
            .await?
            .filter(of_tag.and(text.clone().is_not_null()))?
            .aggregate(vec![text], vec![sum(ident("cardinality")).alias("users")])?
            .select(vec![ident("value_string"), users])?
            .collect()
            .await
    };
    let mut known = BTreeMap::new();
    for batch in rows.await.map_err(failed)? {
        let texts = as_string_view_array(batch.column(0)).map_err(failed)?;
        let users = as_uint64_array(batch.column(1)).map_err(failed)?;
        let pairs = texts.iter().zip(users.iter());
        known.extend(pairs.filter_map(|(text, users)| Some((text?.to_owned(), users?))));
    }
    Ok(known)
}
