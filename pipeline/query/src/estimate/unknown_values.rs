//! Texts that a rule asks for and no user of the app has, with the nearest that one has.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use chrono::NaiveDate;
use datafusion::common::cast::{as_string_view_array, as_uint64_array};
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{Expr as DataFusionExpr, cast, ident, lit};
use datafusion::prelude::SessionContext;
use tagmill_rules::{Atom, Expr, Test};
use tagmill_schemas::nearest::nearest;
use tagmill_schemas::{Result, Value};

use super::behaviour::{between, conditions};
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
    date: NaiveDate,
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let of_app = || ident("app").eq(lit(app));
    for (tag, wanted) in rule.atoms().into_iter().filter_map(texts) {
        let rows = of_app().and(ident("tag").eq(lit(tag)));
        let known = users_by_value(ctx, ("tags", "value_string"), rows).await?;
        let unknown = wanted.into_iter().filter(|text| !known.contains_key(*text));
        lines.extend(
            unknown.map(|text| format!("no user has {tag} '{text}'{}", near(text, &known))),
        );
    }
    for (state, condition) in conditions(rule.atoms().into_iter()) {
        let window = state.window.and_then(|window| window.days_of(date));
        let days = window.map_or(lit(true), |(from, to)| between(from, to));
        for (dimension, wanted) in condition.atoms().iter().filter_map(texts) {
            let of_event = ident("event").eq(lit(state.event.as_str()));
            let of_dimension = ident("dimension").eq(lit(dimension));
            let rows = of_app().and(of_event).and(of_dimension).and(days.clone());
            let known = users_by_value(ctx, ("behaviour", "value"), rows).await?;
            let unknown = wanted.into_iter().filter(|text| !known.contains_key(*text));
            let event = &state.event;
            lines.extend(unknown.map(|text| {
                let near = near(text, &known);
                format!("no event {event} has {dimension} '{text}'{near}")
            }));
        }
    }
    lines.dedup();
    Ok(lines)
}

/// The tag or dimension of a test for texts, and these.
fn texts(atom: &Atom) -> Option<(&str, Vec<&String>)> {
    let Atom::Tag {
        tag,
        test: Test::In(values),
    } = atom
    else {
        return None;
    };
    let texts = values.iter().filter_map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    });
    let texts: Vec<&String> = texts.collect();
    (!texts.is_empty()).then_some((tag, texts))
}

fn near(text: &str, known: &BTreeMap<String, u64>) -> String {
    let names = known.keys().map(String::as_str).take(MOST_VALUES);
    nearest(text, names).map_or_else(String::new, |near| {
        let users = known.get(near).copied().unwrap_or(0);
        format!(", near: '{near}' ({users})")
    })
}

/// Users, each once a row, by the text that a table's rows have in a column.
async fn users_by_value(
    ctx: &SessionContext,
    (table, column): (&str, &str),
    rows: DataFusionExpr,
) -> Result<BTreeMap<String, u64>> {
    let rows = async {
        let text = ident(column);
        let users = cast(ident("users"), DataType::UInt64);
        ctx.table(table)
            .await?
            .filter(rows.and(text.clone().is_not_null()))?
            .aggregate(vec![text], vec![sum(ident("cardinality")).alias("users")])?
            .select(vec![ident(column), users])?
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
