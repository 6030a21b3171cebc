//! Rules against users one by one: text through compiler and program must give what sets of users
//! give.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use tagmill_schemas::Value;

use super::sample::{DATE, Sample, User};
use crate::{Atom, Expr, Names, Program, TagInfo, Test, analyse, compile};

/// A rule that knows its own text and, independently of the compiler, its members.
#[derive(Debug, Clone)]
enum Rule {
    Number {
        tag: &'static str,
        sign: &'static str,
        than: i64,
    },
    Between {
        tag: &'static str,
        not: bool,
        low: i64,
        high: i64,
    },
    Text {
        tag: &'static str,
        not: bool,
        values: Vec<&'static str>,
    },
    Prefix {
        tag: &'static str,
        not: bool,
        prefix: &'static str,
    },
    Has {
        tag: &'static str,
        not: bool,
    },
    Vip {
        is: &'static str,
    },
    Constant(bool),
    Group(usize),
    Not(Box<Rule>),
    And(Vec<Rule>),
    Or(Vec<Rule>),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |not: bool| if not { "NOT " } else { "" };
        let join = |rules: &[Rule], word| {
            rules
                .iter()
                .map(|rule| format!("({rule})"))
                .collect::<Vec<_>>()
                .join(word)
        };
        match self {
            Self::Number { tag, sign, than } => write!(f, "{tag} {sign} {than}"),
            Self::Between {
                tag,
                not: negated,
                low,
                high,
            } => write!(f, "{tag} {}BETWEEN {low} AND {high}", not(*negated)),
            Self::Text {
                tag,
                not: true,
                values,
            } if values.len() == 1 => write!(f, "{tag} <> '{}'", values[0]),
            Self::Text {
                tag,
                not: negated,
                values,
            } => write!(f, "{tag} {}IN ('{}')", not(*negated), values.join("', '")),
            Self::Prefix {
                tag,
                not: negated,
                prefix,
            } => write!(f, "{tag} {}LIKE '{prefix}%'", not(*negated)),
            Self::Has { tag, not: negated } => write!(f, "{tag} IS {}NULL", not(!*negated)),
            Self::Vip { is } => write!(f, "vip IS {is}"),
            Self::Constant(truth) => write!(f, "{truth}"),
            Self::Group(index) => write!(f, "in_group('g{index}')"),
            Self::Not(rule) => write!(f, "NOT ({rule})"),
            Self::And(rules) => f.write_str(&join(rules, " AND ")),
            Self::Or(rules) => f.write_str(&join(rules, " OR ")),
        }
    }
}

type Members = BTreeSet<usize>;

impl Rule {
    fn members(&self, users: &[User], groups: &[Members]) -> Members {
        let all: Members = (0..users.len()).collect();
        let any = |tag: &str, passes: &dyn Fn(&Value) -> bool| -> Members {
            all.iter()
                .copied()
                .filter(|user| {
                    users[*user]
                        .get(tag)
                        .is_some_and(|values| values.iter().any(passes))
                })
                .collect()
        };
        let number = |value: &Value| {
            if let Value::Integer(number) = value {
                *number
            } else {
                panic!("{value:?}")
            }
        };
        let text = |value: &Value| {
            if let Value::String(text) = value {
                text.clone()
            } else {
                panic!("{value:?}")
            }
        };
        match self {
            Self::Number { tag, sign, than } => any(tag, &|value| match *sign {
                "=" => number(value) == *than,
                "<>" => number(value) != *than,
                "<" => number(value) < *than,
                "<=" => number(value) <= *than,
                ">" => number(value) > *than,
                _ => number(value) >= *than,
            }),
            Self::Between {
                tag,
                not,
                low,
                high,
            } => any(tag, &|value| {
                (*low <= number(value) && number(value) <= *high) != *not
            }),
            Self::Text { tag, not, values } => {
                any(tag, &|value| values.contains(&text(value).as_str()) != *not)
            }
            Self::Prefix { tag, not, prefix } => {
                any(tag, &|value| text(value).starts_with(prefix) != *not)
            }
            Self::Has { tag, not: true } => &all - &any(tag, &|_| true),
            Self::Has { tag, not: false } => any(tag, &|_| true),
            Self::Vip { is: "TRUE" } => any("vip", &|value| *value == Value::Boolean(true)),
            Self::Vip { is: "FALSE" } => any("vip", &|value| *value == Value::Boolean(false)),
            Self::Vip { .. } => &all - &any("vip", &|value| *value == Value::Boolean(true)),
            Self::Constant(true) => all,
            Self::Constant(false) => Members::new(),
            Self::Group(index) => groups[*index].clone(),
            Self::Not(rule) => &all - &rule.members(users, groups),
            Self::And(rules) => rules
                .iter()
                .fold(all, |left, rule| &left & &rule.members(users, groups)),
            Self::Or(rules) => rules.iter().fold(Members::new(), |left, rule| {
                &left | &rule.members(users, groups)
            }),
        }
    }
}

