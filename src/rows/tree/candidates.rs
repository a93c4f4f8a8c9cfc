//! The nodes that an element may accept, one after the other.

use super::{MadeNode, NameRange, Tree};
use crate::error::Problem;
use lakeql_query::dialects::hydra::path::{AttachmentNodes, By, Children};
use regex::Regex;
use std::collections::VecDeque;
use std::sync::Arc;

/// Children that are read at once.
const BATCH: usize = 128;

/// A node that was visited.
#[derive(Clone)]
pub(super) enum Visit<N> {
    /// A node of the tree.
    Real(N),
    /// A node of the tree with other hits.
    Counted(N, i64),
    /// A node that is no part of the tree.
    Made(Arc<Made>),
}

/// A node that is no part of the tree.
pub(super) struct Made {
    pub(super) name: Arc<str>,
    pub(super) hits: i64,
    pub(super) children: Vec<Arc<str>>,
    pub(super) error: Option<i64>,
}

impl Made {
    fn visit<N>(name: &Arc<str>, hits: i64, children: Vec<Arc<str>>, error: Option<i64>) -> Visit<N> {
        Visit::Made(Arc::new(Self { name: name.clone(), hits, children, error }))
    }
}

impl<N> Visit<N> {
    /// The node of the tree, if it is one.
    pub(super) fn real(&self) -> Option<&N> {
        match self {
            Self::Real(node) | Self::Counted(node, _) => Some(node),
            Self::Made(_) => None,
        }
    }

    pub(super) fn name<T: Tree<Node = N>>(&self, tree: &T) -> Arc<str> {
        match self {
            Self::Real(node) | Self::Counted(node, _) => tree.name(node),
            Self::Made(made) => made.name.clone(),
        }
    }

    pub(super) fn hits<T: Tree<Node = N>>(&self, tree: &T) -> i64 {
        match self {
            Self::Real(node) => tree.hits(node),
            Self::Counted(_, hits) => *hits,
            Self::Made(made) => made.hits,
        }
    }
}

/// What is still to be looked at.
enum Part {
    /// Children within a range, once each or once for each pattern.
    Range(NameRange, bool),
    Name(usize),
    /// Names of the children of the node at an absolute path.
    NamesOf(Vec<Arc<str>>),
    Attachment(usize),
}

/// The candidates of one element below one node.
pub(super) struct Candidates<N> {
    parts: VecDeque<Part>,
    ready: VecDeque<Visit<N>>,
    found: bool,
    default: bool,
}

impl<N: Clone> Candidates<N> {
    /// Exactly these nodes.
    pub(super) fn of(nodes: impl IntoIterator<Item = Visit<N>>) -> Self {
        Self { parts: VecDeque::new(), ready: nodes.into_iter().collect(), found: true, default: false }
    }

    /// The children that an element names.
    pub(super) fn new<T: Tree<Node = N>>(tree: &T, children: &Children) -> Result<Self, Problem> {
        let mut parts = VecDeque::new();
        match children.by {
            By::Regex { .. } => parts.push_back(Part::Range(NameRange::all(), true)),
            _ if children.all() => parts.push_back(Part::Range(NameRange::all(), false)),
            By::Name => parts.extend((0..children.names.len()).map(Part::Name)),
            By::Prefix => {
                parts.extend(children.names.iter().map(|prefix| Part::Range(NameRange::prefix(prefix), false)));
            }
            By::Range => {
                for pair in children.names.chunks(2) {
                    let from = pair.first().map_or("", String::as_str);
                    let to = pair.get(1).map(String::as_str);
                    parts.push_back(Part::Range(NameRange::between(from, to), false));
                }
                if children.names.is_empty() {
                    parts.push_back(Part::Range(NameRange::all(), false));
                }
            }
        }
        if let Some(path) = &children.names_of {
            parts.push_back(Part::NamesOf(names_below(tree, path)?));
        }
        if !matches!(children.by, By::Regex { .. }) {
            parts.extend((0..children.attachments.len()).map(Part::Attachment));
        }
        let default = children.default.is_some() && children.by == By::Name;
        Ok(Self { parts, ready: VecDeque::new(), found: false, default })
    }

