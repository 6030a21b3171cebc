//! Keys of RIGHT and FULL JOIN ... USING: what a query calls by the key's bare name is the key of
//! either side.
//!
//! DataFusion 55 takes the left side's column, which is NULL in rows of the right side alone. Here
//! the bare name is written out before a query is planned; a name with its table stays that
//! table's. `stock_datafusion_still_loses_keys` falls when this is no longer needed.
//!
//! ```text
//! SELECT k, n FROM a FULL JOIN b USING (k)  ─►  SELECT coalesce(a.k, b.k) AS k, n FROM a FULL JOIN b USING (k)
//! ```

use std::ops::ControlFlow;

use datafusion::error::Result;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName,
    OrderByExpr, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    TableFactor, TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
};
use tagmill_engine::external;
use tagmill_schemas::Error;

/// The statement with the keys of outer joins whole.
///
/// # Errors
/// Setup for a join whose keys can not be named: an outer one behind others, or of a table without
/// a name.
pub(super) fn with_whole_keys(mut statement: Statement) -> Result<Statement> {
    let found = match &mut statement {
        Statement::Statement(statement) => statement.visit(&mut Queries),
        Statement::Explain(explain) => {
            let inner = with_whole_keys((*explain.statement).clone())?;
            *explain.statement = inner;
            ControlFlow::Continue(())
        }
        Statement::CopyTo(copy) => match &mut copy.source {
            datafusion::sql::parser::CopyToSource::Query(query) => query.visit(&mut Queries),
            datafusion::sql::parser::CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        _ => ControlFlow::Continue(()),
    };
    match found {
        ControlFlow::Continue(()) => Ok(statement),
        ControlFlow::Break(error) => Err(external(error)),
    }
}

/// Every query of a statement.
struct Queries;

impl VisitorMut for Queries {
    type Break = Error;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        match in_body(&mut query.body) {
            Ok(keys) => {
                let order = query.order_by.as_mut().map(|order| &mut order.kind);
                if let Some(OrderByKind::Expressions(order)) = order {
                    order.iter_mut().for_each(|key| keys.in_order(key));
                }
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The keys of a SELECT, which its ORDER BY may name; none of several SELECTs.
fn in_body(body: &mut SetExpr) -> Result<Keys, Error> {
    match body {
        SetExpr::Select(select) => in_select(select),
        SetExpr::SetOperation { left, right, .. } => {
            in_body(left)?;
            in_body(right)?;
            Ok(Keys::default())
        }
        _ => Ok(Keys::default()),
    }
}

fn in_select(select: &mut Select) -> Result<Keys, Error> {
    let mut keys = Keys::default();
    for tables in &select.from {
        keys.add(tables)?;
    }
    if keys.0.is_empty() {
        if let ([tables], Some(condition)) = (select.from.as_slice(), &mut select.selection) {
            Keys::of_left(tables).in_expression(condition);
        }
        return Ok(keys);
    }
    if select.from.len() > 1 {
        return Err(unclear(
            "beside other tables",
            "join them by CROSS JOIN in a subquery",
        ));
    }
    let items = std::mem::take(&mut select.projection);
    select.projection = items
        .into_iter()
        .flat_map(|item| keys.in_item(item))
        .collect();
    let conditions = [
        &mut select.selection,
        &mut select.having,
        &mut select.qualify,
    ];
    conditions
        .into_iter()
        .flatten()
        .for_each(|condition| keys.in_expression(condition));
    if let GroupByExpr::Expressions(groups, _) = &mut select.group_by {
        groups
            .iter_mut()
            .for_each(|group| keys.in_expression(group));
    }
    Ok(keys)
}

/// Columns that joins are made on, each with the tables whose column it is.
#[derive(Default)]
struct Keys(Vec<(Ident, Vec<Ident>)>);

impl Keys {
    /// Adds those of joined tables.
    fn add(&mut self, tables: &TableWithJoins) -> Result<(), Error> {
        for (at, join) in tables.joins.iter().enumerate() {
            let Some(columns) = outer_columns(join)? else {
                continue;
            };
            let names = [name_of(&tables.relation), name_of(&join.relation)];
            let [Some(left), Some(right)] = names else {
                return Err(unclear("of a subquery without a name", "give it a name"));
            };
            let is_next =
                |other: &Join| matches!(constraint(other), Some(JoinConstraint::Using(_)));
            if at > 0 || tables.joins[at + 1..].iter().any(is_next) {
                return Err(unclear("beside other joins", "write ON a.key = b.key"));
            }
            for column in columns {
                self.0.push((column, vec![left.clone(), right.clone()]));
            }
        }
        Ok(())
    }

    /// Those of a first INNER or LEFT JOIN, of which the left side's column is never NULL alone.
    /// DataFusion 55 knows them by their bare names everywhere but in WHERE.
    fn of_left(tables: &TableWithJoins) -> Self {
        let first = tables.joins.first().map(|join| &join.join_operator);
        let (
            Some(
                JoinOperator::Join(by)
                | JoinOperator::Inner(by)
                | JoinOperator::Left(by)
                | JoinOperator::LeftOuter(by),
            ),
            Some(left),
        ) = (first, name_of(&tables.relation))
        else {
            return Self::default();
        };
        let columns = columns_of(by).into_iter();
        Self(columns.map(|column| (column, vec![left.clone()])).collect())
    }

    /// The key that an expression is.
    fn of(&self, expression: &Expr) -> Option<&(Ident, Vec<Ident>)> {
        let Expr::Identifier(name) = expression else {
            return None;
        };
        let folded = |ident: &Ident| match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_ascii_lowercase(),
        };
        self.0.iter().find(|(key, _)| folded(key) == folded(name))
    }

    /// An item of a SELECT, under the name that it had.
    fn in_item(&self, item: SelectItem) -> Vec<SelectItem> {
        match item {
            SelectItem::Wildcard(options) if options.opt_exclude.is_none() => {
                let keys = self.0.iter().map(|key| SelectItem::ExprWithAlias {
                    expr: whole(key),
                    alias: key.0.clone(),
                });
                keys.chain(self.others(&options)).collect()
            }
            SelectItem::UnnamedExpr(mut expr) => {
                let name = match &expr {
                    Expr::Identifier(name) => name.clone(),
                    other => Ident::with_quote('"', other.to_string()),
                };
                let before = expr.clone();
                self.in_expression(&mut expr);
                vec![match expr == before {
                    true => SelectItem::UnnamedExpr(expr),
                    false => SelectItem::ExprWithAlias { expr, alias: name },
                }]
            }
            SelectItem::ExprWithAlias { mut expr, alias } => {
                self.in_expression(&mut expr);
                vec![SelectItem::ExprWithAlias { expr, alias }]
            }
            other => vec![other],
        }
    }

    /// All other columns of the tables.
    fn others(&self, options: &WildcardAdditionalOptions) -> Vec<SelectItem> {
        let names = self.0.iter().map(|(key, _)| ObjectName::from(key.clone()));
        let options = WildcardAdditionalOptions {
            opt_exclude: Some(ExcludeSelectItem::Multiple(names.collect())),
            ..options.clone()
        };
        let tables = self.0.first().map(|(_, tables)| tables);
        let of_table = |table: &Ident| {
            let table =
                SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(table.clone()));
            SelectItem::QualifiedWildcard(table, options.clone())
        };
        tables.into_iter().flatten().map(of_table).collect()
    }

    fn in_expression(&self, expression: &mut Expr) {
        let mut names = Names {
            keys: self,
            depth: 0,
        };
        let _ = expression.visit(&mut names);
    }

    fn in_order(&self, key: &mut OrderByExpr) {
        self.in_expression(&mut key.expr);
    }
}

/// Bare names of keys in an expression, outside of its subqueries.
struct Names<'a> {
    keys: &'a Keys,
    depth: usize,
}

impl VisitorMut for Names<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Some(key) = self.keys.of(expression)
        {
            *expression = whole(key);
        }
        ControlFlow::Continue(())
    }
}

