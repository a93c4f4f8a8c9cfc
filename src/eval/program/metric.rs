//! `run.metrics[…]`

use crate::row::{ContextRef, canonical_context};
use crate::value::Value;
use std::sync::Arc;

/// Summaries that are stored of a sequence.
pub(crate) const FIELDS: [&str; 9] =
    ["last", "last_step", "first", "first_step", "min", "max", "dtype", "version", "record_max_length"];

/// Which sequence of the run is meant: opaque outside of the crate.
#[derive(Clone, Debug)]
pub struct MetricRef {
    pub(crate) name: Arc<str>,
    pub(crate) context: ContextRef,
}

impl MetricRef {
    /// What an index means: a name, a name with a context, or a name with a context's id. Everything else means nothing.
    pub(crate) fn of_index(index: &Value) -> Option<Self> {
        let (name, context) = match index {
            Value::Str(name) => (name, ContextRef::Key("{}".into())),
            Value::Tuple(parts) => match &parts[..] {
                [Value::Str(name)] => (name, ContextRef::Key("{}".into())),
                [Value::Str(name), Value::Int(id)] => (name, ContextRef::Id(*id)),
                [Value::Str(name), Value::Bool(id)] => (name, ContextRef::Id(i64::from(*id))),
                [Value::Str(name), context @ (Value::Dict(_) | Value::Context(_))] => {
                    if !matches!(context.unwrapped(), Value::Dict(_)) {
                        return None;
                    }
                    (name, ContextRef::Key(canonical_context(context)?.into()))
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { name: name.clone(), context })
    }
}
