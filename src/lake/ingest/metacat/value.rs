//! Metadata values: JSON to typed values, exactly.

use std::borrow::Cow;

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Bool(bool),
    Ints(Box<[i64]>),
    Floats(Box<[f64]>),
    Texts(Box<[Box<str>]>),
    /// Null, a dictionary, any other list, or a number that 64 bits do not hold exactly: the JSON text.
    Json(Box<str>),
}

impl Value {
    /// The kind in the columns `kind`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Text(_) => "text",
            Value::Bool(_) => "bool",
            Value::Ints(_) | Value::Floats(_) | Value::Texts(_) => "list",
            Value::Json(text) => match text.as_bytes().first() {
                Some(b'n') => "null",
                Some(b'{') => "dict",
                Some(b'[') => "list",
                _ if is_float(text) => "float",
                _ => "int",
            },
        }
    }

    /// Reads the JSON text of a value.
    pub(super) fn read(raw: &str) -> Result<Value, serde_json::Error> {
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Value::Text(serde_json::from_str::<Cow<'_, str>>(raw)?.into()),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'[') => list(raw)?,
            Some(b'n' | b'{') | None => Value::Json(raw.into()),
            Some(_) => number(raw).unwrap_or_else(|| Value::Json(raw.into())),
        })
    }
}

fn is_float(raw: &str) -> bool {
    raw.contains(['.', 'e', 'E'])
}

/// A number if 64 bits hold it exactly: a float is the shortest decimal that stands for it.
fn number(raw: &str) -> Option<Value> {
    if !is_float(raw) {
        return raw.parse().ok().map(Value::Int);
    }
    let number: f64 = raw.parse().ok()?;
    let digits = raw.bytes().filter(u8::is_ascii_digit).count();
    // Up to 15 digits always come back.
    if !number.is_finite() || (digits > 15 && plain(raw) != plain(&format!("{number:e}"))) {
        return None;
    }
    // There is one zero.
    Some(Value::Float(if number == 0.0 { 0.0 } else { number }))
}

/// Digits without zeros at either end, and the power of ten behind the last of them.
fn plain(raw: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let negative = whole.starts_with('-');
    let digits = format!("{}{part}", whole.trim_start_matches('-'));
    let trimmed = digits.trim_end_matches('0');
    let exponent: i64 = exponent.parse().ok()?;
    let power = exponent - part.len() as i64 + (digits.len() - trimmed.len()) as i64;
    let trimmed = trimmed.trim_start_matches('0');
    Some((negative, trimmed.to_owned(), if trimmed.is_empty() { 0 } else { power }))
}

/// A list: of one type if all elements have it. Whole numbers among floats become floats if that loses nothing.
fn list(raw: &str) -> Result<Value, serde_json::Error> {
    const EXACT: i64 = 1 << 53;
    let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(raw)?;
    let first = items.first().and_then(|item| item.get().as_bytes().first());
    let json = || Value::Json(raw.into());
    Ok(match first {
        Some(b'"') if items.iter().all(|item| item.get().starts_with('"')) => {
            let texts = items.iter().map(|item| serde_json::from_str::<Cow<'_, str>>(item.get()).map(Box::from));
            Value::Texts(texts.collect::<Result<_, _>>()?)
        }
        Some(b'-' | b'0'..=b'9') => {
            let numbers: Vec<_> = items.iter().map(|item| number(item.get())).collect();
            let ints: Option<Box<[i64]>> = numbers
                .iter()
                .map(|number| match number {
                    Some(Value::Int(int)) => Some(*int),
                    _ => None,
                })
                .collect();
            let floats = || {
                let floats = numbers.iter().map(|number| match number {
                    Some(Value::Float(float)) => Some(*float),
                    Some(Value::Int(int)) if (-EXACT..=EXACT).contains(int) => Some(*int as f64),
                    _ => None,
                });
                floats.collect::<Option<Box<[f64]>>>()
            };
            match ints {
                Some(ints) => Value::Ints(ints),
                None => floats().map_or_else(json, Value::Floats),
            }
        }
        _ => json(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_what_they_are() {
        let read = |raw| Value::read(raw).unwrap();
        assert_eq!(read("5"), Value::Int(5));
        assert_eq!(read("5.0"), Value::Float(5.0));
        assert_eq!(read("-0.0"), Value::Float(0.0));
        assert_eq!(read("0.30000000000000004"), Value::Float(0.30000000000000004));
        assert_eq!(read("0.1000000000000000055511"), Value::Json("0.1000000000000000055511".into()));
        assert_eq!(read("10000000000000000000000000"), Value::Json("10000000000000000000000000".into()));
        assert_eq!(read("1e400"), Value::Json("1e400".into()));
        assert_eq!(read(r#""a\u00e9""#), Value::Text("aé".into()));
        assert_eq!(read("[1, 2]"), Value::Ints([1, 2].into()));
        assert_eq!(read("[1, 2.5]"), Value::Floats([1.0, 2.5].into()));
        assert_eq!(read(r#"["a"]"#), Value::Texts(["a".into()].into()));
        for (raw, kind) in
            [("[]", "list"), ("[1,null]", "list"), ("null", "null"), ("{\"a\":1}", "dict"), ("1e400", "float")]
        {
            assert_eq!((read(raw), read(raw).kind()), (Value::Json(raw.into()), kind));
        }
    }
}
