//! `str` and `repr`.

use super::{Missing, Value, integer};
use crate::builtins::time;
use crate::{Meter, Raised};
use std::fmt::Write as _;

/// `str(value)`
pub(crate) fn str(value: &Value, meter: &Meter) -> Result<Value, Raised> {
    match value.unwrapped() {
        text @ Value::Str(_) => Ok(text.clone()),
        other => {
            let mut out = String::new();
            write_str(other, &mut out, meter)?;
            meter.allocate(out.len())?;
            Ok(Value::text(out))
        }
    }
}

/// `repr(value)`
pub(crate) fn repr(value: &Value, meter: &Meter) -> Result<String, Raised> {
    let mut out = String::new();
    write_repr(value, &mut out, meter)?;
    meter.allocate(out.len())?;
    Ok(out)
}

fn write_str(value: &Value, out: &mut String, meter: &Meter) -> Result<(), Raised> {
    match value {
        Value::Datetime(time) => out.push_str(&time::isoformat(*time, ' ')),
        Value::Date(date) => out.push_str(&time::date_text(*date)),
        Value::Time(micros) => out.push_str(&time::clock_text(*micros)),
        Value::Timedelta(span) => out.push_str(&time::span_text(*span)),
        Value::Missing(Missing::First) | Value::Metric(_) => out.push_str("None"),
        other => write_repr(other, out, meter)?,
    }
    Ok(())
}

fn write_repr(value: &Value, out: &mut String, meter: &Meter) -> Result<(), Raised> {
    meter.step()?;
    // A short text inside of many containers could otherwise grow without having been paid for.
    meter.allocate(8)?;
    match value {
        Value::None => out.push_str("None"),
        Value::Ellipsis => out.push_str("Ellipsis"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Big(i) => out.push_str(&integer::to_text(i)?),
        Value::Float(f) => out.push_str(&float_repr(*f)),
        Value::Complex(re, im) => out.push_str(&complex_repr(*re, *im)),
        Value::Str(text) => {
            meter.allocate(text.len())?;
            write_quoted(text, out);
        }
        Value::Bytes(bytes) => {
            meter.allocate(bytes.len())?;
            write_bytes(bytes, out);
        }
        Value::List(seq) => write_items(seq, "[", "]", out, meter)?,
        Value::Tuple(seq) if seq.len() == 1 => write_items(seq, "(", ",)", out, meter)?,
        Value::Tuple(seq) => write_items(seq, "(", ")", out, meter)?,
        Value::Set(set) if set.is_empty() => out.push_str("set()"),
        Value::Set(set) => write_items(set.items(), "{", "}", out, meter)?,
        Value::FrozenSet(set) if set.is_empty() => out.push_str("frozenset()"),
        Value::FrozenSet(set) => write_items(set.items(), "frozenset({", "})", out, meter)?,
        Value::Dict(dict) => {
            out.push('{');
            for (i, (key, value)) in dict.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(key, out, meter)?;
                out.push_str(": ");
                write_repr(value, out, meter)?;
            }
            out.push('}');
        }
        Value::Range(range) => {
            let _ = write!(out, "range({}, {}", range.start, range.stop);
            if range.step != 1 {
                let _ = write!(out, ", {}", range.step);
            }
            out.push(')');
        }
        Value::Slice(parts) => write_items(&parts[..], "slice(", ")", out, meter)?,
        Value::Datetime(time) => out.push_str(&time::datetime_repr(*time)),
        Value::Date(date) => out.push_str(&time::date_repr(*date)),
        Value::Time(micros) => out.push_str(&time::time_repr(*micros)),
        Value::Timedelta(span) => out.push_str(&time::span_repr(*span)),
        // What the original shows here is the address of an object; no text can be equal to it.
        Value::Wrapped(_) | Value::Context(_) => out.push_str("<wrapped value>"),
        other => {
            let _ = write!(out, "<{}>", other.type_name());
        }
    }
    Ok(())
}

fn write_items(items: &[Value], open: &str, close: &str, out: &mut String, meter: &Meter) -> Result<(), Raised> {
    out.push_str(open);
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        write_repr(item, out, meter)?;
    }
    out.push_str(close);
    Ok(())
}

/// A text in quotes, with escapes.
pub(crate) fn write_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => write_escape(c, out),
        }
    }
    out.push(quote);
}

/// A character by its number.
pub(crate) fn write_escape(c: char, out: &mut String) {
    let code = c as u32;
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            b' '..=b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote);
}

/// Whether `repr` shows a character as it is.
pub(crate) fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_ascii() || c.is_control() || c.is_whitespace() => false,
        // The standard library escapes exactly what is not printable, and combining marks only at the start of a text.
        c => {
            let mut buffer = [b'a'; 5];
            let length = c.encode_utf8(&mut buffer[1..]).len();
            std::str::from_utf8(&buffer[..=length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
        }
    }
}

/// A float as Python shows it: the shortest digits that give it back, exponents from 1e16 and below 1e-4.
pub(crate) fn float_repr(value: f64) -> String {
    if let Some(text) = not_finite(value) {
        return text.to_owned();
    }
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    format!("{digits}e{}", exponent_text(exponent.parse().unwrap_or(0)))
}

/// `nan`, `inf` or `-inf`.
pub(crate) fn not_finite(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("nan")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "inf" } else { "-inf" })
    } else {
        None
    }
}

/// A decimal exponent with its sign and at least two digits.
pub(crate) fn exponent_text(exponent: i32) -> String {
    format!("{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn complex_repr(re: f64, im: f64) -> String {
    let part = |value: f64| {
        let mut text = float_repr(value);
        if text.ends_with(".0") {
            text.truncate(text.len() - 2);
        }
        text
    };
    if re == 0.0 && re.is_sign_positive() {
        return format!("{}j", part(im));
    }
    let sign = if im.is_sign_negative() && !im.is_nan() { "" } else { "+" };
    format!("({}{sign}{}j)", part(re), part(im))
}
