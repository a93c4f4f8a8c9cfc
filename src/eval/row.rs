//! What a program asks of a row.

use crate::value::Value;
use chrono::NaiveDateTime;
use std::fmt::Write as _;
use std::sync::Arc;

/// A property of a run: a plain value, not a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunProperty {
    /// Text: the run's hash.
    Hash,
    /// Text.
    Name,
    /// Text: the experiment's name.
    Experiment,
    /// Text or None.
    Description,
    /// List of texts in the order of attachment.
    Tags,
    /// Bool.
    Archived,
    /// Bool: whether no end is stored.
    Active,
    /// Naive datetime, shifted by the caller's time zone offset.
    CreatedAt,
    /// Naive datetime, shifted likewise; None while active.
    FinalizedAt,
    /// Unix seconds as a float, never shifted; None while active.
    EndTime,
    /// Seconds as a float; for an active run from creation to now.
    Duration,
    /// Unix seconds as a float, never shifted.
    CreationTime,
    /// Naive datetime, not shifted.
    UpdatedAt,
    /// List of dicts.
    Notes,
}

impl RunProperty {
    /// The property that a name stands for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "hash" => Self::Hash,
            "name" => Self::Name,
            "experiment" => Self::Experiment,
            "description" => Self::Description,
            "tags" => Self::Tags,
            "archived" => Self::Archived,
            "active" => Self::Active,
            "created_at" => Self::CreatedAt,
            "finalized_at" => Self::FinalizedAt,
            "end_time" => Self::EndTime,
            "duration" => Self::Duration,
            "creation_time" => Self::CreationTime,
            "updated_at" => Self::UpdatedAt,
            "notes" => Self::Notes,
            _ => return None,
        })
    }
}

/// One element of a path into a run's parameters or a context.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A text key of a dict.
    Text(Arc<str>),
    /// An integer key of a dict, or the index of a list's element.
    Int(i64),
}

/// How `run.metrics[name, …]` names a context.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContextRef {
    /// By content, in the notation of [`canonical_context`]: equal contexts have equal texts.
    Key(Arc<str>),
    /// By stored id.
    Id(i64),
}

/// What a query can know of one item; implemented over columns by the engine and over JSON by tests.
///
/// Methods are called only for what the expression really reads. Values nest at most some hundred levels.
pub trait Row {
    /// A property of the run.
    fn property(&self, property: RunProperty) -> Value;

    /// The parameter stored at a path, whole subtrees as dict or list; None when there is none.
    ///
    /// An integer in the path is an integer key of a dict or the index of a list's element (never negative).
    fn param(&self, path: &[Key]) -> Option<Value>;

    /// The stored summary `field` (`last`, `min`, …) of the run's sequence of that name and context.
    fn summary(&self, name: &str, context: &ContextRef, field: &str) -> Option<Value>;

    /// Name of the sequence at hand. Only asked for entities that are sequences, as the next two.
    fn series_name(&self) -> Value;

    /// The value at a path of the sequence's context; the empty path is the whole dict.
    fn series_context(&self, path: &[Key]) -> Option<Value>;

    /// The stored summary `field` of the sequence at hand.
    fn series_summary(&self, field: &str) -> Option<Value>;

    /// Local time, for `datetime.now()`.
    fn now(&self) -> NaiveDateTime;
}

/// The canonical text of a context: JSON with keys in byte order, where `true`, `1` and `1.0` are all `1` and tuples are
/// lists, so that contexts that compare equal have the same text. None for what cannot be a context's value.
#[must_use]
pub fn canonical_context(context: &Value) -> Option<String> {
    let mut out = String::new();
    write_canonical(context, &mut out).then_some(out)
}

fn write_canonical(value: &Value, out: &mut String) -> bool {
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(b) => out.push(if *b { '1' } else { '0' }),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Big(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Float(f) => write_float(*f, out),
        Value::Str(text) => write_text(text, out),
        Value::Wrapped(inner) | Value::Context(inner) => return write_canonical(inner, out),
        Value::List(seq) | Value::Tuple(seq) => {
            out.push('[');
            for (i, item) in seq.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                if !write_canonical(item, out) {
                    return false;
                }
            }
            out.push(']');
        }
        Value::Dict(dict) => return write_object(dict, out),
        _ => return false,
    }
    true
}

/// An object; with keys other than texts it is `{"$map": [[key, value], …]}`.
fn write_object(dict: &crate::value::Dict, out: &mut String) -> bool {
    let mut entries = Vec::with_capacity(dict.len());
    let mut plain = true;
    for (key, value) in dict.iter() {
        let mut text = String::new();
        if !write_canonical(key, &mut text) {
            return false;
        }
        plain &= matches!(key.unwrapped(), Value::Str(_));
        let sort_by = match key.unwrapped() {
            Value::Str(raw) => raw.to_string(),
            _ => text.clone(),
        };
        entries.push((sort_by, text, value));
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    out.push_str(if plain { "{" } else { "{\"$map\":[" });
    for (i, (_, key, value)) in entries.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(if plain { "" } else { "[" });
        out.push_str(key);
        out.push(if plain { ':' } else { ',' });
        if !write_canonical(value, out) {
            return false;
        }
        out.push_str(if plain { "" } else { "]" });
    }
    out.push_str(if plain { "}" } else { "]}" });
    true
}

fn write_float(value: f64, out: &mut String) {
    // Every integral float below 2^63 is exactly an i64.
    if value.fract() == 0.0 && value.abs() < 9.2e18 {
        let _ = write!(out, "{}", value as i64);
    } else if let Some(number) = serde_json::Number::from_f64(value) {
        let _ = write!(out, "{number}");
    } else {
        let name = if value.is_nan() {
            "nan"
        } else if value > 0.0 {
            "inf"
        } else {
            "-inf"
        };
        let _ = write!(out, "{{\"$float\":\"{name}\"}}");
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
