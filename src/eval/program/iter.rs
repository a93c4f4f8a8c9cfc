//! Iteration, lazy where Python's is.

use super::Args;
use super::eval::{Eval, Frame};
use super::node::{ComprehensionCode, Node};
use crate::Raised;
use crate::value::{Missing, Range, Value};
use std::sync::{Arc, Mutex};

/// The state of an iteration.
#[derive(Debug)]
pub(crate) enum Iter {
    /// Nothing more.
    Done,
    /// The elements of a list, tuple, set or the keys of a dict, from a position on.
    Items(Value, usize),
    /// The characters of a text from a byte position on.
    Chars(Arc<str>, usize),
    /// The numbers of a range from a position on.
    Range(Range, usize),
    /// Another iterator, which moves along.
    Shared(Arc<IterCell>),
    /// A generator expression.
    Generator(Box<Generator>),
    /// Numbers with elements.
    Enumerate(Box<Iter>, i64),
    /// Elements side by side.
    Zip(Vec<Iter>),
    /// A function of elements.
    Map(Value, Vec<Iter>),
    /// The elements for which a function is true; None asks the elements themselves.
    Filter(Value, Box<Iter>),
    /// A generator function, which cannot be run.
    Refused,
}

/// An iterator that several values may hold.
#[derive(Debug)]
pub struct IterCell(Mutex<Iter>);

impl IterCell {
    pub(super) fn new(iter: Iter) -> Self {
        Self(Mutex::new(iter))
    }

    /// Forgets what it iterates over.
    pub(super) fn clear(&self) {
        if let Ok(mut iter) = self.0.try_lock() {
            let old = std::mem::replace(&mut *iter, Iter::Done);
            drop(iter);
            drop(old);
        }
    }

    fn next(&self, eval: &Eval<'_>) -> Result<Option<Value>, Raised> {
        match self.0.try_lock() {
            Ok(mut iter) => iter.next(eval),
            Err(_) => Err(Raised::value_error("the generator is already running")),
        }
    }
}

/// Begins to iterate over a value.
pub(crate) fn iterate(value: &Value) -> Result<Iter, Raised> {
    Ok(match value {
        Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::FrozenSet(_) | Value::Dict(_) | Value::Bytes(_) => {
            Iter::Items(value.clone(), 0)
        }
        Value::Str(text) => Iter::Chars(text.clone(), 0),
        Value::Range(range) => Iter::Range(**range, 0),
        Value::Iterator(cell) => Iter::Shared(cell.clone()),
        Value::Wrapped(inner) | Value::Context(inner) => return iterate(inner),
        Value::Missing(Missing::First) | Value::Metric(_) => Iter::Done,
        Value::Run | Value::Metrics => return Err(Raised::limit("iterating over this never ends")),
        other => return Err(Raised::type_error(format!("a value of type {} cannot be iterated", other.type_name()))),
    })
}

impl Iter {
    /// The next element.
    pub(crate) fn next(&mut self, eval: &Eval<'_>) -> Result<Option<Value>, Raised> {
        eval.meter.step()?;
        match self {
            Self::Done => Ok(None),
            Self::Items(source, position) => {
                let item = match source {
                    Value::List(items) | Value::Tuple(items) => items.get(*position).cloned(),
                    Value::Set(set) | Value::FrozenSet(set) => set.items().get(*position).cloned(),
                    Value::Dict(dict) => dict.keys().get(*position).cloned(),
                    Value::Bytes(bytes) => bytes.get(*position).map(|byte| Value::Int(i64::from(*byte))),
                    _ => None,
                };
                *position += 1;
                Ok(item)
            }
            Self::Chars(text, position) => {
                let next = text.get(*position..).and_then(|rest| rest.chars().next());
                *position += next.map_or(0, char::len_utf8);
                Ok(next.map(|c| Value::text(c.encode_utf8(&mut [0; 4]) as &str)))
            }
            Self::Range(range, position) => {
                *position += 1;
                Ok(range.get(*position - 1).map(Value::Int))
            }
            Self::Shared(cell) => eval.meter.deeper(|| cell.next(eval)),
            Self::Generator(generator) => eval.meter.deeper(|| generator.next(eval)),
            Self::Enumerate(inner, count) => {
                let Some(item) = eval.meter.deeper(|| inner.next(eval))? else { return Ok(None) };
                *count = count.saturating_add(1);
                Ok(Some(Value::tuple(vec![Value::Int(*count - 1), item])))
            }
            Self::Zip(inner) => Ok(side_by_side(inner, eval)?.map(Value::tuple)),
            Self::Map(function, inner) => match side_by_side(inner, eval)? {
                Some(positional) => eval.call(function, Args::new(positional)).map(Some),
                None => Ok(None),
            },
            Self::Filter(function, inner) => loop {
                let Some(item) = eval.meter.deeper(|| inner.next(eval))? else { return Ok(None) };
                let keep = match &*function {
                    Value::None => item.truthy(),
                    function => eval.call(function, Args::new(vec![item.clone()]))?.truthy(),
                };
                if keep {
                    return Ok(Some(item));
                }
            },
            Self::Refused => Err(Raised::unsupported("generator functions")),
        }
    }

