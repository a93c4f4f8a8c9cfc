//! The evaluation of one row.

use super::access;
use super::iter::{Generator, Iter, iterate};
use super::node::{Item, Local, Node, Target, TextPart};
use super::{Function, IterCell};
use crate::builtins::convert;
use crate::limits::{Limits, Meter};
use crate::value::{Dict, Missing, Set, Value, arith, compare, format, text};
use crate::{Raised, Row};
use lakeql_query::syntax::python::{BinaryOp, BoolOp, CompareOp, ComprehensionKind, UnaryOp};
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

/// Most levels of containers in containers.
const MAX_NESTING: u32 = 100;

/// The variables of a scope while it runs.
#[derive(Debug)]
pub(crate) struct Frame {
    slots: Mutex<Vec<Option<Value>>>,
    parent: Option<Arc<Frame>>,
}

pub(super) type Env<'e> = Option<&'e Arc<Frame>>;

impl Frame {
    pub(super) fn new(slots: usize, parent: Env<'_>) -> Arc<Self> {
        Arc::new(Self { slots: Mutex::new(vec![None; slots]), parent: parent.cloned() })
    }

    fn get(&self, slot: usize) -> Option<Value> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).get(slot).cloned().flatten()
    }

    pub(super) fn set(&self, slot: usize, value: Value) {
        let old = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.get_mut(slot).and_then(|place| place.replace(value))
        };
        // Dropped outside of the lock: the old value may hold this very frame.
        drop(old);
    }
}

/// What may be part of a cycle and is taken apart at the end.
enum Cyclic {
    Frame(Arc<Frame>),
    Iterator(Arc<IterCell>),
}

/// One evaluation.
pub(crate) struct Eval<'r> {
    pub(crate) row: &'r dyn Row,
    pub(crate) meter: Meter,
    cyclic: RefCell<Vec<Cyclic>>,
}

impl Drop for Eval<'_> {
    fn drop(&mut self) {
        // Every frame and iterator is held by the list while their contents are dropped, so chains of them come apart
        // one by one, without recursion.
        let cyclic = std::mem::take(self.cyclic.get_mut());
        for part in &cyclic {
            match part {
                Cyclic::Frame(frame) => {
                    let slots = std::mem::take(&mut *frame.slots.lock().unwrap_or_else(PoisonError::into_inner));
                    drop(slots);
                }
                Cyclic::Iterator(iterator) => iterator.clear(),
            }
        }
    }
}

impl<'r> Eval<'r> {
    pub(super) fn new(row: &'r dyn Row, limits: &Limits) -> Self {
        Self { row, meter: Meter::new(limits), cyclic: RefCell::new(vec![]) }
    }

    fn outermost(&self, slots: usize) -> Option<Arc<Frame>> {
        (slots > 0).then(|| self.captured(Frame::new(slots, None)))
    }

    pub(super) fn run(&self, root: &Node, slots: usize) -> Result<Value, Raised> {
        let frame = self.outermost(slots);
        self.eval(root, frame.as_ref())
    }

    pub(super) fn truth(&self, root: &Node, slots: usize) -> Result<bool, Raised> {
        let frame = self.outermost(slots);
        self.test(root, frame.as_ref())
    }

    /// Notes that a frame, and with it those around it, is held by a value.
    pub(super) fn captured(&self, frame: Arc<Frame>) -> Arc<Frame> {
        let mut cyclic = self.cyclic.borrow_mut();
        let mut outer = Some(&frame);
        while let Some(held) = outer {
            cyclic.push(Cyclic::Frame(held.clone()));
            outer = held.parent.as_ref();
        }
        drop(cyclic);
        frame
    }

    /// An iterator as a value.
    pub(crate) fn iterator(&self, iter: Iter) -> Result<Value, Raised> {
        self.meter.allocate(128)?;
        let cell = Arc::new(IterCell::new(iter));
        self.cyclic.borrow_mut().push(Cyclic::Iterator(cell.clone()));
        Ok(Value::Iterator(cell))
    }

    /// Refuses values that nest so deeply that walking over them needs much stack.
    pub(crate) fn nested(&self, value: Value) -> Result<Value, Raised> {
        if value.depth() > MAX_NESTING { Err(Raised::limit("values nest too deeply")) } else { Ok(value) }
    }

