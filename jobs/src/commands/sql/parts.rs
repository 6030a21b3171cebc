//! What a text holds: SQL, and commands of the prompt, each on a line of its own between statements.
//! The same is understood at the prompt, in `-c`, in files and in piped text.
//!
//! ```text
//! \d groups          Part::Command
//! SELECT app         Part::Sql, up to the next command: statements, ended by semicolons
//! FROM groups;
//! quit               Part::Command
//! ```

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use tagmill_schemas::{Error, Result};

/// A command of the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `\d`: which tables and views there are.
    Tables,
    /// `\d NAME`: columns of one.
    Columns(String),
    /// `\h` and `\h PATTERN`: which functions there are, of these names.
    Functions(Option<String>),
    /// `\h NAME`: what one does.
    Function(String),
    /// `\?`, `help`.
    Help,
    /// `\q`, `quit`, `exit`.
    Quit,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Statements, behind as many empty lines as stand before them: parsers count lines.
    Sql(String),
    /// A command.
    Command(Command),
}

/// The parts of a text, in order.
///
/// # Errors
/// Setup for a backslash with which no command begins.
pub(super) fn parts(text: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let (mut open, mut has_sql) = (String::new(), false);
    for (at, line) in text.lines().enumerate() {
        let is_between = !has_sql || is_ended(&open);
        match command(line).filter(|_| is_between) {
            Some(command) => {
                if has_sql {
                    parts.push(Part::Sql(std::mem::take(&mut open)));
                    has_sql = false;
                }
                parts.push(Part::Command(command?));
                open = "\n".repeat(at);
            }
            None => {
                has_sql |= !is_blank(line);
                open.push_str(line);
            }
        }
        open.push('\n');
    }
    if has_sql {
        parts.push(Part::Sql(open));
    }
    Ok(parts)
}

/// Whether nothing more is expected behind what was typed: nothing, one command, or statements whose
/// last one is ended.
pub(super) fn is_whole(text: &str) -> bool {
    is_blank(text) || (command(text).is_some() && !text.trim().contains('\n')) || is_ended(text)
}

/// Whether the last statement of a text has its semicolon; one inside a string or a comment is none.
fn is_ended(text: &str) -> bool {
    let Some(tokens) = tokens(text).filter(|_| text.contains(';')) else {
        return false;
    };
    tokens.last() == Some(&Token::SemiColon)
}

/// Whether a text has nothing but space and comments.
fn is_blank(text: &str) -> bool {
    tokens(text).is_some_and(|tokens| tokens.is_empty())
}

/// The tokens of a text that has no open string, without space and comments.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize().ok()?;
    let is_sql = |token: &Token| !matches!(token, Token::Whitespace(_) | Token::EOF);
    Some(tokens.into_iter().filter(is_sql).collect())
}

/// The command that a line is; `None` for a line of SQL.
fn command(line: &str) -> Option<Result<Command>> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    let pattern = Some(argument).filter(|argument| !argument.is_empty());
    Some(Ok(match (name, pattern) {
        ("\\d", None) => Command::Tables,
        ("\\d", Some(table)) => Command::Columns(table.to_owned()),
        ("\\h", Some(name)) if !name.contains(['%', '*']) => Command::Function(name.to_owned()),
        ("\\h", pattern) => Command::Functions(pattern.map(|text| text.replace('*', "%"))),
        ("\\?" | "help", None) => Command::Help,
        ("\\q" | "quit" | "exit", None) => Command::Quit,
        _ if name.starts_with('\\') => {
            return Some(Err(Error::setup(
                "sql",
                format!("found {name}, expected \\d, \\h, \\? or \\q"),
            )
            .fix("see \\?")));
        }
        _ => return None,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn sql(text: &str) -> Part {
        Part::Sql(text.to_owned())
    }

    #[test]
    fn commands_stand_between_statements_and_lines_keep_their_numbers() {
        let text = "\\d groups\n-- sizes\nSELECT 1;\nSELECT\n';';\nhelp;\nSELECT 2\nquit\n";
        assert_eq!(
            parts(text).unwrap(),
            [
                Part::Command(Command::Columns("groups".to_owned())),
                sql("\n-- sizes\nSELECT 1;\nSELECT\n';';\n"),
                Part::Command(Command::Help),
                sql("\n\n\n\n\n\nSELECT 2\nquit\n"),
            ]
        );
        assert_eq!(parts(" -- nothing\n").unwrap(), []);
    }

    #[test]
    fn a_semicolon_in_a_string_or_comment_ends_nothing() {
        for whole in [
            "",
            "SELECT ';';",
            "SELECT 1; -- it's",
            "\\d",
            "quit;",
            "HELP;",
        ] {
            assert!(is_whole(whole), "{whole}");
        }
        for open in [
            "SELECT 'a;",
            "SELECT 1 -- ;",
            "SELECT 1",
            "SELECT\nquit",
            "/* ;",
        ] {
            assert!(!is_whole(open), "{open}");
        }
    }

    #[test]
    fn names_patterns_and_unknown_commands_are_told_apart() {
        let one = |text| match parts(text).unwrap().as_slice() {
            [Part::Command(command)] => command.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(one("\\h"), Command::Functions(None));
        assert_eq!(
            one("\\h bitmap*"),
            Command::Functions(Some("bitmap%".to_owned()))
        );
        assert_eq!(
            one("\\h bitmap_or;"),
            Command::Function("bitmap_or".to_owned())
        );
        assert_eq!(one("exit"), Command::Quit);
        let error = parts("\\pset maxrows 5").unwrap_err().to_string();
        assert!(error.contains("found \\pset, expected \\d, "), "{error}");
    }
}
