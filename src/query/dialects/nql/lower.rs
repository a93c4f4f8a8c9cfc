//! Tree to model: what both dialects share.
//!
//! All leaves are two-valued (R3, T4), so AND, OR and NOT are what they are. Equalities of one field become one set, in OR
//! as well as (negated) in AND: lists of ids are written that way and may be long.

use super::tree::{Clause, Node, Op, Operand, Value};
use super::{Flavour, Settings};
use crate::diagnostic::Diagnostic;
use crate::model::{CompareOp, Expr};
use std::collections::HashMap;

/// What lowering knows beside the tree.
#[derive(Clone, Copy)]
pub(super) struct Lowering<'a> {
    pub(super) settings: &'a Settings,
    pub(super) flavour: Flavour,
}

/// A clause that may become part of a set.
enum Part<'a> {
    /// Equality with one of these.
    OneOf(&'a Clause, Vec<&'a Value>),
    Other(&'a Node),
}

impl Lowering<'_> {
    /// Where the condition holds.
    pub(super) fn condition(&self, node: &Node) -> Result<Expr, Diagnostic> {
        match node {
            Node::All(nodes) => Ok(Expr::all(self.parts(nodes, true)?)),
            Node::Any(nodes) => Ok(Expr::any(self.parts(nodes, false)?)),
            Node::Not(inner) => Ok(self.condition(inner)?.negate()),
            Node::Clause(clause) => {
                let holds = match (clause.op, &clause.value) {
                    (Op::Compare(CompareOp::Eq), Some(value)) => self.equal(clause, &[value])?,
                    _ => self.test(clause)?,
                };
                Ok(if clause.negated { holds.negate() } else { holds })
            }
            Node::Term(term) => Ok(self.term(term)),
        }
    }

    /// The operands of AND (or OR), with equalities of one field put together.
    fn parts(&self, nodes: &[Node], all: bool) -> Result<Vec<Expr>, Diagnostic> {
        let mut parts: Vec<Part<'_>> = vec![];
        let mut known: HashMap<&Operand, usize> = HashMap::new();
        for node in nodes {
            // AND of «not equal» is «not one of».
            let Some((clause, value)) = equality(node, all) else {
                parts.push(Part::Other(node));
                continue;
            };
            match known.get(&clause.operand).and_then(|index| parts.get_mut(*index)) {
                Some(Part::OneOf(_, values)) => values.push(value),
                _ => {
                    known.insert(&clause.operand, parts.len());
                    parts.push(Part::OneOf(clause, vec![value]));
                }
            }
        }
        parts
            .into_iter()
            .map(|part| match part {
                Part::Other(node) => self.condition(node),
                Part::OneOf(clause, values) => {
                    let holds = self.equal(clause, &values)?;
                    Ok(if all { holds.negate() } else { holds })
                }
            })
            .collect()
    }

    /// Where the field equals one of the values.
    fn equal(&self, clause: &Clause, values: &[&Value]) -> Result<Expr, Diagnostic> {
        match self.flavour {
            Flavour::Legacy => self.legacy(clause, values),
            Flavour::Typed => self.typed(clause, values),
        }
    }

    /// Where any other test holds.
    fn test(&self, clause: &Clause) -> Result<Expr, Diagnostic> {
        let values: Vec<&Value> = clause.value.iter().collect();
        self.equal(clause, &values)
    }
}

/// The equality that the node is, or that it negates.
fn equality(node: &Node, negated: bool) -> Option<(&Clause, &Value)> {
    let (node, negated) = match node {
        Node::Not(inner) => (&**inner, !negated),
        other => (other, negated),
    };
    match node {
        Node::Clause(clause) if clause.op == Op::Compare(CompareOp::Eq) && clause.negated == negated => {
            Some((clause, clause.value.as_ref()?))
        }
        _ => None,
    }
}
