//! Expressions to programs: names become slots, access chains become paths.

use super::node::{
    CallCode, ClauseCode, ComprehensionCode, Item, LambdaCode, Local, Node, ParamCode, ParamPath, Target, TextPart,
};
use super::{Entity, MetricRef, Program, access};
use crate::builtins;
use crate::limits::{Meter, RED_ZONE, STACK};
use crate::row::Key;
use crate::value::{Dict, Set, Value};
use crate::{Limits, Raised};
use lakeql_query::syntax::python::{Clause, FStringPart, Param, PyExpr, PyKind, UnaryOp};
use std::sync::Arc;

pub(super) fn program(expr: &PyExpr, entity: Entity) -> Program {
    let mut names = vec![];
    bound_names(expr, &mut names);
    let slots = names.len();
    let scopes = vec![Scope { names, comprehension: false }];
    let mut compiler = Compiler { entity, scopes, meter: Meter::new(&Limits::default()) };
    Program { root: compiler.node(expr), slots }
}

/// A frame at run time: that of the whole expression, of a lambda or of a comprehension.
struct Scope {
    names: Vec<String>,
    comprehension: bool,
}

struct Compiler {
    entity: Entity,
    scopes: Vec<Scope>,
    meter: Meter,
}

impl Compiler {
    fn node(&mut self, expr: &PyExpr) -> Node {
        stacker::maybe_grow(RED_ZONE, STACK, || self.compile(expr))
    }

    fn boxed(&mut self, expr: &PyExpr) -> Box<Node> {
        Box::new(self.node(expr))
    }

    fn compile(&mut self, expr: &PyExpr) -> Node {
        match &expr.kind {
            PyKind::None => Node::Const(Value::None),
            PyKind::Ellipsis => Node::Const(Value::Ellipsis),
            PyKind::Bool(b) => Node::Const(Value::Bool(*b)),
            PyKind::Int(int) => Node::Const(Value::integer(int.clone())),
            PyKind::Float(float) => Node::Const(Value::Float(*float)),
            PyKind::Imaginary(im) => Node::Const(Value::Complex(0.0, *im)),
            PyKind::Str(text) => Node::Const(Value::text(text.as_str())),
            PyKind::Bytes(bytes) => Node::Const(Value::Bytes(bytes.as_slice().into())),
            PyKind::FString(parts) => Node::Text(self.text_parts(parts)),
            PyKind::Name(name) => self.name(name),
            PyKind::Attribute { value, name, .. } => {
                let value = self.node(value);
                self.attribute(value, name)
            }
            PyKind::Subscript { value, index } => {
                let (value, index) = (self.node(value), self.node(index));
                subscript(value, index)
            }
            PyKind::Slice { lower, upper, step } => {
                let mut part = |part: &Option<Box<PyExpr>>| match part {
                    Some(expr) => self.node(expr),
                    None => Node::Const(Value::None),
                };
                let parts = [part(lower), part(upper), part(step)];
                match parts {
                    [Node::Const(a), Node::Const(b), Node::Const(c)] => Node::Const(Value::Slice(Arc::new([a, b, c]))),
                    parts => Node::Slice(Box::new(parts)),
                }
            }
            PyKind::Tuple(items) => self.display(items, Node::Tuple, |items, _| Some(Value::tuple(items))),
            PyKind::List(items) => self.display(items, Node::List, |items, _| Some(Value::list(items))),
            PyKind::Set(items) => self.display(items, Node::Set, |items, meter| {
                Set::collect(items, meter).ok().map(|set| Value::Set(Arc::new(set)))
            }),
            PyKind::Dict(entries) => self.dict(entries),
            PyKind::Starred(_) => raise(Raised::type_error("a star stands outside of a display")),
            PyKind::Unary { op, operand } => {
                let operand = self.node(operand);
                if let (Node::Const(value), true) = (&operand, *op != UnaryOp::Not)
                    && let Ok(value) = crate::value::arith::unary(*op, value)
                {
                    return Node::Const(value);
                }
                Node::Unary { op: *op, operand: Box::new(operand) }
            }
            PyKind::Binary { op, left, right } => {
                Node::Binary { op: *op, sides: Box::new([self.node(left), self.node(right)]) }
            }
            PyKind::Bool2 { op, values } => {
                Node::Logic { op: *op, values: values.iter().map(|value| self.node(value)).collect() }
            }
            PyKind::Compare { left, rest } => Node::Compare {
                left: self.boxed(left),
                rest: rest.iter().map(|(op, right)| (*op, self.node(right))).collect(),
            },
            PyKind::IfElse { test, body, orelse } => {
                Node::IfElse(Box::new([self.node(test), self.node(body), self.node(orelse)]))
            }
            PyKind::Lambda { params, body } => self.lambda(params, body),
            PyKind::Call { func, args, keywords } => self.call(func, args, keywords),
            PyKind::Comprehension { kind, element, value, clauses } => {
                let Some((first, _)) = clauses.split_first() else {
                    return raise(Raised::type_error("a comprehension without clauses"));
                };
                let first = self.boxed(&first.iter);
                let mut names = vec![];
                clauses.iter().for_each(|clause| target_names(&clause.target, &mut names));
                let slots = names.len();
                self.scopes.push(Scope { names, comprehension: true });
                let clauses = clauses.iter().enumerate().map(|(i, clause)| self.clause(i, clause)).collect();
                let code = ComprehensionCode {
                    kind: *kind,
                    element: self.node(element),
                    value: value.as_deref().map(|value| self.node(value)),
                    clauses,
                    slots,
                };
                self.scopes.pop();
                Node::Comprehension(Arc::new(code), first)
            }
            PyKind::Named { name, value } => {
                let value = self.boxed(value);
                let home = self.scopes.iter().rposition(|scope| !scope.comprehension).unwrap_or(0);
                let slot = self.scopes.get(home).and_then(|scope| scope.names.iter().position(|known| known == name));
                match slot {
                    Some(slot) => {
                        let hops = self.scopes.len() - 1 - home;
                        let slot = Local { hops, slot, name: name.as_str().into(), otherwise: None };
                        Node::Named { slot, value }
                    }
                    None => raise(Raised::name_error(format!("{name} cannot be bound here"))),
                }
            }
            PyKind::Await(_) | PyKind::Yield => raise(Raised::unsupported("await and yield")),
        }
    }

