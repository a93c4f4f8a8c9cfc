//! Paths: `product/ymd/*:hits>1/++foo:+hits` (section 2 of the specification).

mod display;
mod node;
mod parse;
mod values;

pub use parse::{MOST_ELEMENTS, parse};

use crate::span::Span;
use serde::{Deserialize, Serialize};

/// A path: one element per step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// The elements; none is the root itself.
    pub elements: Vec<Element>,
}

/// What one step of a path does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// Where it stands.
    pub span: Span,
    /// Candidates left out before bounds are looked at.
    pub skip: u64,
    /// Most accepted candidates; 0 is no limit.
    pub limit: u64,
    /// `~`: an empty property or field is an empty cell and does not reject the node.
    pub lenient: bool,
    /// Which nodes.
    pub node: Node,
    /// Whether the name of the node becomes a cell.
    pub collect: bool,
    /// `+{c}`: the name of the column of that cell.
    pub column: Option<String>,
    /// Properties, in the order of the text.
    pub properties: Vec<Property>,
    /// Fields, in the order of the text.
    pub fields: Vec<Field>,
}

/// Which nodes an element matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// `..`: the node visited just before the current one.
    Parent,
    /// Children of the current node, and what stands in its attachments.
    Children(Children),
}

/// Which children, and in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Children {
    /// What `names` are.
    pub by: By,
    /// Names, prefixes, ends of ranges or regular expressions, in the order of the text (sorted where [`By::Name`] says so).
    pub names: Vec<String>,
    /// `@@a%2Fb`: names of the children of the node at this absolute path.
    pub names_of: Option<Vec<String>>,
    /// Nodes made from attachments; they come after the names.
    pub attachments: Vec<AttachmentNodes>,
    /// `;`: all matches in one row.
    pub flat: bool,
    /// What stands in when nothing matched.
    pub default: Option<DefaultNode>,
}

impl Children {
    /// Whether all children match.
    pub fn all(&self) -> bool {
        self.names.is_empty()
            && self.attachments.is_empty()
            && self.names_of.is_none()
            && !matches!(self.by, By::Regex { .. })
    }
}

/// How names of children are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The whole name, in the order of the list.
    Name,
    /// `++`: how the name starts.
    Prefix,
    /// `+@`: pairs of first name and one past the last.
    Range,
    /// `|` and `!`: the whole name matches the regular expression, or does not.
    Regex {
        /// `!`: a child comes once for every pattern that does not match.
        negated: bool,
    },
}

/// Nodes made from an attachment of the current node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachmentNodes {
    /// `%?`: one node per attachment, named after it.
    Names,
    /// `%name=argument`.
    Of {
        /// The attachment.
        name: String,
        /// What follows the first `=`.
        argument: Option<String>,
    },
}

/// A childless node that acts as if it had matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultNode {
    /// Its name.
    pub name: String,
    /// Its hits.
    pub hits: i64,
}

/// `:name`: something every node has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its place among the properties and fields of the element.
    pub place: usize,
    /// `+`: the value becomes a cell.
    pub show: bool,
    /// Which one.
    pub name: String,
    /// Bounds of the value.
    pub bounds: Bounds,
}

/// `$name=key`: something an attachment answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its place among the properties and fields of the element.
    pub place: usize,
    /// `+`: the value becomes a cell.
    pub show: bool,
    /// `?`: the size of the attachment is asked for.
    pub size: bool,
    /// The attachment.
    pub attachment: String,
    /// What it is asked; none is a question without a key. All are evaluated, the last one's answer is the cell.
    pub keys: Vec<Key>,
}

/// What an attachment is asked.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Key {
    /// The question, if there is one.
    pub name: Option<String>,
    /// Bounds of the answer.
    pub bounds: Bounds,
}

/// Bounds of one value: any of them suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bounds {
    /// The value is less.
    pub less: Option<i64>,
    /// The value is greater.
    pub greater: Option<i64>,
    /// The value is this one. Fields cannot be bounded so: there the cell gets lost.
    pub equal: Option<i64>,
}

impl Bounds {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.less.is_some() || self.greater.is_some() || self.equal.is_some()
    }

    /// Whether a value is inside.
    pub fn admit(&self, value: i64) -> bool {
        !self.any()
            || self.less.is_some_and(|bound| value < bound)
            || self.greater.is_some_and(|bound| value > bound)
            || self.equal.is_some_and(|bound| value == bound)
    }
}

#[cfg(test)]
mod tests;
