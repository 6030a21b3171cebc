//! From the syntax tree to an expression: names are looked up, constants typed, everything unknown
//! refused.

use std::ops::Bound;

use chrono::NaiveDate;
use sql::{BinaryOperator, UnaryOperator};
use sqlparser::ast as sql;
use sqlparser::tokenizer::Location;
use tagmill_schemas::{Value, ValueType};

use super::constant::{article, value};
use super::names::{cut, quoted, unknown};
use super::never;
use super::parse::position;
use super::refusal::refused_clock;
use super::syntax::{flipped, inner, is_constant, operands, start, text_of};
use super::window_state::WindowState;
use super::{
    Atom, Expr, Lint, Names, Reference, RuleError, TagInfo, Test, behaviour, function, like, range,
};

/// A tag in a rule, or a number of a behaviour.
struct Tag<'e> {
    name: &'e str,
    info: TagInfo,
    /// Of a behaviour which number.
    state: Option<Box<WindowState>>,
    at: Location,
}

/// One rule on its way.
pub(crate) struct Lowering<'a> {
    names: &'a dyn Names,
    run_date: NaiveDate,
    references: Vec<Reference>,
    lints: Vec<Lint>,
}

type Result<T> = std::result::Result<T, RuleError>;

impl<'a> Lowering<'a> {
    pub(crate) fn new(names: &'a dyn Names, run_date: NaiveDate) -> Self {
        Self {
            names,
            run_date,
            references: Vec::new(),
            lints: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> (Vec<Reference>, Vec<Lint>) {
        (self.references, self.lints)
    }

    /// An expression that is true or false for a user.
    pub(crate) fn condition(&mut self, expr: &sql::Expr) -> Result<Expr> {
        match expr {
            sql::Expr::Nested(expr) => self.condition(expr),
            sql::Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => Ok(self.condition(expr)?.negate()),
            sql::Expr::BinaryOp {
                op: op @ (BinaryOperator::And | BinaryOperator::Or),
                ..
            } => self.connective(expr, op),
            sql::Expr::BinaryOp { left, op, right } if flipped(op).is_some() => {
                self.comparison(left, op, right)
            }
            sql::Expr::Between {
                expr,
                negated,
                low,
                high,
            } => self.between(expr, *negated, low, high),
            sql::Expr::InList {
                expr,
                list,
                negated,
            } => self.in_values(expr, *negated, list),
            sql::Expr::Like {
                expr,
                negated,
                pattern,
                escape_char,
                any: false,
            } => self.like(expr, *negated, pattern, escape_char.as_ref(), false),
            sql::Expr::ILike {
                expr,
                negated,
                pattern,
                escape_char,
                any: false,
            } => self.like(expr, *negated, pattern, escape_char.as_ref(), true),
            sql::Expr::IsNull(expr) => Ok(has(&self.tag(expr)?).negate()),
            sql::Expr::IsNotNull(expr) => Ok(has(&self.tag(expr)?)),
            sql::Expr::IsTrue(expr) => self.truth(expr, true),
            sql::Expr::IsFalse(expr) => self.truth(expr, false),
            sql::Expr::IsNotTrue(expr) => Ok(self.truth(expr, true)?.negate()),
            sql::Expr::IsNotFalse(expr) => Ok(self.truth(expr, false)?.negate()),
            sql::Expr::Identifier(_) => self.truth(expr, true),
            sql::Expr::Value(sql::ValueWithSpan {
                value: sql::Value::Boolean(truth),
                ..
            }) => Ok(if *truth { Expr::All } else { Expr::None }),
            sql::Expr::Function(function) => {
                function::condition(function, self.names, &mut self.references)
            }
            other => Err(RuleError::at(
                start(other),
                "expected a condition on a tag, as in age >= 18",
            )),
        }
    }

    fn connective(&mut self, expr: &sql::Expr, op: &BinaryOperator) -> Result<Expr> {
        let members: Result<Vec<_>> = operands(expr, op)
            .into_iter()
            .map(|member| self.condition(member))
            .collect();
        match op {
            BinaryOperator::Or => Ok(Expr::or(members?)),
            _ => {
                let all = Expr::and(members?);
                if let Expr::And(members) = &all
                    && let Some(tag) = never::excluded(members, self.names)
                {
                    let tag = quoted(tag);
                    let what =
                        format!("can never be true: no value of {tag} fulfils all conditions");
                    self.lint(start(expr), what);
                }
                Ok(self.merge_ranges(all))
            }
        }
    }

    /// `age >= 25 AND age < 37` is `age BETWEEN 25 AND 36` for a tag with at most one value, and
    /// one atom instead of two.
    fn merge_ranges(&self, expr: Expr) -> Expr {
        let Expr::And(members) = expr else {
            return expr;
        };
        let mut merged: Vec<Expr> = Vec::with_capacity(members.len());
        for member in members {
            let pair = merged
                .iter()
                .enumerate()
                .find_map(|(index, other)| Some((index, self.merged(other, &member)?)));
            match pair {
                Some((index, both)) => merged[index] = both,
                None => merged.push(member),
            }
        }
        Expr::and(merged)
    }

    fn merged(&self, a: &Expr, b: &Expr) -> Option<Expr> {
        let ((tag, low, high), (other, other_low, other_high)) = (range_of(a)?, range_of(b)?);
        if tag != other || self.names.tag(tag)?.multi {
            return None;
        }
        let (low, high) = range::intersect(
            (low.clone(), high.clone()),
            (other_low.clone(), other_high.clone()),
        );
        let both = Test::between(low, high);
        Some(both.map_or(Expr::None, |test| Expr::some_value(tag, test)))
    }

    fn comparison(
        &mut self,
        left: &sql::Expr,
        op: &BinaryOperator,
        right: &sql::Expr,
    ) -> Result<Expr> {
        match (is_constant(left), is_constant(right)) {
            (false, true) => self.compare(left, op, right),
            (true, false) => self.compare(right, &flipped(op).unwrap_or(BinaryOperator::Eq), left),
            (true, true) => Err(RuleError::at(
                start(left),
                "expected a tag on one side of the comparison, found two constants",
            )),
            (false, false) => Err(self.two_sides(left, right)),
        }
    }

    /// Why a comparison without a constant is refused.
    fn two_sides(&self, left: &sql::Expr, right: &sql::Expr) -> RuleError {
        let name = |expr| match inner(expr) {
            sql::Expr::Identifier(name) => Some(name.value.as_str()),
            _ => None,
        };
        match (self.tag(left), name(left).zip(name(right))) {
            (Err(error), _) => error,
            (Ok(_), Some((a, b))) if self.names.tag(b).is_some() => {
                let message = format!(
                    "tag {} is compared with tag {}, expected a constant",
                    quoted(a),
                    quoted(b)
                );
                RuleError::at(start(right), message)
            }
            (Ok(tag), _) => match value(right, tag.name, tag.info.value_type, self.run_date) {
                Err(error) => error,
                Ok(_) => RuleError::at(start(right), "expected a value"),
            },
        }
    }

    fn compare(
        &mut self,
        tag: &sql::Expr,
        op: &BinaryOperator,
        constant: &sql::Expr,
    ) -> Result<Expr> {
        let tag = self.tag(tag)?;
        let value = self.value(constant, &tag)?;
        let (low, high) = match op {
            BinaryOperator::Eq => return Ok(some_value(&tag, Test::In(vec![value]))),
            BinaryOperator::NotEq => return Ok(self.negated(&tag, Test::In(vec![value]))),
            BinaryOperator::Lt => (Bound::Unbounded, Bound::Excluded(value)),
            BinaryOperator::LtEq => (Bound::Unbounded, Bound::Included(value)),
            BinaryOperator::Gt => (Bound::Excluded(value), Bound::Unbounded),
            _ => (Bound::Included(value), Bound::Unbounded),
        };
        has_order(&tag)?;
        Ok(Test::between(low, high).map_or(Expr::None, |test| some_value(&tag, test)))
    }

    fn between(
        &mut self,
        tag: &sql::Expr,
        negated: bool,
        low: &sql::Expr,
        high: &sql::Expr,
    ) -> Result<Expr> {
        let tag = self.tag(tag)?;
        has_order(&tag)?;
        let bounds = (
            Bound::Included(self.value(low, &tag)?),
            Bound::Included(self.value(high, &tag)?),
        );
        match (Test::between(bounds.0, bounds.1), negated) {
            (Some(test), false) => Ok(some_value(&tag, test)),
            (Some(test), true) => Ok(self.negated(&tag, test)),
            (None, _) => {
                self.lint(
                    tag.at,
                    "BETWEEN has its greater bound first: no value is between them".to_owned(),
                );
                Ok(if negated { has(&tag) } else { Expr::None })
            }
        }
    }

    fn in_values(&mut self, tag: &sql::Expr, negated: bool, list: &[sql::Expr]) -> Result<Expr> {
        let tag = self.tag(tag)?;
        let values: Result<Vec<_>> = list
            .iter()
            .map(|constant| self.value(constant, &tag))
            .collect();
        let mut values = values?;
        values.sort_unstable();
        values.dedup();
        match (values.as_slice(), negated) {
            ([Value::Boolean(_), Value::Boolean(_)], true) => Ok(Expr::None),
            ([Value::Boolean(_), Value::Boolean(_)], false) => Ok(has(&tag)),
            (_, true) => Ok(self.negated(&tag, Test::In(values))),
            (_, false) => Ok(some_value(&tag, Test::In(values))),
        }
    }

    fn like(
        &mut self,
        tag: &sql::Expr,
        negated: bool,
        pattern: &sql::Expr,
        escape: Option<&sql::ValueWithSpan>,
        case_insensitive: bool,
    ) -> Result<Expr> {
        let tag = self.tag(tag)?;
        if tag.info.value_type != ValueType::String {
            let message = format!(
                "tag {} is {}: LIKE needs a string",
                quoted(tag.name),
                article(tag.info.value_type)
            );
            return Err(RuleError::at(tag.at, message));
        }
        let Some(text) = text_of(pattern) else {
            return Err(self
                .value(pattern, &tag)
                .err()
                .unwrap_or_else(|| RuleError::at(start(pattern), "expected a pattern")));
        };
        let escape = escape_sign(escape)?;
        if like::ends_in_escape(text, escape) {
            return Err(RuleError::at(
                start(pattern),
                format!("the pattern ends in its escape sign {escape}"),
            ));
        }
        let test = Test::Like {
            pattern: text.to_owned(),
            case_insensitive,
            escape,
        };
        Ok(if negated {
            self.negated(&tag, test)
        } else {
            some_value(&tag, test)
        })
    }

    /// A boolean tag that has this value.
    fn truth(&self, tag: &sql::Expr, truth: bool) -> Result<Expr> {
        let tag = self.tag(tag)?;
        match tag.info.value_type {
            ValueType::Boolean => Ok(Expr::some_value(
                tag.name,
                Test::In(vec![Value::Boolean(truth)]),
            )),
            other => {
                let message = format!(
                    "tag {} is {}, not a condition: compare it with a value",
                    quoted(tag.name),
                    article(other)
                );
                Err(RuleError::at(tag.at, message))
            }
        }
    }

    /// `<>`, NOT IN, NOT LIKE, NOT BETWEEN, and what they mean for a user with several values.
    fn negated(&mut self, tag: &Tag<'_>, test: Test) -> Expr {
        if tag.info.multi {
            let positive = some_value(tag, test.clone()).to_string();
            let positive = if positive.len() > 200 {
                format!("{} ...", quoted(tag.name))
            } else {
                positive
            };
            let message = format!(
                "tag {} has several values, so this means \"has some other value\"; for users \
                 without the value write NOT ({positive})",
                quoted(tag.name)
            );
            self.lint(tag.at, message);
        }
        some_value(tag, test.negated())
    }

    fn lint(&mut self, at: Location, message: String) {
        let (line, column) = position(at);
        self.lints.push(Lint {
            line,
            column,
            message,
        });
    }

    fn tag<'e>(&self, expr: &'e sql::Expr) -> Result<Tag<'e>> {
        let at = start(expr);
        match inner(expr) {
            sql::Expr::Identifier(name) => match self.names.tag(&name.value) {
                Some(info) => Ok(Tag {
                    name: &name.value,
                    info,
                    state: None,
                    at,
                }),
                None if name.quote_style.is_none() && refused_clock(&name.value).is_some() => Err(
                    RuleError::at(at, refused_clock(&name.value).unwrap_or_default()),
                ),
                None => Err(RuleError::at(
                    at,
                    unknown(self.names.tag_kind(), &name.value, self.names.tag_names()),
                )),
            },
            sql::Expr::Function(function) => {
                let state = behaviour::state(function, self.names, self.run_date)?;
                Ok(Tag {
                    name: state.what.function(),
                    info: TagInfo {
                        value_type: state.value_type(),
                        multi: false,
                    },
                    state: Some(Box::new(state)),
                    at,
                })
            }
            sql::Expr::BinaryOp { .. } | sql::Expr::UnaryOp { .. } => Err(RuleError::at(
                at,
                "expected a tag by itself, found arithmetic or another comparison",
            )),
            sql::Expr::Value(found) => Err(RuleError::at(
                at,
                format!("expected a tag, found {}", cut(&found.value.to_string())),
            )),
            _ => Err(RuleError::at(at, "expected a tag")),
        }
    }

