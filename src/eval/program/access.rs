//! Attributes and indexes.

use super::eval::Eval;
use super::metric::FIELDS;
use super::{Args, MetricRef};
use crate::builtins;
use crate::methods;
use crate::row::{Key, RunProperty};
use crate::value::{Missing, Value, sequence};
use crate::{Meter, Raised};
use std::sync::Arc;

/// What an attribute of `run` is.
pub(super) enum RunAttribute {
    Property(RunProperty),
    Value(Value),
    Param(Key),
}

/// Properties first, then parameters of that name.
pub(super) fn run_attribute(name: &str) -> RunAttribute {
    match (name, RunProperty::from_name(name)) {
        (_, Some(property)) => RunAttribute::Property(property),
        ("metrics", _) => RunAttribute::Value(Value::Metrics),
        ("info", _) => RunAttribute::Value(Value::Object("info")),
        // Called with a key in `Eval::method`.
        ("get", _) => RunAttribute::Value(Value::Method(Arc::new((Value::Run, "get".into())))),
        _ => RunAttribute::Param(Key::Text(name.into())),
    }
}

/// Attribute names of nested parameters that mean the original's storage and not a key.
pub(super) fn is_storage_name(name: &str) -> bool {
    matches!(
        name,
        "get"
            | "keys"
            | "items"
            | "view"
            | "set"
            | "collect"
            | "array"
            | "subtree"
            | "container"
            | "update"
            | "first_key"
            | "last_key"
            | "preload"
            | "finalize"
            | "make_array"
            | "keys_eager"
            | "items_eager"
            | "iterlevel"
            | "cache"
    )
}

/// The path that an index means: a key, or a tuple of keys.
pub(super) fn path(index: &Value) -> Result<Vec<Key>, Raised> {
    match index {
        Value::Tuple(items) if !items.is_empty() => items.iter().map(key).collect(),
        one => Ok(vec![key(one)?]),
    }
}

fn key(value: &Value) -> Result<Key, Raised> {
    match value.unwrapped() {
        Value::Str(text) => Ok(Key::Text(text.clone())),
        Value::Int(i) => Ok(Key::Int(*i)),
        Value::Bool(b) => Ok(Key::Int(i64::from(*b))),
        other => Err(Raised::type_error(format!("a value of type {} is not an element of a path", other.type_name()))),
    }
}

/// What stands under a key of a stored value.
fn child(value: &Value, key: &Key, meter: &Meter) -> Option<Value> {
    match (value, key) {
        (Value::Dict(dict), Key::Text(text)) => dict.get_text(text).cloned(),
        (Value::Dict(dict), Key::Int(i)) => dict.get(&Value::Int(*i), meter).ok().flatten().cloned(),
        (Value::List(_) | Value::Tuple(_) | Value::Str(_), Key::Int(i)) => {
            sequence::item(value, &Value::Int(*i), meter).ok().flatten()
        }
        _ => None,
    }
}

pub(super) const DEEPER: Value = Value::Missing(Missing::Deeper);

/// Whether this is a method of the storage, such as `run.hparams.keys`: behind its wrapper nothing is found.
fn is_stored_method(value: &Value) -> bool {
    matches!(value, Value::Method(method) if matches!(method.0, Value::Wrapped(_) | Value::Missing(_)))
}

