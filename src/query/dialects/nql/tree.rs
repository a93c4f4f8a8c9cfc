//! The syntax tree of both dialects.

use crate::model::CompareOp;
use crate::span::Span;

/// A condition. Brackets leave no trace, so chains of AND and OR are as flat as they are written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// All hold.
    All(Vec<Node>),
    /// At least one holds.
    Any(Vec<Node>),
    /// Negation.
    Not(Box<Node>),
    /// `field operator value`.
    Clause(Clause),
    /// A word or text alone: a search term.
    Term(Value),
}

impl Node {
    /// The negation; a negated negation is the condition itself.
    pub(super) fn negate(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clause {
    /// What is compared.
    pub(super) operand: Operand,
    /// Whether the clause asks for the opposite: `!=`, `!~`, `NOT` before the operator (twice is not at all).
    pub(super) negated: bool,
    /// How.
    pub(super) op: Op,
    /// Where the operator is.
    pub(super) op_span: Span,
    /// With what; nothing for EXISTS.
    pub(super) value: Option<Value>,
}

/// The left side of a clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Operand {
    /// The name, without quotes and escapes.
    pub(super) name: String,
    /// The type behind the colon.
    pub(super) declared: Option<Named>,
    /// The function around it.
    pub(super) call: Option<Aggregate>,
    /// The whole operand; two operands are the same wherever they stand.
    pub(super) span: Place,
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// The word as it is written.
    pub(super) text: String,
    /// Where.
    pub(super) span: Place,
}

/// A span that does not matter when things are compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place(pub(super) Span);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl std::hash::Hash for Place {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// Functions of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Aggregate {
    Last,
    Min,
    Max,
    Average,
    Variance,
}

impl Aggregate {
    pub(super) const ALL: [Self; 5] = [Self::Last, Self::Min, Self::Max, Self::Average, Self::Variance];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Min => "min",
            Self::Max => "max",
            Self::Average => "average",
            Self::Variance => "variance",
        }
    }

    /// The function of this name, in any case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }
}

/// Operators; those that negate are their opposite with [`Clause::negated`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    Compare(CompareOp),
    Contains,
    Matches,
    Exists,
}

impl Op {
    /// As users write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Compare(CompareOp::Eq) => "=",
            Self::Compare(CompareOp::Lt) => "<",
            Self::Compare(CompareOp::LtEq) => "<=",
            Self::Compare(CompareOp::Gt) => ">",
            Self::Compare(CompareOp::GtEq) => ">=",
            Self::Contains => "CONTAINS",
            Self::Matches => "MATCHES",
            Self::Exists => "EXISTS",
        }
    }
}

/// The right side of a clause.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    /// Without quotes and escapes; quotes change nothing.
    pub(super) text: String,
    /// Where.
    pub(super) span: Span,
}
