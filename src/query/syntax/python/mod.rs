//! Python expressions: the syntax tree that AimQL and Mixtera share.
//!
//! The tree is plain data (serialisable, because it travels inside plans to the row evaluator). Scopes, sandbox rules and
//! meaning are the business of the dialects; this module knows grammar alone.

mod parse;
mod problem;

pub use parse::{MAX_BYTES, MAX_DEPTH, parse_parenthesized};

use crate::span::Span;
use num_bigint::BigInt;
use serde::{Deserialize, Serialize};

/// A Python expression and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PyExpr {
    /// What it is.
    pub kind: PyKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of Python expressions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PyKind {
    /// `None`
    None,
    /// `...`
    Ellipsis,
    /// `True`, `False`
    Bool(bool),
    /// An integer of any size.
    Int(BigInt),
    /// A float literal (never NaN; `1e999` is infinite).
    #[serde(with = "float_text")]
    Float(f64),
    /// An imaginary literal such as `3j`.
    #[serde(with = "float_text")]
    Imaginary(f64),
    /// A text literal, adjacent literals joined.
    Str(String),
    /// A bytes literal.
    Bytes(Vec<u8>),
    /// An f-string.
    FString(Vec<FStringPart>),
    /// A name.
    Name(String),
    /// `value.name`
    Attribute {
        /// What the attribute belongs to.
        value: Box<PyExpr>,
        /// The attribute's name.
        name: String,
        /// Where the name stands.
        name_span: Span,
    },
    /// `value[index]`
    Subscript {
        /// What is indexed.
        value: Box<PyExpr>,
        /// The index: any expression, a [`PyKind::Slice`], or a tuple of these.
        index: Box<PyExpr>,
    },
    /// `lower:upper:step` inside a subscript.
    Slice {
        /// Before the first colon.
        lower: Option<Box<PyExpr>>,
        /// After the first colon.
        upper: Option<Box<PyExpr>>,
        /// After the second colon.
        step: Option<Box<PyExpr>>,
    },
    /// `(a, b)`
    Tuple(Vec<PyExpr>),
    /// `[a, b]`
    List(Vec<PyExpr>),
    /// `{a, b}`
    Set(Vec<PyExpr>),
    /// `{key: value, **mapping}`; a missing key stands for `**`.
    Dict(Vec<(Option<PyExpr>, PyExpr)>),
    /// `*value` inside a display or call.
    Starred(Box<PyExpr>),
    /// `-a`, `not a`
    Unary {
        /// The operator.
        op: UnaryOp,
        /// What it applies to.
        operand: Box<PyExpr>,
    },
    /// `a + b`
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left side.
        left: Box<PyExpr>,
        /// Right side.
        right: Box<PyExpr>,
    },
    /// `a and b and c`, `a or b`
    Bool2 {
        /// Which of the two.
        op: BoolOp,
        /// Two or more operands.
        values: Vec<PyExpr>,
    },
    /// `a < b <= c`
    Compare {
        /// The first operand.
        left: Box<PyExpr>,
        /// The operators with their right sides, one or more.
        rest: Vec<(CompareOp, PyExpr)>,
    },
    /// `body if test else orelse`
    IfElse {
        /// The condition.
        test: Box<PyExpr>,
        /// Value if true.
        body: Box<PyExpr>,
        /// Value otherwise.
        orelse: Box<PyExpr>,
    },
    /// `lambda params: body`
    Lambda {
        /// The parameters.
        params: Vec<Param>,
        /// The value.
        body: Box<PyExpr>,
    },
    /// `func(args, name=value)`
    Call {
        /// What is called.
        func: Box<PyExpr>,
        /// Positional arguments; [`PyKind::Starred`] for `*args`.
        args: Vec<PyExpr>,
        /// Named arguments; no name for `**mapping`.
        keywords: Vec<(Option<String>, PyExpr)>,
    },
    /// A list, set or dict comprehension or a generator expression.
    Comprehension {
        /// What is built.
        kind: ComprehensionKind,
        /// The element, or the key of a dict comprehension.
        element: Box<PyExpr>,
        /// The value of a dict comprehension.
        value: Option<Box<PyExpr>>,
        /// The `for … in … if …` clauses, one or more.
        clauses: Vec<Clause>,
    },
    /// `(name := value)`
    Named {
        /// The name that is bound.
        name: String,
        /// The value.
        value: Box<PyExpr>,
    },
    /// `await value`: grammatical, never evaluated.
    Await(Box<PyExpr>),
    /// `yield` in all its forms: grammatical inside lambda, never evaluated.
    Yield,
}

