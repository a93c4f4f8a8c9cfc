//! What expressions are compiled to.

use crate::row::{Key, RunProperty};
use crate::value::Value;
use lakeql_query::syntax::python::{BinaryOp, BoolOp, CompareOp, ComprehensionKind, ParamKind, UnaryOp};
use std::sync::Arc;

/// An operation with its operands.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Const(Value),
    /// What is known to fail when it is reached.
    Raise(crate::Raised),
    Property(RunProperty),
    /// A parameter by its whole path.
    Param(Arc<ParamPath>),
    /// A stored summary of `run.metrics[…]`.
    Summary(Arc<(super::MetricRef, Arc<str>)>),
    SeriesName,
    /// The context at a path.
    SeriesContext(Arc<[Key]>),
    /// A summary of the sequence at hand; `media` sequences always have a last object.
    SeriesSummary {
        field: Arc<str>,
        media: bool,
    },
    Local(Local),
    Attribute {
        value: Box<Node>,
        name: Arc<str>,
    },
    Subscript {
        value: Box<Node>,
        index: Box<Node>,
    },
    Slice(Box<[Node; 3]>),
    Tuple(Box<[Item]>),
    List(Box<[Item]>),
    Set(Box<[Item]>),
    /// Entries; without a key the value's entries are spread.
    Dict(Box<[(Option<Node>, Node)]>),
    Unary {
        op: UnaryOp,
        operand: Box<Node>,
    },
    Binary {
        op: BinaryOp,
        sides: Box<[Node; 2]>,
    },
    Logic {
        op: BoolOp,
        values: Box<[Node]>,
    },
    Compare {
        left: Box<Node>,
        rest: Box<[(CompareOp, Node)]>,
    },
    /// Test, value if true, value otherwise.
    IfElse(Box<[Node; 3]>),
    Lambda(Arc<LambdaCode>),
    Call(Box<CallCode>),
    /// A call of a method; `named` tells that the value is held by a name, so that changes would be seen.
    Method {
        value: Box<Node>,
        name: Arc<str>,
        named: bool,
        call: Box<CallCode>,
    },
    Comprehension(Arc<ComprehensionCode>, Box<Node>),
    Named {
        slot: Local,
        value: Box<Node>,
    },
    Text(Box<[TextPart]>),
}

/// A parameter's path and how it was written.
#[derive(Clone, Debug)]
pub(crate) struct ParamPath {
    pub(crate) path: Vec<Key>,
    /// How many accesses wrote it: with more than one, what is missing is missing deeper.
    pub(crate) steps: usize,
}

/// A variable: how many scopes outward, and where in that scope.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) hops: usize,
    pub(crate) slot: usize,
    pub(crate) name: Arc<str>,
    /// What the name means while the variable is not bound.
    pub(crate) otherwise: Option<Arc<Node>>,
}

/// An element of a display.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) node: Node,
    pub(crate) spread: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct CallCode {
    /// What is called; unused for methods.
    pub(crate) function: Node,
    pub(crate) positional: Box<[Item]>,
    pub(crate) named: Box<[(Option<Arc<str>>, Node)]>,
}

#[derive(Clone, Debug)]
pub(crate) struct LambdaCode {
    /// Parameters, in the order of the first slots of the scope.
    pub(crate) params: Box<[ParamCode]>,
    pub(crate) slots: usize,
    pub(crate) body: Node,
    /// Calling it makes a generator.
    pub(crate) generator: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct ParamCode {
    pub(crate) name: Arc<str>,
    pub(crate) kind: ParamKind,
    pub(crate) default: Option<Node>,
}

#[derive(Clone, Debug)]
pub(crate) struct ComprehensionCode {
    pub(crate) kind: ComprehensionKind,
    pub(crate) element: Node,
    pub(crate) value: Option<Node>,
    pub(crate) clauses: Box<[ClauseCode]>,
    pub(crate) slots: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct ClauseCode {
    pub(crate) target: Target,
    /// What is iterated; unused in the first clause, whose iterable is evaluated outside.
    pub(crate) iter: Node,
    pub(crate) conditions: Box<[Node]>,
}

/// What an iteration binds.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Slot(usize),
    /// Targets, and which of them takes the rest.
    Unpack(Box<[Target]>, Option<usize>),
    /// Attributes and subscripts cannot be bound in a query.
    Refused,
}

#[derive(Clone, Debug)]
pub(crate) enum TextPart {
    Text(Arc<str>),
    Value { value: Node, conversion: Option<char>, format: Box<[TextPart]> },
}
