//! A tree in memory.

use super::{Attachment, NameRange, Tree};
use crate::error::Problem;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// A tree in memory.
#[derive(Clone, Debug)]
pub struct MemoryTree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    name: Arc<str>,
    hits: i64,
    children: BTreeMap<Arc<str>, usize>,
    attachments: BTreeMap<Arc<str>, Attachment>,
}

/// The root's index.
const ROOT: usize = 0;

impl Default for MemoryTree {
    fn default() -> Self {
        Self { nodes: vec![Node { name: "".into(), ..Node::default() }] }
    }
}

impl MemoryTree {
    /// The child of this name, made if there is none.
    pub fn child_or_new(&mut self, parent: usize, name: &str) -> usize {
        if let Some(child) = self.nodes.get(parent).and_then(|node| node.children.get(name)) {
            return *child;
        }
        let (child, name) = (self.nodes.len(), Arc::<str>::from(name));
        self.nodes.push(Node { name: name.clone(), ..Node::default() });
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.insert(name, child);
        }
        child
    }

    /// Sets the hits of a node.
    pub fn set_hits(&mut self, node: usize, hits: i64) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.hits = hits;
        }
    }

    /// The attachments of a node.
    pub(super) fn attachments_mut(&mut self, node: usize) -> Option<&mut BTreeMap<Arc<str>, Attachment>> {
        self.nodes.get_mut(node).map(|node| &mut node.attachments)
    }
}

impl Tree for MemoryTree {
    type Node = usize;

    fn root(&self) -> usize {
        ROOT
    }

    fn name(&self, node: &usize) -> Arc<str> {
        self.nodes.get(*node).map(|node| node.name.clone()).unwrap_or_default()
    }

    fn hits(&self, node: &usize) -> i64 {
        self.nodes.get(*node).map_or(0, |node| node.hits)
    }

    fn child_count(&self, node: &usize) -> i64 {
        self.nodes.get(*node).map_or(0, |node| i64::try_from(node.children.len()).unwrap_or(i64::MAX))
    }

    fn weight(&self, node: &usize) -> i64 {
        let Some(node) = self.nodes.get(*node) else { return 0 };
        let bytes = node.name.len() + 16 + node.attachments.values().map(Attachment::size).sum::<usize>();
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }

    fn child(&self, node: &usize, name: &str) -> Result<Option<usize>, Problem> {
        Ok(self.nodes.get(*node).and_then(|node| node.children.get(name)).copied())
    }

    fn children(&self, node: &usize, names: &NameRange, most: usize) -> Result<Vec<usize>, Problem> {
        let Some(node) = self.nodes.get(*node) else { return Ok(vec![]) };
        let from = match &names.after {
            Some(after) if **after >= *names.from => Bound::Excluded(&**after),
            _ => Bound::Included(names.from.as_str()),
        };
        let range = node.children.range::<str, _>((from, Bound::Unbounded));
        Ok(range.take_while(|(name, _)| names.contains(name)).take(most).map(|(_, child)| *child).collect())
    }

    fn attachments(&self, node: &usize) -> Result<Vec<Arc<str>>, Problem> {
        Ok(self.nodes.get(*node).map(|node| node.attachments.keys().cloned().collect()).unwrap_or_default())
    }

    fn attachment<'a>(&'a self, node: &usize, name: &str) -> Result<Option<Cow<'a, Attachment>>, Problem> {
        Ok(self.nodes.get(*node).and_then(|node| node.attachments.get(name)).map(Cow::Borrowed))
    }
}
