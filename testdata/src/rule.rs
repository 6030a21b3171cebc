//! Rules as merchants write them: groups over tags, ranges, patterns, other groups, lists and
//! splits. Reads a spec, writes rule text.
//!
//! Of every hundred rules about thirty hold a range or a pattern and twenty refer to an earlier
//! group of the same app. Constants come from short ladders, so rules share conditions as rules
//! made from the same form do.

use crate::draw::{Draw, Stream};
use crate::label;
use crate::spec::Spec;
use crate::vocabulary;

/// Uploaded lists that apps with lists have.
pub const LISTS: [&str; 2] = ["seed_users", "blocked"];

/// Apps that upload lists.
pub const LIST_APPS: u32 = 3;

/// Writes the rules of a spec's apps.
#[derive(Debug)]
pub struct Rules {
    draw: Draw,
    is_rich: bool,
    cities: Vec<String>,
    run_date: chrono::NaiveDate,
}

impl Rules {
    /// The rules of `spec`.
    pub fn new(spec: &Spec) -> Self {
        Self {
            draw: Draw::root(spec.seed, Stream::Rule),
            is_rich: spec.is_rich(),
            cities: vocabulary::cities(),
            run_date: spec.first_day,
        }
    }

    /// The name of group number `number`.
    pub fn group_name(number: u32) -> String {
        format!("g{number:05}")
    }

    /// The rule of group number `number` of `app`.
    pub fn text(&self, app: u32, number: u32) -> String {
        let draw = self.draw.at(u64::from(app)).at(u64::from(number));
        let kind = draw.below(100);
        if kind < 20 && number > 0 {
            return self.nested(app, number, draw.at(1));
        }
        if kind < 50 {
            return self.joined(app, draw.at(2), |rules, d| rules.range(d));
        }
        self.joined(app, draw.at(3), |rules, d| rules.equality(app, d))
    }

    fn nested(&self, app: u32, number: u32, draw: Draw) -> String {
        let earlier = |d: Draw| Self::group_name(d.below(u64::from(number)) as u32);
        let group = format!("in_group('{}')", earlier(draw.at(0)));
        match draw.below(4) {
            0 => format!("{group} AND NOT in_group('{}')", earlier(draw.at(1))),
            1 => format!("{group} OR in_group('{}')", earlier(draw.at(1))),
            2 => format!("{group} AND {}", self.equality(app, draw.at(2))),
            _ => format!("NOT ({group} OR {})", self.equality(app, draw.at(2))),
        }
    }

    fn joined(&self, app: u32, draw: Draw, first: impl Fn(&Self, Draw) -> String) -> String {
        let (a, b) = (first(self, draw.at(1)), self.equality(app, draw.at(2)));
        match draw.below(7) {
            0 | 1 => a,
            2 | 3 => format!("{a} AND {b}"),
            4 => format!("{a} AND NOT {b}"),
            5 => format!("({a} OR {b}) AND {}", self.equality(app, draw.at(3))),
            _ => format!("{a} OR {b}"),
        }
    }

    fn range(&self, draw: Draw) -> String {
        let step = |bound: u64| draw.at(1).below(bound);
        let days = |ago: u64| self.run_date - chrono::Days::new(ago);
        match draw.below(if self.is_rich { 12 } else { 9 }) {
            0 | 1 => format!(
                "age BETWEEN {} AND {}",
                15 + step(8) * 5,
                20 + step(8) * 5 + 5 * draw.at(2).below(4)
            ),
            2 => format!("age >= {}", 18 + step(12) * 4),
            3 => format!("level > {}", step(9)),
            4 => format!("signup_date >= DATE '{}'", days(7 + step(12) * 30)),
            5 => format!(
                "signup_date BETWEEN DATE '{}' AND DATE '{}'",
                days(400 + step(6) * 60),
                days(100 + step(6) * 30)
            ),
            6 => format!(
                "city LIKE '{}%'",
                ["Bei", "Sh", "Ch", "Hang", "Ming", "北", "An"][step(7) as usize]
            ),
            7 => format!(
                "city NOT LIKE '%{}'",
                ["g", "an", "zhou", "ou"][step(4) as usize]
            ),
            8 => format!("balance < {}", 10 + step(10) * 50),
            9 => format!(
                "balance BETWEEN {}.5 AND {}",
                step(10) * 20,
                300 + step(5) * 400
            ),
            10 => format!(
                "interests LIKE '%{}%'",
                ["a", "oo", "e", "ea"][step(4) as usize]
            ),
            _ => "signup_date < run_date()".to_owned(),
        }
    }

