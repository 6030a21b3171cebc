//! Tags that exist, but whose values are not published because there are too many of them.

use tagmill_schemas::manifest::OverLimit;

use super::{Atom, Expr, Names};

/// The first tag of a rule whose values are withheld, with the limit that they exceed.
pub fn withheld_tag<'e>(rule: &'e Expr, names: &dyn Names) -> Option<(&'e str, OverLimit)> {
    rule.atoms().into_iter().find_map(|atom| match atom {
        Atom::Has { tag } | Atom::Tag { tag, .. } => {
            names.withheld(tag).map(|limit| (tag.as_str(), limit))
        }
        Atom::Behaviour { .. }
        | Atom::InGroup(_)
        | Atom::Before(_)
        | Atom::InList(_)
        | Atom::InSplit { .. } => None,
    })
}
