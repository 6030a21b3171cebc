//! Words of a rule. Reads text, writes tokens.

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A keyword or name, as written.
    Word(String),
    /// Text between single quotes, doubled quotes undone.
    Text(String),
    /// A number.
    Number(f64),
    /// Punctuation or an operator.
    Sign(&'static str),
}

const SIGNS: [&str; 12] = [
    "<>", "!=", "<=", ">=", "<", ">", "=", "(", ")", ",", "-", "+",
];

/// Cuts a rule into tokens.
///
/// # Errors
/// What can not be cut.
pub fn tokens(rule: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = rule.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' => quoted(rest, '\'').map(|(text, length)| (Token::Text(text), length))?,
            '"' => quoted(rest, '"').map(|(text, length)| (Token::Word(text), length))?,
            '0'..='9' => number(rest)?,
            _ if first.is_alphabetic() || first == '_' => word(rest),
            _ => sign(rest)?,
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn quoted(rest: &str, quote: char) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            text.push(quote);
            chars.next();
        } else {
            return Ok((text, at + 1));
        }
    }
    Err(format!("no closing {quote}"))
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    let length = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let value = rest[..length]
        .parse()
        .map_err(|_| format!("{} is no number", &rest[..length]))?;
    Ok((Token::Number(value), length))
}

fn word(rest: &str) -> (Token, usize) {
    let length = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    (Token::Word(rest[..length].to_owned()), length)
}

fn sign(rest: &str) -> Result<(Token, usize), String> {
    let found = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    found
        .map(|sign| (Token::Sign(sign), sign.len()))
        .ok_or_else(|| format!("unexpected {:?}", rest.chars().next()))
}