    fn equality(&self, app: u32, draw: Draw) -> String {
        let step = |bound: usize| draw.at(1).below(bound as u64) as usize;
        let city = |d: Draw| &self.cities[d.below(40) as usize];
        let interest = |d: Draw| vocabulary::INTERESTS[d.below(16) as usize];
        match draw.below(if self.is_rich { 17 } else { 9 }) {
            0 | 1 => format!("gender = '{}'", ["F", "M", "X"][step(3)]),
            2 => "gender IS NULL".to_owned(),
            3 => format!("gender <> '{}'", ["F", "M"][step(2)]),
            4 => format!("city = '{}'", city(draw.at(2))),
            5 => format!(
                "city IN ('{}', '{}', '{}')",
                city(draw.at(2)),
                city(draw.at(3)),
                city(draw.at(4))
            ),
            6 => format!("level = {}", 1 + step(10)),
            7 => format!("level IN ({}, {})", 1 + step(5), 6 + draw.at(2).below(5)),
            8 => format!("vip = {}", ["true", "false"][step(2)]),
            9 => format!("interests = '{}'", interest(draw.at(2))),
            10 => format!(
                "interests IN ('{}', '{}')",
                interest(draw.at(2)),
                interest(draw.at(3))
            ),
            11 => "interests IS NOT NULL".to_owned(),
            12 => format!(
                "in_split('test_{}', {}, {})",
                step(3),
                step(4) * 10,
                50 + draw.at(2).below(6) * 10
            ),
            13 if app < LIST_APPS => format!("in_list('{}')", LISTS[step(2)]),
            14 => format!("interests <> '{}'", interest(draw.at(2))),
            _ => Self::label_atom(app, draw),
        }
    }

    fn label_atom(app: u32, draw: Draw) -> String {
        let step = |bound: u64| draw.at(1).below(bound);
        let atoms = [
            (
                0,
                format!(
                    "segment IN ('loyal', '{}')",
                    ["new", "whale"][step(2) as usize]
                ),
            ),
            (
                1,
                format!(
                    "fav_brand = '{}'",
                    ["acme", "海尔", "vela"][step(3) as usize]
                ),
            ),
            (2, format!("score >= {}", step(10) as i64 * 20 - 100)),
            (
                3,
                format!(
                    "lucky_numbers BETWEEN {} AND {}",
                    step(5) * 8,
                    30 + step(3) * 5
                ),
            ),
            (4, format!("risk <= {}.5", step(20))),
            (
                6,
                format!("subscribed = {}", ["true", "false"][step(2) as usize]),
            ),
        ];
        let own: Vec<_> = atoms
            .into_iter()
            .filter(|(number, _)| label::has_label(app, *number))
            .collect();
        own[draw.at(2).below(own.len() as u64) as usize].1.clone()
    }
}

/// A rule that has to be reported, and under which group.
pub struct OddRule {
    /// The group.
    pub group: &'static str,
    /// Its rule.
    pub rule: &'static str,
    /// Set when the group ended long ago.
    pub valid_to: Option<&'static str>,
    /// False when the merchant switched it off.
    pub enabled: bool,
}

const fn odd(group: &'static str, rule: &'static str) -> OddRule {
    OddRule {
        group,
        rule,
        valid_to: None,
        enabled: true,
    }
}

/// Odd rules that every demo has, all of its second app.
pub const ODD: [OddRule; 6] = [
    odd("typo", "gendr = 'F'"),
    odd("not_a_rule", "gender = = 'F'"),
    odd("on_typo", "in_group('typo') OR vip = true"),
    odd("nobody", "age < 14 AND age > 14"),
    OddRule {
        group: "ended",
        rule: "vip = true",
        valid_to: Some("2026-01-31"),
        enabled: true,
    },
    OddRule {
        group: "switched_off",
        rule: "vip = true",
        valid_to: None,
        enabled: false,
    },
];

/// More of them, for the dirty preset.
pub const ODDER: [OddRule; 8] = [
    odd("ring_a", "in_group('ring_b')"),
    odd("ring_b", "in_group('ring_a') AND vip = true"),
    odd("self", "in_group('self')"),
    odd("no_such_group", "in_group('nobody_knows')"),
    odd("clock", "signup_date < now()"),
    odd("two_tags", "age > level"),
    odd("wrong_type", "gender > 5"),
    odd("a/../b=\n'", "vip = true"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Preset;

    #[test]
    fn shares_of_nested_and_range_rules_are_as_asked() {
        let rules = Rules::new(&Spec::preset(Preset::Bench));
        let texts: Vec<String> = (0..50)
            .flat_map(|app| (0..200).map(move |n| (app, n)))
            .map(|(app, n)| rules.text(app, n))
            .collect();
        let with = |words: &[&str]| {
            texts
                .iter()
                .filter(|text| words.iter().any(|word| text.contains(word)))
                .count()
        };
        assert!(
            (1800..2200).contains(&with(&["in_group"])),
            "{}",
            with(&["in_group"])
        );
        let ranges = with(&[" BETWEEN ", " LIKE ", " >= ", " > ", " <= ", " < "]);
        assert!((2700..3300).contains(&ranges), "{ranges}");
    }
}
