//! The levels as a tree that paths can walk.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use lakeql_rows::error::Problem;
use lakeql_rows::tree::{Attachment, NameRange, Plan, Tree};

use super::file::ReadStats;
use super::level::{Block, Level, Part};
use crate::catalog::snapshot::Snapshot;
use crate::catalog::trees::{StateColumns, TreeInfo};
use crate::error::{Error, Result};

/// A tree whose files are open. Blocks that have been read stay in memory up to a limit.
#[derive(Debug)]
pub struct OpenTree {
    name: String,
    plan: Plan,
    children: u64,
    levels: Vec<Level>,
    /// For each level the attachments that its nodes can have, by name, with their columns in the file.
    states: Vec<Vec<State>>,
}

#[derive(Debug)]
struct State {
    name: Arc<str>,
    /// Its place among the attachments of the tree.
    column: usize,
    columns: StateColumns,
    /// The first of its columns in the file.
    first: usize,
}

impl OpenTree {
    /// Opens the files of a tree.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn open(snapshot: &Snapshot, name: &str, tree: &TreeInfo) -> Result<Self> {
        let (_, plan) = tree.plan()?;
        let (mut levels, mut states) = (vec![], vec![]);
        for number in 1..=tree.levels {
            let file = snapshot.tree_level(tree, number).ok_or_else(|| Error::Damaged {
                path: crate::Table::Nodes.name().to_owned(),
                reason: format!("level {number} of the tree `{name}` is missing"),
            })?;
            let number = usize::try_from(number).map_err(|error| Error::Internal(error.to_string()))?;
            let level = Level::open(snapshot.store(), file, number).await?;
            let mut of_level: Vec<State> = plan
                .columns_of_level(number)
                .filter_map(|column| {
                    let attach = plan.columns().get(column)?;
                    let columns = StateColumns::of(&attach.name, &attach.spec);
                    let first = level.column(columns.fields().first()?.name())?;
                    Some(State { name: Arc::clone(&attach.name), column, columns, first })
                })
                .collect();
            of_level.sort_by(|a, b| a.name.cmp(&b.name));
            states.push(of_level);
            levels.push(level);
        }
        Ok(Self { name: name.to_owned(), plan, children: tree.children, levels, states })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tree as one query sees it.
    pub fn view(self: &Arc<Self>) -> TreeView {
        TreeView { tree: Arc::clone(self), read: Arc::default(), last: Mutex::default() }
    }
}

/// A tree as one query sees it, which counts what it reads.
#[derive(Debug)]
pub struct TreeView {
    tree: Arc<OpenTree>,
    read: Arc<ReadStats>,
    /// The last child of a batch: whoever asks for those behind it need not look for it again.
    last: Mutex<Option<(Arc<str>, usize, u64)>>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    name: Arc<str>,
    hits: i64,
    children: i64,
    first_child: u64,
    /// 0 is the root.
    depth: usize,
    row: u64,
}

impl TreeView {
    /// What has been read so far.
    pub fn read(&self) -> &Arc<ReadStats> {
        &self.read
    }

    /// The tree.
    pub fn tree(&self) -> &OpenTree {
        &self.tree
    }

    fn node(&self, depth: usize, row: u64, names: &Block, counts: &Block) -> Option<Node> {
        Some(Node {
            name: names.name(row)?.into(),
            hits: counts.int(0, row)?,
            children: counts.int(1, row)?,
            first_child: u64::try_from(counts.int(2, row)?).ok()?,
            depth,
            row,
        })
    }

    /// The rows of a node's children, and the level that they are on.
    fn below(&self, node: &Node) -> Option<(&Level, std::ops::Range<u64>)> {
        let level = self.tree.levels.get(node.depth).filter(|_| node.children > 0)?;
        let count = u64::try_from(node.children).unwrap_or_default();
        let end = node.first_child.saturating_add(count).min(level.rows());
        Some((level, node.first_child.min(end)..end))
    }

    fn state(&self, node: &Node, state: &State) -> Result<Option<Attachment>, Problem> {
        let Some(level) = node.depth.checked_sub(1).and_then(|index| self.tree.levels.get(index)) else {
            return Ok(None);
        };
        let block = level.block(Part::State(state.first), node.row, &self.read)?;
        let Some(spec) = self.tree.plan.columns().get(state.column).map(|attach| &attach.spec) else { return Ok(None) };
        state_at(&block, node.row, 0, &state.columns, spec)
    }
}

