//! How long simple operations take; run by hand with `cargo test --release -p lakeql-eval -- --ignored --nocapture speed`.

use crate::row::{ContextRef, Key, Row, RunProperty};
use crate::{Entity, Limits, Program, Value};
use chrono::NaiveDateTime;
use lakeql_query::syntax::python::parse_parenthesized;
use std::hint::black_box;
use std::time::Instant;

/// A row without data structures, so that the evaluator alone is measured.
struct Flat(Value);

impl Row for Flat {
    fn property(&self, _: RunProperty) -> Value {
        self.0.clone()
    }

    fn param(&self, path: &[Key]) -> Option<Value> {
        (path.len() == 2).then_some(Value::Float(0.01))
    }

    fn summary(&self, _: &str, _: &ContextRef, _: &str) -> Option<Value> {
        Some(Value::Float(0.5))
    }

    fn series_name(&self) -> Value {
        self.0.clone()
    }

    fn series_context(&self, _: &[Key]) -> Option<Value> {
        Some(self.0.clone())
    }

    fn series_summary(&self, _: &str) -> Option<Value> {
        Some(Value::Float(0.5))
    }

    fn now(&self) -> NaiveDateTime {
        NaiveDateTime::default()
    }
}

#[test]
#[ignore = "a measurement, not a test"]
fn speed() {
    let row = Flat(Value::text("resnet18"));
    for text in [
        "run.hp.lr > 0.1",
        "run.hp.lr * 10 == 0.1",
        "run.name == 'resnet18' and run.hp.lr < 1",
        "run.name.startswith('res')",
        "str(run.hp.lr).endswith('1')",
        "f'{run.hp.lr:.2f}' == '0.01'",
        "any(x > 2 for x in [1, 2, 3])",
        "[x for x in [1, 2, 3] if x > 2]",
        "(lambda n: n == 'loss')(run.name)",
        "run.metrics['loss', {'subset': 'train'}].last < 1",
        "run.nosuch + 1 > 0",
    ] {
        let program = Program::compile(&parse_parenthesized(text).unwrap(), Entity::Run);
        let (limits, count) = (Limits::default(), 200_000);
        let start = Instant::now();
        for _ in 0..count {
            black_box(program.outcome(black_box(&row), &limits));
        }
        println!("{:6} ns  {text}", start.elapsed().as_nanos() / count);
    }
}
