//! The order in which a program's nodes are computed, and the buffers they are computed in.
//!
//! Reads the graph and its roots; writes steps over numbered slots, so that evaluating is a loop
//! without decisions: a node is computed once, just before the first rule that needs it, and its
//! slot is free after the last.

use serde::{Deserialize, Serialize};
use tagmill_schemas::Result;

use super::graph::{Edge, Node};

/// Where a set is while the steps run, and whether its complement is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Operand {
    slot: usize,
    is_complement: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    All {
        slot: usize,
    },
    Fill {
        atom: usize,
        slot: usize,
    },
    /// `first` is in `slot` already when its node is needed no more: then nothing is copied.
    And {
        first: Operand,
        rest: Vec<Operand>,
        slot: usize,
    },
    Emit {
        group: usize,
        operand: Operand,
    },
}

/// Steps over `slots` bitsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schedule {
    steps: Vec<Step>,
    slots: usize,
}

impl Schedule {
    /// Roots are `(group, edge)`, emitted in this order.
    pub(crate) fn new(nodes: &[Node], roots: &[(usize, Edge)]) -> Self {
        let mut planner = Planner {
            nodes,
            uses: count_uses(nodes, roots),
            places: vec![None; nodes.len()],
            free: Vec::new(),
            slots: 0,
            steps: Vec::new(),
        };
        for &(group, edge) in roots {
            planner.compute(edge.node());
            let operand = planner.operand(edge);
            planner.steps.push(Step::Emit { group, operand });
            planner.release(edge.node());
        }
        Self {
            steps: planner.steps,
            slots: planner.slots,
        }
    }

    /// Bitsets that are held at once.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// The groups, in the order in which they are emitted.
    pub(crate) fn groups(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().filter_map(|step| match step {
            Step::Emit { group, .. } => Some(*group),
            _ => None,
        })
    }

    /// Whether every step names one of so many atoms, and slots that there are; each slot is
    /// filled by a step of its own.
    pub(crate) fn is_within(&self, atoms: usize) -> bool {
        let has = |slot: &usize| *slot < self.slots;
        let is_within = |step: &Step| match step {
            Step::All { slot } => has(slot),
            Step::Fill { atom, slot } => *atom < atoms && has(slot),
            Step::And { first, rest, slot } => {
                has(slot) && has(&first.slot) && rest.iter().all(|operand| has(&operand.slot))
            }
            Step::Emit { operand, .. } => has(&operand.slot),
        };
        self.slots <= self.steps.len() && self.steps.iter().all(is_within)
    }

    /// As [`super::Program::evaluate`], with atoms by number.
    ///
    /// # Errors
    /// The first error of `fill` or `emit`.
    pub(crate) fn evaluate(
        &self,
        bits: usize,
        fill: &mut dyn FnMut(usize, &mut [u64]) -> Result<()>,
        emit: &mut dyn FnMut(usize, &[u64]) -> Result<()>,
    ) -> Result<()> {
        let words = bits.div_ceil(64);
        let mut slots = vec![Vec::new(); self.slots];
        let mut scratch = Vec::new();
        for step in &self.steps {
            let written = match step {
                Step::Emit { group, operand } => {
                    let set = &slots[operand.slot];
                    match operand.is_complement {
                        false => emit(*group, set)?,
                        true => emit(*group, complemented(set, bits, &mut scratch))?,
                    }
                    continue;
                }
                Step::All { slot } => {
                    reset(&mut slots[*slot], words, u64::MAX);
                    *slot
                }
                Step::Fill { atom, slot } => {
                    reset(&mut slots[*slot], words, 0);
                    fill(*atom, &mut slots[*slot])?;
                    *slot
                }
                Step::And { first, rest, slot } => {
                    intersect(&mut slots, *first, rest, *slot);
                    *slot
                }
            };
            clear_tail(&mut slots[written], bits);
        }
        Ok(())
    }
}

/// How many nodes and roots need each node; a node no root needs is not counted, nor what only it
/// needs.
fn count_uses(nodes: &[Node], roots: &[(usize, Edge)]) -> Vec<usize> {
    let mut uses = vec![0; nodes.len()];
    roots.iter().for_each(|(_, edge)| uses[edge.node()] += 1);
    // A node comes after those it needs.
    for (index, node) in nodes.iter().enumerate().rev() {
        if let (true, Node::And(members)) = (uses[index] > 0, node) {
            members.iter().for_each(|member| uses[member.node()] += 1);
        }
    }
    uses
}

