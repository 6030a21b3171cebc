//! Text from outside as a person is shown it: one line, of bounded length, without what a terminal
//! obeys, without secrets.
//!
//! Names, causes and urls come from data and from libraries; errors and log lines are made of them.

use std::fmt;

/// Longer text is cut: a column's name may be a megabyte.
const MOST_CHARS: usize = 2_000;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// Parameters of urls, and names in stores' own options, whose values are secrets; compared without
/// case, `-` and `_`.
const SECRET_NAMES: [&str; 17] = [
    "accesskey",
    "accesskeyid",
    "accesstoken",
    "apikey",
    "awsaccesskeyid",
    "awssecretaccesskey",
    "awssessiontoken",
    "key",
    "passwd",
    "password",
    "pwd",
    "secret",
    "secretaccesskey",
    "secretkey",
    "sig",
    "signature",
    "token",
];

/// Beginnings of such names, of signed urls above all.
const SECRET_BEGINNINGS: [&str; 4] = ["xamz", "xgoog", "awssecret", "secret"];

/// Text whose `Display` is one line: control and format characters escaped, user and password and
/// secret parameters of urls replaced by `***`, cut after 2,000 characters with the count of those
/// left out.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = without_secrets(self.0.trim_end());
        let mut rest = text.chars();
        for c in rest.by_ref().take(MOST_CHARS) {
            match is_obeyed(c) {
                true => write!(f, "{}", c.escape_debug())?,
                false => write!(f, "{c}")?,
            }
        }
        match rest.count() {
            0 => Ok(()),
            left => write!(f, "... ({left} more characters)"),
        }
    }
}

/// Control characters, and those without a width that change how the text around them is shown:
/// directions, joiners, marks of a byte order, tags.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// What of a url is secret: `user or password`, or the name of a parameter; `None` when nothing is.
pub fn secret_in(url: &str) -> Option<&str> {
    match next_secret(url) {
        None => None,
        Some(Secret::User(..)) => Some("user or password"),
        Some(Secret::Parameter { name, .. }) => Some(name),
    }
}

/// The text with every secret of its urls replaced.
fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(secret) = next_secret(rest) {
        let (start, end) = match secret {
            Secret::User(start, end) | Secret::Parameter { start, end, .. } => (start, end),
        };
        shown.push_str(&rest[..start]);
        shown.push_str(HIDDEN);
        rest = &rest[end..];
    }
    shown + rest
}

/// Bytes of a text that are secret.
enum Secret<'a> {
    User(usize, usize),
    Parameter {
        name: &'a str,
        start: usize,
        end: usize,
    },
}

impl Secret<'_> {
    fn start(&self) -> usize {
        match self {
            Self::User(start, _) | Self::Parameter { start, .. } => *start,
        }
    }
}

fn next_secret(text: &str) -> Option<Secret<'_>> {
    let found = [user(text), parameter(text)].into_iter().flatten();
    found.min_by_key(Secret::start)
}

/// The first `user:password@`, or `user@` behind `://`, also where a url is not well written: with one
/// slash, none, or a slash inside the password.
fn user(text: &str) -> Option<Secret<'_>> {
    let mut from = 0;
    let words = text.split(|c: char| c.is_whitespace() || "\"'<>)(,;".contains(c));
    for word in words {
        let at = from;
        from += word.len()
            + text[from + word.len()..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
        if let Some((start, end)) = user_in(word) {
            return Some(Secret::User(at + start, at + end));
        }
    }
    None
}

