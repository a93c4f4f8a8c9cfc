//! Trees, the walk of a path over them, and building them from events.

mod attach;
mod attachment;
mod candidates;
mod events;
mod grow;
mod json;
mod memory;
mod merge;
mod names;
mod plan;
mod query;
mod spec;
mod spill;
mod stored;
mod values;
mod walk;

pub use attachment::{Attachment, Distribution, MadeNode};
pub use events::{Events, Value};
pub use grow::{Grower, Grown};
pub use json::read_event;
pub use memory::MemoryTree;
pub use merge::{Finished, Nodes, Run, Visit, merge};
pub use plan::{AttachColumn, Fields, MOST_LEVELS, Plan};
pub use query::{Query, QueryError, Text};
pub use spec::{AttachSpec, ElementSpec, Spec, TreeSpec};
pub use spill::{InMemory, Spilled, spill};
pub use walk::walk;

use crate::error::Problem;
use std::borrow::Cow;
use std::sync::Arc;

/// A tree that paths can walk.
///
/// Children are asked for in ranges of names and in batches, so that a node table that is sorted by path can answer with
/// one read of a contiguous range.
pub trait Tree {
    /// A node: cheap to clone, for the path keeps those it has come through.
    type Node: Clone;

    /// The root. It has no name and 0 hits.
    fn root(&self) -> Self::Node;

    /// The name of a node.
    fn name(&self, node: &Self::Node) -> Arc<str>;

    /// The hits of a node.
    fn hits(&self, node: &Self::Node) -> i64;

    /// How many children a node has.
    fn child_count(&self, node: &Self::Node) -> i64;

    /// What a node weighs in storage, about, in bytes.
    fn weight(&self, node: &Self::Node) -> i64;

    /// The child of this name.
    ///
    /// # Errors
    /// Whatever keeps the tree from being read.
    fn child(&self, node: &Self::Node, name: &str) -> Result<Option<Self::Node>, Problem>;

    /// The next children within a range of names, ascending by the UTF-8 bytes of their names; at most `most`, and none only
    /// when there are no more.
    ///
    /// # Errors
    /// Whatever keeps the tree from being read.
    fn children(&self, node: &Self::Node, names: &NameRange, most: usize) -> Result<Vec<Self::Node>, Problem>;

    /// The names of a node's attachments, ascending.
    ///
    /// # Errors
    /// Whatever keeps the tree from being read.
    fn attachments(&self, node: &Self::Node) -> Result<Vec<Arc<str>>, Problem>;

    /// An attachment of a node.
    ///
    /// # Errors
    /// Whatever keeps the tree from being read.
    fn attachment<'a>(&'a self, node: &Self::Node, name: &str) -> Result<Option<Cow<'a, Attachment>>, Problem>;
}

/// A range of names, by their UTF-8 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameRange {
    /// The first name of the range.
    pub from: String,
    /// Names up to this one are done with, itself included.
    pub after: Option<Arc<str>>,
    /// One past the last name.
    pub to: Option<String>,
}

impl NameRange {
    /// All names.
    pub fn all() -> Self {
        Self::default()
    }

    /// Names from one on, to before another.
    pub fn between(from: &str, to: Option<&str>) -> Self {
        Self { from: from.to_owned(), after: None, to: to.map(str::to_owned) }
    }

    /// Names that start with a prefix.
    pub fn prefix(prefix: &str) -> Self {
        // The next name after all of these: the last character that can be greater is, and what follows it goes.
        let mut next: Vec<char> = prefix.chars().collect();
        while let Some(last) = next.pop() {
            let following = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
            if let Some(following) = following {
                next.push(following);
                return Self { to: Some(next.into_iter().collect()), ..Self::between(prefix, None) };
            }
        }
        Self::between(prefix, None)
    }

    /// Whether a name is inside.
    pub fn contains(&self, name: &str) -> bool {
        name >= self.from.as_str()
            && self.after.as_ref().is_none_or(|after| name > &**after)
            && self.to.as_ref().is_none_or(|to| name < to.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_ranges() {
        for (prefix, inside, outside) in
            [("foo", "foo\u{10ffff}", "fop"), ("a\u{d7ff}", "a\u{d7ff}x", "a\u{e000}"), ("", "x", "")]
        {
            let range = NameRange::prefix(prefix);
            assert!(range.contains(prefix) && range.contains(inside), "{prefix}");
            assert!(outside.is_empty() || !range.contains(outside), "{prefix}");
        }
        assert!(NameRange::prefix("\u{10ffff}").contains("\u{10ffff}a"));
        let after = NameRange { after: Some("b".into()), ..NameRange::all() };
        assert!(!after.contains("b") && after.contains("ba"));
    }
}
