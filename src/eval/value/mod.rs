//! Python's values, as far as a query can meet them.

pub(crate) mod arith;
pub(crate) mod compare;
mod complex;
pub(crate) mod dict;
pub(crate) mod format;
pub(crate) mod hash;
pub(crate) mod integer;
pub(crate) mod number;
pub(crate) mod percent;
pub(crate) mod sequence;
pub(crate) mod text;

pub use dict::{Dict, Set};

use crate::builtins::{Builtin, Module, Type};
use crate::program::{Function, IterCell, MetricRef};
use chrono::{NaiveDate, NaiveDateTime};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use std::ops::Deref;
use std::sync::Arc;

/// A value. Containers cannot be changed once built and are cheap to clone.
#[derive(Clone, Debug)]
pub enum Value {
    /// `None`
    None,
    /// `...`
    Ellipsis,
    /// `True`, `False`
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer beyond 64 bits (never one that fits).
    Big(Arc<BigInt>),
    /// A float.
    Float(f64),
    /// A complex number.
    Complex(f64, f64),
    /// A text.
    Str(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<Seq>),
    /// A tuple.
    Tuple(Arc<Seq>),
    /// A dict in order of insertion.
    Dict(Arc<Dict>),
    /// A set.
    Set(Arc<Set>),
    /// A frozen set.
    FrozenSet(Arc<Set>),
    /// `range(start, stop, step)`
    Range(Arc<Range>),
    /// `slice(start, stop, step)`
    Slice(Arc<[Value; 3]>),
    /// A naive datetime with microseconds.
    Datetime(NaiveDateTime),
    /// A date.
    Date(NaiveDate),
    /// A time of day in microseconds.
    Time(i64),
    /// A time span in microseconds.
    Timedelta(i64),
    /// A generator or another iterator.
    Iterator(Arc<IterCell>),
    /// A parameter or a summary: a lazy wrapper in the original, so identity and type errors behave differently.
    Wrapped(Arc<Value>),
    /// A sequence's context or a value in it: absent keys raise.
    Context(Arc<Value>),
    /// What is not there.
    Missing(Missing),
    /// The variable `run`.
    Run,
    /// The variable of a sequence entity.
    Item,
    /// `run.metrics`
    Metrics,
    /// `run.metrics[…]`
    Metric(Arc<MetricRef>),
    /// A function of the language.
    Builtin(&'static Builtin),
    /// A class.
    Type(Type),
    /// A module.
    Module(Module),
    /// A lambda.
    Function(Arc<Function>),
    /// A method with the value it belongs to.
    Method(Arc<(Value, Arc<str>)>),
    /// A method of a class, without a value.
    Unbound(Type, Arc<str>),
    /// A thing of which nothing is known but that it is there.
    Object(&'static str),
}

/// The two kinds of "not there".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The first step of an access is not there: equals None, iterates as empty.
    First,
    /// A further step is not there: equals nothing, cannot be iterated.
    Deeper,
}

/// The elements of a list or tuple.
#[derive(Debug)]
pub struct Seq {
    items: Vec<Value>,
    depth: u32,
    /// Names of a tuple's elements, for the few tuples that have some.
    pub(crate) names: &'static [&'static str],
}

impl Seq {
    /// From elements.
    #[must_use]
    pub fn new(items: Vec<Value>) -> Self {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        Self { items, depth, names: &[] }
    }
}

impl Deref for Seq {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}

/// The numbers from `start` to before `stop` by `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) step: i64,
}

impl Range {
    /// How many there are.
    pub(crate) fn len(self) -> usize {
        let (start, stop, step) = (i128::from(self.start), i128::from(self.stop), i128::from(self.step));
        let count = if step > 0 {
            (stop - start + step - 1).div_euclid(step)
        } else {
            (start - stop - step - 1).div_euclid(-step)
        };
        usize::try_from(count.max(0)).unwrap_or(usize::MAX)
    }

    /// One of them.
    pub(crate) fn get(self, index: usize) -> Option<i64> {
        if index >= self.len() {
            return None;
        }
        i64::try_from(index).ok()?.checked_mul(self.step)?.checked_add(self.start)
    }

