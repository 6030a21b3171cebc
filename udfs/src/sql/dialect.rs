//! `SET tagmill.dialect`: whose rules hold for names that several systems share.
//!
//! A call of a shared name is replaced when the plan is made, so the plan says which function runs
//! and needs no setting to travel with it.

use super::names::{SHARED, System};
use datafusion::common::config::{ConfigExtension, ConfigField, Visit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, config_err, extensions_options};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{AggregateUDF, Expr, ScalarUDF, WindowFunctionDefinition};
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

/// Replaces calls of shared names by those of the dialect.
#[derive(Debug)]
pub(super) struct DialectRules {
    scalars: HashMap<(System, &'static str), Arc<ScalarUDF>>,
    aggregates: HashMap<(System, &'static str), Arc<AggregateUDF>>,
}

impl DialectRules {
    /// The rules for these functions.
    pub(super) fn new(scalars: &[ScalarUDF], aggregates: &[AggregateUDF]) -> Self {
        let scalar = |name: &str| {
            scalars
                .iter()
                .find(|function| function.name() == name)
                .map(|function| Arc::new(function.clone()))
        };
        let aggregate = |name: &str| {
            aggregates
                .iter()
                .find(|function| function.name() == name)
                .map(|function| Arc::new(function.clone()))
        };
        Self {
            scalars: SHARED
                .iter()
                .filter_map(|shared| Some(((shared.system, shared.name), scalar(shared.function)?)))
                .collect(),
            aggregates: SHARED
                .iter()
                .filter_map(|shared| {
                    Some(((shared.system, shared.name), aggregate(shared.function)?))
                })
                .collect(),
        }
    }
}

/// The system's function under a name.
fn lookup<F>(
    functions: &HashMap<(System, &'static str), Arc<F>>,
    system: System,
    name: &str,
) -> Option<Arc<F>> {
    functions
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
                lookup(&self.aggregates, system, function.name())
            }
            _ => None,
        }
    }
}

impl FunctionRewrite for DialectRules {
    fn name(&self) -> &str {
        "tagmill_dialect"
    }

    fn rewrite(
        &self,
        expr: Expr,
        _schema: &DFSchema,
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
            Expr::AggregateFunction(call) => {
                match lookup(&self.aggregates, system, call.func.name()) {
                    Some(func) => Transformed::yes(Expr::AggregateFunction(AggregateFunction {
                        func,
                        params: call.params,
                    })),
                    None => Transformed::no(Expr::AggregateFunction(call)),
                }
            }
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
