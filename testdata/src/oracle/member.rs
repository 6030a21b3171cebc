//! Who is in a group: one user at a time, one rule at a time. Reads tag values and expressions,
//! writes answers.

use std::collections::{BTreeMap, BTreeSet};

use twox_hash::XxHash3_64;

use super::rule::{Expression, Test};
use super::value::Value;

/// What rules can ask about one user of one app.
#[derive(Debug, Clone, Copy)]
pub struct UserView<'a> {
    /// The user's id.
    pub user: &'a str,
    /// Values by tag.
    pub tags: &'a BTreeMap<&'a str, &'a BTreeSet<Value>>,
    /// Users of the app's lists.
    pub lists: &'a BTreeMap<String, BTreeSet<String>>,
    /// Members of the groups evaluated before.
    pub groups: &'a BTreeMap<String, BTreeSet<String>>,
}

impl UserView<'_> {
    /// Whether the rule holds.
    pub fn is_in(&self, rule: &Expression) -> bool {
        let contains = |sets: &BTreeMap<String, BTreeSet<String>>, name: &str| {
            sets.get(name)
                .is_some_and(|users| users.contains(self.user))
        };
        match rule {
            Expression::Constant(truth) => *truth,
            Expression::Not(inner) => !self.is_in(inner),
            Expression::And(a, b) => self.is_in(a) && self.is_in(b),
            Expression::Or(a, b) => self.is_in(a) || self.is_in(b),
            Expression::InGroup(name) => contains(self.groups, name),
            Expression::InList(name) => contains(self.lists, name),
            Expression::InSplit(salt, from, to) => (*from..*to).contains(&percent(salt, self.user)),
            Expression::IsNull(tag) => !self.tags.contains_key(tag.as_str()),
            Expression::Has(tag, test) => self
                .tags
                .get(tag.as_str())
                .is_some_and(|values| values.iter().any(|value| passes(value, test))),
        }
    }
}

/// XXH3-64 of salt, a zero byte and the user's id, modulo 100.
pub fn percent(salt: &str, user: &str) -> u32 {
    (XxHash3_64::oneshot(&[salt.as_bytes(), &[0], user.as_bytes()].concat()) % 100) as u32
}

fn passes(value: &Value, test: &Test) -> bool {
    match test {
        Test::Compare("=", constant) => same(value, constant),
        Test::Compare("<>", constant) => !same(value, constant),
        Test::Compare("<", constant) => less(value, constant),
        Test::Compare("<=", constant) => !less(constant, value),
        Test::Compare(">", constant) => less(constant, value),
        Test::Compare(_, constant) => !less(value, constant),
        Test::Between(low, high, negated) => (!less(value, low) && !less(high, value)) != *negated,
        Test::In(constants, negated) => {
            constants.iter().any(|constant| same(value, constant)) != *negated
        }
        Test::Like(pattern, ignores_case, negated) => {
            let fold = |text: &str| {
                if *ignores_case {
                    text.to_lowercase()
                } else {
                    text.to_owned()
                }
            };
            let text: Vec<char> = fold(&value.to_string()).chars().collect();
            let pattern: Vec<char> = fold(pattern).chars().collect();
            is_like(&text, &pattern) != *negated
        }
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn less(a: &Value, b: &Value) -> bool {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => a < b,
        _ => a < b,
    }
}

fn is_like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skipped| is_like(&text[skipped..], rest)),
        Some(('_', rest)) => !text.is_empty() && is_like(&text[1..], rest),
        Some((wanted, rest)) => text.first() == Some(wanted) && is_like(&text[1..], rest),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::parse;
    use super::super::value::Kind;
    use super::*;

    fn kind(tag: &str) -> Option<Kind> {
        [
            ("age", Kind::Integer),
            ("city", Kind::String),
            ("born", Kind::Date),
            ("vip", Kind::Boolean),
            ("likes", Kind::String),
            ("none", Kind::Double),
        ]
        .into_iter()
        .find(|(name, _)| *name == tag)
        .map(|(_, kind)| kind)
    }

    fn holds(rule: &str) -> bool {
        let text = |words: &[&str]| {
            words
                .iter()
                .map(|word| Value::String((*word).to_owned()))
                .collect::<BTreeSet<_>>()
        };
        let values = [
            ("age", BTreeSet::from([Value::Integer(30)])),
            ("city", text(&["Beijing"])),
            ("born", BTreeSet::from([Value::Date(100)])),
            ("vip", BTreeSet::from([Value::Boolean(true)])),
            ("likes", text(&["tea", "coffee"])),
        ];
        let tags = values.iter().map(|(tag, values)| (*tag, values)).collect();
        let some = BTreeMap::from([("g".to_owned(), BTreeSet::from(["u".to_owned()]))]);
        UserView {
            user: "u",
            tags: &tags,
            lists: &some,
            groups: &some,
        }
        .is_in(&parse(rule, 130, &kind).unwrap())
    }

    #[test]
    fn rules_hold_as_designed() {
        for rule in [
            "age = 30 AND city = 'Beijing'",
            "age BETWEEN 25 AND 36",
            "age NOT BETWEEN 31 AND 36",
            "city LIKE 'Bei%'",
            "city ILIKE '_EIJ%g'",
            "vip",
            "NOT vip = false",
            "likes = 'tea' AND likes = 'coffee'",
            "likes <> 'tea'",
            "NOT likes = 'water'",
            "none IS NULL",
            "NOT none < 10",
            "born < run_date()",
            "born = run_date() - INTERVAL '30 days'",
            "born >= DATE '1970-01-01'",
            "in_group('g') AND in_list('g')",
            "in_split('s', 0, 100)",
            "age IN (1, 30.0) OR false",
            "city NOT IN ('x')",
            "likes IS NOT NULL",
        ] {
            assert!(holds(rule), "{rule}");
        }
        for rule in [
            "NOT likes = 'tea'",
            "none < 10",
            "none <> 10",
            "city LIKE 'bei%'",
            "in_group('h')",
            "age < 30 OR age > 30",
            "age = 30 AND (vip = false OR city = 'x')",
        ] {
            assert!(!holds(rule), "{rule}");
        }
    }

    #[test]
    fn rejects_what_is_no_rule() {
        for rule in [
            "gendr = 'F'",
            "age = = 3",
            "age > vip",
            "city > 5",
            "born < now()",
            "age",
            "(vip",
            "vip vip",
            "",
            "city = 'x",
            "none LIKE 'x'",
        ] {
            assert!(parse(rule, 0, &kind).is_err(), "{rule}");
        }
    }

    #[test]
    fn binding_is_not_then_and_then_or() {
        assert!(holds("vip OR age = 1 AND age = 2"));
        assert!(holds("NOT age = 1 AND vip"));
    }
}
