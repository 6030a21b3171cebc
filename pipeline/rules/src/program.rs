//! All rules of one app as one program with shared subexpressions, ready to be evaluated.
//!
//! Reads the expressions of the valid rules; the graph that they share becomes a schedule of steps.
//! A program is flat however deep its rules are nested, so it can be written as JSON and read back.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use tagmill_schemas::Result;

use super::graph::Graph;
use super::order::{Uncomputable, order};
use super::schedule::Schedule;
use super::{Atom, Expr};

/// The rules of one app, ready to be evaluated in any number of shards and threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Program {
    atoms: Vec<Atom>,
    schedule: Schedule,
}

/// A program as it was read, before its steps are checked.
#[derive(Deserialize)]
struct Parts {
    atoms: Vec<Atom>,
    schedule: Schedule,
}

impl TryFrom<Parts> for Program {
    type Error = &'static str;

    fn try_from(Parts { atoms, schedule }: Parts) -> std::result::Result<Self, Self::Error> {
        match schedule.is_within(atoms.len()) {
            true => Ok(Self { atoms, schedule }),
            false => Err("found a step over an atom or a slot that the program does not have"),
        }
    }
}

impl Program {
    /// Builds the program of groups, each with its rule; names are distinct. It emits their places
    /// in `groups`. Returns with it the places of groups left out, ascending, and why.
    pub fn build(groups: &[(String, Expr)]) -> (Self, Vec<(usize, Uncomputable)>) {
        let (order, refused) = order(groups);
        let mut graph = Graph::default();
        let mut edges = HashMap::new();
        for &place in &order {
            let (name, expr) = &groups[place];
            let edge = graph.edge(expr, &edges);
            edges.insert(name.as_str(), edge);
        }
        let mut kept = order;
        kept.sort_unstable();
        let roots: Vec<_> = kept
            .into_iter()
            .map(|place| (place, edges[groups[place].0.as_str()]))
            .collect();
        let program = Self {
            schedule: Schedule::new(&graph.nodes, &roots),
            atoms: graph.atoms,
        };
        (program, refused.into_iter().collect())
    }

    /// The program of one expression, as group 0. The groups that it mentions are atoms: their
    /// members are given.
    pub fn of(expr: &Expr) -> Self {
        let mut graph = Graph::default();
        let root = graph.edge(expr, &HashMap::new());
        Self {
            schedule: Schedule::new(&graph.nodes, &[(0, root)]),
            atoms: graph.atoms,
        }
    }

    /// The sets the program asks for, each once; `in_group` is among them only in a program made
    /// by [`Program::of`].
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// How many bitsets are alive at once at most: times seats / 8, the bytes an evaluation takes.
    pub fn buffers(&self) -> usize {
        self.schedule.slots() + 1
    }

    /// The groups by the numbers that [`Program::evaluate`] emits, in that order.
    pub fn groups(&self) -> impl Iterator<Item = usize> {
        self.schedule.groups()
    }

    /// Computes every group over `bits` seats: bit i of a set is the i-th seat of the app in this
    /// shard.
    ///
    /// `fill` gets a zeroed bitset of ⌈bits / 64⌉ words and sets an atom's bits; it is called once
    /// for each atom that is needed. `emit` gets each group's number and set, in the order the
    /// groups were given. Bits from `bits` on are zero in what is emitted, whatever `fill` left
    /// there. [`Program::buffers`] bitsets are held; to hold less, evaluate a range of seats at a
    /// time.
    ///
    /// # Errors
    /// The first error of `fill` or `emit`.
    pub fn evaluate(
        &self,
        bits: usize,
        fill: &mut dyn FnMut(&Atom, &mut [u64]) -> Result<()>,
        emit: &mut dyn FnMut(usize, &[u64]) -> Result<()>,
    ) -> Result<()> {
        let mut fill_atom = |atom: usize, set: &mut [u64]| fill(&self.atoms[atom], set);
        self.schedule.evaluate(bits, &mut fill_atom, emit)
    }
}
