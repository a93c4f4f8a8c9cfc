//! AimQL's three outcomes as two predicates.
//!
//! Evaluating an item gives a true value, a false one, or raises, and a raise drops the item however it is wrapped. So each
//! expression is lowered twice: to where it is true and to where it is false. Where neither holds it raises. `and`, `or`,
//! `not`, the conditional expression and comparison chains are taken apart by Python's left-to-right rules; leaves that
//! columns can answer come from [`super::leaf`]; whatever else there is goes to the row evaluator.

use super::inputs::inputs;
use super::leaf::{self, Leaf};
use crate::model::{Attribute, CompareOp, Entity, Expr, Literal, Place, Program};
use crate::source::Source;
use crate::span::Span;
use crate::syntax::python::{BoolOp, PyExpr, PyKind, UnaryOp};
use std::borrow::Cow;
use std::cell::Cell;

/// Steps after which taking apart is given up and the whole expression is evaluated row by row: nested alternatives that
/// can raise double at every level.
const BUDGET: usize = 200_000;

/// Longest `and`/`or` whose operands can raise: each one nests into the one before.
const LONGEST_RAISING: usize = 64;

/// `run.archived == False`, which is added unless the query speaks of archived runs.
pub(super) fn unarchived() -> Expr {
    let attribute = Attribute { place: Place::Run("archived".into()), span: Span::default() };
    Expr::Compare { attribute, op: CompareOp::Eq, value: Literal::Bool(false) }
}

/// Where the expression is true.
pub(super) fn holds(tree: &PyExpr, source: &Source, entity: Entity, offset_minutes: i64) -> Expr {
    let lowering = Lowering { source, entity, offset_minutes, budget: Cell::new(BUDGET) };
    // A name bound by `:=` is seen by what follows: such an expression is one piece.
    if binds_names(tree) {
        return lowering.evaluate(tree, true);
    }
    lowering.lower(tree, true).unwrap_or_else(|| lowering.evaluate(tree, true))
}

fn binds_names(expr: &PyExpr) -> bool {
    let mut found = matches!(expr.kind, PyKind::Named { .. });
    // `setattr` changes what later operands see.
    found |= matches!(&expr.kind, PyKind::Name(name) if name == "setattr" || name == "delattr");
    expr.children(&mut |child| found = found || binds_names(child));
    found
}

/// Whether the name stands somewhere in the expression.
fn mentions(expr: &PyExpr, name: &str) -> bool {
    let mut found = matches!(&expr.kind, PyKind::Name(known) if known == name);
    expr.children(&mut |child| found = found || mentions(child, name));
    found
}

struct Lowering<'a> {
    source: &'a Source,
    entity: Entity,
    offset_minutes: i64,
    budget: Cell<usize>,
}

