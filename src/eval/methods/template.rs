//! `str.format_map`

use super::attribute;
use crate::Raised;
use crate::builtins::convert;
use crate::program::Eval;
use crate::value::{Value, format, sequence, text};

/// Replaces `{key}`, `{key.attribute}`, `{key[index]}`, `{key!r}` and `{key:format}`.
pub(super) fn format_map(eval: &Eval<'_>, template: &str, mapping: &Value) -> Result<String, Raised> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if from.starts_with("{{") || from.starts_with("}}") {
            out.extend(from.chars().next());
            rest = from.get(2..).unwrap_or("");
            continue;
        }
        let Some(field) = from.strip_prefix('{') else { return Err(Raised::value_error("a single }")) };
        let Some(end) = field.find(['}', '{']).filter(|end| field[*end..].starts_with('}')) else {
            return Err(Raised::value_error("a field that does not end, or one inside of another"));
        };
        let (field, tail) = field.split_at(end);
        rest = tail.get(1..).unwrap_or("");
        let replaced = replacement(eval, field, mapping)?;
        eval.meter.allocate(replaced.len() + out.len())?;
        out.push_str(&replaced);
    }
    out.push_str(rest);
    Ok(out)
}

fn replacement(eval: &Eval<'_>, field: &str, mapping: &Value) -> Result<String, Raised> {
    let (field, spec) = field.split_once(':').unwrap_or((field, ""));
    let (path, conversion) = match field.split_once('!') {
        Some((path, conversion)) => (path, Some(conversion)),
        None => (field, None),
    };
    let split = path.find(['.', '[']).unwrap_or(path.len());
    let (name, mut steps) = path.split_at(split);
    let Value::Dict(dict) = mapping.unwrapped() else { return Err(Raised::type_error("format_map() takes a dict")) };
    let found = dict.get_text(name).ok_or_else(|| Raised::key_error(format!("no key {name}")))?;
    let mut value = found.clone();
    while !steps.is_empty() {
        if let Some(rest) = steps.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, tail) = rest.split_at(end);
            if name.is_empty() || name.starts_with('_') {
                return Err(Raised::attribute_error("not a public attribute"));
            }
            value = attribute(value.unwrapped(), name);
            steps = tail;
        } else {
            let inner = steps.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let (index, tail) = inner.ok_or_else(|| Raised::value_error("an index that does not end"))?;
            let key = index.parse().map_or_else(|_| Value::text(index), Value::Int);
            let item = match value.unwrapped() {
                Value::Dict(dict) => dict.get(&key, &eval.meter)?.cloned(),
                plain => sequence::item(plain, &key, &eval.meter)?,
            };
            value = item.ok_or_else(|| Raised::key_error("no such element"))?;
            steps = tail;
        }
    }
    match conversion {
        None => {}
        Some("s") => value = text::str(&value, &eval.meter)?,
        Some("r") => value = Value::text(text::repr(&value, &eval.meter)?),
        Some("a") => value = Value::text(convert::ascii(&text::repr(&value, &eval.meter)?)),
        Some(_) => return Err(Raised::value_error("an unknown conversion")),
    }
    match format::format(&value, spec, &eval.meter)? {
        Value::Str(text) => Ok(text.to_string()),
        _ => Ok(String::new()),
    }
}
