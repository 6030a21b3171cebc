//! All functions, with the names that other systems have for them, and how a session learns of
//! them.

use super::dialect::{DialectRules, TagmillOptions};
use super::explode::{BitmapExplode, NAME as EXPLODE};
use super::function::Function;
use super::names::System;
use super::scalar::Scalar;
use super::sliding::Sliding;
use super::{
    array, bsi_agg, bsi_build_agg, bucket_agg, buckets, builders, cardinality, clickhouse,
    contains, counts, doris, edits, fold_agg, hologres, index_aggs, likeness, native,
    null_as_empty, numeric_indexed_vector, or_agg, parts, places, postgres, postgres_widths,
    questions, rule_agg, set_aggregate, set_aggregates, set_operation, shared, starrocks, texts,
    uids, unnest, wire,
};
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The families of functions that are data.
static FAMILIES: &[&[Function]] = &[
    counts::FUNCTIONS,
    questions::FUNCTIONS,
    places::FUNCTIONS,
    parts::FUNCTIONS,
    edits::FUNCTIONS,
    likeness::FUNCTIONS,
    null_as_empty::FUNCTIONS,
    builders::FUNCTIONS,
    texts::FUNCTIONS,
    buckets::FUNCTIONS,
    shared::FUNCTIONS,
    clickhouse::FUNCTIONS,
    doris::FUNCTIONS,
    starrocks::FUNCTIONS,
    postgres_widths::FUNCTIONS,
    hologres::MAKERS,
    hologres::READERS,
    hologres::COMPARISONS,
    numeric_indexed_vector::READERS,
    numeric_indexed_vector::ARITHMETIC,
    numeric_indexed_vector::COMPARISONS,
    native::FUNCTIONS,
    uids::FUNCTIONS,
];

/// Further names of each function: those of other systems, and names with capitals in lower case,
/// as unquoted names are looked up.
static ALIASES: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut aliases: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for system in System::ALL.into_iter().chain([System::Others]) {
        for (theirs, ours) in system.names() {
            let names = aliases
                .entry(if ours.is_empty() { theirs } else { ours })
                .or_default();
            if !ours.is_empty() && !names.contains(theirs) {
                names.push(theirs);
            }
            let lower = theirs.to_ascii_lowercase();
            if lower != *theirs && !names.contains(&lower.as_str()) {
                // Names live as long as the program, and this is done once.
                names.push(lower.leak());
            }
        }
    }
    aliases
});

/// Further names of a function.
pub(super) fn aliases_of(name: &str) -> &'static [&'static str] {
    ALIASES.get(name).map_or(&[], Vec::as_slice)
}

/// All scalar functions.
pub fn scalar_functions() -> Vec<ScalarUDF> {
    let mut functions = vec![
        ScalarUDF::from(cardinality::BitmapCardinality::default()),
        ScalarUDF::from(contains::BitmapContains::default()),
        ScalarUDF::from(array::BitmapToArray::default()),
        ScalarUDF::from(array::BitmapFromArray::default()),
    ];
    functions.extend(set_operation::all().map(ScalarUDF::from));
    functions.extend(wire::all().map(ScalarUDF::from));
    functions.extend(
        FAMILIES
            .iter()
            .copied()
            .flatten()
            .chain(postgres::FUNCTIONS.iter())
            .map(|function| ScalarUDF::from(Scalar::from(function))),
    );
    functions
        .into_iter()
        .map(|function| {
            named(function, ScalarUDF::name, |function, names| {
                function.with_aliases(names)
            })
        })
        .collect()
}

/// All aggregate functions.
pub fn aggregate_functions() -> Vec<AggregateUDF> {
    let mut functions = vec![
        AggregateUDF::from(or_agg::BitmapOrAgg::default()),
        AggregateUDF::from(fold_agg::BitmapFoldAgg::and()),
        AggregateUDF::from(fold_agg::BitmapFoldAgg::xor()),
    ];
    functions.extend(
        set_aggregates::AGGREGATES
            .iter()
            .map(|aggregate| AggregateUDF::from(set_aggregate::SetAggregate::from(aggregate))),
    );
    functions.extend(rule_agg::all().map(AggregateUDF::from));
    functions.extend(bsi_agg::all().map(AggregateUDF::from));
    functions.push(AggregateUDF::from(bsi_build_agg::BsiBuildAgg::default()));
    functions.extend(bucket_agg::all().map(AggregateUDF::from));
    functions.extend(index_aggs::all().map(AggregateUDF::from));
    functions
        .into_iter()
        .map(|function| {
            named(function, AggregateUDF::name, |function, names| {
                function.with_aliases(names)
            })
        })
        .map(Sliding::over)
        .collect()
}

/// Gives a function its further names.
fn named<F>(function: F, name: fn(&F) -> &str, with: fn(F, Vec<&'static str>) -> F) -> F {
    let aliases = aliases_of(name(&function));
    if aliases.is_empty() {
        function
    } else {
        with(function, aliases.to_vec())
    }
}

/// Makes every function known to the session, and the setting `tagmill.dialect`; and has it forget
/// that a key of a GROUP BY is unique where `unnest` stands above it, which DataFusion 55 does not.
///
/// # Errors
/// What the session refuses.
pub fn register_all(context: &SessionContext) -> Result<()> {
    let (scalars, aggregates) = (scalar_functions(), aggregate_functions());
    let rules = Arc::new(DialectRules::new(&scalars, &aggregates));
    scalars
        .into_iter()
        .for_each(|function| context.register_udf(function));
    aggregates
        .into_iter()
        .for_each(|function| context.register_udaf(function));
    for name in std::iter::once(&EXPLODE).chain(aliases_of(EXPLODE)) {
        context.register_udtf(name, Arc::new(BitmapExplode));
    }
    let state = context.state_ref();
    let mut state = state.write();
    state
        .config_mut()
        .options_mut()
        .extensions
        .insert(TagmillOptions::default());
    state.register_function_rewrite(rules)?;
    *state = unnest::guarded(state.clone())?;
    Ok(())
}