/// `coalesce(left.key, right.key)`; of one table, its column.
fn whole((key, tables): &(Ident, Vec<Ident>)) -> Expr {
    let column = |table: &Ident| Expr::CompoundIdentifier(vec![table.clone(), key.clone()]);
    if let [table] = tables.as_slice() {
        return column(table);
    }
    let argument = |table: &Ident| FunctionArg::Unnamed(FunctionArgExpr::Expr(column(table)));
    Expr::Function(Function {
        name: ObjectName::from(Ident::new("coalesce")),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: tables.iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// The columns of a RIGHT or FULL JOIN ... USING.
fn outer_columns(join: &Join) -> Result<Option<Vec<Ident>>, Error> {
    let (JoinOperator::Right(by) | JoinOperator::RightOuter(by) | JoinOperator::FullOuter(by)) =
        &join.join_operator
    else {
        return Ok(None);
    };
    match by {
        JoinConstraint::Using(_) => Ok(Some(columns_of(by))),
        JoinConstraint::Natural => Err(unclear("by NATURAL", "write USING (key)")),
        JoinConstraint::On(_) | JoinConstraint::None => Ok(None),
    }
}

/// The columns of USING.
fn columns_of(by: &JoinConstraint) -> Vec<Ident> {
    let JoinConstraint::Using(columns) = by else {
        return Vec::new();
    };
    let names = columns
        .iter()
        .map(|column| column.0.last()?.as_ident().cloned());
    names.flatten().collect()
}

fn constraint(join: &Join) -> Option<&JoinConstraint> {
    match &join.join_operator {
        JoinOperator::Join(by)
        | JoinOperator::Inner(by)
        | JoinOperator::Left(by)
        | JoinOperator::LeftOuter(by)
        | JoinOperator::Right(by)
        | JoinOperator::RightOuter(by)
        | JoinOperator::FullOuter(by) => Some(by),
        _ => None,
    }
}

/// The name by which a query calls a table.
fn name_of(table: &TableFactor) -> Option<Ident> {
    match table {
        TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } => Some(alias.name.clone()),
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().cloned(),
        _ => None,
    }
}

fn unclear(what: &str, fix: &str) -> Error {
    let what = format!("found the keys of a RIGHT or FULL JOIN {what}, which may be NULL");
    Error::setup("sql", what).fix(fix)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;
    use datafusion::sql::parser::DFParser;

    const BEFORE: &str = "(VALUES (1, 10), (3, 30)) AS a(k, x)";
    const AFTER: &str = "(VALUES (2, 20), (3, 31)) AS b(k, y)";

    async fn rows(statement: Statement) -> String {
        let ctx = SessionContext::new();
        let plan = ctx.state().statement_to_plan(statement).await.unwrap();
        let batches = ctx.execute_logical_plan(plan).await.unwrap();
        let text = batches.to_string().await.unwrap();
        let rows = text.lines().filter(|line| line.starts_with('|')).skip(1);
        let words = rows.map(|row| row.split(['|', ' ']).filter(|w| !w.is_empty()).collect());
        words
            .map(|row: Vec<&str>| row.join(" "))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn parsed(items: &str, rest: &str) -> Statement {
        let sql = format!("SELECT {items} FROM {BEFORE} FULL JOIN {AFTER} USING (k) {rest}");
        DFParser::parse_sql(&sql).unwrap().pop_front().unwrap()
    }

    #[tokio::test]
    async fn stock_datafusion_still_loses_keys() {
        let found = rows(parsed("k", "ORDER BY y")).await;
        assert!(
            found.split(", ").count() == 3 && !found.contains('2'),
            "cured: remove this: {found}"
        );
    }

    #[tokio::test]
    async fn a_bare_name_is_the_key_of_either_side() {
        for (items, rest, expected) in [
            ("k", "ORDER BY k", "1, 2, 3"),
            ("*", "ORDER BY k DESC", "3 30 31, 2 20, 1 10"),
            ("K + 1 AS n", "WHERE k > 1 ORDER BY k", "3, 4"),
            (
                "k, count(*)",
                "GROUP BY k HAVING k < 3 ORDER BY k",
                "1 1, 2 1",
            ),
            (
                "max(k), (SELECT max(k) FROM (VALUES (9)) AS c(k))",
                "",
                "3 9",
            ),
            ("b.k", "WHERE a.k IS NULL", "2"),
        ] {
            let statement = with_whole_keys(parsed(items, rest)).unwrap();
            assert_eq!(rows(statement).await, expected, "{items} {rest}");
        }
    }

    fn inner(rest: &str) -> Statement {
        let sql = format!("SELECT k, y FROM {BEFORE} LEFT JOIN {AFTER} USING (k) {rest}");
        DFParser::parse_sql(&sql).unwrap().pop_front().unwrap()
    }

    #[tokio::test]
    async fn a_bare_name_in_where_is_the_key_of_the_left_side() {
        let found = with_whole_keys(inner(
            "WHERE k > 1 AND k IN (SELECT k FROM (VALUES (3)) AS d(k))",
        ));
        assert_eq!(rows(found.unwrap()).await, "3 31");
        let ctx = SessionContext::new();
        let stock = ctx.state().statement_to_plan(inner("WHERE k > 1")).await;
        assert!(stock.is_err(), "cured: remove of_left");
    }

    #[test]
    fn keys_that_can_not_be_named_are_refused() {
        for sql in [
            "SELECT k FROM a FULL JOIN b USING (k) FULL JOIN c USING (k)",
            "SELECT k FROM a JOIN b ON a.k = b.k RIGHT JOIN c USING (k)",
            "SELECT k FROM a NATURAL FULL JOIN b",
            "SELECT k FROM (SELECT 1 AS k) FULL JOIN b USING (k)",
            "EXPLAIN SELECT * FROM a FULL JOIN b USING (k), c",
        ] {
            let statement = DFParser::parse_sql(sql).unwrap().pop_front().unwrap();
            assert!(with_whole_keys(statement).is_err(), "{sql}");
        }
    }
}