/// The state in a row, if there is one.
pub(super) fn state_at(
    block: &Block,
    row: u64,
    column: usize,
    columns: &StateColumns,
    spec: &lakeql_rows::tree::AttachSpec,
) -> Result<Option<Attachment>, Problem> {
    Ok(match columns {
        StateColumns::Ints(..) => {
            let (Some(a), Some(b)) = (block.int(column, row), block.int(column + 1, row)) else { return Ok(None) };
            Some(match spec {
                lakeql_rows::tree::AttachSpec::Time { .. } => Attachment::Time { first: a, last: b },
                _ => Attachment::Sum { sum: a, num: b },
            })
        }
        StateColumns::FloatInt(..) => {
            let (Some(sum), Some(count)) = (block.float(column, row), block.int(column + 1, row)) else {
                return Ok(None);
            };
            Some(Attachment::SumFloat { sum, count })
        }
        StateColumns::Bytes(field) => match block.bytes(column, row) {
            None => None,
            Some(bytes) => Some(
                Attachment::read(spec, bytes)
                    .ok_or_else(|| Problem::Read(format!("the column `{}` of a tree is damaged", field.name())))?,
            ),
        },
    })
}

fn damaged() -> Problem {
    Problem::Read("a tree is damaged: a row is incomplete".to_owned())
}

impl Tree for TreeView {
    type Node = Node;

    fn root(&self) -> Node {
        let children = i64::try_from(self.tree.children).unwrap_or(i64::MAX);
        Node { name: "".into(), hits: 0, children, first_child: 0, depth: 0, row: 0 }
    }

    fn name(&self, node: &Node) -> Arc<str> {
        Arc::clone(&node.name)
    }

    fn hits(&self, node: &Node) -> i64 {
        node.hits
    }

    fn child_count(&self, node: &Node) -> i64 {
        node.children
    }

    /// Bytes of the name, of the counts, and of what is attached as far as it has a fixed size.
    fn weight(&self, node: &Node) -> i64 {
        let states = node.depth.checked_sub(1).and_then(|index| self.tree.states.get(index));
        let states = states.map_or(0, |states| states.iter().map(|state| state.columns.fields().len() * 8).sum());
        i64::try_from(node.name.len() + 24 + states).unwrap_or(i64::MAX)
    }

    fn child(&self, node: &Node, name: &str) -> Result<Option<Node>, Problem> {
        let Some((level, rows)) = self.below(node) else { return Ok(None) };
        let row = level.place(rows.clone(), name, &self.read)?;
        if row >= rows.end {
            return Ok(None);
        }
        let names = level.block(Part::Names, row, &self.read)?;
        if names.name(row) != Some(name) {
            return Ok(None);
        }
        let counts = level.block(Part::Counts, row, &self.read)?;
        self.node(node.depth + 1, row, &names, &counts).map(Some).ok_or_else(damaged)
    }

    fn children(&self, node: &Node, names: &NameRange, most: usize) -> Result<Vec<Node>, Problem> {
        let Some((level, rows)) = self.below(node) else { return Ok(vec![]) };
        let depth = node.depth + 1;
        let after = names.after.as_ref().filter(|after| ***after >= *names.from);
        let known = after.and_then(|after| {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let (name, of, row) = last.as_ref()?;
            (Arc::ptr_eq(name, after) && *of == depth && rows.contains(row)).then_some(*row + 1)
        });
        let mut row = match (known, after) {
            (Some(row), _) => row,
            (None, Some(after)) => level.place(rows.clone(), after, &self.read)?,
            (None, None) if names.from.is_empty() => rows.start,
            (None, None) => level.place(rows.clone(), &names.from, &self.read)?,
        };
        let mut found: Vec<Node> = vec![];
        while row < rows.end && found.len() < most {
            let (texts, counts) =
                (level.block(Part::Names, row, &self.read)?, level.block(Part::Counts, row, &self.read)?);
            let end = texts.end().min(counts.end()).min(rows.end);
            while row < end && found.len() < most {
                let child = self.node(depth, row, &texts, &counts).ok_or_else(damaged)?;
                row += 1;
                if names.contains(&child.name) {
                    found.push(child);
                } else if names.to.as_ref().is_some_and(|to| *child.name >= **to) {
                    row = rows.end;
                }
            }
        }
        if let Some(last) = found.last() {
            let place = (Arc::clone(&last.name), depth, last.row);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        }
        Ok(found)
    }

    fn attachments(&self, node: &Node) -> Result<Vec<Arc<str>>, Problem> {
        let states = node.depth.checked_sub(1).and_then(|index| self.tree.states.get(index));
        let mut names = vec![];
        for state in states.into_iter().flatten() {
            if self.state(node, state)?.is_some() {
                names.push(Arc::clone(&state.name));
            }
        }
        Ok(names)
    }

    fn attachment<'a>(&'a self, node: &Node, name: &str) -> Result<Option<Cow<'a, Attachment>>, Problem> {
        let states = node.depth.checked_sub(1).and_then(|index| self.tree.states.get(index));
        // A name has one kind, but nodes of one level may have it in different ones.
        for state in states.into_iter().flatten().filter(|state| *state.name == *name) {
            if let Some(found) = self.state(node, state)? {
                return Ok(Some(Cow::Owned(found)));
            }
        }
        Ok(None)
    }
}