impl Eval<'_> {
    /// `value.name`
    pub(crate) fn attribute(&self, value: &Value, name: &str) -> Result<Value, Raised> {
        match value {
            Value::Run => Ok(match run_attribute(name) {
                RunAttribute::Property(property) => self.row.property(property),
                RunAttribute::Value(value) => value,
                RunAttribute::Param(key) => self.param(&[key], 1),
            }),
            Value::Item => Ok(match name {
                "run" => Value::Run,
                "name" => self.row.series_name(),
                "context" => return self.context(&[]),
                field => self.series_summary(field, false),
            }),
            Value::Metrics => Err(Raised::attribute_error(format!("metrics are asked by index, not as .{name}"))),
            Value::Metric(_) | Value::Wrapped(_) | Value::Missing(_) | Value::Context(_) if name == "cache" => {
                Ok(Value::None)
            }
            Value::Metric(metric) => Ok(self.summary(metric, name)),
            Value::Wrapped(_) | Value::Missing(_) if is_storage_name(name) => {
                Ok(Value::Method(Arc::new((value.clone(), name.into()))))
            }
            _ if is_stored_method(value) => Ok(DEEPER),
            Value::Wrapped(inner) => Ok(match &**inner {
                Value::Dict(dict) => dict.get_text(name).cloned().map_or(DEEPER, wrapped),
                _ => DEEPER,
            }),
            Value::Missing(_) => Ok(DEEPER),
            Value::Context(inner) => match &**inner {
                Value::Dict(dict) => dict.get_text(name).cloned().map(context),
                _ => None,
            }
            .ok_or_else(|| no_key(name)),
            Value::Type(_) | Value::Module(_) => builtins::attribute(value, name),
            plain => Ok(methods::attribute(plain, name)),
        }
    }

    /// `value[index]`
    pub(super) fn subscript(&self, value: &Value, index: &Value) -> Result<Value, Raised> {
        match value {
            Value::Run => Ok(self.param(&path(index)?, 1)),
            Value::Metrics => Ok(match MetricRef::of_index(index) {
                Some(metric) => Value::Metric(Arc::new(metric)),
                None => Value::Missing(Missing::First),
            }),
            Value::Metric(metric) => Ok(match index {
                Value::Str(field) => self.summary(metric, field),
                _ => DEEPER,
            }),
            Value::Wrapped(inner) => {
                if let Value::Slice(_) = index.unwrapped() {
                    return sequence::item(inner, index, &self.meter)?.ok_or_else(|| not_indexable(inner));
                }
                let mut found = Some((**inner).clone());
                for key in path(index)? {
                    found = found.and_then(|value| child(&value, &key, &self.meter));
                }
                Ok(found.map_or(DEEPER, wrapped))
            }
            Value::Missing(_) => path(index).map(|_| DEEPER),
            _ if is_stored_method(value) => path(index).map(|_| DEEPER),
            // A path is none in a context: its first key has to be there, what is below it never is.
            Value::Context(inner) if let (Value::Dict(_), Value::Tuple(keys)) = (&**inner, index) => {
                let first = keys.first().ok_or_else(|| Raised::index_error("an empty path"))?;
                self.subscript(value, first).map(|_| DEEPER)
            }
            Value::Context(inner) => {
                let found = match &**inner {
                    Value::Dict(dict) => dict.get(index, &self.meter)?.cloned(),
                    other => sequence::item(other, index, &self.meter)?,
                };
                found.map(context).ok_or_else(|| Raised::key_error("the context has no such key"))
            }
            Value::Dict(dict) => {
                let found = dict.get(index, &self.meter)?;
                found.cloned().ok_or_else(|| Raised::key_error("the dict has no such key"))
            }
            plain => sequence::item(plain, index, &self.meter)?.ok_or_else(|| not_indexable(plain)),
        }
    }

    /// The parameter at a path, or what is missing.
    pub(super) fn param(&self, path: &[Key], steps: usize) -> Value {
        match self.raw_param(path) {
            Some(value) => wrapped(value),
            None if steps > 1 => DEEPER,
            None => Value::Missing(Missing::First),
        }
    }

    /// The parameter at a path without its wrapper.
    pub(super) fn raw_param(&self, path: &[Key]) -> Option<Value> {
        self.row.param(path).or_else(|| match path.split_last() {
            // Texts have characters by index, though they are no nodes of the stored tree.
            Some((Key::Int(i), parent)) if !parent.is_empty() => {
                let text = self.row.param(parent).filter(|value| matches!(value, Value::Str(_)))?;
                child(&text, &Key::Int(*i), &self.meter)
            }
            _ => None,
        })
    }

    /// A summary of `run.metrics[…]`.
    pub(super) fn summary(&self, metric: &MetricRef, field: &str) -> Value {
        if !FIELDS.contains(&field) {
            return DEEPER;
        }
        self.row.summary(&metric.name, &metric.context, field).map_or(DEEPER, wrapped)
    }

    /// A summary of the sequence at hand.
    pub(super) fn series_summary(&self, field: &str, media: bool) -> Value {
        self.raw_series_summary(field, media).map_or(Value::Missing(Missing::First), wrapped)
    }

    pub(super) fn raw_series_summary(&self, field: &str, media: bool) -> Option<Value> {
        if !FIELDS.contains(&field) {
            return None;
        }
        // Of media the last object always exists, though it may not have been imported.
        self.row.series_summary(field).or(media.then_some(Value::Object("media")))
    }

    /// The context at a path; absent keys raise.
    pub(super) fn context(&self, path: &[Key]) -> Result<Value, Raised> {
        self.raw_context(path).map(context)
    }

    pub(super) fn raw_context(&self, path: &[Key]) -> Result<Value, Raised> {
        self.row.series_context(path).ok_or_else(|| match path.last() {
            Some(Key::Text(name)) => no_key(name),
            _ => Raised::key_error("the context has no such key"),
        })
    }

    /// `value.name(arguments)`. `named` tells that a name holds the value, so that changes to it would be seen.
    pub(crate) fn method(&self, value: &Value, name: &str, args: Args, named: bool) -> Result<Value, Raised> {
        if named && methods::changes(value, name) {
            return Err(Raised::unsupported(format!("values cannot be changed in a query, as .{name}() does")));
        }
        match value {
            Value::Run if name == "get" => {
                let [key, _] = args.bind("get", ["key", "default"], 1)?;
                Ok(match key {
                    Some(key) => self.param(&path(key)?, 1),
                    None => Value::None,
                })
            }
            Value::Wrapped(_) | Value::Missing(_) if is_storage_name(name) => self.storage_method(value, name, &args),
            Value::Wrapped(inner) | Value::Context(inner) => {
                let hidden = matches!(&**inner, Value::Dict(dict) if dict.get_text(name).is_some());
                let result = if hidden { None } else { methods::call(self, inner, name, args)? };
                result.ok_or_else(|| Raised::type_error(format!("{name} is not a method of this value")))
            }
            Value::Run
            | Value::Item
            | Value::Metrics
            | Value::Metric(_)
            | Value::Missing(_)
            | Value::Type(_)
            | Value::Module(_) => self.call(&self.attribute(value, name)?, args),
            plain => methods::call(self, plain, name, args)?.ok_or_else(|| {
                Raised::type_error(format!("a value of type {} has no method {name}", plain.type_name()))
            }),
        }
    }

    /// The methods that nested parameters have in the original.
    fn storage_method(&self, value: &Value, name: &str, args: &Args) -> Result<Value, Raised> {
        let stored = match value {
            Value::Wrapped(inner) => Some(&**inner),
            _ => None,
        };
        match name {
            "get" => {
                let [key, default] = args.bind("get", ["key", "default"], 1)?;
                let mut found = stored.cloned();
                for key in path(key.unwrap_or(&Value::None))? {
                    found = found.and_then(|value| child(&value, &key, &self.meter));
                }
                Ok(found.unwrap_or_else(|| default.cloned().unwrap_or(Value::None)))
            }
            "keys" | "keys_eager" | "iterlevel" => match stored {
                None => Ok(Value::list(vec![])),
                Some(Value::Dict(dict)) if !dict.is_empty() => Ok(Value::list(dict.keys().to_vec())),
                Some(_) => Err(Raised::index_error("the value has no keys")),
            },
            "items" | "items_eager" => match stored {
                None => Ok(Value::list(vec![])),
                Some(Value::Dict(dict)) if !dict.is_empty() => {
                    let pairs = dict.iter().map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()]));
                    Ok(Value::list(pairs.collect()))
                }
                Some(_) => Err(Raised::index_error("the value has no items")),
            },
            "first_key" | "last_key" => {
                let keys = match stored {
                    Some(Value::Dict(dict)) => dict.keys().to_vec(),
                    Some(Value::List(items)) => (0..items.len()).map(Value::count).collect(),
                    _ => vec![],
                };
                let found = if name == "first_key" { keys.first() } else { keys.last() };
                found.cloned().ok_or_else(|| Raised::key_error("the value has no keys"))
            }
            "collect" => Ok(stored.cloned().unwrap_or(Value::None)),
            _ => Err(Raised::unsupported(format!("the method {name} of stored parameters"))),
        }
    }
}

pub(super) fn wrapped(value: Value) -> Value {
    Value::Wrapped(Arc::new(value))
}

pub(super) fn context(value: Value) -> Value {
    Value::Context(Arc::new(value))
}

fn no_key(name: &str) -> Raised {
    Raised::key_error(format!("the context has no key {name}"))
}

fn not_indexable(value: &Value) -> Raised {
    Raised::type_error(format!("a value of type {} has no elements", value.type_name()))
}