    /// The rest as a list.
    pub(crate) fn collect(mut self, eval: &Eval<'_>) -> Result<Vec<Value>, Raised> {
        let mut items = vec![];
        while let Some(item) = self.next(eval)? {
            eval.meter.allocate_items(1)?;
            items.push(item);
        }
        Ok(items)
    }
}

/// One element of each; none as soon as one has ended.
fn side_by_side(iters: &mut [Iter], eval: &Eval<'_>) -> Result<Option<Vec<Value>>, Raised> {
    eval.meter.allocate_items(iters.len())?;
    let mut items = Vec::with_capacity(iters.len());
    for iter in iters.iter_mut() {
        match eval.meter.deeper(|| iter.next(eval))? {
            Some(item) => items.push(item),
            None => return Ok(None),
        }
    }
    Ok(if items.is_empty() { None } else { Some(items) })
}

/// A comprehension while it runs.
#[derive(Debug)]
pub(crate) struct Generator {
    code: Arc<ComprehensionCode>,
    frame: Arc<Frame>,
    /// The iterations of the clauses that have begun, outermost first.
    levels: Vec<Iter>,
}

impl Generator {
    pub(super) fn new(code: Arc<ComprehensionCode>, frame: Arc<Frame>, first: Iter) -> Self {
        Self { code, frame, levels: vec![first] }
    }

    /// Moves on to the next combination that meets the conditions.
    pub(super) fn advance(&mut self, eval: &Eval<'_>) -> Result<bool, Raised> {
        while let Some(level) = self.levels.last_mut() {
            let Some(item) = level.next(eval)? else {
                self.levels.pop();
                continue;
            };
            let depth = self.levels.len();
            let Some(clause) = self.code.clauses.get(depth - 1) else { return Ok(false) };
            eval.bind(&clause.target, item, &self.frame)?;
            let mut met = true;
            for condition in &clause.conditions {
                if !eval.test(condition, Some(&self.frame))? {
                    met = false;
                    break;
                }
            }
            if !met {
                continue;
            }
            match self.code.clauses.get(depth) {
                None => return Ok(true),
                Some(next) => {
                    let source = eval.eval(&next.iter, Some(&self.frame))?;
                    self.levels.push(super::iterate(&source)?);
                }
            }
        }
        Ok(false)
    }

    fn element(&self, node: &Node, eval: &Eval<'_>) -> Result<Value, Raised> {
        eval.eval(node, Some(&self.frame))
    }

    fn next(&mut self, eval: &Eval<'_>) -> Result<Option<Value>, Raised> {
        let advanced = self
            .advance(eval)
            .and_then(|more| if more { self.element(&self.code.element, eval).map(Some) } else { Ok(None) });
        if advanced.is_err() {
            // A generator that has raised is exhausted.
            self.levels.clear();
        }
        advanced
    }

    /// Key and value of a dict comprehension.
    pub(super) fn entry(&self, eval: &Eval<'_>) -> Result<(Value, Value), Raised> {
        let key = self.element(&self.code.element, eval)?;
        let value = self.code.value.as_ref().map_or(Ok(Value::None), |value| self.element(value, eval))?;
        Ok((key, value))
    }

    /// All elements.
    pub(super) fn collect(&mut self, eval: &Eval<'_>) -> Result<Vec<Value>, Raised> {
        let mut items = vec![];
        while self.advance(eval)? {
            eval.meter.allocate_items(1)?;
            items.push(self.element(&self.code.element, eval)?);
        }
        Ok(items)
    }
}