impl Lowering<'_> {
    /// Where the expression is true (`outcome`) or false, or nothing if that gets too large.
    fn lower(&self, expr: &PyExpr, outcome: bool) -> Option<Expr> {
        self.budget.set(self.budget.get().checked_sub(1)?);
        if self.residual(expr) {
            return Some(self.evaluate(expr, outcome));
        }
        match &expr.kind {
            PyKind::Unary { op: UnaryOp::Not, operand } => self.lower(operand, !outcome),
            PyKind::Bool2 { op, values } => {
                let every = (*op == BoolOp::And) == outcome;
                let values = self.joined(values, *op, every);
                let values: Vec<_> = values.iter().map(AsRef::as_ref).collect();
                self.sequence(&values, *op, outcome)
            }
            PyKind::IfElse { test, body, orelse } => Some(Expr::any([
                Expr::all([self.lower(test, true)?, self.lower(body, outcome)?]),
                Expr::all([self.lower(test, false)?, self.lower(orelse, outcome)?]),
            ])),
            _ => Some(self.leaf(expr, outcome)),
        }
    }

    /// Whether evaluating the expression can raise.
    fn total(&self, expr: &PyExpr) -> bool {
        match &expr.kind {
            PyKind::Unary { op: UnaryOp::Not, operand } => self.total(operand),
            PyKind::Bool2 { values, .. } => values.iter().all(|value| self.total(value)),
            PyKind::IfElse { test, body, orelse } => [test, body, orelse].into_iter().all(|part| self.total(part)),
            _ => leaf::leaf(expr, self.entity, self.offset_minutes).is_some_and(|leaf| leaf.total()),
        }
    }

    /// Whether nothing in it is a condition that columns can answer.
    fn residual(&self, expr: &PyExpr) -> bool {
        match &expr.kind {
            PyKind::Unary { op: UnaryOp::Not, operand } => self.residual(operand),
            PyKind::Bool2 { values, .. } => values.iter().all(|value| self.residual(value)),
            PyKind::IfElse { test, body, orelse } => [test, body, orelse].into_iter().all(|part| self.residual(part)),
            _ => leaf::leaf(expr, self.entity, self.offset_minutes).is_none(),
        }
    }

    /// The operands with those joined that columns cannot answer: one program instead of several, and one that can raise
    /// need not be asked twice, for its truth and for its falsehood. Neighbours always; where all operands must have the
    /// same outcome the order makes no difference, so all of them, but those about the run apart from those about the
    /// sequence: the former can be asked before the run meets its sequences.
    fn joined<'e>(&self, values: &'e [PyExpr], op: BoolOp, every: bool) -> Vec<Cow<'e, PyExpr>> {
        let class = |value: &PyExpr| self.residual(value).then(|| every && mentions(value, self.entity.variable()));
        let mut groups: Vec<(Option<bool>, Vec<&'e PyExpr>)> = vec![];
        for value in values {
            let class = class(value);
            let joins = |group: &(Option<bool>, Vec<&PyExpr>)| class.is_some() && group.0 == class;
            let known = if every {
                groups.iter_mut().find(|group| joins(group))
            } else {
                groups.last_mut().filter(|group| joins(group))
            };
            match known {
                Some((_, group)) => group.push(value),
                None => groups.push((class, vec![value])),
            }
        }
        let groups = groups.into_iter().map(|(_, group)| match group.as_slice() {
            [one] => Cow::Borrowed(*one),
            several => {
                let values = several.iter().map(|value| (*value).clone()).collect();
                Cow::Owned(PyExpr { kind: PyKind::Bool2 { op, values }, span: Span::default() })
            }
        });
        groups.collect()
    }

    /// `and`/`or`, left to right: an operand is looked at only where those before it did not decide.
    fn sequence(&self, values: &[&PyExpr], op: BoolOp, outcome: bool) -> Option<Expr> {
        // `and` is true where all are; `or` is false where all are.
        let every = (op == BoolOp::And) == outcome;
        if every {
            return Some(Expr::all(values.iter().map(|value| self.lower(value, outcome)).collect::<Option<Vec<_>>>()?));
        }
        // Otherwise the first operand with this outcome decides, if those before it had the other one. Where an operand
        // cannot raise, «has the other outcome» need not be said.
        let mut raising = 0;
        let mut result = Expr::Literal(false);
        let mut pending = vec![];
        for value in values.iter().rev() {
            if self.total(value) {
                pending.push(self.lower(value, outcome)?);
                continue;
            }
            raising += 1;
            if raising > LONGEST_RAISING {
                return None;
            }
            let after = Expr::any(pending.drain(..).rev().chain([result]));
            result = Expr::any([self.lower(value, outcome)?, Expr::all([self.lower(value, !outcome)?, after])]);
        }
        Some(Expr::any(pending.into_iter().rev().chain([result])))
    }

    fn leaf(&self, expr: &PyExpr, outcome: bool) -> Expr {
        match leaf::leaf(expr, self.entity, self.offset_minutes) {
            Some(Leaf { holds, .. }) if outcome => holds,
            Some(Leaf { holds, raises: Some(raises) }) => Expr::all([raises.negate(), holds.negate()]),
            Some(Leaf { raises: None, .. }) | None => self.evaluate(expr, outcome),
        }
    }

    /// What the user wrote for it.
    fn text(&self, expr: &PyExpr) -> String {
        match &expr.kind {
            PyKind::Bool2 { op, values } if expr.span == Span::default() => {
                let word = if *op == BoolOp::And { " and " } else { " or " };
                let texts = values.iter().map(|value| match &value.kind {
                    PyKind::Bool2 { .. } | PyKind::IfElse { .. } | PyKind::Lambda { .. } => {
                        format!("({})", self.text(value))
                    }
                    _ => self.text(value),
                });
                texts.collect::<Vec<_>>().join(word)
            }
            _ => self.source.text.get(expr.span.range()).unwrap_or_default().to_owned(),
        }
    }

    fn evaluate(&self, expr: &PyExpr, outcome: bool) -> Expr {
        let text = self.text(expr);
        let program = Program {
            expr: expr.clone(),
            text,
            entity: self.entity,
            offset_minutes: self.offset_minutes,
            inputs: inputs(expr, self.entity),
        };
        Expr::Evaluate { program: Box::new(program), outcome }
    }
}
