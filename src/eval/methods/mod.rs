//! Methods and attributes of plain values.

mod case;
mod collections;
mod numbers;
mod template;
mod text;
mod text_parts;
mod times;

pub(crate) use times::attributes as time_attributes;

use crate::Raised;
use crate::builtins::Type;
use crate::program::{Args, Eval};
use crate::value::Value;
use std::sync::Arc;

/// The names of a class's methods.
fn names(class: Type) -> &'static [&'static str] {
    match class {
        Type::Str => text::NAMES,
        Type::Bytes => &["decode", "hex"],
        Type::Bool | Type::Int => numbers::INT_NAMES,
        Type::Float => numbers::FLOAT_NAMES,
        Type::Complex => &["conjugate"],
        Type::List => collections::LIST_NAMES,
        Type::Tuple => &["count", "index"],
        Type::Range => &["count", "index"],
        Type::Dict => collections::DICT_NAMES,
        Type::Set => collections::SET_NAMES,
        Type::FrozenSet => collections::FROZEN_SET_NAMES,
        Type::Datetime => times::DATETIME_NAMES,
        Type::Date => times::DATE_NAMES,
        Type::Time => &["isoformat", "strftime"],
        Type::Timedelta => &["total_seconds"],
        Type::Slice | Type::Nothing | Type::Other | Type::Exception(_) => &[],
    }
}

/// Whether a class has a method of that name.
pub(crate) fn is_known(class: Type, name: &str) -> bool {
    names(class).contains(&name)
}

/// Whether a method changes the value it is called on.
pub(crate) fn changes(value: &Value, name: &str) -> bool {
    match value {
        Value::List(_) => {
            matches!(name, "append" | "extend" | "insert" | "remove" | "pop" | "clear" | "sort" | "reverse")
        }
        Value::Dict(_) => matches!(name, "pop" | "popitem" | "setdefault" | "update" | "clear"),
        Value::Set(_) => {
            matches!(name, "add" | "discard" | "remove" | "pop" | "clear" | "update") || name.ends_with("_update")
        }
        _ => false,
    }
}

/// `value.name`: None for what it does not have, as the original's sandbox answers.
pub(crate) fn attribute(value: &Value, name: &str) -> Value {
    let data = match value {
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Complex(..) => {
            numbers::attribute(value, name)
        }
        Value::Datetime(_) | Value::Date(_) | Value::Time(_) | Value::Timedelta(_) => times::attribute(value, name),
        Value::Range(range) => match name {
            "start" => Some(Value::Int(range.start)),
            "stop" => Some(Value::Int(range.stop)),
            "step" => Some(Value::Int(range.step)),
            _ => None,
        },
        Value::Tuple(items) => items.names.iter().position(|known| *known == name).and_then(|i| items.get(i).cloned()),
        _ => None,
    };
    match data {
        Some(data) => data,
        None if is_known(Type::of(value), name) => Value::Method(Arc::new((value.clone(), name.into()))),
        None => Value::None,
    }
}

/// `value.name(arguments)`; None if there is no such method.
pub(crate) fn call(eval: &Eval<'_>, value: &Value, name: &str, args: Args) -> Result<Option<Value>, Raised> {
    match value {
        Value::Str(text) => text::call(eval, text, name, &args),
        Value::Bytes(bytes) => text::bytes(eval, bytes, name, &args),
        Value::List(items) => collections::list(eval, items, name, &args),
        Value::Tuple(items) if !items.names.is_empty() && name.starts_with("group") => {
            collections::groups(items, name, &args)
        }
        Value::Tuple(items) => collections::search(eval, items, name, &args),
        Value::Range(_) => collections::search(eval, &eval.collect(value)?, name, &args),
        Value::Dict(dict) => collections::dict(eval, dict, name, &args),
        Value::Set(set) | Value::FrozenSet(set) => collections::set(eval, value, set, name, &args),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Complex(..) => {
            numbers::call(eval, value, name, &args)
        }
        Value::Datetime(_) | Value::Date(_) | Value::Time(_) | Value::Timedelta(_) => {
            times::call(eval, value, name, &args)
        }
        _ => Ok(None),
    }
}
