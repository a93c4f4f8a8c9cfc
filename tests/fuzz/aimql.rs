//! What has to hold for any text given to AimQL. Used by the fuzz target and by the test on stable.

use chrono::{DateTime, NaiveDateTime};
use lakeql_eval::{ContextRef, Entity, Key, Limits, Outcome, Program, Row, RunProperty, Value};
use lakeql_query::dialects::{Dialect, Settings, aimql::AimQl};
use lakeql_query::model::{Expr, Transform};
use lakeql_query::source::Source;
use lakeql_query::syntax::python::parse_parenthesized;
use std::sync::Arc;

/// A run with a value of every type.
struct Sample;

impl Sample {
    fn params() -> Value {
        let entries: Vec<(Arc<str>, Value)> = vec![
            ("seed".into(), Value::Int(3)),
            ("lr".into(), Value::Float(0.01)),
            ("nan".into(), Value::Float(f64::NAN)),
            ("big".into(), Value::integer("9".repeat(40).parse().unwrap_or_default())),
            ("model".into(), Value::text("ResNet-18 ünï 学")),
            ("none".into(), Value::None),
            ("flag".into(), Value::Bool(true)),
            ("layers".into(), Value::list(vec![Value::Int(64), Value::Int(128), Value::None])),
            ("hparams".into(), Value::dict([("lr".into(), Value::Float(0.1)), ("keys".into(), Value::text("k"))])),
        ];
        Value::dict(entries)
    }

    fn at(value: Value, path: &[Key]) -> Option<Value> {
        path.iter().try_fold(value, |value, key| match (&value, key) {
            (Value::Dict(dict), Key::Text(text)) => dict.get_text(text).cloned(),
            (Value::List(items), Key::Int(at)) => items.get(usize::try_from(*at).ok()?).cloned(),
            _ => None,
        })
    }
}

impl Row for Sample {
    fn property(&self, property: RunProperty) -> Value {
        let time = DateTime::from_timestamp_micros(1_643_673_600_000_001).unwrap_or_default().naive_utc();
        match property {
            RunProperty::Hash | RunProperty::Name => Value::text("4f2a"),
            RunProperty::Experiment => Value::text("sweep"),
            RunProperty::Description | RunProperty::FinalizedAt | RunProperty::EndTime => Value::None,
            RunProperty::Tags => Value::list(vec![Value::text("a"), Value::text("")]),
            RunProperty::Archived => Value::Bool(false),
            RunProperty::Active => Value::Bool(true),
            RunProperty::CreatedAt | RunProperty::UpdatedAt => Value::Datetime(time),
            RunProperty::Duration | RunProperty::CreationTime => Value::Float(1.5),
            RunProperty::Notes => Value::list(vec![]),
        }
    }

    fn param(&self, path: &[Key]) -> Option<Value> {
        Self::at(Self::params(), path)
    }

    fn summary(&self, name: &str, _context: &ContextRef, field: &str) -> Option<Value> {
        (name == "loss" && field != "min").then_some(Value::Float(0.5))
    }

    fn series_name(&self) -> Value {
        Value::text("loss")
    }

    fn series_context(&self, path: &[Key]) -> Option<Value> {
        Self::at(Value::dict([("subset".into(), Value::text("train"))]), path)
    }

    fn series_summary(&self, field: &str) -> Option<Value> {
        (field == "last").then_some(Value::Int(7))
    }

    fn now(&self) -> NaiveDateTime {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default().naive_utc()
    }
}

/// Little enough that thousands of texts are checked in a second.
const LIMITS: Limits = Limits { steps: 20_000, bytes: 4 << 20, depth: 300 };

/// Asks a text of a run and of a sequence, as a whole and in the pieces that lowering leaves.
pub(crate) fn check(text: &str) {
    let source = Source::query(text);
    for (entity, kind) in [("run", Entity::Run), ("metric", Entity::Metric), ("images", Entity::Images)] {
        let settings = Settings { entity: Some(entity.into()), ..Settings::default() };
        match AimQl.lower(&source, &settings) {
            Ok(query) => {
                let _ = query.to_string();
                for transform in &query.transforms {
                    let Transform::Filter(predicate) = transform else { continue };
                    predicate.walk(&mut |part| {
                        if let Expr::Evaluate { program, .. } = part {
                            outcome(&Program::compile(&program.expr, kind));
                        }
                    });
                }
            }
            Err(found) => super::refused::check(&found, &source),
        }
        if let Ok(tree) = parse_parenthesized(text) {
            outcome(&Program::compile(&tree, kind));
        }
    }
}

/// The same text gives the same answer again.
fn outcome(program: &Program) {
    let first = program.outcome(&Sample, &LIMITS);
    let second = program.outcome(&Sample, &LIMITS);
    let alike = match (&first, &second) {
        (Outcome::Raised(a), Outcome::Raised(b)) => a.kind == b.kind,
        (a, b) => a == b,
    };
    assert!(alike, "{first:?} and then {second:?}");
}
