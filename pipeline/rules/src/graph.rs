//! An and-inverter graph: a node is an atom or an intersection, an edge may complement what it
//! points at, a union is the complement of an intersection of complements.
//!
//! Equal nodes are made once, so `a AND b` in a hundred rules, under NOT or as
//! `NOT (NOT a OR NOT b)`, is one node; `in_group` is an edge to the other rule's node.

use hashbrown::HashMap;

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

/// Nodes after those that they need, each once.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) atoms: Vec<Atom>,
    known: HashMap<Node, Edge>,
    known_atoms: HashMap<Atom, usize>,
}

impl Graph {
    /// The edge of an expression. A group that is in `groups` is the edge of its own rule, another
    /// one an atom.
    ///
    /// Recurses as deep as rules are nested, which their limits bound; `in_group` does not recurse.
    pub(crate) fn edge(&mut self, expr: &Expr, groups: &HashMap<&str, Edge>) -> Edge {
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
            Expr::Atom(atom) => match atom {
                Atom::InGroup(name) if groups.contains_key(name.as_str()) => groups[name.as_str()],
                atom => self.atom(atom),
            },
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
