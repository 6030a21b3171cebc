//! LIKE patterns: `%` any characters, `_` one character, an escape that makes the next one
//! ordinary.

use std::str::Chars;

enum Piece {
    Many,
    One,
    Ordinary(char),
}

fn piece(pattern: &mut Chars<'_>, escape: char) -> Option<Piece> {
    match pattern.next()? {
        sign if sign == escape => pattern.next().map(Piece::Ordinary),
        '%' => Some(Piece::Many),
        '_' => Some(Piece::One),
        other => Some(Piece::Ordinary(other)),
    }
}

/// Whether the last sign of a pattern is an escape with nothing to escape.
pub(crate) fn ends_in_escape(pattern: &str, escape: char) -> bool {
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        if sign == escape && signs.next().is_none() {
            return true;
        }
    }
    false
}

/// Whether the whole text matches. After a mismatch only the last `%` takes one character more:
/// what earlier ones took is already the least they need, so the time is at most the product of
/// both lengths.
pub(crate) fn matches(text: &str, pattern: &str, escape: char, case_insensitive: bool) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    let mut last_many: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let (mut next_text, mut next_pattern) = (text.clone(), pattern.clone());
        let is_match = match piece(&mut next_pattern, escape) {
            Some(Piece::Many) if next_pattern.as_str().is_empty() => return true,
            Some(Piece::Many) => {
                last_many = Some((text.clone(), next_pattern.clone()));
                true
            }
            Some(Piece::One) => next_text.next().is_some(),
            Some(Piece::Ordinary(sign)) => next_text
                .next()
                .is_some_and(|found| is_same(found, sign, case_insensitive)),
            None if text.as_str().is_empty() => return true,
            None => false,
        };
        if is_match {
            (text, pattern) = (next_text, next_pattern);
            continue;
        }
        let Some((taken, rest)) = &mut last_many else {
            return false;
        };
        if taken.next().is_none() {
            return false;
        }
        (text, pattern) = (taken.clone(), rest.clone());
    }
}

fn is_same(a: char, b: char, case_insensitive: bool) -> bool {
    a == b
        || case_insensitive
            && (a.eq_ignore_ascii_case(&b)
                || !(a.is_ascii() && b.is_ascii()) && a.to_lowercase().eq(b.to_lowercase()))
}
