//! The syntax tree: what was written, before it is known what it means.

use crate::span::Span;

/// A query or a part of it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: NodeKind,
}

/// What a query is.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// `files`
    AllFiles,
    /// `files from …`
    From(Vec<Selector>),
    /// `files a:b, c`
    Listed(Vec<Name>),
    /// `fids …`
    Ids(Vec<String>),
    /// `files selected by …`
    Saved(Name),
    /// `datasets …`
    Datasets(Vec<Selector>),
    /// `queries …`
    Queries(Option<(String, NamePattern)>),
    Where(Box<Node>, Meta),
    Union(Vec<Node>),
    Join(Vec<Node>),
    Minus(Box<Node>, Vec<Node>),
    Parents(Box<Node>),
    Children(Box<Node>),
    Limit(Box<Node>, u64),
    Skip(Box<Node>, u64),
    Ordered(Box<Node>),
    Filter(FilterCall),
    /// `with namespace = "…"`
    With(String, Box<Node>),
}

/// `filter name(params)(queries)`
#[derive(Clone, Debug)]
pub(super) struct FilterCall {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) positional: Vec<Constant>,
    pub(super) named: Vec<(String, Constant)>,
    pub(super) inputs: Vec<Node>,
}

/// `[namespace:]name`
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) span: Span,
}

/// Datasets.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    /// Not given with a pattern alone.
    pub(super) namespace: Option<String>,
    pub(super) name: NamePattern,
    pub(super) subsets: Option<Subsets>,
    pub(super) having: Option<Meta>,
    /// A pattern in quotes without `matching`, as the first manual has it.
    pub(super) legacy: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Subsets {
    Next,
    All,
}

#[derive(Clone, Debug)]
pub(super) enum NamePattern {
    Exact(String),
    /// With `*`, `?`, `%` and `_`.
    Pattern(String),
    Regex(String, Span),
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Meta {
    And(Vec<Meta>),
    Or(Vec<Meta>),
    Not(Box<Meta>),
    Compare { left: Operand, op: Op, right: Constant },
    Range { left: Operand, negated: bool, low: Constant, high: Constant },
    Set { left: Operand, negated: bool, values: Vec<Constant> },
    Present { left: Operand, negated: bool },
    Contains { value: Constant, negated: bool, key: Operand },
}

/// What is compared.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) word: String,
    pub(super) span: Span,
    pub(super) part: Part,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Whole,
    Any,
    All,
    Index(i64),
    Member(String),
    Length,
}

/// Comparisons as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Lt,
    LtEq,
    Gt,
    GtEq,
    Eq,
    NotEq,
    Match { negated: bool, any_case: bool },
    Like,
}

/// A constant with its place.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) value: Value,
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Decimal digits.
    Int(String),
    Float(f64),
    Bool(bool),
    /// The word `null`.
    Null,
    /// A word that is nothing else.
    Word(String),
    /// What stands between quotes, escapes as written.
    Text(String),
    /// Seconds since 1970.
    Moment(f64),
    /// Seconds at which a day begins.
    Day(f64),
}
