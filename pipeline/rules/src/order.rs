//! Which groups of an app can be computed, and in which order: each after those it mentions.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::names::quoted;
use super::{Atom, Expr};

/// Why a rule that compiled can not be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncomputable {
    /// Groups that mention each other, from the group and, if the cycle is short, back to it.
    #[error("cycle of in_group: {}", path(.0))]
    Cycle(Vec<String>),
    /// A mentioned group is not computed.
    #[error("depends on group {}, which is not computed", quoted(.0))]
    Needs(String),
}

fn path(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    names.join(" -> ")
}

/// Positions in an order that has every group after those it mentions, and the positions that have
/// none, with the reason.
pub(crate) fn order(groups: &[(String, Expr)]) -> (Vec<usize>, BTreeMap<usize, Uncomputable>) {
    let positions: HashMap<_, _> = groups
        .iter()
        .enumerate()
        .map(|(position, (name, _))| (name.as_str(), position))
        .collect();
    let mut refused = BTreeMap::new();
    let mut needs = Vec::with_capacity(groups.len());
    for (position, (_, expr)) in groups.iter().enumerate() {
        let atoms = expr.atoms().into_iter();
        let names: Vec<&str> = atoms.filter_map(mentioned_group).collect();
        if let Some(missing) = names.iter().find(|name| !positions.contains_key(**name)) {
            refused.insert(position, Uncomputable::Needs((*missing).to_owned()));
        }
        needs.push(
            names
                .iter()
                .filter_map(|name| positions.get(*name).copied())
                .collect::<Vec<_>>(),
        );
    }
    let mut order = Vec::with_capacity(groups.len());
    for component in components(&needs) {
        let is_cycle = component.len() > 1 || needs[component[0]].contains(&component[0]);
        for &position in &component {
            let bad = needs[position]
                .iter()
                .find(|need| refused.contains_key(*need));
            match bad {
                _ if is_cycle => {
                    refused.insert(position, cycle(position, &component, &needs, groups))
                }
                _ if refused.contains_key(&position) => None,
                Some(&bad) => refused.insert(position, Uncomputable::Needs(groups[bad].0.clone())),
                None => {
                    order.push(position);
                    None
                }
            };
        }
    }
    (order, refused)
}

fn mentioned_group(atom: &Atom) -> Option<&str> {
    match atom {
        Atom::InGroup(name) => Some(name),
        _ => None,
    }
}

/// Names of a cycle that are worth printing.
const LONGEST_CYCLE: usize = 8;

/// From one member, always to the first it mentions inside the component, straight back where it
/// can.
fn cycle(
    from: usize,
    component: &[usize],
    needs: &[Vec<usize>],
    groups: &[(String, Expr)],
) -> Uncomputable {
    let mut path = vec![from];
    let mut at = from;
    while path.len() <= LONGEST_CYCLE {
        let back = needs[at].iter().find(|need| **need == from);
        let inside = || {
            needs[at]
                .iter()
                .find(|need| component.binary_search(need).is_ok())
        };
        let Some(&next) = back.or_else(inside) else {
            break;
        };
        path.push(next);
        at = next;
        if next == from {
            break;
        }
    }
    Uncomputable::Cycle(
        path.into_iter()
            .map(|position| groups[position].0.clone())
            .collect(),
    )
}

/// Strongly connected components, each after those it needs (Tarjan 1972), without recursion:
/// chains may be long.
fn components(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let (mut found, mut lowest) = (vec![UNSEEN; needs.len()], vec![UNSEEN; needs.len()]);
    let mut is_open = vec![false; needs.len()];
    let (mut open, mut components, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..needs.len() {
        let mut path = if found[root] == UNSEEN {
            vec![(root, 0)]
        } else {
            Vec::new()
        };
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            if *next == 0 {
                (found[node], lowest[node]) = (count, count);
                count += 1;
                open.push(node);
                is_open[node] = true;
            }
            let Some(&need) = needs[node].get(*next) else {
                path.pop();
                if let Some((parent, _)) = path.last() {
                    lowest[*parent] = lowest[*parent].min(lowest[node]);
                }
                if lowest[node] == found[node] {
                    let start = open.iter().rposition(|member| *member == node).unwrap_or(0);
                    let mut component = open.split_off(start);
                    component.iter().for_each(|member| is_open[*member] = false);
                    component.sort_unstable();
                    components.push(component);
                }
                continue;
            };
            *next += 1;
            if found[need] == UNSEEN {
                path.push((need, 0));
            } else if is_open[need] {
                lowest[node] = lowest[node].min(found[need]);
            }
        }
    }
    components
}