    fn clause(&mut self, position: usize, clause: &Clause) -> ClauseCode {
        ClauseCode {
            target: self.target(&clause.target),
            // The first iterable belongs to the scope outside and is compiled there.
            iter: if position == 0 { Node::Const(Value::None) } else { self.node(&clause.iter) },
            conditions: clause.conditions.iter().map(|condition| self.node(condition)).collect(),
        }
    }

    fn target(&self, target: &PyExpr) -> Target {
        match &target.kind {
            PyKind::Name(name) => {
                let names = self.scopes.last().map(|scope| scope.names.as_slice()).unwrap_or_default();
                names.iter().position(|known| known == name).map_or(Target::Refused, Target::Slot)
            }
            PyKind::Starred(inner) => self.target(inner),
            PyKind::Tuple(items) | PyKind::List(items) => {
                let rest = items.iter().position(|item| matches!(item.kind, PyKind::Starred(_)));
                Target::Unpack(items.iter().map(|item| self.target(item)).collect(), rest)
            }
            _ => Target::Refused,
        }
    }

    fn name(&self, name: &str) -> Node {
        for (hops, scope) in self.scopes.iter().rev().enumerate() {
            if let Some(slot) = scope.names.iter().position(|known| known == name) {
                let outermost = hops + 1 == self.scopes.len();
                let otherwise = outermost.then(|| Arc::new(self.global(name)));
                return Node::Local(Local { hops, slot, name: name.into(), otherwise });
            }
        }
        self.global(name)
    }

    fn global(&self, name: &str) -> Node {
        if name == "run" {
            return Node::Const(Value::Run);
        }
        if self.entity.variable() == Some(name) {
            return Node::Const(Value::Item);
        }
        match builtins::find(name) {
            Some(value) => Node::Const(value),
            None => raise(Raised::name_error(format!("the name {name} is not known"))),
        }
    }

    fn attribute(&self, value: Node, name: &str) -> Node {
        if name.starts_with('_') {
            return raise(Raised::attribute_error(format!("the attribute {name} is not public")));
        }
        match value {
            Node::Const(Value::Run) => match access::run_attribute(name) {
                access::RunAttribute::Property(property) => Node::Property(property),
                access::RunAttribute::Value(value) => Node::Const(value),
                access::RunAttribute::Param(path) => Node::Param(Arc::new(ParamPath { path: vec![path], steps: 1 })),
            },
            Node::Const(Value::Item) => match name {
                "run" => Node::Const(Value::Run),
                "name" => Node::SeriesName,
                "context" => Node::SeriesContext(Arc::new([])),
                _ => Node::SeriesSummary { field: name.into(), media: name == "last" && self.entity != Entity::Metric },
            },
            Node::Param(param) if !access::is_storage_name(name) => extend(&param, [Key::Text(name.into())]),
            Node::SeriesContext(path) if name != "cache" => context_step(&path, Key::Text(name.into())),
            Node::Const(Value::Metric(metric)) if name != "cache" => summary(metric, name),
            Node::Const(owner @ (Value::Type(_) | Value::Module(_))) => match builtins::attribute(&owner, name) {
                Ok(value) => Node::Const(value),
                Err(raised) => raise(raised),
            },
            value => Node::Attribute { value: Box::new(value), name: name.into() },
        }
    }