/// Where the user of one url, or what may be meant for one, stands.
fn user_in(word: &str) -> Option<(usize, usize)> {
    let query = word.find(['?', '#']).unwrap_or(word.len());
    let place = &word[..query];
    let hidden = |start: usize, end: usize| (&place[start..end] != HIDDEN).then_some((start, end));
    let Some((scheme, _)) = place.split_once("://") else {
        // `https:/user:password@host`, `user:password@host`
        let end = place.rfind('@')?;
        let colon = place[..end].rfind(':')?;
        let start = place[..colon]
            .rfind(['/', ':'])
            .map_or(0, |before| before + 1);
        let is_password = colon + 1 < end && start < colon;
        return is_password.then(|| hidden(start, end))?;
    };
    let start = place.len() - place[scheme.len() + 1..].trim_start_matches('/').len();
    let authority = place[start..].split('/').next().unwrap_or_default();
    if let Some(length) = authority.rfind('@') {
        return hidden(start, start + length);
    }
    let port = authority.rsplit_once(':')?.1;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) || port.ends_with(']');
    let end = place.rfind('@').filter(|_| !is_port)?;
    hidden(start, end)
}

/// The first parameter of a query whose value is a secret.
fn parameter(text: &str) -> Option<Secret<'_>> {
    text.match_indices(['?', '&']).find_map(|(at, _)| {
        let rest = &text[at + 1..];
        let (name, value) = rest.split_once('=')?;
        if !is_secret_name(name) {
            return None;
        }
        let end = value.find(|c: char| c.is_whitespace() || "&#\"'<>);,".contains(c));
        let start = at + 1 + name.len() + 1;
        let end = start + end.unwrap_or(value.len());
        let is_told = end > start && &text[start..end] != HIDDEN;
        is_told.then_some(Secret::Parameter { name, start, end })
    })
}

fn is_secret_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_word) {
        return false;
    }
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_NAMES.contains(&plain.as_str())
        || SECRET_BEGINNINGS
            .iter()
            .any(|start| plain.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Shown(text).to_string()
    }

    #[test]
    fn users_passwords_and_secret_parameters_are_hidden_wherever_they_stand() {
        for (text, expected) in [
            (
                "at http://user:s3cr3t@host/a: refused",
                "at http://***@host/a: refused",
            ),
            ("s3://KEY:SE@CRET@bucket/w", "s3://***@bucket/w"),
            (
                "s3://b/w?aws_secret_access_key=abc&x=1",
                "s3://b/w?aws_secret_access_key=***&x=1",
            ),
            (
                "GET https://h/a?x=1&X-Amz-Signature=ff%2F&sig=2 in 1ms",
                "GET https://h/a?x=1&X-Amz-Signature=***&sig=*** in 1ms",
            ),
            (
                "a http://u:p@h and b http://v:q@i/",
                "a http://***@h and b http://***@i/",
            ),
            ("at https:/u:s3cr3t@h/x: no", "at https:/***@h/x: no"),
            (
                "found \"s3:u:s3cr3t@b\", expected",
                "found \"s3:***@b\", expected",
            ),
            ("https:///u:s3cr3t@h/x", "https:///***@h/x"),
            ("HTTPS://u:s3/cr3t@h/x", "HTTPS://***@h/x"),
            ("u:s3cr3t@h/x", "***@h/x"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "s3://bucket/dt=1/a@b.parquet",
            "http://host/a?page=2&keys=3",
            "mail a@b.example, what? key = 4",
            "s3://bucket/a b@c",
            "http://host:80/a@b",
            "http://[::1]:80/a@b",
            "w.toml:7:1, source a@b",
            "",
        ] {
            assert_eq!(shown(text), text);
            assert_eq!(secret_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_url_says_what_of_it_is_secret() {
        assert_eq!(secret_in("http://u@h/x"), Some("user or password"));
        assert_eq!(secret_in("s3://b/w?Token=1"), Some("Token"));
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_long_text_is_cut() {
        assert_eq!(
            shown("a\u{202e}b\u{1b}[2J\u{feff}\n"),
            "a\\u{202e}b\\u{1b}[2J\\u{feff}"
        );
        let long = "é".repeat(100_000);
        assert_eq!(
            shown(&long),
            format!("{}... (98000 more characters)", "é".repeat(2_000))
        );
    }
}
