//! A rule's tokens: DataFusion's SQL tokenizer held to the words and signs of the rule language.
//!
//! Every SQL keyword the language does not use becomes an ordinary name, so that tags may be called
//! `position` or `date` and the parser can not wander into subqueries, casts or windows. Limits
//! make a hostile rule an error with a position: the parser and everything after it recurse at most
//! as deep as they allow.

use std::fmt;

use sqlparser::ast::Expr;
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Word};

use super::RuleError;
use super::names::cut;

/// Bytes of a rule's text; more ids than fit belong in a list.
const MAX_BYTES: usize = 65_536;
/// Names and operators; constants and commas do not count.
const MAX_WORDS: usize = 2_000;
/// Parentheses inside each other.
const MAX_DEPTH: usize = 50;
/// NOT and signs in a row.
const MAX_PREFIXES: usize = 4;

/// Standard SQL names and strings, Unicode letters in names, nothing else.
#[derive(Debug)]
pub(crate) struct RuleDialect;

impl Dialect for RuleDialect {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    /// Names and constants at once: the parser would first try each as the name of a type, at twice
    /// the time of a rule.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Number(..) | Token::SingleQuotedString(_) => {
                Some(parser.parse_value().map(Expr::Value))
            }
            Token::Word(Word {
                keyword: Keyword::NoKeyword,
                ..
            }) if parser.peek_nth_token_ref(1).token != Token::LParen => {
                Some(parser.parse_identifier().map(Expr::Identifier))
            }
            _ => None,
        }
    }

    /// Without this the parser tries what follows a failed NOT a second time, as a name: 2^n
    /// attempts.
    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        matches!(keyword, Keyword::NOT | Keyword::INTERVAL)
    }
}

/// The tokens of a rule without white space and comments; never empty.
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<TokenWithSpan>,
    /// Where the text ends.
    pub(crate) end: Location,
}

pub(crate) fn tokenize(rule: &str) -> Result<Tokens, RuleError> {
    let start = Location::new(1, 1);
    if rule.len() > MAX_BYTES {
        return Err(RuleError::at(
            start,
            format!(
                "the rule has {} bytes, expected at most {MAX_BYTES}",
                rule.len()
            ),
        ));
    }
    let all = Tokenizer::new(&RuleDialect, rule).tokenize_with_location();
    let all = all.map_err(|error| RuleError::at(error.location, lower_first(&error.message)))?;
    let mut tokens: Vec<_> = all
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .collect();
    let Some(last) = tokens.last() else {
        return Err(RuleError::at(start, "the rule is empty"));
    };
    let end = last.span.end;
    free_names(&mut tokens);
    check(&tokens)?;
    Ok(Tokens { tokens, end })
}

/// Takes the keyword from every word that is not one here.
fn free_names(tokens: &mut [TokenWithSpan]) {
    for index in 0..tokens.len() {
        let is_keyword = match &tokens[index].token {
            Token::Word(word) => is_keyword(word, index, tokens),
            _ => continue,
        };
        if let (false, Token::Word(word)) = (is_keyword, &mut tokens[index].token) {
            word.keyword = Keyword::NoKeyword;
        }
    }
}

fn is_keyword(word: &Word, index: usize, tokens: &[TokenWithSpan]) -> bool {
    let next = || tokens.get(index + 1).map(|next| &next.token);
    let is_text = |token: Option<&Token>| matches!(token, Some(Token::SingleQuotedString(_)));
    let is_number = |token: Option<&Token>| matches!(token, Some(Token::Number(..)));
    match word.keyword {
        Keyword::AND
        | Keyword::OR
        | Keyword::NOT
        | Keyword::IN
        | Keyword::BETWEEN
        | Keyword::LIKE
        | Keyword::ILIKE => true,
        Keyword::IS | Keyword::NULL | Keyword::TRUE | Keyword::FALSE => true,
        Keyword::DATE | Keyword::ESCAPE => is_text(next()),
        Keyword::INTERVAL => is_text(next()) || is_number(next()),
        Keyword::DAY | Keyword::DAYS => {
            index >= 2 && is_unquoted(&tokens[index - 2].token, "interval")
        }
        _ => false,
    }
}

fn is_unquoted(token: &Token, name: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name))
}

