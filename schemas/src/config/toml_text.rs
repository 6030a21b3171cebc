//! From text to a TOML document, with what people mistake in it.

use toml::Spanned;
use toml::de::DeTable;

use super::section::Document;
use crate::error::{Error, Result};
use crate::problem::Code;

/// The document's table.
///
/// # Errors
/// Setup for text that is no TOML: all that the parser found.
pub(super) fn parse<'d>(document: &Document<'d>) -> Result<Spanned<DeTable<'d>>> {
    let (table, errors) = DeTable::parse_recoverable(document.text);
    let mistake = |error: &toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let what = format!("not toml: {}", error.message());
        let mistake = document.error(at, what).with_code(Code::Toml);
        match advice(document.text, at) {
            Some(advice) => mistake.fix(advice),
            None => mistake,
        }
    };
    match Error::of_all(errors.iter().map(mistake).collect()) {
        None => Ok(table),
        Some(mistakes) => Err(mistakes),
    }
}

/// What helps against a mistake at this byte: text without quotes, or with those of a word processor.
fn advice(text: &str, at: usize) -> Option<String> {
    let line_start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(line_start..)?.lines().next()?;
    if line.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
        return Some("quotes have to be straight: \" or '".to_owned());
    }
    let before = line.get(..at - line_start)?;
    let is_word = |c: char| c.is_alphanumeric() || "_-./{}:*".contains(c);
    let start = before.rfind(|c: char| !is_word(c)).map_or(0, |i| {
        i + before[i..].chars().next().map_or(1, char::len_utf8)
    });
    let word: String = line[start..].chars().take_while(|c| is_word(*c)).collect();
    let is_value = line[..start].trim_end().ends_with(['=', '[', ',']);
    (is_value && word.starts_with(char::is_alphabetic))
        .then(|| format!("text needs quotes: \"{word}\""))
}