/// A piece of an f-string.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FStringPart {
    /// Text between the braces.
    Text(String),
    /// `{value!conversion:format}`
    Value {
        /// The expression; for `{x=}` the text `x=` is a [`FStringPart::Text`] before it.
        value: PyExpr,
        /// `s`, `r` or `a`.
        conversion: Option<char>,
        /// The format, itself an f-string.
        format: Option<Vec<FStringPart>>,
    },
}

/// A parameter of a lambda.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// How it takes its value.
    pub kind: ParamKind,
    /// The default.
    pub default: Option<PyExpr>,
}

/// How a lambda's parameter takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamKind {
    /// By position only (before `/`).
    Positional,
    /// By position or name.
    Plain,
    /// `*args`
    Rest,
    /// By name only (after `*`).
    Keyword,
    /// `**kwargs`
    KeywordRest,
}

/// What a comprehension builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComprehensionKind {
    /// `[…]`
    List,
    /// `{…}`
    Set,
    /// `{k: v …}`
    Dict,
    /// `(…)`
    Generator,
}

/// `for target in iter if …`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    /// A name, or a tuple or list of targets.
    pub target: PyExpr,
    /// What is iterated.
    pub iter: PyExpr,
    /// The conditions.
    pub conditions: Vec<PyExpr>,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Neg,
    /// `+`
    Pos,
    /// `~`
    Invert,
}

/// Infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `//`
    FloorDiv,
    /// `%`
    Mod,
    /// `**`
    Pow,
    /// `@`
    MatMul,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
}

/// The short-circuiting operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoolOp {
    /// `and`
    And,
    /// `or`
    Or,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtE,
    /// `>`
    Gt,
    /// `>=`
    GtE,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

impl PyExpr {
    /// Calls `visit` for every expression directly below this one.
    pub fn children<'a>(&'a self, visit: &mut dyn FnMut(&'a PyExpr)) {
        match &self.kind {
            PyKind::None
            | PyKind::Ellipsis
            | PyKind::Bool(_)
            | PyKind::Int(_)
            | PyKind::Float(_)
            | PyKind::Imaginary(_)
            | PyKind::Str(_)
            | PyKind::Bytes(_)
            | PyKind::Name(_)
            | PyKind::Yield => {}
            PyKind::FString(parts) => fstring_children(parts, visit),
            PyKind::Attribute { value, .. }
            | PyKind::Starred(value)
            | PyKind::Await(value)
            | PyKind::Named { value, .. } => {
                visit(value);
            }
            PyKind::Subscript { value, index } => [value, index].into_iter().for_each(|child| visit(child)),
            PyKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().flatten().for_each(|child| visit(child));
            }
            PyKind::Tuple(items) | PyKind::List(items) | PyKind::Set(items) | PyKind::Bool2 { values: items, .. } => {
                items.iter().for_each(visit);
            }
            PyKind::Dict(items) => items.iter().for_each(|(key, value)| {
                key.iter().for_each(&mut *visit);
                visit(value);
            }),
            PyKind::Unary { operand, .. } => visit(operand),
            PyKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|child| visit(child)),
            PyKind::Compare { left, rest } => {
                visit(left);
                rest.iter().for_each(|(_, right)| visit(right));
            }
            PyKind::IfElse { test, body, orelse } => [test, body, orelse].into_iter().for_each(|child| visit(child)),
            PyKind::Lambda { params, body } => {
                params.iter().filter_map(|param| param.default.as_ref()).for_each(&mut *visit);
                visit(body);
            }
            PyKind::Call { func, args, keywords } => {
                visit(func);
                args.iter().for_each(&mut *visit);
                keywords.iter().for_each(|(_, value)| visit(value));
            }
            PyKind::Comprehension { element, value, clauses, .. } => {
                for clause in clauses {
                    visit(&clause.target);
                    visit(&clause.iter);
                    clause.conditions.iter().for_each(&mut *visit);
                }
                visit(element);
                value.iter().for_each(|value| visit(value));
            }
        }
    }
}

fn fstring_children<'a>(parts: &'a [FStringPart], visit: &mut dyn FnMut(&'a PyExpr)) {
    for part in parts {
        if let FStringPart::Value { value, format, .. } = part {
            visit(value);
            fstring_children(format.as_deref().unwrap_or_default(), visit);
        }
    }
}

/// Floats as text, because JSON has no infinity.
mod float_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
