//! How a table function is called: `did(app, event, days[, condition[, release]])`, and arguments by
//! name: `did('tea_shop', 'visit', days => '2026-11-19')`.

use datafusion::common::{plan_datafusion_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::planner::{
    RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, TableFactor, Value};
use tagmill_schemas::nearest::nearest;

/// Those of every table function that takes arguments by name.
const ALL: &[&str] = &[
    super::members::MEMBERS,
    super::members::AUDIENCE,
    super::of_user::GROUPS_OF,
    super::of_user::TAGS_OF,
    super::events::DID,
    super::events::EVENT_SETS,
    super::events::EVENT_STATS,
    super::analysis::EVENT_TOTALS,
    super::analysis::EVENT_ROLLUP,
    super::analysis::EVENT_HISTOGRAM,
    super::analysis::EVENT_QUANTILES,
    super::analysis::RETENTION,
    super::analysis::RETENTION_TRIANGLE,
    super::funnel::FUNNEL,
];

/// A call's form: its name, then its parameters, of which those in brackets may be left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax(pub(super) &'static str);

impl Syntax {
    /// The function's name.
    pub(super) fn name(self) -> &'static str {
        self.0.split_once('(').map_or(self.0, |(name, _)| name)
    }

    /// The names of its parameters.
    pub(super) fn parameters(self) -> impl Iterator<Item = &'static str> {
        let (_, all) = self.0.split_once('(').unwrap_or_default();
        let names = all.split([',', '[', ']', ')']).map(str::trim);
        names.filter(|name| !name.is_empty())
    }

    /// How many have to be there.
    pub(super) fn least(self) -> usize {
        let needed = self.0.split_once('[').map_or(self.0, |(needed, _)| needed);
        Syntax(needed).parameters().count()
    }

    /// The place of a parameter, from 0.
    pub(super) fn place(self, name: &str) -> Option<usize> {
        self.parameters().position(|known| known == name)
    }

    /// The arguments in the order of the parameters; NULL where one is left out before another.
    fn placed(self, arguments: Vec<FunctionArg>) -> Result<Vec<FunctionArg>> {
        let mut placed: Vec<Option<FunctionArgExpr>> = Vec::new();
        let mut is_named = false;
        for argument in arguments {
            let (at, expr) = match argument {
                FunctionArg::Unnamed(_) if is_named => {
                    return plan_err!("{}: an argument without a name is after one with", self.0);
                }
                FunctionArg::Unnamed(expr) => (placed.len(), expr),
                FunctionArg::Named { name, arg, .. } => {
                    is_named = true;
                    (self.named(&name.value)?, arg)
                }
                FunctionArg::ExprNamed { name, arg, .. } => {
                    is_named = true;
                    (self.named(&name.to_string())?, arg)
                }
            };
            placed.resize(placed.len().max(at + 1), None);
            if placed[at].replace(expr).is_some() {
                let name = self.parameters().nth(at).unwrap_or_default();
                return plan_err!("{}: argument {name} is given twice", self.0);
            }
        }
        let missing = placed.iter().take(self.least()).position(Option::is_none);
        let missing = missing.or_else(|| (placed.len() < self.least()).then_some(placed.len()));
        if let Some(name) = missing.and_then(|at| self.parameters().nth(at)) {
            return plan_err!("{}: argument {name} is missing", self.0);
        }
        let null = || FunctionArgExpr::Expr(Expr::value(Value::Null));
        let all = placed.into_iter();
        Ok(all
            .map(|expr| FunctionArg::Unnamed(expr.unwrap_or_else(null)))
            .collect())
    }

    fn named(self, name: &str) -> Result<usize> {
        self.place(name).ok_or_else(|| self.unknown(name))
    }

    fn unknown(self, name: &str) -> DataFusionError {
        match nearest(name, self.parameters()) {
            Some(near) => plan_datafusion_err!(
                "{}: found no argument {name:?}, did you mean {near:?}?",
                self.0
            ),
            None => plan_datafusion_err!("{}: found no argument {name:?}", self.0),
        }
    }
}

/// Registers arguments by name for all table functions of a release.
///
/// # Errors
/// Those of the session.
pub(super) fn register(ctx: &SessionContext) -> Result<()> {
    ctx.register_relation_planner(std::sync::Arc::new(NamedArguments))
}

/// Puts named arguments into their places.
#[derive(Debug)]
struct NamedArguments;

impl RelationPlanner for NamedArguments {
    fn plan_relation(
        &self,
        mut relation: TableFactor,
        _: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let is_named = |argument: &FunctionArg| !matches!(argument, FunctionArg::Unnamed(_));
        if let TableFactor::Table {
            name,
            args: Some(args),
            ..
        } = &mut relation
            && args.args.iter().any(is_named)
            && let Some(syntax) = syntax_of(&name.to_string())
        {
            args.args = Syntax(syntax).placed(std::mem::take(&mut args.args))?;
        }
        Ok(RelationPlanning::Original(Box::new(relation)))
    }
}

/// How a table function of a release is called, such as `did(app, event, days[, condition[, release]])`;
/// `None` for any other.
pub fn syntax_of(name: &str) -> Option<&'static str> {
    let mut all = ALL.iter().copied();
    all.find(|text| Syntax(text).name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_a_name_and_parameters_of_which_some_are_needed() {
        let did = Syntax("did(app, event, days[, condition[, release]])");
        assert_eq!(did.name(), "did");
        let names: Vec<&str> = did.parameters().collect();
        assert_eq!(names, ["app", "event", "days", "condition", "release"]);
        assert_eq!((did.least(), did.place("condition")), (3, Some(3)));
        let spaced = Syntax("totals(app [, by, release])");
        assert_eq!((spaced.least(), spaced.place("release")), (1, Some(2)));
    }
}