    /// The value of an operation.
    pub(crate) fn eval(&self, node: &Node, env: Env<'_>) -> Result<Value, Raised> {
        self.meter.step()?;
        match node {
            Node::Const(value) => Ok(value.clone()),
            Node::Raise(raised) => Err(raised.clone()),
            Node::Property(property) => Ok(self.row.property(*property)),
            Node::Param(param) => Ok(self.param(&param.path, param.steps)),
            Node::Summary(summary) => Ok(self.summary(&summary.0, &summary.1)),
            Node::SeriesName => Ok(self.row.series_name()),
            Node::SeriesContext(path) => self.context(path),
            Node::SeriesSummary { field, media } => Ok(self.series_summary(field, *media)),
            Node::Local(local) => self.local(local, env),
            compound => self.meter.deeper(|| self.compound(compound, env)),
        }
    }

    /// The truth value of an operation.
    pub(super) fn test(&self, node: &Node, env: Env<'_>) -> Result<bool, Raised> {
        match node {
            Node::Logic { op, values } => self.meter.deeper(|| {
                self.meter.step()?;
                let stop = *op == BoolOp::Or;
                for value in values {
                    if self.test(value, env)? == stop {
                        return Ok(stop);
                    }
                }
                Ok(!stop)
            }),
            Node::Unary { op: UnaryOp::Not, operand } => self.meter.deeper(|| Ok(!self.test(operand, env)?)),
            Node::Compare { left, rest } => self.meter.deeper(|| self.compare(left, rest, env)),
            other => Ok(self.raw(other, env)?.0.truthy()),
        }
    }

