//! `SET tagmill.dialect`: whose rules hold for names that several systems share.
//!
//! A call of a shared name is replaced when the plan is made, so the plan says which function runs
//! and needs no setting to travel with it.

use super::names::System;
use super::shared_names::{COUNT_DISTINCT, SHARED, SHARED_OVER, Shared};
use datafusion::common::config::{ConfigExtension, ConfigField, Visit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, config_err, extensions_options};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    AggregateUDF, Expr, ExprSchemable, ScalarUDF, WindowFunctionDefinition,
};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Whose rules hold for shared names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Ours.
    #[default]
    Tagmill,
    /// Apache Doris's.
    Doris,
    /// StarRocks's.
    StarRocks,
    /// Apache Spark's.
    Spark,
}

impl Dialect {
    const ALL: [Self; 4] = [Self::Tagmill, Self::Doris, Self::StarRocks, Self::Spark];

    fn name(self) -> &'static str {
        match self {
            Self::Tagmill => "tagmill",
            Self::Doris => "doris",
            Self::StarRocks => "starrocks",
            Self::Spark => "spark",
        }
    }

    fn system(self) -> Option<System> {
        match self {
            Self::Tagmill => None,
            Self::Doris => Some(System::Doris),
            Self::StarRocks => Some(System::StarRocks),
            Self::Spark => Some(System::Spark),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ConfigField for Dialect {
    fn visit<V: Visit>(&self, visit: &mut V, key: &str, description: &'static str) {
        visit.some(key, self, description);
    }

    fn set(&mut self, _key: &str, value: &str) -> Result<()> {
        match Self::ALL
            .into_iter()
            .find(|dialect| dialect.name().eq_ignore_ascii_case(value.trim()))
        {
            Some(dialect) => *self = dialect,
            None => {
                return config_err!(
                    "tagmill.dialect is '{value}', expected 'tagmill', 'doris', 'starrocks' or \
                     'spark'"
                );
            }
        }
        Ok(())
    }
}

extensions_options! {
    /// The settings `tagmill.*` of a session.
    pub struct TagmillOptions {
        /// Whose rules hold for function names that Doris, StarRocks, Spark and tagmill share.
        pub dialect: Dialect, default = Dialect::Tagmill
    }
}

impl ConfigExtension for TagmillOptions {
    const PREFIX: &'static str = "tagmill";
}

/// The functions of a table of shared names.
type Rules<F> = HashMap<(System, &'static str), Arc<F>>;

/// Replaces calls of shared names by those of the dialect.
#[derive(Debug)]
pub(super) struct DialectRules {
    scalars: Rules<ScalarUDF>,
    aggregates: Rules<AggregateUDF>,
    over: Rules<AggregateUDF>,
    count_distinct: Rules<AggregateUDF>,
}

/// The functions, by their names, that a table names.
fn rules<F: Clone>(table: &[Shared], functions: &[F], name: fn(&F) -> &str) -> Rules<F> {
    let named = |shared: &Shared| {
        let function = functions.iter().find(|f| name(f) == shared.function)?;
        Some(((shared.system, shared.name), Arc::new(function.clone())))
    };
    table.iter().filter_map(named).collect()
}

impl DialectRules {
    /// The rules for these functions.
    pub(super) fn new(scalars: &[ScalarUDF], aggregates: &[AggregateUDF]) -> Self {
        let of = |table| rules(table, aggregates, AggregateUDF::name);
        Self {
            scalars: rules(SHARED, scalars, ScalarUDF::name),
            aggregates: of(SHARED),
            over: of(SHARED_OVER),
            count_distinct: of(COUNT_DISTINCT),
        }
    }
}

/// The system's function under a name.
fn lookup<F>(rules: &Rules<F>, system: System, name: &str) -> Option<Arc<F>> {
    rules
        .iter()
        .find(|((owner, shared), _)| *owner == system && *shared == name)
        .map(|(_, function)| Arc::clone(function))
}

impl DialectRules {
    /// The system's aggregate for one that is used as a window function.
    fn of_window(
        &self,
        system: System,
        function: &WindowFunctionDefinition,
    ) -> Option<Arc<AggregateUDF>> {
        match function {
            WindowFunctionDefinition::AggregateUDF(function) => {
                lookup(&self.over, system, function.name())
                    .or_else(|| lookup(&self.aggregates, system, function.name()))
            }
            _ => None,
        }
    }

    /// The system's aggregate for a call; `count(DISTINCT bitmap)` counts users.
    fn of_aggregate(
        &self,
        system: System,
        mut call: AggregateFunction,
        schema: &DFSchema,
    ) -> Result<Transformed<AggregateFunction>> {
        let name = call.func.name();
        if let [argument] = call.params.args.as_slice()
            && call.params.distinct
            && let Some(func) = lookup(&self.count_distinct, system, name)
            && argument.get_type(schema)?.is_binary()
        {
            call.params.distinct = false;
            return Ok(Transformed::yes(AggregateFunction { func, ..call }));
        }
        Ok(match lookup(&self.aggregates, system, name) {
            Some(func) => Transformed::yes(AggregateFunction { func, ..call }),
            None => Transformed::no(call),
        })
    }
}

impl FunctionRewrite for DialectRules {
    fn name(&self) -> &str {
        "tagmill_dialect"
    }

    fn rewrite(
        &self,
        expr: Expr,
        schema: &DFSchema,
        config: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        let Some(system) = config
            .extensions
            .get::<TagmillOptions>()
            .and_then(|options| options.dialect.system())
        else {
            return Ok(Transformed::no(expr));
        };
        Ok(match expr {
            Expr::ScalarFunction(call) => match lookup(&self.scalars, system, call.func.name()) {
                Some(function) => Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(
                    function, call.args,
                ))),
                None => Transformed::no(Expr::ScalarFunction(call)),
            },
            Expr::AggregateFunction(call) => self
                .of_aggregate(system, call, schema)?
                .update_data(Expr::AggregateFunction),
            Expr::WindowFunction(mut call) => match self.of_window(system, &call.fun) {
                Some(function) => {
                    call.fun = WindowFunctionDefinition::AggregateUDF(function);
                    Transformed::yes(Expr::WindowFunction(call))
                }
                None => Transformed::no(Expr::WindowFunction(call)),
            },
            other => Transformed::no(other),
        })
    }
}