struct Planner<'a> {
    nodes: &'a [Node],
    /// Uses that are still to come.
    uses: Vec<usize>,
    places: Vec<Option<usize>>,
    free: Vec<usize>,
    slots: usize,
    steps: Vec<Step>,
}

impl Planner<'_> {
    /// Adds the steps for a node and what it needs; a stack of its own, because chains of groups
    /// may be long.
    fn compute(&mut self, root: usize) {
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.last_mut() {
            let nodes = self.nodes;
            match &nodes[*node] {
                _ if self.places[*node].is_some() => {}
                Node::And(members) if *next < members.len() => {
                    let member = members[*next].node();
                    *next += 1;
                    path.push((member, 0));
                    continue;
                }
                Node::And(members) => {
                    let node = *node;
                    self.intersect(node, members);
                }
                Node::Atom(atom) => {
                    let node = *node;
                    let slot = self.place(node);
                    self.steps.push(Step::Fill { atom: *atom, slot });
                }
                Node::All => {
                    let node = *node;
                    let slot = self.place(node);
                    self.steps.push(Step::All { slot });
                }
            }
            path.pop();
        }
    }

    fn intersect(&mut self, node: usize, members: &[Edge]) {
        // A member that dies here lends its buffer; else one that is not complemented, which is
        // copied as it is.
        let dying = members
            .iter()
            .position(|member| self.uses[member.node()] == 1);
        let first = dying
            .or_else(|| members.iter().position(|member| !member.is_complement()))
            .unwrap_or(0);
        let operands: Vec<_> = members.iter().map(|member| self.operand(*member)).collect();
        let slot = match dying {
            Some(lender) => {
                let slot = operands[lender].slot;
                self.uses[members[lender].node()] = 0;
                self.places[members[lender].node()] = None;
                self.places[node] = Some(slot);
                slot
            }
            None => self.place(node),
        };
        let rest = operands
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != first)
            .map(|(_, operand)| *operand)
            .collect();
        self.steps.push(Step::And {
            first: operands[first],
            rest,
            slot,
        });
        for (index, member) in members.iter().enumerate() {
            if Some(index) != dying {
                self.release(member.node());
            }
        }
    }

    fn place(&mut self, node: usize) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.places[node] = Some(slot);
        slot
    }

    fn operand(&self, edge: Edge) -> Operand {
        Operand {
            slot: self.places[edge.node()].unwrap_or_default(),
            is_complement: edge.is_complement(),
        }
    }

    fn release(&mut self, node: usize) {
        self.uses[node] -= 1;
        if self.uses[node] == 0 {
            self.free.extend(self.places[node].take());
        }
    }
}

fn reset(set: &mut Vec<u64>, words: usize, value: u64) {
    set.clear();
    set.resize(words, value);
}

fn complemented<'a>(set: &[u64], bits: usize, scratch: &'a mut Vec<u64>) -> &'a [u64] {
    scratch.clear();
    scratch.extend(set.iter().map(|word| !word));
    clear_tail(scratch, bits);
    scratch
}

fn clear_tail(set: &mut [u64], bits: usize) {
    if let (Some(last), 1..) = (set.last_mut(), bits % 64) {
        *last &= (1 << (bits % 64)) - 1;
    }
}

fn intersect(slots: &mut [Vec<u64>], first: Operand, rest: &[Operand], slot: usize) {
    let mut target = std::mem::take(&mut slots[slot]);
    match (first.slot == slot, first.is_complement) {
        (true, false) => {}
        (true, true) => target.iter_mut().for_each(|word| *word = !*word),
        (false, is_complement) => {
            target.clear();
            let flip = if is_complement { u64::MAX } else { 0 };
            target.extend(slots[first.slot].iter().map(|word| word ^ flip));
        }
    }
    for operand in rest {
        let flip = if operand.is_complement { u64::MAX } else { 0 };
        target
            .iter_mut()
            .zip(&slots[operand.slot])
            .for_each(|(word, other)| *word &= other ^ flip);
    }
    slots[slot] = target;
}
