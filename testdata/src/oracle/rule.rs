//! The rule language: a boolean expression over an app's tags. Reads tokens, writes an expression.
//!
//! ```text
//! or    := and (OR and)*          and := not (AND not)*          not := NOT not | atom
//! atom  := ( or ) | in_group('g') | in_list('l') | in_split('salt', n, n) | true | false
//!        | tag [= <> != < <= > >=] value | tag [NOT] BETWEEN value AND value | tag [NOT] IN (value, ...)
//!        | tag [NOT] LIKE 'p' | tag [NOT] ILIKE 'p' | tag IS [NOT] NULL | tag
//! value := 'text' | [-] number | DATE 'y-m-d' | true | false | run_date() [(+|-) INTERVAL 'n day']
//! ```

use super::token::{Token, tokens};
use super::value::{Kind, Value};

/// A parsed rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Everybody or nobody.
    Constant(bool),
    /// Complement.
    Not(Box<Expression>),
    /// Intersection.
    And(Box<Expression>, Box<Expression>),
    /// Union.
    Or(Box<Expression>, Box<Expression>),
    /// Members of another group of the app.
    InGroup(String),
    /// Users of an uploaded list.
    InList(String),
    /// Users whose percent lies in `from..to`.
    InSplit(String, u32, u32),
    /// Users without a value.
    IsNull(String),
    /// Users with a value that passes.
    Has(String, Test),
}

/// What one value has to pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Compared with a constant: `=`, `<>`, `<`, `<=`, `>`, `>=`.
    Compare(&'static str, Value),
    /// Between two constants, both included; negated.
    Between(Value, Value, bool),
    /// One of several; negated.
    In(Vec<Value>, bool),
    /// Matches a pattern; ignoring case; negated.
    Like(String, bool, bool),
}

