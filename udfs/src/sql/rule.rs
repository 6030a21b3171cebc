//! A rule over named sets, such as `(A|B)&(C-D)`: its text, and its result.
//!
//! ```text
//! rule := operand { operator operand }      operators are equal in rank and are applied from left to right
//! operand := name | ( rule )                & intersection, | union, - difference, ^ exclusive or
//! ```
//! A backslash makes the next character part of a name; spaces and tabs end a name.

use tagmill_bitmap::{BitmapRef, Defect, and, and_not, or, xor};

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Take the set with this number.
    Take(usize),
    /// Combine the last two.
    Combine(char),
}

/// A parsed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// The names that occur, each once.
    pub(super) names: Vec<String>,
    steps: Vec<Step>,
}

/// What a token is.
enum Token {
    Name(String),
    Sign(char),
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            names: Vec::new(),
            steps: Vec::new(),
        };
        let mut waiting: Vec<char> = Vec::new();
        let mut wants_operand = true;
        for (at, token) in tokens(text)? {
            match token {
                Token::Name(name) if wants_operand => {
                    let number = rule.number(name);
                    rule.steps.push(Step::Take(number));
                    wants_operand = false;
                }
                Token::Name(name) => {
                    return Err(format!("'{name}' at character {at}, expected an operator"));
                }
                Token::Sign('(') if wants_operand => waiting.push('('),
                Token::Sign(')') if !wants_operand => {
                    rule.combine_back_to_bracket(&mut waiting);
                    if waiting.pop().is_none() {
                        return Err(format!("')' at character {at} closes nothing"));
                    }
                }
                Token::Sign(sign @ ('&' | '|' | '-' | '^')) if !wants_operand => {
                    rule.combine_back_to_bracket(&mut waiting);
                    waiting.push(sign);
                    wants_operand = true;
                }
                Token::Sign(sign) if wants_operand => {
                    return Err(format!(
                        "'{sign}' at character {at}, expected a name or '('"
                    ));
                }
                Token::Sign(sign) => {
                    return Err(format!("'{sign}' at character {at}, expected an operator"));
                }
            }
        }
        if wants_operand {
            return Err("it ends where a name or '(' is expected".to_owned());
        }
        rule.combine_back_to_bracket(&mut waiting);
        if waiting.is_empty() {
            Ok(rule)
        } else {
            Err("a '(' is not closed".to_owned())
        }
    }

    fn number(&mut self, name: String) -> usize {
        self.names
            .iter()
            .position(|known| *known == name)
            .unwrap_or_else(|| {
                self.names.push(name);
                self.names.len() - 1
            })
    }

    fn combine_back_to_bracket(&mut self, waiting: &mut Vec<char>) {
        while let Some(sign) = waiting.pop_if(|sign| *sign != '(') {
            self.steps.push(Step::Combine(sign));
        }
    }

    /// The canonical bitmap that the rule gives, from that of each name.
    ///
    /// # Errors
    /// A defect of the bitmaps.
    pub(super) fn result<'s>(&self, set: impl Fn(usize) -> &'s [u8]) -> Result<Vec<u8>, Defect> {
        let mut results: Vec<Vec<u8>> = Vec::new();
        for step in &self.steps {
            match step {
                Step::Take(number) => results.push(set(*number).to_vec()),
                Step::Combine(sign) => {
                    let (right, left) = (
                        results.pop().unwrap_or_default(),
                        results.pop().unwrap_or_default(),
                    );
                    let (left, right) = (
                        BitmapRef::parse_layout(&left)?,
                        BitmapRef::parse_layout(&right)?,
                    );
                    let mut out = Vec::new();
                    match sign {
                        '&' => and(&left, &right, &mut out),
                        '|' => or(&left, &right, &mut out),
                        '-' => and_not(&left, &right, &mut out),
                        _ => xor(&left, &right, &mut out),
                    }
                    results.push(out);
                }
            }
        }
        Ok(results.pop().unwrap_or_default())
    }
}

/// The tokens with the number of their first character, from 1.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, found)) = chars.next() {
        match found {
            ' ' | '\t' => {}
            '&' | '|' | '-' | '^' | '(' | ')' => tokens.push((at + 1, Token::Sign(found))),
            first => {
                let mut name = String::new();
                let mut next = Some(first);
                while let Some(found) = next {
                    let escaped = if found == '\\' {
                        chars.next().map(|(_, escaped)| escaped)
                    } else {
                        Some(found)
                    };
                    name.push(escaped.ok_or("it ends after a backslash")?);
                    next = chars
                        .next_if(|(_, found)| {
                            !matches!(found, ' ' | '\t' | '&' | '|' | '-' | '^' | '(' | ')')
                        })
                        .map(|(_, found)| found);
                }
                tokens.push((at + 1, Token::Name(name)));
            }
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Rule::parse(text).unwrap_err()
    }

    #[test]
    fn reads_names_signs_and_escapes() {
        let rule = Rule::parse(r"(A:a/b | B:2\-4)&C\\ - A:a/b").unwrap();
        assert_eq!(rule.names, ["A:a/b", "B:2-4", "C\\"]);
        use Step::{Combine, Take};
        assert_eq!(
            rule.steps,
            [
                Take(0),
                Take(1),
                Combine('|'),
                Take(2),
                Combine('&'),
                Take(0),
                Combine('-')
            ]
        );
    }

    #[test]
    fn rejects_what_is_no_rule() {
        assert_eq!(error(""), "it ends where a name or '(' is expected");
        assert_eq!(error("a&"), "it ends where a name or '(' is expected");
        assert_eq!(error("a b"), "'b' at character 3, expected an operator");
        assert_eq!(error("&a"), "'&' at character 1, expected a name or '('");
        assert_eq!(error("(a"), "a '(' is not closed");
        assert_eq!(error("a)"), "')' at character 2 closes nothing");
        assert_eq!(error("a(b)"), "'(' at character 2, expected an operator");
        assert_eq!(error("()"), "')' at character 2, expected a name or '('");
        assert_eq!(error("a\\"), "it ends after a backslash");
    }
}