const TEXTS: [&str; 4] = ["a", "ab", "b", "c"];

fn leaf(groups: usize) -> BoxedStrategy<Rule> {
    let numbers = select(vec!["age", "visits"]);
    let texts = select(vec!["gender", "interests"]);
    let sign = select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        4 => (numbers.clone(), sign, 0..6_i64).prop_map(|(tag, sign, than)| Rule::Number { tag, sign, than }),
        2 => (numbers, any::<bool>(), 0..6_i64, 0..6_i64).prop_map(|(tag, not, low, high)| Rule::Between { tag, not, low, high }),
        3 => (texts.clone(), any::<bool>(), vec(select(TEXTS.to_vec()), 1..3)).prop_map(|(tag, not, values)| Rule::Text { tag, not, values }),
        1 => (texts, any::<bool>(), select(vec!["", "a", "b"])).prop_map(|(tag, not, prefix)| Rule::Prefix { tag, not, prefix }),
        1 => (select(vec!["age", "interests", "vip"]), any::<bool>()).prop_map(|(tag, not)| Rule::Has { tag, not }),
        1 => select(vec!["TRUE", "FALSE", "NOT TRUE"]).prop_map(|is| Rule::Vip { is }),
        1 => any::<bool>().prop_map(Rule::Constant),
    ];
    match groups {
        0 => leaf.boxed(),
        groups => prop_oneof![4 => leaf, 1 => (0..groups).prop_map(Rule::Group)].boxed(),
    }
}

/// A rule that may mention groups before it.
fn rule(groups: usize) -> impl Strategy<Value = Rule> {
    leaf(groups).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|rule| Rule::Not(Box::new(rule))),
            vec(inner.clone(), 2..4).prop_map(Rule::And),
            vec(inner, 2..4).prop_map(Rule::Or),
        ]
    })
}

fn user() -> impl Strategy<Value = User> {
    let numbers = |most| btree_set((0..6_i64).prop_map(Value::Integer), 0..=most);
    let texts = |most| {
        btree_set(
            select(TEXTS.to_vec()).prop_map(|text| Value::String(text.to_owned())),
            0..=most,
        )
    };
    let truths = btree_set(any::<bool>().prop_map(Value::Boolean), 0..=1);
    (numbers(1), numbers(3), texts(1), texts(3), truths).prop_map(
        |(age, visits, gender, interests, vip)| {
            let tags = [
                ("age", age),
                ("visits", visits),
                ("interests", interests),
                ("gender", gender),
                ("vip", vip),
            ];
            tags.into_iter()
                .filter(|(_, values)| !values.is_empty())
                .collect()
        },
    )
}

/// Sample's tags, and groups by number.
struct Numbered;