    /// A value without its wrapper, and whether it had one: saves building wrappers that are looked through at once.
    fn raw<'n>(&self, node: &'n Node, env: Env<'_>) -> Result<(Cow<'n, Value>, bool), Raised> {
        let value = match node {
            Node::Const(value) => return Ok((Cow::Borrowed(value), value.is_lenient())),
            Node::Param(param) => {
                let missing = if param.steps > 1 { Missing::Deeper } else { Missing::First };
                self.raw_param(&param.path).unwrap_or(Value::Missing(missing))
            }
            Node::Summary(summary) => {
                let (metric, field) = &**summary;
                self.row.summary(&metric.name, &metric.context, field).unwrap_or(access::DEEPER)
            }
            Node::SeriesSummary { field, media } => {
                self.raw_series_summary(field, *media).unwrap_or(Value::Missing(Missing::First))
            }
            Node::SeriesContext(path) => self.raw_context(path)?,
            other => {
                let value = self.eval(other, env)?;
                let lenient = value.is_lenient();
                return Ok((Cow::Owned(value), lenient));
            }
        };
        self.meter.step()?;
        Ok((Cow::Owned(value), true))
    }

    fn local(&self, local: &Local, env: Env<'_>) -> Result<Value, Raised> {
        let mut frame = env;
        for _ in 0..local.hops {
            frame = frame.and_then(|frame| frame.parent.as_ref());
        }
        match (frame.and_then(|frame| frame.get(local.slot)), &local.otherwise) {
            (Some(value), _) => Ok(value),
            (None, Some(otherwise)) => self.eval(otherwise, None),
            (None, None) => Err(Raised::name_error(format!("the name {} has no value yet", local.name))),
        }
    }

    fn compound(&self, node: &Node, env: Env<'_>) -> Result<Value, Raised> {
        match node {
            Node::Attribute { value, name } => self.attribute(&self.eval(value, env)?, name),
            Node::Subscript { value, index } => {
                let value = self.eval(value, env)?;
                let index = self.eval(index, env)?;
                self.subscript(&value, &index)
            }
            Node::Slice(parts) => {
                let [lower, upper, step] = &**parts;
                let parts = [self.eval(lower, env)?, self.eval(upper, env)?, self.eval(step, env)?];
                self.nested(Value::Slice(Arc::new(parts)))
            }
            Node::Tuple(items) => self.nested(Value::tuple(self.items(items, env)?)),
            Node::List(items) => self.nested(Value::list(self.items(items, env)?)),
            Node::Set(items) => {
                let set = Set::collect(self.items(items, env)?, &self.meter)?;
                self.nested(Value::Set(Arc::new(set)))
            }
            Node::Dict(entries) => self.dict(entries, env),
            Node::Unary { op: UnaryOp::Not, operand } => Ok(Value::Bool(!self.test(operand, env)?)),
            Node::Unary { op, operand } => arith::unary(*op, &self.raw(operand, env)?.0),
            Node::Binary { op: BinaryOp::Mod, sides } => {
                // Formatting sees wrappers.
                let left = self.eval(&sides[0], env)?;
                arith::binary(BinaryOp::Mod, &left, &self.eval(&sides[1], env)?, &self.meter)
            }
            Node::Binary { op, sides } => {
                let (left, _) = self.raw(&sides[0], env)?;
                let (right, _) = self.raw(&sides[1], env)?;
                self.nested(arith::binary(*op, &left, &right, &self.meter)?)
            }
            Node::Logic { op, values } => {
                let stop = *op == BoolOp::Or;
                let mut result = Value::None;
                for value in values {
                    result = self.eval(value, env)?;
                    if result.truthy() == stop {
                        break;
                    }
                }
                Ok(result)
            }
            Node::Compare { left, rest } => self.compare(left, rest, env).map(Value::Bool),
            Node::IfElse(parts) => {
                let [test, body, otherwise] = &**parts;
                let chosen = if self.test(test, env)? { body } else { otherwise };
                self.eval(chosen, env)
            }
            Node::Lambda(code) => {
                let mut defaults = vec![];
                for param in &code.params {
                    defaults.push(param.default.as_ref().map(|default| self.eval(default, env)).transpose()?);
                }
                self.meter.allocate(64 + 24 * defaults.len())?;
                let env = env.map(|frame| self.captured(frame.clone()));
                self.nested(Value::Function(Arc::new(Function::new(code.clone(), env, defaults))))
            }
            Node::Call(call) => {
                let function = self.eval(&call.function, env)?;
                let args = self.arguments(call, env)?;
                self.call(&function, args)
            }
            Node::Method { value, name, named, call } => {
                let value = self.eval(value, env)?;
                let args = self.arguments(call, env)?;
                self.nested(self.method(&value, name, args, *named)?)
            }
            Node::Comprehension(code, first) => {
                let first = iterate(&self.eval(first, env)?)?;
                let frame = Frame::new(code.slots, env);
                let mut generator = Generator::new(code.clone(), frame.clone(), first);
                match code.kind {
                    ComprehensionKind::Generator => {
                        self.captured(frame);
                        self.iterator(Iter::Generator(Box::new(generator)))
                    }
                    ComprehensionKind::List => self.nested(Value::list(generator.collect(self)?)),
                    ComprehensionKind::Set => {
                        let set = Set::collect(generator.collect(self)?, &self.meter)?;
                        self.nested(Value::Set(Arc::new(set)))
                    }
                    ComprehensionKind::Dict => {
                        let mut dict = Dict::default();
                        while generator.advance(self)? {
                            let (key, value) = generator.entry(self)?;
                            self.meter.allocate_items(3)?;
                            dict.insert(key, value, &self.meter)?;
                        }
                        self.nested(Value::Dict(Arc::new(dict)))
                    }
                }
            }
            Node::Named { slot, value } => {
                let value = self.eval(value, env)?;
                let mut frame = env;
                for _ in 0..slot.hops {
                    frame = frame.and_then(|frame| frame.parent.as_ref());
                }
                if let Some(frame) = frame {
                    frame.set(slot.slot, value.clone());
                }
                Ok(value)
            }
            Node::Text(parts) => self.text(parts, env).map(Value::text),
            // The simple operations are handled by `eval`.
            simple => self.eval(simple, env),
        }
    }

    fn compare(&self, left: &Node, rest: &[(CompareOp, Node)], env: Env<'_>) -> Result<bool, Raised> {
        self.meter.step()?;
        // Identity and membership see wrappers; equality and order look through them.
        let looks_through =
            |op: &CompareOp| !matches!(op, CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn);
        let operand = |node, position: usize| {
            let before = position.checked_sub(1).and_then(|i| rest.get(i)).is_none_or(|(op, _)| looks_through(op));
            let after = rest.get(position).is_none_or(|(op, _)| looks_through(op));
            if before && after {
                return self.raw(node, env);
            }
            let value = self.eval(node, env)?;
            let lenient = value.is_lenient();
            Ok((Cow::Owned(value), lenient))
        };
        let (mut left, mut left_lenient) = operand(left, 0)?;
        for (i, (op, right)) in rest.iter().enumerate() {
            let (right, right_lenient) = operand(right, i + 1)?;
            // The wrapper around a stored None was taken off, but what is missing would have seen it.
            let stored_none = right_lenient && matches!(*right, Value::None);
            let holds = match op {
                CompareOp::Eq | CompareOp::NotEq if stored_none && left.is_missing_first() => *op == CompareOp::NotEq,
                CompareOp::Eq => compare::equal(&left, &right, &self.meter)?,
                CompareOp::NotEq => !compare::equal(&left, &right, &self.meter)?,
                CompareOp::Is => left.same_object(&right),
                CompareOp::IsNot => !left.same_object(&right),
                CompareOp::In => self.contains(&right, &left)?,
                CompareOp::NotIn => !self.contains(&right, &left)?,
                CompareOp::Lt | CompareOp::LtE | CompareOp::Gt | CompareOp::GtE => {
                    compare::ordered_as(*op, &left, &right, left_lenient || right_lenient, &self.meter)?
                }
            };
            if !holds {
                return Ok(false);
            }
            (left, left_lenient) = (right, right_lenient);
        }
        Ok(true)
    }

    /// `item in container`
    pub(crate) fn contains(&self, container: &Value, item: &Value) -> Result<bool, Raised> {
        if let Value::Iterator(_) = container {
            let mut iter = iterate(container)?;
            while let Some(candidate) = iter.next(self)? {
                if candidate.same_object(item) || compare::equal(&candidate, item, &self.meter)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        compare::contains(container, item, &self.meter)
    }

    /// The elements of a display or the positional arguments of a call.
    pub(super) fn items(&self, items: &[Item], env: Env<'_>) -> Result<Vec<Value>, Raised> {
        self.meter.allocate_items(items.len())?;
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let value = self.eval(&item.node, env)?;
            if item.spread {
                values.extend(self.collect(&value)?);
            } else {
                values.push(value);
            }
        }
        Ok(values)
    }

    /// All elements of a value that can be iterated.
    pub(crate) fn collect(&self, value: &Value) -> Result<Vec<Value>, Raised> {
        match value.unwrapped() {
            Value::List(items) | Value::Tuple(items) => {
                self.meter.allocate_items(items.len())?;
                Ok(items.to_vec())
            }
            _ => iterate(value)?.collect(self),
        }
    }

    fn dict(&self, entries: &[(Option<Node>, Node)], env: Env<'_>) -> Result<Value, Raised> {
        let mut dict = Dict::default();
        self.meter.allocate_items(3 * entries.len())?;
        for (key, value) in entries {
            match key {
                Some(key) => {
                    let key = self.eval(key, env)?;
                    dict.insert(key, self.eval(value, env)?, &self.meter)?;
                }
                None => match self.eval(value, env)?.unwrapped() {
                    Value::Dict(spread) => {
                        self.meter.allocate_items(3 * spread.len())?;
                        for (key, value) in spread.iter() {
                            dict.insert(key.clone(), value.clone(), &self.meter)?;
                        }
                    }
                    other => return Err(Raised::type_error(format!("{} is not a dict", other.type_name()))),
                },
            }
        }
        self.nested(Value::Dict(Arc::new(dict)))
    }

    fn text(&self, parts: &[TextPart], env: Env<'_>) -> Result<String, Raised> {
        let mut out = String::new();
        for part in parts {
            match part {
                TextPart::Text(text) => out.push_str(text),
                TextPart::Value { value, conversion, format: spec } => {
                    let mut value = self.eval(value, env)?;
                    match conversion {
                        Some('r') => value = Value::text(text::repr(&value, &self.meter)?),
                        Some('a') => value = Value::text(convert::ascii(&text::repr(&value, &self.meter)?)),
                        Some(_) => value = text::str(&value, &self.meter)?,
                        None => {}
                    }
                    let spec = self.text(spec, env)?;
                    if let Value::Str(text) = format::format(&value, &spec, &self.meter)? {
                        out.push_str(&text);
                    }
                }
            }
            self.meter.allocate(out.len())?;
        }
        Ok(out)
    }

    /// Binds the target of an iteration.
    pub(super) fn bind(&self, target: &Target, value: Value, frame: &Frame) -> Result<(), Raised> {
        match target {
            Target::Slot(slot) => frame.set(*slot, value),
            Target::Unpack(targets, rest) => {
                let values = self.collect(&value)?;
                let wrong = || Raised::value_error("not as many values as names to unpack them into");
                let surplus = match rest {
                    Some(_) => (values.len() + 1).checked_sub(targets.len()).ok_or_else(wrong)?,
                    None if values.len() != targets.len() => return Err(wrong()),
                    None => 1,
                };
                let mut values = values.into_iter();
                for (i, target) in targets.iter().enumerate() {
                    let part = if *rest == Some(i) {
                        Value::list(values.by_ref().take(surplus).collect())
                    } else {
                        values.next().ok_or_else(wrong)?
                    };
                    self.bind(target, part, frame)?;
                }
            }
            Target::Refused => return Err(Raised::unsupported("binding anything but names")),
        }
        Ok(())
    }
}
