//! How deeply SQL is nested: parsing, planning and evaluating an expression recurse as deep as it
//! is, and a stack that ends takes the process with it.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use tagmill_schemas::Error;

/// Levels that every stack of ours holds several times over.
const MOST_LEVELS: usize = 1_000;

/// Refuses SQL of more than 1,000 levels. Each bracket and each operator of a chain (`a + b + c`) is
/// a level; elements of a list are beside each other. Text that is no SQL passes: who parses it says
/// what is wrong.
///
/// # Errors
/// Setup, with the levels found.
pub fn check_depth(stage: &'static str, sql: &str) -> Result<(), Error> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else {
        return Ok(());
    };
    match levels(&tokens) {
        found if found > MOST_LEVELS => Err(Error::setup(
            stage,
            format!("found SQL of {found} levels, expected at most {MOST_LEVELS}"),
        )
        .fix("write chains of OR and = as IN (...), or split it")),
        _ => Ok(()),
    }
}

/// Levels of one bracket.
#[derive(Default)]
struct Bracket {
    /// Operators since the last comma or clause.
    expression: usize,
    /// Joined tables and queries, which clauses do not end.
    relation: usize,
}

/// The deepest level: the brackets that are open, with the levels of each.
fn levels(tokens: &[Token]) -> usize {
    let (mut open, mut deepest, mut sum) = (vec![Bracket::default()], 0, 0);
    for token in tokens {
        let Some(last) = open.last_mut() else {
            break;
        };
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                open.push(Bracket::default());
                sum += 1;
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                sum -= last.expression + last.relation;
                *last = Bracket::default();
                if open.len() > 1 {
                    open.pop();
                    sum -= 1;
                }
            }
            token if is_separator(token) => {
                sum -= last.expression;
                last.expression = 0;
            }
            token if is_relation(token) => {
                last.relation += 1;
                sum += 1;
            }
            token if is_level(token) => {
                last.expression += 1;
                sum += 1;
            }
            _ => {}
        }
        deepest = deepest.max(sum);
    }
    deepest
}

fn is_separator(token: &Token) -> bool {
    let is_clause = |keyword: &Keyword| {
        matches!(
            keyword,
            Keyword::SELECT
                | Keyword::FROM
                | Keyword::WHERE
                | Keyword::GROUP
                | Keyword::HAVING
                | Keyword::ORDER
                | Keyword::LIMIT
        )
    };
    match token {
        Token::Comma | Token::SemiColon => true,
        Token::Word(word) => word.quote_style.is_none() && is_clause(&word.keyword),
        _ => false,
    }
}

/// Words that join two queries or two tables.
fn is_relation(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && matches!(
                    word.keyword,
                    Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::JOIN
                )
        }
        _ => false,
    }
}

/// Words and signs under which another expression stands.
fn is_level(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && matches!(
                    word.keyword,
                    Keyword::AND
                        | Keyword::OR
                        | Keyword::NOT
                        | Keyword::CASE
                        | Keyword::WHEN
                        | Keyword::ELSE
                        | Keyword::LIKE
                        | Keyword::IS
                )
        }
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::Whitespace(_)
        | Token::Period
        | Token::Placeholder(_)
        | Token::EOF => false,
        _ => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn told(sql: &str) -> usize {
        levels(&Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap())
    }

    #[test]
    fn chains_and_brackets_are_deep_and_lists_are_not() {
        assert_eq!(told("a + b + c"), 2);
        assert_eq!(told("f((a + 1), b)"), 3);
        assert_eq!(told(&format!("a IN ({})", vec!["1"; 9_000].join(", "))), 1);
        assert_eq!(told("SELECT a + 1, b + 1 FROM t WHERE a = 1 AND b = 2"), 3);
        assert_eq!(told("'a + b' || \"c + d\" -- + + +"), 1);
    }

    #[test]
    fn what_no_stack_can_hold_is_an_error() {
        for deep in [
            vec!["a"; 50_000].join(" + "),
            vec!["a = 1"; 50_000].join(" OR "),
            format!("{}a{}", "(".repeat(50_000), ")".repeat(50_000)),
            format!("{} a", "NOT ".repeat(50_000)),
            format!("{}a", "- ".repeat(50_000)),
            vec!["SELECT 1"; 50_000].join(" UNION "),
        ] {
            let error = check_depth("test", &deep).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{}", &deep[..20]);
        }
        check_depth("test", "it's no sql").unwrap();
    }
}
