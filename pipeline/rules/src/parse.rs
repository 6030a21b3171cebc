//! A rule's syntax tree, from DataFusion's SQL parser, and the parser's complaints in our words.

use sqlparser::ast as sql;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token};

use super::RuleError;
use super::names::cut;
use super::token::{RuleDialect, Tokens, lower_first, tokenize};

/// Above what the limits on tokens let through; a second fence.
const MAX_RECURSION: usize = 400;

pub(crate) fn parse(rule: &str) -> Result<sql::Expr, RuleError> {
    let Tokens { tokens, end } = tokenize(rule)?;
    let mut parser = Parser::new(&RuleDialect)
        .with_recursion_limit(MAX_RECURSION)
        .with_tokens_with_locations(tokens);
    let parsed = parser.parse_expr().map_err(|error| explain(&error, end))?;
    let next = parser.peek_token_ref();
    match &next.token {
        Token::EOF => Ok(parsed),
        found => {
            let found = cut(&found.to_string());
            Err(RuleError::at(
                next.span.start,
                format!("expected AND, OR or the end of the rule, found {found}"),
            ))
        }
    }
}

/// The parser's `Expected: an expression, found: EOF at Line: 1, Column: 5`, which has no position
/// at the end.
fn explain(error: &ParserError, end: Location) -> RuleError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            return RuleError::at(end, "the rule is nested too deeply");
        }
    };
    let (text, location) = split_location(text).unwrap_or((text, end));
    let message = match text
        .strip_prefix("Expected: ")
        .and_then(|rest| rest.split_once(", found: "))
    {
        Some((expected, "EOF")) => format!("expected {expected}, found the end of the rule"),
        Some((expected, found)) => format!("expected {expected}, found {}", cut(found)),
        None => lower_first(&cut(text)),
    };
    RuleError::at(location, message)
}

fn split_location(text: &str) -> Option<(&str, Location)> {
    let (message, location) = text.rsplit_once(" at Line: ")?;
    let (line, column) = location.split_once(", Column: ")?;
    Some((
        message,
        Location::new(line.parse().ok()?, column.parse().ok()?),
    ))
}

impl RuleError {
    pub(crate) fn at(location: Location, message: impl Into<String>) -> Self {
        let (line, column) = position(location);
        Self {
            line,
            column,
            message: message.into(),
        }
    }
}

/// Line and column from 1; what the parser gives no position for is at the start.
pub(crate) fn position(location: Location) -> (u32, u32) {
    let clamp = |number: u64| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
    (clamp(location.line), clamp(location.column))
}