    fn call(&mut self, func: &PyExpr, args: &[PyExpr], keywords: &[(Option<String>, PyExpr)]) -> Node {
        let code = |compiler: &mut Self, function: Node| {
            let positional = compiler.items(args);
            let named = keywords.iter().map(|(name, value)| (name.as_deref().map(Arc::from), compiler.node(value)));
            Box::new(CallCode { function, positional, named: named.collect() })
        };
        if let PyKind::Attribute { value, name, .. } = &func.kind {
            let value = self.node(value);
            let known = matches!(value, Node::Const(Value::Type(_) | Value::Module(_)));
            if !known && !name.starts_with('_') {
                let call = code(self, Node::Const(Value::None));
                let named = matches!(value, Node::Local(_) | Node::Named { .. });
                return Node::Method { value: Box::new(value), name: name.as_str().into(), named, call };
            }
            let function = self.attribute(value, name);
            return Node::Call(code(self, function));
        }
        let function = self.node(func);
        Node::Call(code(self, function))
    }

    fn items(&mut self, items: &[PyExpr]) -> Box<[Item]> {
        items
            .iter()
            .map(|item| match &item.kind {
                PyKind::Starred(inner) => Item { node: self.node(inner), spread: true },
                _ => Item { node: self.node(item), spread: false },
            })
            .collect()
    }

    /// A display; one of constants is a constant itself, because values never change.
    fn display(
        &mut self,
        items: &[PyExpr],
        make: fn(Box<[Item]>) -> Node,
        fold: fn(Vec<Value>, &Meter) -> Option<Value>,
    ) -> Node {
        let items = self.items(items);
        let constants: Option<Vec<Value>> = items.iter().map(|item| constant(&item.node, item.spread)).collect();
        match constants.and_then(|values| fold(values, &self.meter)) {
            Some(value) => Node::Const(value),
            None => make(items),
        }
    }

    fn dict(&mut self, entries: &[(Option<PyExpr>, PyExpr)]) -> Node {
        let entries: Box<[_]> =
            entries.iter().map(|(key, value)| (key.as_ref().map(|key| self.node(key)), self.node(value))).collect();
        let mut dict = Dict::default();
        for (key, value) in &entries {
            let (Some(Node::Const(key)), Node::Const(value)) = (key, value) else { return Node::Dict(entries) };
            if dict.insert(key.clone(), value.clone(), &self.meter).is_err() {
                return Node::Dict(entries);
            }
        }
        Node::Const(Value::Dict(Arc::new(dict)))
    }

    fn lambda(&mut self, params: &[Param], body: &PyExpr) -> Node {
        let params: Box<[ParamCode]> = params
            .iter()
            .map(|param| ParamCode {
                name: param.name.as_str().into(),
                kind: param.kind,
                default: param.default.as_ref().map(|default| self.node(default)),
            })
            .collect();
        let mut names: Vec<String> = params.iter().map(|param| param.name.to_string()).collect();
        bound_names(body, &mut names);
        let slots = names.len();
        self.scopes.push(Scope { names, comprehension: false });
        let body_code = self.node(body);
        self.scopes.pop();
        Node::Lambda(Arc::new(LambdaCode { params, slots, body: body_code, generator: yields(body) }))
    }

    fn text_parts(&mut self, parts: &[FStringPart]) -> Box<[TextPart]> {
        parts
            .iter()
            .map(|part| match part {
                FStringPart::Text(text) => TextPart::Text(text.as_str().into()),
                FStringPart::Value { value, conversion, format } => TextPart::Value {
                    value: self.node(value),
                    conversion: *conversion,
                    format: self.text_parts(format.as_deref().unwrap_or_default()),
                },
            })
            .collect()
    }
}

fn raise(raised: Raised) -> Node {
    Node::Raise(raised)
}

/// A constant that may become part of a larger one. Only data: `run` and functions stay operations.
fn constant(node: &Node, spread: bool) -> Option<Value> {
    match node {
        Node::Const(Value::Run | Value::Item | Value::Metrics | Value::Metric(_)) => None,
        Node::Const(value) if !spread => Some(value.clone()),
        _ => None,
    }
}

fn extend(param: &ParamPath, keys: impl IntoIterator<Item = Key>) -> Node {
    let mut path = param.path.clone();
    path.extend(keys);
    Node::Param(Arc::new(ParamPath { path, steps: param.steps + 1 }))
}

fn context_step(path: &[Key], key: Key) -> Node {
    Node::SeriesContext(path.iter().cloned().chain([key]).collect())
}

