//! Conditions that exclude each other: a rule that nobody can fulfil is valid, and rarely meant.

use std::ops::Bound;

use super::{Atom, Expr, Names, Test, range};

/// The first tag of which no value fulfils all conditions that are combined by AND: of one that has
/// at most one value, or that is asked to have none and some.
pub(crate) fn excluded<'e>(members: &'e [Expr], names: &dyn Names) -> Option<&'e str> {
    let tests = |tag: &str| -> Vec<&Test> {
        let of_tag = |member: &'e Expr| match member {
            Expr::Atom(Atom::Tag { tag: of, test }) if of == tag => Some(test),
            _ => None,
        };
        members.iter().filter_map(of_tag).collect()
    };
    let tags = members.iter().filter_map(|member| match member {
        Expr::Atom(Atom::Tag { tag, .. }) => Some(tag.as_str()),
        _ => None,
    });
    let lacks = |tag: &str| {
        let without =
            |inner: &Expr| matches!(inner, Expr::Atom(Atom::Has { tag: of }) if of == tag);
        members
            .iter()
            .any(|member| matches!(member, Expr::Not(inner) if without(inner)))
    };
    let is_single = |tag: &str| names.tag(tag).is_some_and(|info| !info.multi);
    let mut tags = tags.filter(|tag| lacks(tag) || (is_single(tag) && no_value(&tests(tag))));
    tags.next()
}

/// Whether no value passes all tests; patterns alone may have one.
fn no_value(tests: &[&Test]) -> bool {
    let chosen = tests.iter().find_map(|test| match test {
        Test::In(values) => Some(values),
        _ => None,
    });
    if let Some(values) = chosen {
        let passes = |value| tests.iter().all(|test| test.matches(value));
        return !values.iter().any(passes);
    }
    let mut all = (Bound::Unbounded, Bound::Unbounded);
    for test in tests {
        if let Test::Range { low, high } = test {
            all = range::intersect(all, (low.clone(), high.clone()));
        }
    }
    range::canonical(all.0, all.1).is_none()
}