    /// Whether a number is among them.
    pub(crate) fn contains(self, number: i64) -> bool {
        let offset = i128::from(number) - i128::from(self.start);
        let step = i128::from(self.step);
        offset % step == 0 && offset / step >= 0 && offset / step < self.len() as i128
    }
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(Seq::new(items)))
    }

    /// A tuple.
    #[must_use]
    pub fn tuple(items: Vec<Value>) -> Self {
        Self::Tuple(Arc::new(Seq::new(items)))
    }

    /// A tuple whose elements have names.
    pub(crate) fn record(names: &'static [&'static str], items: Vec<Value>) -> Self {
        Self::Tuple(Arc::new(Seq { names, ..Seq::new(items) }))
    }

    /// An integer of any size.
    #[must_use]
    pub fn integer(value: BigInt) -> Self {
        match value.to_i64() {
            Some(small) => Self::Int(small),
            None => Self::Big(Arc::new(value)),
        }
    }

    /// A dict with text keys; later entries win.
    #[must_use]
    pub fn dict(entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        Self::Dict(Arc::new(Dict::from_texts(entries)))
    }

    /// A count.
    pub(crate) fn count(count: usize) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// How deeply containers nest in it.
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Self::List(seq) | Self::Tuple(seq) => seq.depth,
            Self::Dict(dict) => dict.depth(),
            Self::Set(set) | Self::FrozenSet(set) => set.depth(),
            Self::Wrapped(inner) | Self::Context(inner) => inner.depth() + 1,
            Self::Slice(parts) => 1 + parts.iter().map(Self::depth).max().unwrap_or(0),
            Self::Method(method) => method.0.depth() + 1,
            Self::Function(function) => function.depth(),
            _ => 0,
        }
    }

    /// The value in a wrapper, or itself.
    #[must_use]
    pub fn unwrapped(&self) -> &Value {
        match self {
            Self::Wrapped(inner) | Self::Context(inner) => inner,
            other => other,
        }
    }

    /// Whether comparisons with it are lenient: wrappers and what is missing.
    pub(crate) fn is_lenient(&self) -> bool {
        matches!(self, Self::Wrapped(_) | Self::Context(_) | Self::Missing(_) | Self::Metric(_))
    }

    /// Whether it is what an access finds whose first step is not there.
    pub(crate) fn is_missing_first(&self) -> bool {
        matches!(self, Self::Missing(Missing::First) | Self::Metric(_))
    }

    /// Python's truth value.
    #[must_use]
    pub fn truthy(&self) -> bool {
        match self {
            Self::None | Self::Missing(_) | Self::Metric(_) => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(seq) | Self::Tuple(seq) => !seq.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Set(set) | Self::FrozenSet(set) => !set.is_empty(),
            Self::Range(range) => range.len() > 0,
            Self::Timedelta(span) => *span != 0,
            Self::Wrapped(inner) | Self::Context(inner) => inner.truthy(),
            _ => true,
        }
    }

    /// `self is other`
    pub(crate) fn same_object(&self, other: &Value) -> bool {
        match (self, other) {
            (Self::None, Self::None) | (Self::Ellipsis, Self::Ellipsis) => true,
            (Self::Run, Self::Run) | (Self::Item, Self::Item) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            // Small integers exist once in Python.
            (Self::Int(a), Self::Int(b)) => a == b && (-5..=256).contains(a),
            (Self::Str(a), Self::Str(b)) => Arc::ptr_eq(a, b) || (a.len() <= 1 && a == b),
            (Self::Bytes(a), Self::Bytes(b)) => Arc::ptr_eq(a, b),
            (Self::Big(a), Self::Big(b)) => Arc::ptr_eq(a, b),
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b),
            (Self::Tuple(a), Self::Tuple(b)) => Arc::ptr_eq(a, b) || (a.is_empty() && b.is_empty()),
            (Self::Dict(a), Self::Dict(b)) => Arc::ptr_eq(a, b),
            (Self::Set(a), Self::Set(b)) | (Self::FrozenSet(a), Self::FrozenSet(b)) => Arc::ptr_eq(a, b),
            (Self::Wrapped(a), Self::Wrapped(b)) | (Self::Context(a), Self::Context(b)) => Arc::ptr_eq(a, b),
            (Self::Iterator(a), Self::Iterator(b)) => Arc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => Arc::ptr_eq(a, b),
            (Self::Builtin(a), Self::Builtin(b)) => a == b,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Module(a), Self::Module(b)) => a == b,
            _ => false,
        }
    }

    /// The name of its class, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Ellipsis => "ellipsis",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Complex(..) => "complex",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Range(_) => "range",
            Self::Slice(_) => "slice",
            Self::Datetime(_) => "datetime",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Timedelta(_) => "timedelta",
            Self::Iterator(_) => "iterator",
            Self::Wrapped(inner) | Self::Context(inner) => inner.type_name(),
            Self::Missing(Missing::First) | Self::Metric(_) => "missing value",
            Self::Missing(Missing::Deeper) => "missing nested value",
            Self::Run => "run",
            Self::Item => "sequence",
            Self::Metrics => "metrics",
            Self::Builtin(_) | Self::Function(_) | Self::Method(_) | Self::Unbound(..) => "function",
            Self::Type(_) => "type",
            Self::Module(_) => "module",
            Self::Object(_) => "object",
        }
    }
}

#[cfg(test)]
mod size {
    /// Rows are evaluated by the million; a value stays three words.
    const _: () = assert!(size_of::<super::Value>() <= 24);
}