    /// The next candidate.
    pub(super) fn next<T: Tree<Node = N>>(
        &mut self,
        tree: &T,
        parent: &Visit<N>,
        children: Option<(&Children, &[Regex])>,
    ) -> Result<Option<Visit<N>>, Problem> {
        loop {
            if let Some(visit) = self.ready.pop_front() {
                self.found = true;
                return Ok(Some(visit));
            }
            let Some((children, patterns)) = children else { return Ok(None) };
            match self.parts.pop_front() {
                Some(part) => self.look(part, tree, parent, children, patterns)?,
                None if self.default && !self.found => {
                    self.default = false;
                    if let Some(default) = &children.default {
                        self.ready.push_back(Made::visit(&default.name.as_str().into(), default.hits, vec![], None));
                    }
                }
                None => return Ok(None),
            }
        }
    }

    fn look<T: Tree<Node = N>>(
        &mut self,
        part: Part,
        tree: &T,
        parent: &Visit<N>,
        children: &Children,
        patterns: &[Regex],
    ) -> Result<(), Problem> {
        match part {
            Part::Name(index) => {
                if let Some(name) = children.names.get(index) {
                    self.ready.extend(child(tree, parent, name)?);
                }
            }
            Part::NamesOf(names) => {
                for name in &names {
                    self.ready.extend(child(tree, parent, name)?);
                }
            }
            Part::Range(mut range, by_pattern) => {
                let batch = match parent {
                    Visit::Real(node) | Visit::Counted(node, _) => {
                        let batch = tree.children(node, &range, BATCH)?;
                        if let Some(last) = batch.last() {
                            range.after = Some(tree.name(last));
                            self.parts.push_front(Part::Range(range, by_pattern));
                        }
                        batch.into_iter().map(Visit::Real).collect()
                    }
                    Visit::Made(made) => {
                        let inside = made.children.iter().filter(|name| range.contains(name));
                        inside.map(|name| Made::visit(name, 0, vec![], None)).collect::<Vec<_>>()
                    }
                };
                let negated = matches!(children.by, By::Regex { negated: true });
                for visit in batch {
                    if !by_pattern {
                        self.ready.push_back(visit);
                        continue;
                    }
                    let name = visit.name(tree);
                    let times = patterns.iter().filter(|pattern| pattern.is_match(&name) != negated).count();
                    self.ready.extend(std::iter::repeat_n(visit, times));
                }
            }
            Part::Attachment(index) => {
                let Some(node) = parent.real() else { return Ok(()) };
                match children.attachments.get(index) {
                    None => {}
                    Some(AttachmentNodes::Names) => {
                        let names = tree.attachments(node)?;
                        self.ready.extend(names.iter().map(|name| Made::visit(name, 0, vec![], None)));
                    }
                    Some(AttachmentNodes::Of { name, argument }) => {
                        let Some(attachment) = tree.attachment(node, name)? else { return Ok(()) };
                        for made in attachment.nodes(argument.as_deref()) {
                            match made {
                                MadeNode::Virtual { name, hits, children, error } => {
                                    self.ready.push_back(Made::visit(&name, hits, children, error));
                                }
                                MadeNode::Child { name, hits } => {
                                    if let Some(child) = tree.child(node, &name)? {
                                        self.ready.push_back(match hits {
                                            Some(hits) => Visit::Counted(child, hits),
                                            None => Visit::Real(child),
                                        });
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn child<T: Tree>(tree: &T, parent: &Visit<T::Node>, name: &str) -> Result<Option<Visit<T::Node>>, Problem> {
    match parent {
        Visit::Real(node) | Visit::Counted(node, _) => Ok(tree.child(node, name)?.map(Visit::Real)),
        Visit::Made(made) => {
            let found = made.children.iter().find(|child| &***child == name);
            Ok(found.map(|name| Made::visit(name, 0, vec![], None)))
        }
    }
}

/// The names of the children of the node at an absolute path.
fn names_below<T: Tree>(tree: &T, path: &[String]) -> Result<Vec<Arc<str>>, Problem> {
    let mut node = tree.root();
    for name in path {
        match tree.child(&node, name)? {
            Some(child) => node = child,
            None => return Ok(vec![]),
        }
    }
    let (mut names, mut range) = (vec![], NameRange::all());
    loop {
        let batch = tree.children(&node, &range, BATCH)?;
        let Some(last) = batch.last() else { return Ok(names) };
        range.after = Some(tree.name(last));
        names.extend(batch.iter().map(|child| tree.name(child)));
    }
}