fn check(tokens: &[TokenWithSpan]) -> Result<(), RuleError> {
    let (mut words, mut depth, mut prefixes) = (0, 0_usize, 0);
    for (index, token) in tokens.iter().enumerate() {
        let refuse = |message: String| Err(RuleError::at(token.span.start, message));
        if let Some(message) = refusal(index, tokens) {
            return refuse(message);
        }
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        prefixes = if is_prefix(&token.token) {
            prefixes + 1
        } else {
            0
        };
        words += usize::from(!is_constant_or_comma(index, tokens));
        if depth > MAX_DEPTH {
            return refuse(format!("parentheses are nested deeper than {MAX_DEPTH}"));
        }
        if prefixes > MAX_PREFIXES {
            return refuse(format!("more than {MAX_PREFIXES} NOT or signs in a row"));
        }
        if words > MAX_WORDS {
            return refuse(format!(
                "the rule has more than {MAX_WORDS} names and operators; split it with in_group()"
            ));
        }
    }
    Ok(())
}

fn is_prefix(token: &Token) -> bool {
    matches!(token, Token::Minus | Token::Plus)
        || matches!(token, Token::Word(word) if word.keyword == Keyword::NOT)
}

/// A sign before a number belongs to the constant: a list of negative numbers is as long as one of
/// others.
fn is_constant_or_comma(index: usize, tokens: &[TokenWithSpan]) -> bool {
    match &tokens[index].token {
        Token::Number(..) | Token::SingleQuotedString(_) | Token::Comma => true,
        Token::Minus => matches!(
            tokens.get(index + 1).map(|next| &next.token),
            Some(Token::Number(..))
        ),
        _ => false,
    }
}

/// Why a token has no place in a rule.
fn refusal(index: usize, tokens: &[TokenWithSpan]) -> Option<String> {
    let foreign = |what: &dyn fmt::Display| {
        Some(format!(
            "{} is not part of the rule language",
            cut(&what.to_string())
        ))
    };
    match &tokens[index].token {
        Token::Word(word) if word.quote_style.is_some() => None,
        Token::Word(word) if is_foreign(word) => foreign(&word.value.to_uppercase()),
        Token::Word(word) if is_infix(word.keyword) && !ends_operand(index, tokens) => {
            Some(format!("expected an expression, found {}", word.value))
        }
        Token::Word(word) if word.keyword == Keyword::IS => is_refusal(index, tokens),
        Token::Word(_) | Token::Number(_, false) | Token::SingleQuotedString(_) => None,
        Token::LParen | Token::RParen | Token::Comma | Token::Plus | Token::Minus => None,
        Token::RArrow => None,
        Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq => None,
        Token::DoubleEq => Some("found ==, expected =".to_owned()),
        Token::Period => Some("found a dot; a tag name with a dot needs double quotes".to_owned()),
        Token::DoubleQuotedString(text) => foreign(text),
        other => foreign(other),
    }
}

/// Words that open a construct people know from queries.
fn is_foreign(word: &Word) -> bool {
    ["select", "case", "cast", "exists"]
        .iter()
        .any(|name| word.value.eq_ignore_ascii_case(name))
}

fn is_infix(keyword: Keyword) -> bool {
    use Keyword::{AND, BETWEEN, ILIKE, IN, IS, LIKE, OR};
    matches!(keyword, AND | OR | IN | BETWEEN | LIKE | ILIKE | IS)
}

/// Whether an infix word can follow what stands before it; the parser would take the word for a
/// name.
fn ends_operand(index: usize, tokens: &[TokenWithSpan]) -> bool {
    match index.checked_sub(1).map(|before| &tokens[before].token) {
        Some(Token::Word(word)) if word.keyword == Keyword::NOT => ends_operand(index - 1, tokens),
        Some(Token::Word(word)) => !is_infix(word.keyword),
        Some(token) => matches!(
            token,
            Token::RParen | Token::Number(..) | Token::SingleQuotedString(_)
        ),
        None => false,
    }
}

fn is_refusal(index: usize, tokens: &[TokenWithSpan]) -> Option<String> {
    let keyword = |index: usize| match tokens.get(index).map(|token| &token.token) {
        Some(Token::Word(word)) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let after = if keyword(index + 1) == Keyword::NOT {
        index + 2
    } else {
        index + 1
    };
    match keyword(after) {
        Keyword::NULL | Keyword::TRUE | Keyword::FALSE => None,
        _ => Some("expected NULL, TRUE or FALSE after IS".to_owned()),
    }
}

pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
