//! The groups that users of one shard fall into: a tree of labels, so that the levels of a hierarchy
//! are its nodes.
//!
//! ```text
//! all ─┬─ north ─┬─ shop 1      a node: who (a set), how many events, what sum
//!      │         └─ shop 2      a user of several values is in several nodes
//!      └─ south ─── shop 3
//! ```

use hashbrown::HashMap;
use tagmill_bitmap::{BitmapRef, GroupSets};
use tagmill_schemas::Result;

use super::codes::{Codes, Label, Labels};
use super::shard_rows::damaged;

/// The node of everybody.
const ROOT: u32 = 0;

/// What is counted of a user in one part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) events: i128,
    pub(super) sum: i128,
    /// Whether the labels are not those of all these events.
    pub(super) is_bound: bool,
}

#[derive(Debug)]
struct Node {
    parent: u32,
    code: u32,
    depth: usize,
    events: i128,
    sum: i128,
    is_bound: bool,
}

/// A group of one shard.
#[derive(Debug)]
pub(super) struct Group {
    /// From the outermost column on.
    pub(super) labels: Vec<Label>,
    pub(super) users: u64,
    pub(super) events: i128,
    pub(super) sum: i128,
    pub(super) is_bound: bool,
    /// Its users, where they are wanted.
    pub(super) bitmap: Option<Vec<u8>>,
}

/// The groups of one shard while they are built.
#[derive(Debug)]
pub(super) struct Groups {
    nodes: Vec<Node>,
    /// Of the outermost column by code; the root where there is none yet.
    outermost: Vec<u32>,
    /// Of inner columns by parent and code.
    children: HashMap<(u32, u32), u32>,
    sets: GroupSets,
    /// Columns that groups are told apart by.
    depth: usize,
    /// Whether outer levels are groups, too.
    has_levels: bool,
    /// Node and user of one part.
    members: Vec<(usize, u64)>,
}

impl Groups {
    pub(super) fn new(depth: usize, has_levels: bool) -> Self {
        let root = Node {
            parent: ROOT,
            code: 0,
            depth: 0,
            events: 0,
            sum: 0,
            is_bound: false,
        };
        Self {
            nodes: vec![root],
            outermost: Vec::new(),
            children: HashMap::new(),
            sets: GroupSets::default(),
            depth,
            has_levels,
            members: Vec::new(),
        }
    }

    /// Counts a user of a part in every group of their labels.
    pub(super) fn add(&mut self, uid: u64, columns: &[&Codes], counted: Counted) {
        self.add_below(ROOT, uid, columns, counted);
    }

    /// Counts users of a part in the group of all.
    pub(super) fn add_all(&mut self, users: &BitmapRef<'_>, counted: Counted) {
        self.sets.merge(ROOT as usize, users);
        self.count(ROOT, counted);
    }

    /// The users added since are those of one part.
    pub(super) fn end_part(&mut self) {
        self.sets.insert_all(self.members.drain(..));
    }

    fn add_below(&mut self, node: u32, uid: u64, columns: &[&Codes], counted: Counted) {
        if columns.is_empty() || self.has_levels {
            self.count(node, counted);
            self.members.push((node as usize, uid));
        }
        let Some((column, inner)) = columns.split_first() else {
            return;
        };
        for code in column.of(uid as u32) {
            let child = self.child(node, code);
            self.add_below(child, uid, inner, counted);
        }
    }

    fn count(&mut self, node: u32, counted: Counted) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.events += counted.events;
            node.sum += counted.sum;
            node.is_bound |= counted.is_bound;
        }
    }

    fn child(&mut self, parent: u32, code: u32) -> u32 {
        if parent != ROOT {
            let nodes = &mut self.nodes;
            let child = self.children.entry((parent, code));
            return *child.or_insert_with(|| grow(nodes, parent, code));
        }
        let needed = self.outermost.len().max(code as usize + 1);
        self.outermost.resize(needed, ROOT);
        let child = &mut self.outermost[code as usize];
        if *child == ROOT {
            *child = grow(&mut self.nodes, parent, code);
        }
        *child
    }

    /// The groups that have somebody.
    ///
    /// # Errors
    /// Refused for damaged bitmaps.
    pub(super) fn finish(mut self, columns: &[Labels], with_users: bool) -> Result<Vec<Group>> {
        let mut sets = self.sets.drain();
        let mut found = Vec::new();
        for at in 0..self.nodes.len() {
            let mut bitmap = Vec::new();
            let is_any = sets.write_next(&mut bitmap);
            let node = &self.nodes[at];
            if !is_any || (!self.has_levels && node.depth < self.depth) {
                continue;
            }
            let users = BitmapRef::parse_layout(&bitmap)
                .map_err(damaged)?
                .cardinality();
            found.push(Group {
                labels: self.labels(at as u32, columns),
                users,
                events: node.events,
                sum: node.sum,
                is_bound: node.is_bound,
                bitmap: with_users.then_some(bitmap),
            });
        }
        Ok(found)
    }

    fn labels(&self, node: u32, columns: &[Labels]) -> Vec<Label> {
        let up = |at: &u32| (*at != ROOT).then(|| self.nodes[*at as usize].parent);
        let path = std::iter::successors(Some(node), up).filter(|at| *at != ROOT);
        let codes: Vec<u32> = path.map(|at| self.nodes[at as usize].code).collect();
        let outermost_first = codes.into_iter().rev();
        columns
            .iter()
            .zip(outermost_first)
            .map(|(labels, code)| labels.label(code))
            .collect()
    }
}

/// A new node.
fn grow(nodes: &mut Vec<Node>, parent: u32, code: u32) -> u32 {
    let depth = nodes.get(parent as usize).map_or(0, |node| node.depth) + 1;
    nodes.push(Node {
        parent,
        code,
        depth,
        events: 0,
        sum: 0,
        is_bound: false,
    });
    (nodes.len() - 1) as u32
}
