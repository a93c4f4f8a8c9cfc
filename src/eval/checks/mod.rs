//! Tests of whole expressions.

mod corpus;
mod json;
mod python;
mod rules;
mod speed;

use crate::{Entity, Limits, Outcome, Program};
use lakeql_query::syntax::python::parse_parenthesized;
use serde_json::json;

/// The outcome of an expression that asks nothing of its run.
fn evaluate(text: &str) -> Outcome {
    evaluate_with(text, &Limits::default())
}

fn evaluate_with(text: &str, limits: &Limits) -> Outcome {
    let tree = parse_parenthesized(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let row = json::JsonRow::new(&json!({"params": {}}), None, 0);
    Program::compile(&tree, Entity::Run).outcome(&row, limits)
}