/// Parses a rule. `kind` knows the tags' types, `today` is the run's date in days since 1970.
///
/// # Errors
/// The first thing that is not understood.
pub fn parse(
    rule: &str,
    today: i32,
    kind: &dyn Fn(&str) -> Option<Kind>,
) -> Result<Expression, String> {
    let mut parser = Parser {
        tokens: tokens(rule)?,
        at: 0,
        today,
        kind,
    };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(format!("unexpected {token:?}")),
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    today: i32,
    kind: &'a dyn Fn(&str) -> Option<Kind>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("unexpected end")?;
        self.at += 1;
        Ok(token)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn need_word(&mut self, word: &str) -> Result<(), String> {
        if self.takes_word(word) {
            Ok(())
        } else {
            Err(format!("expected {word}, found {:?}", self.peek()))
        }
    }

    fn need_sign(&mut self, sign: &str) -> Result<(), String> {
        if self.takes_sign(sign) {
            Ok(())
        } else {
            Err(format!("expected {sign}, found {:?}", self.peek()))
        }
    }

    fn need_text(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Text(text) => Ok(text),
            other => Err(format!("expected quoted text, found {other:?}")),
        }
    }

    fn need_number(&mut self) -> Result<f64, String> {
        let sign = if self.takes_sign("-") { -1.0 } else { 1.0 };
        match self.next()? {
            Token::Number(number) => Ok(sign * number),
            other => Err(format!("expected a number, found {other:?}")),
        }
    }

    fn or(&mut self) -> Result<Expression, String> {
        let mut left = self.and()?;
        while self.takes_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut left = self.not()?;
        while self.takes_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, String> {
        if self.takes_word("not") {
            Ok(Expression::Not(Box::new(self.not()?)))
        } else {
            self.atom()
        }
    }

    fn atom(&mut self) -> Result<Expression, String> {
        if self.takes_sign("(") {
            let inner = self.or()?;
            self.need_sign(")")?;
            return Ok(inner);
        }
        let Token::Word(name) = self.next()? else {
            return Err("expected a tag".to_owned());
        };
        if matches!(self.peek(), Some(Token::Sign("("))) {
            return self.call(&name.to_ascii_lowercase());
        }
        match (name.to_ascii_lowercase().as_str(), (self.kind)(&name)) {
            ("true", None) => Ok(Expression::Constant(true)),
            ("false", None) => Ok(Expression::Constant(false)),
            (_, None) => Err(format!("unknown tag {name}")),
            (_, Some(kind)) => self.condition(name, kind),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expression, String> {
        self.need_sign("(")?;
        let text = self.need_text()?;
        let expression = match name {
            "in_group" => Expression::InGroup(text),
            "in_list" => Expression::InList(text),
            "in_split" => {
                self.need_sign(",")?;
                let from = self.need_number()? as u32;
                self.need_sign(",")?;
                Expression::InSplit(text, from, self.need_number()? as u32)
            }
            _ => return Err(format!("unknown function {name}")),
        };
        self.need_sign(")")?;
        Ok(expression)
    }

    fn condition(&mut self, tag: String, kind: Kind) -> Result<Expression, String> {
        if self.takes_word("is") {
            let negated = self.takes_word("not");
            self.need_word("null")?;
            let missing = Expression::IsNull(tag);
            return Ok(if negated {
                Expression::Not(Box::new(missing))
            } else {
                missing
            });
        }
        for sign in ["=", "<>", "!=", "<=", ">=", "<", ">"] {
            if self.takes_sign(sign) {
                let sign = if sign == "!=" { "<>" } else { sign };
                return Ok(Expression::Has(tag, Test::Compare(sign, self.value(kind)?)));
            }
        }
        let negated = self.takes_word("not");
        if let Some(test) = self.worded_test(kind, negated)? {
            return Ok(Expression::Has(tag, test));
        }
        match (negated, kind) {
            (false, Kind::Boolean) => Ok(Expression::Has(
                tag,
                Test::Compare("=", Value::Boolean(true)),
            )),
            _ => Err(format!("expected a comparison after {tag}")),
        }
    }

    fn worded_test(&mut self, kind: Kind, negated: bool) -> Result<Option<Test>, String> {
        if self.takes_word("between") {
            let low = self.value(kind)?;
            self.need_word("and")?;
            return Ok(Some(Test::Between(low, self.value(kind)?, negated)));
        }
        if self.takes_word("in") {
            self.need_sign("(")?;
            let mut values = vec![self.value(kind)?];
            while self.takes_sign(",") {
                values.push(self.value(kind)?);
            }
            self.need_sign(")")?;
            return Ok(Some(Test::In(values, negated)));
        }
        let ignores_case = self.takes_word("ilike");
        if ignores_case || self.takes_word("like") {
            return if kind == Kind::String {
                Ok(Some(Test::Like(self.need_text()?, ignores_case, negated)))
            } else {
                Err("a pattern needs text".to_owned())
            };
        }
        Ok(None)
    }

    fn value(&mut self, kind: Kind) -> Result<Value, String> {
        match kind {
            Kind::String => self.need_text().map(Value::String),
            Kind::Integer | Kind::Double => self.need_number().map(Value::Double),
            Kind::Date => self.date().map(Value::Date),
            Kind::Boolean if self.takes_word("true") => Ok(Value::Boolean(true)),
            Kind::Boolean => self.need_word("false").map(|()| Value::Boolean(false)),
        }
    }

    fn date(&mut self) -> Result<i32, String> {
        if self.takes_word("run_date") {
            self.need_sign("(")?;
            self.need_sign(")")?;
            let sign = if self.takes_sign("-") {
                -1
            } else {
                i32::from(self.takes_sign("+"))
            };
            return if sign == 0 {
                Ok(self.today)
            } else {
                self.days().map(|days| self.today + sign * days)
            };
        }
        let _ = self.takes_word("date");
        let text = self.need_text()?;
        match Value::parse(&text, Kind::Date) {
            Some(Value::Date(days)) => Ok(days),
            _ => Err(format!("{text} is no date")),
        }
    }

    fn days(&mut self) -> Result<i32, String> {
        self.need_word("interval")?;
        let text = self.need_text()?;
        let mut words = text.split_whitespace();
        let count = words
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| format!("{text} is no number of days"))?;
        let is_days = words
            .next()
            .is_some_and(|unit| unit.to_ascii_lowercase().starts_with("day"))
            || self.takes_word("day");
        if is_days {
            Ok(count)
        } else {
            Err("expected days".to_owned())
        }
    }
}
