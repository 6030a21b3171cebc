//! What is wrong with something that a person wrote, as an object: for programs, and for editors that
//! jump to `path:line:column`.

use std::fmt;

use serde::Serialize;

use crate::outside::Shown;

/// A place in a text file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The configuration is not TOML.
    Toml,
    /// A key that is not known, or not there.
    Key,
    /// A value of a key that is not as it should be.
    Value,
    /// An expression that is not SQL over one row.
    Expression,
    /// A column that the files do not have.
    Column,
    /// A column or an expression of a type that can not be taken.
    Type,
    /// A rule that is not computed.
    Rule,
    /// A row of group rules or of a registry that is not used.
    Row,
    /// What is told of a night, and is at no place.
    Note,
    /// Nothing is wrong, but something else may be meant.
    Hint,
}

impl Code {
    /// As `--output json` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Key => "key",
            Self::Value => "value",
            Self::Expression => "expression",
            Self::Column => "column",
            Self::Type => "type",
            Self::Rule => "rule",
            Self::Row => "row",
            Self::Note => "note",
            Self::Hint => "hint",
        }
    }
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A name of [`Code`], or the stage that found it.
    pub code: &'static str,
    /// The file, or what else it is about; `None` when there is nothing to look at.
    pub file: Option<String>,
    /// From 1; of a Parquet file the row.
    pub line: Option<u64>,
    /// In characters, from 1.
    pub column: Option<u64>,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Problem {
    /// One that is not in a file.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.name(),
            file: None,
            line: None,
            column: None,
            message: message.into(),
            fix: None,
        }
    }

    /// The same in a line of a file.
    #[must_use]
    pub fn in_line(self, file: impl Into<String>, line: u64) -> Self {
        Self {
            file: Some(file.into()),
            line: Some(line),
            ..self
        }
    }

    /// The same at a position.
    #[must_use]
    pub fn at_position(self, position: &Position) -> Self {
        Self {
            file: Some(position.file.clone()),
            line: Some(position.line),
            column: Some(position.column),
            ..self
        }
    }

    /// The same at a place like `groups/tea.ndjson:3`.
    #[must_use]
    pub fn at_place(self, place: &str) -> Self {
        let parts = place.rsplit_once(':');
        let line = parts.and_then(|(file, line)| Some((file, line.parse().ok()?)));
        match line {
            Some((file, line)) => self.in_line(file, line),
            None => Self {
                file: Some(place.to_owned()),
                ..self
            },
        }
    }
}

/// `path:line:column: message; what to do`: one line.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", Shown(file))?;
            for number in self.line.iter().chain(&self.column) {
                write!(f, "{number}:")?;
            }
            f.write_str(" ")?;
        }
        write!(f, "{}", Shown(&self.message))?;
        match &self.fix {
            Some(fix) => write!(f, "; {}", Shown(fix)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_editors_read_it() {
        let plain = Problem::new(Code::Row, "found\nnothing");
        assert_eq!(plain.to_string(), "found\\nnothing");
        let placed = plain.clone().at_place("g/a.ndjson:3");
        assert_eq!(placed.to_string(), "g/a.ndjson:3: found\\nnothing");
        let whole = Problem {
            column: Some(7),
            fix: Some("mend it".to_owned()),
            ..placed
        };
        assert_eq!(
            whole.to_string(),
            "g/a.ndjson:3:7: found\\nnothing; mend it"
        );
        let folder = plain.at_place("s3://bucket/g");
        assert_eq!(folder.to_string(), "s3://bucket/g: found\\nnothing");
    }
}
