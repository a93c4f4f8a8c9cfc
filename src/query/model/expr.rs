//! Predicates with their meaning spelled out.
//!
//! Every expression is **two-valued**: it holds for a row or it does not. A leaf about a missing or incomparable value does
//! not hold, [`Expr::Not`] is the plain complement. Languages with a third state (an error that drops the row, SQL's
//! NULL) lower «is true» and «is false» to two such expressions, so that the third state is where neither holds. This is
//! also what lets storage prune: where a leaf cannot hold, nothing needs to be read.

use super::field::Field;
use super::items::{ColumnTest, Items};
use super::program::Program;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// A two-valued predicate over one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// Always or never.
    Literal(bool),
    /// All hold; the empty list holds.
    All(Vec<Expr>),
    /// At least one holds; the empty list does not.
    Any(Vec<Expr>),
    /// The complement.
    Not(Box<Expr>),
    /// The value is there, comparable and compares so. Numbers (int, float, bool) compare exactly by value whatever their
    /// types, text by code points, NaN with nothing; a number never compares with text.
    Compare {
        /// Left side.
        attribute: Attribute,
        /// The relation.
        op: CompareOp,
        /// Right side.
        value: Literal,
    },
    /// The value equals ([`Expr::Compare`]) one of these.
    In {
        /// What is looked for.
        attribute: Attribute,
        /// Where it is looked for.
        values: Vec<Literal>,
    },
    /// A text contains this piece, or a list of texts this element.
    Contains {
        /// The text or list.
        attribute: Attribute,
        /// The piece or element.
        needle: String,
    },
    /// A text begins with this piece.
    StartsWith {
        /// The text.
        attribute: Attribute,
        /// Its beginning.
        prefix: String,
    },
    /// A text ends with this piece.
    EndsWith {
        /// The text.
        attribute: Attribute,
        /// Its end.
        suffix: String,
    },
    /// The value is there and counts as true: a number that is not zero, a text, list or mapping that is not empty.
    Truthy(Attribute),
    /// Something is stored here, a null included.
    Present(Attribute),
    /// A null is stored here.
    IsNull(Attribute),
    /// A value that is known by its name only passes the test of its type.
    Field(Box<Field>),
    /// Some item of the value under a key passes a test (only for rows of the file catalogue).
    Items(Box<Items>),
    /// A column of the row's own table passes a test (only for rows of the file catalogue).
    Column(Box<ColumnTest>),
    /// The program gives a true value (or, if `outcome` is false, a false one) without raising.
    Evaluate {
        /// What is evaluated row by row.
        program: Box<Program>,
        /// Which outcome holds.
        outcome: bool,
    },
}

/// A value of a row, by its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// Where it is kept.
    pub place: Place,
    /// Where the query names it.
    pub span: Span,
}

/// Where a value is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Place {
    /// A column of the runs table, by its name.
    Run(String),
    /// A parameter of the run, by its path.
    Param(Vec<Key>),
    /// A stored summary (`last`, `min`, `first_step` …) of the run's sequence with this name and context.
    Summary {
        /// Name of the sequence.
        series: String,
        /// The complete context as JSON; it compares by content.
        context: String,
        /// Column of the series table.
        field: String,
    },
    /// A column of the series table, by its name (only for rows that are sequences).
    Series(String),
    /// A value inside the sequence's context, by its path.
    Context(Vec<Key>),
}

/// An element of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// Key of a mapping.
    Text(String),
    /// Integer key of a mapping, or index into a list.
    Int(i64),
}

/// Comparisons; «not equal» is [`Expr::Not`] of equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CompareOp {
    /// Equal.
    Eq,
    /// Less.
    Lt,
    /// Less or equal.
    LtEq,
    /// Greater.
    Gt,
    /// Greater or equal.
    GtEq,
}

impl CompareOp {
    /// The same relation seen from the other side.
    #[must_use]
    pub fn flipped(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
        }
    }
}

/// A constant of a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// True or false.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A finite or infinite float, never NaN.
    Float(f64),
    /// A text.
    Text(String),
    /// Microseconds since 1970, UTC.
    Time(i64),
}

impl Expr {
    /// The complement, without doubling negations.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Literal(value) => Self::Literal(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// All of these, flattened and without constants.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut out = vec![];
        for part in parts {
            match part {
                Self::Literal(true) => {}
                Self::Literal(false) => return Self::Literal(false),
                Self::All(inner) => out.extend(inner),
                other => out.push(other),
            }
        }
        match out.len() {
            0 => Self::Literal(true),
            1 => out.remove(0),
            _ => Self::All(out),
        }
    }

    /// At least one of these, flattened and without constants; equalities of one attribute become one set.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut out: Vec<Self> = vec![];
        let mut push = |part: Self| match (out.last_mut(), part) {
            (Some(Self::In { attribute, values }), Self::Compare { attribute: other, op: CompareOp::Eq, value })
                if attribute.place == other.place =>
            {
                values.push(value)
            }
            (_, Self::Compare { attribute, op: CompareOp::Eq, value }) => {
                out.push(Self::In { attribute, values: vec![value] });
            }
            (_, other) => out.push(other),
        };
        for part in parts {
            match part {
                Self::Literal(false) => {}
                Self::Literal(true) => return Self::Literal(true),
                Self::Any(inner) => inner.into_iter().for_each(&mut push),
                other => push(other),
            }
        }
        match out.len() {
            0 => Self::Literal(false),
            1 => out.remove(0),
            _ => Self::Any(out),
        }
    }

    /// Number of nodes, the measure for the size of a predicate.
    pub fn size(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::size).sum::<usize>(),
            Self::Not(inner) => 1 + inner.size(),
            Self::In { values, .. } => 1 + values.len(),
            Self::Literal(_)
            | Self::Compare { .. }
            | Self::Contains { .. }
            | Self::StartsWith { .. }
            | Self::EndsWith { .. }
            | Self::Truthy(_)
            | Self::Present(_)
            | Self::IsNull(_)
            | Self::Field(_)
            | Self::Items(_)
            | Self::Column(_)
            | Self::Evaluate { .. } => 1,
        }
    }

    /// Calls `visit` for this node and every node below it.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.walk(visit)),
            Self::Not(inner) => inner.walk(visit),
            Self::Literal(_)
            | Self::Compare { .. }
            | Self::In { .. }
            | Self::Contains { .. }
            | Self::StartsWith { .. }
            | Self::EndsWith { .. }
            | Self::Truthy(_)
            | Self::Present(_)
            | Self::IsNull(_)
            | Self::Field(_)
            | Self::Items(_)
            | Self::Column(_)
            | Self::Evaluate { .. } => {}
        }
    }

    /// The attribute a leaf speaks of; nothing for one that is yet to be found by its name.
    pub fn attribute(&self) -> Option<&Attribute> {
        match self {
            Self::Compare { attribute, .. }
            | Self::In { attribute, .. }
            | Self::Contains { attribute, .. }
            | Self::StartsWith { attribute, .. }
            | Self::EndsWith { attribute, .. }
            | Self::Truthy(attribute)
            | Self::Present(attribute)
            | Self::IsNull(attribute) => Some(attribute),
            Self::Literal(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Not(_)
            | Self::Field(_)
            | Self::Items(_)
            | Self::Column(_)
            | Self::Evaluate { .. } => None,
        }
    }
}
