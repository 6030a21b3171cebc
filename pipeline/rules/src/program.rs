//! All rules of one app as one graph with shared subexpressions.
//!
//! An and-inverter graph: a node is an atom or an intersection, an edge may complement what it
//! points at, a union is the complement of an intersection of complements. Equal nodes are made
//! once, so `a AND b` in a hundred rules, under NOT or as `NOT (NOT a OR NOT b)`, is computed once;
//! `in_group` is an edge to the other rule's node.
//!
//! Reads the expressions of the valid rules; writes a [`Schedule`], which evaluates them.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::names::quoted;
use super::schedule::Schedule;
use super::{Atom, Expr};

/// A node and whether its complement is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Edge(u32);

impl Edge {
    /// The universe; its complement is nobody.
    const ALL: Self = Self(0);
    const NONE: Self = Self(1);

    fn to(node: usize) -> Self {
        // Nodes are counted in memory they fill: far below 2^31.
        Self((node as u32) << 1)
    }

    pub(crate) fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(crate) fn is_complement(self) -> bool {
        self.0 & 1 == 1
    }

    fn complement(self) -> Self {
        Self(self.0 ^ 1)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    All,
    /// An index into the atoms.
    Atom(usize),
    /// At least two, sorted, of distinct nodes.
    And(Vec<Edge>),
}

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

/// The rules of one app, ready to be evaluated in any number of shards and threads.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) atoms: Vec<Atom>,
    pub(crate) schedule: Schedule,
}

impl Program {
    /// Builds the program of `(index, expression, name)` groups; names are distinct. Returns with
    /// it the groups left out, by index, and why.
    pub fn build(groups: Vec<(usize, Expr, String)>) -> (Self, Vec<(usize, Uncomputable)>) {
        let (order, refused) = order(&groups);
        let mut graph = Graph::default();
        let mut edges = HashMap::new();
        for &position in &order {
            let (_, expr, name) = &groups[position];
            let edge = graph.edge(expr, &edges);
            edges.insert(name.as_str(), edge);
        }
        let mut kept = order;
        kept.sort_unstable();
        let roots: Vec<_> = kept
            .iter()
            .map(|&position| (groups[position].0, edges[groups[position].2.as_str()]))
            .collect();
        let schedule = Schedule::new(&graph.nodes, &roots);
        let refused = refused
            .into_iter()
            .map(|(position, why)| (groups[position].0, why))
            .collect();
        (
            Self {
                atoms: graph.atoms,
                schedule,
            },
            refused,
        )
    }

    /// The sets the program asks for, each once; `in_group` is not among them.
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// How many bitsets are alive at once at most: times seats / 8, the bytes an evaluation takes.
    pub fn buffers(&self) -> usize {
        self.schedule.slots + 1
    }
}

#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    atoms: Vec<Atom>,
    known: HashMap<Node, Edge>,
    known_atoms: HashMap<Atom, usize>,
}

impl Graph {
    /// Recurses as deep as rules are nested, which their limits bound; `in_group` does not recurse.
    fn edge(&mut self, expr: &Expr, groups: &HashMap<&str, Edge>) -> Edge {
        match expr {
            Expr::All => self.all(),
            Expr::None => self.all().complement(),
            Expr::Not(inner) => self.edge(inner, groups).complement(),
            Expr::And(members) => {
                let members = members
                    .iter()
                    .map(|member| self.edge(member, groups))
                    .collect();
                self.and(members)
            }
            Expr::Or(members) => {
                let members = members
                    .iter()
                    .map(|member| self.edge(member, groups).complement())
                    .collect();
                self.and(members).complement()
            }
            // A group that is missing was refused with the one that mentions it.
            Expr::Atom(Atom::InGroup(name)) => {
                groups.get(name.as_str()).copied().unwrap_or(Edge::NONE)
            }
            Expr::Atom(atom) => self.atom(atom),
        }
    }

    fn all(&mut self) -> Edge {
        self.ensure_all();
        Edge::ALL
    }

    /// The universe is node 0 of every graph.
    fn ensure_all(&mut self) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::All);
        }
    }

    fn atom(&mut self, atom: &Atom) -> Edge {
        if let Some(index) = self.known_atoms.get(atom) {
            return self.node(Node::Atom(*index));
        }
        let index = self.atoms.len();
        self.atoms.push(atom.clone());
        self.known_atoms.insert(atom.clone(), index);
        self.node(Node::Atom(index))
    }

    fn and(&mut self, mut members: Vec<Edge>) -> Edge {
        members.sort_unstable();
        members.dedup();
        members.retain(|member| *member != Edge::ALL);
        // Sorted, a node and its complement are neighbours.
        let is_empty = members.contains(&Edge::NONE)
            || members
                .windows(2)
                .any(|pair| pair[0].complement() == pair[1]);
        match (is_empty, members.as_slice()) {
            (true, _) => self.all().complement(),
            (false, []) => self.all(),
            (false, [only]) => *only,
            (false, _) => self.node(Node::And(members)),
        }
    }

    fn node(&mut self, node: Node) -> Edge {
        self.ensure_all();
        *self.known.entry(node).or_insert_with_key(|node| {
            self.nodes.push(node.clone());
            Edge::to(self.nodes.len() - 1)
        })
    }
}

/// Positions in an order that has every group after those it mentions, and the positions that have
/// none, with the reason.
fn order(groups: &[(usize, Expr, String)]) -> (Vec<usize>, BTreeMap<usize, Uncomputable>) {
    let positions: HashMap<_, _> = groups
        .iter()
        .enumerate()
        .map(|(position, (_, _, name))| (name.as_str(), position))
        .collect();
    let mut refused = BTreeMap::new();
    let mut needs = Vec::with_capacity(groups.len());
    for (position, (_, expr, _)) in groups.iter().enumerate() {
        let mut names = Vec::new();
        mentioned(expr, &mut names);
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
                Some(&bad) => refused.insert(position, Uncomputable::Needs(groups[bad].2.clone())),
                None => {
                    order.push(position);
                    None
                }
            };
        }
    }
    (order, refused)
}

fn mentioned<'e>(expr: &'e Expr, names: &mut Vec<&'e str>) {
    match expr {
        Expr::All | Expr::None => {}
        Expr::Not(inner) => mentioned(inner, names),
        Expr::And(members) | Expr::Or(members) => {
            members.iter().for_each(|member| mentioned(member, names))
        }
        Expr::Atom(Atom::InGroup(name)) => names.push(name),
        Expr::Atom(_) => {}
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
    groups: &[(usize, Expr, String)],
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
            .map(|position| groups[position].2.clone())
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