    fn value(&self, constant: &sql::Expr, tag: &Tag<'_>) -> Result<Value> {
        match inner(constant) {
            sql::Expr::Identifier(name) if self.names.tag(&name.value).is_some() => {
                let message = format!(
                    "tag {} is compared with tag {}, expected a constant",
                    quoted(tag.name),
                    quoted(&name.value)
                );
                Err(RuleError::at(name.span.start, message))
            }
            _ => {
                let value = value(constant, tag.name, tag.info.value_type, self.run_date)?;
                match &tag.state {
                    Some(_) if behaviour::is_rounded(&value, constant) => Err(RuleError::at(
                        start(constant),
                        format!(
                            "expected a number of at most {} digits",
                            behaviour::EXACT_DIGITS
                        ),
                    )),
                    _ => Ok(value),
                }
            }
        }
    }
}

/// Users with a value of the tag that passes.
fn some_value(tag: &Tag<'_>, test: Test) -> Expr {
    match &tag.state {
        None => Expr::some_value(tag.name, test),
        Some(state) => Expr::Atom(Atom::Behaviour {
            state: state.clone(),
            test: Some(test),
        }),
    }
}

/// Users with a value; who did not do what is counted has the number 0.
fn has(tag: &Tag<'_>) -> Expr {
    match &tag.state {
        None => Expr::Atom(Atom::Has {
            tag: tag.name.to_owned(),
        }),
        Some(state) if state.may_be_absent() => Expr::Atom(Atom::Behaviour {
            state: state.clone(),
            test: None,
        }),
        Some(_) => Expr::All,
    }
}

fn has_order(tag: &Tag<'_>) -> Result<()> {
    match tag.info.value_type {
        ValueType::Boolean => Err(RuleError::at(
            tag.at,
            format!(
                "tag {} is a boolean: it has no order, use = or <>",
                quoted(tag.name)
            ),
        )),
        _ => Ok(()),
    }
}

fn escape_sign(escape: Option<&sql::ValueWithSpan>) -> Result<char> {
    let Some(escape) = escape else {
        return Ok('\\');
    };
    let sign = match &escape.value {
        sql::Value::SingleQuotedString(text) => {
            let mut signs = text.chars();
            signs.next().filter(|_| signs.next().is_none())
        }
        _ => None,
    };
    sign.ok_or_else(|| RuleError::at(escape.span.start, "expected one character after ESCAPE"))
}

fn range_of(expr: &Expr) -> Option<(&str, &Bound<Value>, &Bound<Value>)> {
    match expr {
        Expr::Atom(Atom::Tag {
            tag,
            test: Test::Range { low, high },
        }) => Some((tag, low, high)),
        _ => None,
    }
}
