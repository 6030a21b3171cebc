//! Tags that exist, but whose values are not published because there are too many of them.

use tagmill_schemas::manifest::OverLimit;

use super::{Atom, Expr, Names};

/// The first tag of a rule whose values are withheld, with the limit that they exceed.
pub fn withheld_tag<'e>(rule: &'e Expr, names: &dyn Names) -> Option<(&'e str, OverLimit)> {
    match rule {
        Expr::All | Expr::None => None,
        Expr::Not(inner) => withheld_tag(inner, names),
        Expr::And(members) | Expr::Or(members) => members
            .iter()
            .find_map(|member| withheld_tag(member, names)),
        Expr::Atom(Atom::Has { tag } | Atom::Tag { tag, .. }) => {
            names.withheld(tag).map(|limit| (tag.as_str(), limit))
        }
        Expr::Atom(Atom::InGroup(_) | Atom::InList(_) | Atom::InSplit { .. }) => None,
    }
}