impl Names for Numbered {
    fn tag(&self, name: &str) -> Option<TagInfo> {
        Sample.tag(name)
    }
    fn tag_names(&self) -> Vec<&str> {
        Vec::new()
    }
    fn has_group(&self, name: &str) -> bool {
        name.starts_with('g')
    }
    fn group_names(&self) -> Vec<&str> {
        Vec::new()
    }
    fn has_list(&self, _: &str) -> bool {
        false
    }
    fn list_names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// A search finds the values that a look at each one finds.
fn check_passing(tag: &str, test: &Test, users: &[User]) {
    let values: BTreeSet<&Value> = users
        .iter()
        .flat_map(|user| user.get(tag).into_iter().flatten())
        .collect();
    let values: Vec<Value> = values.into_iter().cloned().collect();
    let found: Vec<usize> = test.passing(&values).into_iter().flatten().collect();
    assert_eq!(
        found,
        (0..values.len())
            .filter(|&at| test.matches(&values[at]))
            .collect::<Vec<_>>(),
        "{test:?} of {values:?}"
    );
}

fn fill(atom: &Atom, users: &[User], set: &mut [u64]) {
    if let Atom::Tag { tag, test } = atom {
        check_passing(tag, test, users);
    }
    let is_in = |user: &User| match atom {
        Atom::Has { tag } => user.contains_key(tag.as_str()),
        Atom::Tag { tag, test } => user
            .get(tag.as_str())
            .is_some_and(|values| values.iter().any(|value| test.matches(value))),
        other => panic!("{other:?} is not in these rules"),
    };
    for (index, _) in users.iter().enumerate().filter(|(_, user)| is_in(user)) {
        set[index / 64] |= 1 << (index % 64);
    }
}

fn evaluate(program: &Program, users: &[User]) -> BTreeMap<usize, Members> {
    let mut asked = BTreeSet::new();
    let mut results = BTreeMap::new();
    let mut fill_one = |atom: &Atom, set: &mut [u64]| {
        assert!(asked.insert(atom.to_string()), "{atom} is filled twice");
        fill(atom, users, set);
        Ok(())
    };
    let mut emit = |index, set: &[u64]| {
        assert_eq!(set.len(), users.len().div_ceil(64));
        let members = (0..set.len() * 64)
            .filter(|bit| set[bit / 64] >> (bit % 64) & 1 == 1)
            .collect();
        assert!(
            results.insert(index, members).is_none(),
            "{index} is emitted twice"
        );
        Ok(())
    };
    program
        .evaluate(users.len(), &mut fill_one, &mut emit)
        .unwrap();
    results
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    (rule(0), rule(1), rule(2), rule(3), rule(4)).prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_program_gives_what_sets_of_users_give(rules in rules(), users in vec(user(), 0..150), backwards in any::<bool>()) {
        let mut expected = Vec::new();
        for rule in &rules {
            expected.push(rule.members(&users, &expected));
        }
        let mut groups: Vec<_> = rules.iter().enumerate().map(|(index, rule)| {
            (format!("g{index}"), compile(&rule.to_string(), &Numbered, DATE).unwrap())
        }).collect();
        if backwards {
            groups.reverse();
        }
        let (program, refused) = Program::build(&groups);
        prop_assert_eq!(refused, []);
        if backwards {
            expected.reverse();
        }
        let expected: BTreeMap<_, _> = expected.into_iter().enumerate().collect();
        prop_assert_eq!(evaluate(&program, &users), expected);
        let json = serde_json::to_string(&program).unwrap();
        prop_assert_eq!(serde_json::from_str::<Program>(&json).unwrap(), program);
    }

    #[test]
    fn canonical_forms_compile_to_themselves(rule in rule(3)) {
        let compiled = analyse(&rule.to_string(), &Numbered, DATE).unwrap();
        prop_assert_eq!(&compile(&compiled.expr.to_string(), &Numbered, DATE).unwrap(), &compiled.expr);
        let again = analyse(&compiled.text, &Numbered, DATE).unwrap();
        prop_assert_eq!(again.expr, compiled.expr);
        prop_assert_eq!(again.text, compiled.text);
    }
}

fn tag(name: &str) -> Expr {
    Expr::Atom(Atom::Has {
        tag: name.to_owned(),
    })
}

fn group(name: &str) -> Expr {
    Expr::Atom(Atom::InGroup(name.to_owned()))
}

fn build(groups: &[(&str, Expr)]) -> (Program, Vec<(usize, String)>) {
    let groups = groups
        .iter()
        .map(|(name, expr)| ((*name).to_owned(), expr.clone()))
        .collect::<Vec<_>>();
    let (program, refused) = Program::build(&groups);
    (
        program,
        refused
            .into_iter()
            .map(|(index, why)| (index, why.to_string()))
            .collect(),
    )
}

#[test]
fn shares_equal_subexpressions_whatever_their_shape() {
    let both = Expr::and(vec![tag("a"), tag("b")]);
    let same = Expr::or(vec![tag("a").negate(), tag("b").negate()]).negate();
    let (program, _) = build(&[
        ("x", Expr::or(vec![both.clone(), tag("c")])),
        ("y", same),
        ("z", group("y")),
    ]);
    assert_eq!(program.atoms().len(), 3);
    // a takes b in; c is filled where b was and takes both in; one more to complement what is
    // emitted.
    assert_eq!(program.buffers(), 2 + 1);
}

#[test]
fn refuses_cycles_and_what_depends_on_them() {
    let (program, refused) = build(&[
        ("a", Expr::and(vec![group("b"), tag("x")])),
        ("b", group("c")),
        ("c", group("a").negate()),
        ("d", group("d")),
        ("e", Expr::or(vec![group("f"), group("a")])),
        ("f", tag("x")),
        ("g", group("gone")),
        ("h", group("g")),
    ]);
    let message = |text: &str| text.to_owned();
    assert_eq!(
        refused,
        [
            (0, message(r#"cycle of in_group: "a" -> "b" -> "c" -> "a""#)),
            (1, message(r#"cycle of in_group: "b" -> "c" -> "a" -> "b""#)),
            (2, message(r#"cycle of in_group: "c" -> "a" -> "b" -> "c""#)),
            (3, message(r#"cycle of in_group: "d" -> "d""#)),
            (4, message(r#"depends on group "a", which is not computed"#)),
            (
                6,
                message(r#"depends on group "gone", which is not computed"#)
            ),
            (7, message(r#"depends on group "g", which is not computed"#)),
        ]
    );
    let users = [User::from([("x", BTreeSet::new())]), User::new()];
    assert_eq!(
        evaluate(&program, &users),
        BTreeMap::from([(5, Members::from([0]))])
    );
}

#[test]
fn long_chains_of_groups_need_no_stack() {
    let names: Vec<_> = (0..50_000).map(|index| format!("g{index}")).collect();
    let groups = |last: Expr| {
        let link = |index: usize| {
            names.get(index + 1).map_or(last.clone(), |next| {
                Expr::and(vec![group(next).negate(), tag("x")])
            })
        };
        names
            .iter()
            .enumerate()
            .map(|(index, name)| (name.clone(), link(index)))
            .collect::<Vec<_>>()
    };
    let chain = groups(tag("y"));
    let ring = groups(group("g0"));
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || {
            let (program, refused) = Program::build(&chain);
            assert_eq!(refused, []);
            program
                .evaluate(1, &mut |_, _| Ok(()), &mut |_, _| Ok(()))
                .unwrap();
            assert_eq!(Program::build(&ring).1.len(), 50_000);
        });
    thread.unwrap().join().unwrap();
}

#[test]
fn bits_beyond_the_seats_stay_zero() {
    let (program, _) = build(&[
        ("all", Expr::All),
        ("none", Expr::None),
        ("not", tag("a").negate()),
        ("a", tag("a")),
    ]);
    let mut counts = Vec::new();
    let mut fill = |_: &Atom, set: &mut [u64]| {
        set.fill(u64::MAX);
        Ok(())
    };
    let mut emit = |_, set: &[u64]| {
        counts.push(set.iter().map(|word| word.count_ones()).sum::<u32>());
        Ok(())
    };
    program.evaluate(70, &mut fill, &mut emit).unwrap();
    assert_eq!(counts, [70, 0, 0, 70]);
}

#[test]
fn a_group_of_a_single_expression_is_an_atom() {
    let rule = Expr::and(vec![group("other"), tag("a").negate()]);
    let program = Program::of(&rule);
    let mut counts = Vec::new();
    let mut fill = |atom: &Atom, set: &mut [u64]| {
        set[0] = match atom {
            Atom::InGroup(_) => 0b111,
            _ => 0b010,
        };
        Ok(())
    };
    let mut emit = |number, set: &[u64]| {
        counts.push((number, set[0]));
        Ok(())
    };
    program.evaluate(64, &mut fill, &mut emit).unwrap();
    assert_eq!(counts, [(0, 0b101)]);
}
