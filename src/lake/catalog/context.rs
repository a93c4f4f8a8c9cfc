//! The attributes of a context, read back from its text in `series`.
//!
//! Contexts have no attribute table of their own: there are few, and each row of `series` carries its text. What is
//! rebuilt from them (typed columns, counts in the catalogue of paths) starts here.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::path::{PathKey, push_key, push_text};
use crate::error::{Error, Result};

/// The value of an attribute, as far as typed columns can hold it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Int(i64),
    Float(f64),
    Text(String),
    Bool(bool),
    /// Microseconds since 1970.
    Time(i64),
    /// A kind without typed column, such as `null` or `list`, and `int` beyond 64 bits.
    Other(&'static str),
}

impl Scalar {
    /// The kind in the attribute tables.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Scalar::Int(_) => "int",
            Scalar::Float(_) => "float",
            Scalar::Text(_) => "text",
            Scalar::Bool(_) => "bool",
            Scalar::Time(_) => "time",
            Scalar::Other(kind) => kind,
        }
    }
}

/// The paths and values of a context.
pub(crate) fn context_attributes(text: &str) -> Result<Vec<(String, Scalar)>> {
    let mut found = Vec::new();
    let damaged = |error: serde_json::Error| Error::Internal(format!("the context {text} is not readable: {error}"));
    let root: &RawValue = serde_json::from_str(text).map_err(damaged)?;
    walk(root, &mut String::new(), true, &mut found).map_err(damaged)?;
    Ok(found)
}

/// `{"$float": "nan"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Special {
    #[serde(rename = "$float")]
    float: String,
}

/// `{"$map": [[key, value], …]}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pairs<'a> {
    #[serde(rename = "$map", borrow)]
    map: Vec<(&'a RawValue, &'a RawValue)>,
}

fn walk(
    value: &RawValue,
    path: &mut String,
    root: bool,
    found: &mut Vec<(String, Scalar)>,
) -> Result<(), serde_json::Error> {
    let raw = value.get();
    let scalar = match raw.as_bytes().first() {
        Some(b'{') => {
            if let Ok(special) = serde_json::from_str::<Special>(raw) {
                Scalar::Float(match special.float.as_str() {
                    "inf" => f64::INFINITY,
                    "-inf" => f64::NEG_INFINITY,
                    _ => f64::NAN,
                })
            } else {
                members(raw, path, found)?;
                Scalar::Other("dict")
            }
        }
        Some(b'[') => Scalar::Other("list"),
        Some(b'"') => Scalar::Text(serde_json::from_str(raw)?),
        Some(b't') => Scalar::Bool(true),
        Some(b'f') => Scalar::Bool(false),
        Some(b'n') | None => Scalar::Other("null"),
        Some(_) if raw.contains(['.', 'e', 'E']) => Scalar::Float(serde_json::from_str(raw)?),
        Some(_) => raw.parse().map_or(Scalar::Other("int"), Scalar::Int),
    };
    if !root {
        found.push((path.clone(), scalar));
    }
    Ok(())
}

fn members(raw: &str, path: &mut String, found: &mut Vec<(String, Scalar)>) -> Result<(), serde_json::Error> {
    let parent = path.len();
    if let Ok(pairs) = serde_json::from_str::<Pairs<'_>>(raw) {
        for (key, value) in pairs.map {
            match key.get().parse() {
                Ok(number) => push_key(path, &PathKey::Int(number)),
                Err(_) => push_text(path, &serde_json::from_str::<String>(key.get())?),
            }
            walk(value, path, false, found)?;
            path.truncate(parent);
        }
        return Ok(());
    }
    for (key, value) in serde_json::from_str::<HashMap<String, &RawValue>>(raw)? {
        push_text(path, &key);
        walk(value, path, false, found)?;
        path.truncate(parent);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_taken_apart() {
        let text = r#"{"a":1,"b":{"c":1.0,"x.y":"t"},"d":[1],"e":{"$map":[[1,true],["k",null]]},"f":{"$float":"inf"},
            "g":99999999999999999999999}"#;
        let mut found = context_attributes(text).unwrap();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let expected = [
            ("a", Scalar::Int(1)),
            ("b", Scalar::Other("dict")),
            ("b.\"x.y\"", Scalar::Text("t".into())),
            ("b.c", Scalar::Float(1.0)),
            ("d", Scalar::Other("list")),
            ("e", Scalar::Other("dict")),
            ("e.k", Scalar::Other("null")),
            ("e[1]", Scalar::Bool(true)),
            ("f", Scalar::Float(f64::INFINITY)),
            ("g", Scalar::Other("int")),
        ];
        assert_eq!(found, expected.map(|(path, value)| (path.to_owned(), value)));
        assert!(context_attributes("{}").unwrap().is_empty());
    }
}
