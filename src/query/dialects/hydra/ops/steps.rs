//! Steps of the ops that calculate on a stack: `num` and `str`.

use super::Constant;

/// A calculation over a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberProgram {
    /// Its steps.
    pub steps: Vec<NumberStep>,
    /// Whether division by zero is an error; otherwise it gives 0.
    pub division_errors: bool,
}

/// A step of `num`.
#[derive(Clone, Debug, PartialEq)]
pub enum NumberStep {
    /// Push a column.
    Column(usize),
    /// Push a column by name.
    Named(String),
    /// Push the cells of an array.
    Array(usize),
    /// Push the hash of a column's text.
    Hash(usize),
    /// Push a number.
    Constant(Constant),
    /// Take two, push one.
    Binary(Binary),
    /// Take all, push one.
    Vector(Binary),
    /// Take one, push one.
    Unary(Unary),
    /// Take all, push their mean or population variance.
    Statistic {
        /// The variance; otherwise the mean.
        variance: bool,
    },
    /// Take two; the row is dropped unless they compare so.
    Compare {
        /// How.
        how: Comparison,
        /// As doubles; otherwise as integers.
        float: bool,
    },
    /// Push the top once more.
    Duplicate,
    /// Exchange the two at the top.
    Swap,
    /// Take one.
    Pop,
    /// Take a column and a value and store it.
    Set,
    /// Take one and append it.
    Out,
}

/// Two numbers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the steps")]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    MultiplyFloat,
    DivideFloat,
    Min,
    Max,
    /// `minif`: the greater one, unless strict.
    MinIf,
    /// `maxif`: the smaller one, unless strict.
    MaxIf,
}

/// A number becomes another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the steps")]
pub enum Unary {
    Log,
    SquareRoot,
    Absolute,
    ToInteger,
    ToFloat,
    ToBits,
    FromBits,
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Equal,
}

/// A step of `str`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the steps")]
pub enum TextStep {
    Column(usize),
    Constant(String),
    Concatenate,
    Range,
    Split,
    Set,
    Equal,
    NotEqual,
}