fn summary(metric: Arc<MetricRef>, name: &str) -> Node {
    if super::metric::FIELDS.contains(&name) {
        Node::Summary(Arc::new(((*metric).clone(), name.into())))
    } else {
        Node::Const(Value::Missing(crate::Missing::Deeper))
    }
}

fn subscript(value: Node, index: Node) -> Node {
    if let Node::Const(index) = &index {
        match &value {
            Node::Const(Value::Run) => {
                if let Ok(path) = access::path(index) {
                    return Node::Param(Arc::new(ParamPath { path, steps: 1 }));
                }
            }
            Node::Const(Value::Metrics) => {
                return Node::Const(match MetricRef::of_index(index) {
                    Some(metric) => Value::Metric(Arc::new(metric)),
                    None => Value::Missing(crate::Missing::First),
                });
            }
            Node::Const(Value::Metric(metric)) => {
                if let Value::Str(field) = index {
                    return summary(metric.clone(), field);
                }
            }
            Node::Param(param) => {
                if let Ok(path) = access::path(index) {
                    // A negative index counts from the end of the list that is there.
                    if !path.iter().any(|key| matches!(key, Key::Int(i) if *i < 0)) {
                        return extend(param, path);
                    }
                }
            }
            Node::SeriesContext(path) => match index {
                Value::Str(key) => return context_step(path, Key::Text(key.clone())),
                Value::Int(key) if *key >= 0 => return context_step(path, Key::Int(*key)),
                _ => {}
            },
            _ => {}
        }
    }
    Node::Subscript { value: Box::new(value), index: Box::new(index) }
}

/// The names that a target binds, each once.
fn target_names(target: &PyExpr, names: &mut Vec<String>) {
    match &target.kind {
        PyKind::Name(name) => add(name, names),
        PyKind::Starred(inner) => target_names(inner, names),
        PyKind::Tuple(items) | PyKind::List(items) => items.iter().for_each(|item| target_names(item, names)),
        _ => {}
    }
}

fn add(name: &str, names: &mut Vec<String>) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// The names that `:=` binds in the scope of an expression: those in comprehensions too, those in lambdas not.
fn bound_names(expr: &PyExpr, names: &mut Vec<String>) {
    if let PyKind::Named { name, .. } = &expr.kind {
        add(name, names);
    }
    children(expr, &mut |child| bound_names(child, names));
}

/// Whether a lambda's body yields.
fn yields(expr: &PyExpr) -> bool {
    let mut found = matches!(expr.kind, PyKind::Yield);
    children(expr, &mut |child| found |= yields(child));
    found
}

/// The expressions directly below one, the bodies of lambdas excepted.
fn children(expr: &PyExpr, visit: &mut dyn FnMut(&PyExpr)) {
    let mut each = |expr: &PyExpr| stacker::maybe_grow(RED_ZONE, STACK, || visit(expr));
    match &expr.kind {
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
        PyKind::FString(parts) => text_children(parts, &mut each),
        PyKind::Attribute { value, .. }
        | PyKind::Starred(value)
        | PyKind::Unary { operand: value, .. }
        | PyKind::Named { value, .. }
        | PyKind::Await(value) => each(value),
        PyKind::Subscript { value, index } => {
            each(value);
            each(index);
        }
        PyKind::Slice { lower, upper, step } => [lower, upper, step].into_iter().flatten().for_each(|e| each(e)),
        PyKind::Tuple(items) | PyKind::List(items) | PyKind::Set(items) | PyKind::Bool2 { values: items, .. } => {
            items.iter().for_each(each);
        }
        PyKind::Dict(entries) => {
            for (key, value) in entries {
                key.iter().for_each(&mut each);
                each(value);
            }
        }
        PyKind::Binary { left, right, .. } => {
            each(left);
            each(right);
        }
        PyKind::Compare { left, rest } => {
            each(left);
            rest.iter().for_each(|(_, right)| each(right));
        }
        PyKind::IfElse { test, body, orelse } => [test, body, orelse].into_iter().for_each(|e| each(e)),
        PyKind::Lambda { params, .. } => params.iter().filter_map(|param| param.default.as_ref()).for_each(each),
        PyKind::Call { func, args, keywords } => {
            each(func);
            args.iter().for_each(&mut each);
            keywords.iter().for_each(|(_, value)| each(value));
        }
        PyKind::Comprehension { element, value, clauses, .. } => {
            each(element);
            value.iter().for_each(|value| each(value));
            for clause in clauses {
                each(&clause.iter);
                clause.conditions.iter().for_each(&mut each);
            }
        }
    }
}

fn text_children(parts: &[FStringPart], each: &mut dyn FnMut(&PyExpr)) {
    for part in parts {
        if let FStringPart::Value { value, format, .. } = part {
            each(value);
            text_children(format.as_deref().unwrap_or_default(), each);
        }
    }
}
