//! `==`, `<` and their kin, and `in`.

use super::number::{Real, complex_parts};
use super::{Dict, Missing, Seq, Value};
use crate::{Meter, Raised, RaisedKind};
use lakeql_query::syntax::python::CompareOp;
use std::cmp::Ordering;

/// `a == b`: never fails but for its limits.
pub(crate) fn equal(a: &Value, b: &Value, meter: &Meter) -> Result<bool, Raised> {
    Ok(match (a, b) {
        (Value::Str(a), Value::Str(b)) => {
            meter.walk(a.len().min(b.len()))?;
            a == b
        }
        // What is missing equals a plain None, and a wrapped None only from the right: the wrapper is asked by its type.
        (Value::Missing(Missing::First) | Value::Metric(_), Value::Wrapped(b)) if matches!(**b, Value::None) => false,
        (Value::Wrapped(a) | Value::Context(a), b) => equal(a, b, meter)?,
        (a, Value::Wrapped(b) | Value::Context(b)) => equal(a, b, meter)?,
        (Value::Missing(Missing::Deeper), _) | (_, Value::Missing(Missing::Deeper)) => false,
        (Value::Missing(_) | Value::Metric(_), b) | (b, Value::Missing(_) | Value::Metric(_)) => {
            matches!(b, Value::None | Value::Missing(_) | Value::Metric(_))
        }
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => equal_items(a, b, meter)?,
        (Value::Dict(a), Value::Dict(b)) => equal_dicts(a, b, meter)?,
        (Value::Set(a) | Value::FrozenSet(a), Value::Set(b) | Value::FrozenSet(b)) => {
            a.len() == b.len() && a.is_subset(b, meter)?
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.walk(a.len().min(b.len()))?;
            a == b
        }
        (Value::Datetime(a), Value::Datetime(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a == b,
        (Value::Time(a), Value::Time(b)) | (Value::Timedelta(a), Value::Timedelta(b)) => a == b,
        (Value::Range(a), Value::Range(b)) => {
            let len = a.len();
            len == b.len() && (len == 0 || (a.start == b.start && (len == 1 || a.step == b.step)))
        }
        (Value::Slice(a), Value::Slice(b)) => equal_items_of(&a[..], &b[..], meter)?,
        (a, b) => match (Real::of(a), Real::of(b)) {
            (Some(a), Some(b)) => a.compare(b) == Some(Ordering::Equal),
            _ if matches!(a, Value::Complex(..)) || matches!(b, Value::Complex(..)) => {
                complex_parts(a).is_some_and(|a| Some(a) == complex_parts(b))
            }
            _ => a.same_object(b),
        },
    })
}

fn equal_items(a: &Seq, b: &Seq, meter: &Meter) -> Result<bool, Raised> {
    equal_items_of(a, b, meter)
}

fn equal_items_of(a: &[Value], b: &[Value], meter: &Meter) -> Result<bool, Raised> {
    if a.len() != b.len() {
        return Ok(false);
    }
    meter.steps(a.len() as u64)?;
    for (a, b) in a.iter().zip(b) {
        if !a.same_object(b) && !equal(a, b, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_dicts(a: &Dict, b: &Dict, meter: &Meter) -> Result<bool, Raised> {
    if a.len() != b.len() {
        return Ok(false);
    }
    meter.steps(a.len() as u64)?;
    for (key, value) in a.iter() {
        match b.get(key, meter)? {
            Some(other) if value.same_object(other) || equal(value, other, meter)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// `a < b` and the other orderings. With a wrapper or something missing on either side, what cannot be ordered is false;
/// otherwise it fails.
pub(crate) fn ordered(op: CompareOp, a: &Value, b: &Value, meter: &Meter) -> Result<bool, Raised> {
    ordered_as(op, a, b, a.is_lenient() || b.is_lenient(), meter)
}

/// The same, with the leniency decided by the caller.
pub(crate) fn ordered_as(op: CompareOp, a: &Value, b: &Value, lenient: bool, meter: &Meter) -> Result<bool, Raised> {
    match ordered_strictly(op, a.unwrapped(), b.unwrapped(), meter) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) if lenient => Ok(false),
        // Elements that cannot be ordered fail the whole comparison, which the wrapper catches.
        Err(raised) if lenient && raised.kind == RaisedKind::Type => Ok(false),
        Err(raised) => Err(raised),
        Ok(None) => Err(Raised::type_error(format!("{} and {} cannot be ordered", a.type_name(), b.type_name()))),
    }
}

/// None if the types cannot be ordered.
fn ordered_strictly(op: CompareOp, a: &Value, b: &Value, meter: &Meter) -> Result<Option<bool>, Raised> {
    let ordering = match (a, b) {
        (Value::Str(a), Value::Str(b)) => {
            meter.walk(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            meter.steps(a.len().min(b.len()) as u64)?;
            for (x, y) in a.iter().zip(b.iter()) {
                if !x.same_object(y) && !equal(x, y, meter)? {
                    return ordered(op, x, y, meter).map(Some);
                }
            }
            Some(a.len().cmp(&b.len()))
        }
        (Value::Set(a) | Value::FrozenSet(a), Value::Set(b) | Value::FrozenSet(b)) => {
            return Ok(Some(match op {
                CompareOp::Lt => a.len() < b.len() && a.is_subset(b, meter)?,
                CompareOp::LtE => a.is_subset(b, meter)?,
                CompareOp::Gt => b.len() < a.len() && b.is_subset(a, meter)?,
                _ => b.is_subset(a, meter)?,
            }));
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.walk(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::Datetime(a), Value::Datetime(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) | (Value::Timedelta(a), Value::Timedelta(b)) => Some(a.cmp(b)),
        (a, b) => match (Real::of(a), Real::of(b)) {
            (Some(a), Some(b)) => a.compare(b),
            _ => return Ok(None),
        },
    };
    Ok(Some(ordering.is_some_and(|o| match op {
        CompareOp::Lt => o.is_lt(),
        CompareOp::LtE => o.is_le(),
        CompareOp::Gt => o.is_gt(),
        _ => o.is_ge(),
    })))
}

/// `a < b`
pub(crate) fn less(a: &Value, b: &Value, meter: &Meter) -> Result<bool, Raised> {
    ordered(CompareOp::Lt, a, b, meter)
}

/// `item in container`, for everything but iterators.
pub(crate) fn contains(container: &Value, item: &Value, meter: &Meter) -> Result<bool, Raised> {
    match container {
        Value::List(seq) | Value::Tuple(seq) => contains_equal(seq, item, meter),
        Value::Str(text) => match item.unwrapped() {
            Value::Str(part) => {
                meter.walk(text.len())?;
                Ok(text.contains(&**part))
            }
            other => Err(Raised::type_error(format!("a text cannot contain a value of type {}", other.type_name()))),
        },
        Value::Bytes(bytes) => match item.unwrapped() {
            Value::Bytes(part) => {
                meter.walk(bytes.len().saturating_mul(part.len().max(1)))?;
                Ok(part.is_empty() || bytes.windows(part.len()).any(|window| *window == **part))
            }
            Value::Int(byte) => Ok(u8::try_from(*byte).is_ok_and(|byte| bytes.contains(&byte))),
            other => Err(Raised::type_error(format!("bytes cannot contain a value of type {}", other.type_name()))),
        },
        Value::Dict(dict) => Ok(dict.get(item, meter)?.is_some()),
        Value::Set(set) | Value::FrozenSet(set) => set.contains(item, meter),
        Value::Range(range) => match item.unwrapped() {
            Value::Int(i) => Ok(range.contains(*i)),
            Value::Bool(b) => Ok(range.contains(i64::from(*b))),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e18 => Ok(range.contains(*f as i64)),
            _ => Ok(false),
        },
        Value::Wrapped(inner) | Value::Context(inner) => contains(inner, item, meter),
        Value::Missing(Missing::First) | Value::Metric(_) => Ok(false),
        Value::Run | Value::Metrics => Err(Raised::limit("searching in this never ends")),
        other => Err(Raised::type_error(format!("nothing can be in a value of type {}", other.type_name()))),
    }
}

/// Whether an element is equal to an item.
pub(crate) fn contains_equal(items: &[Value], item: &Value, meter: &Meter) -> Result<bool, Raised> {
    for candidate in items {
        meter.step()?;
        if candidate.same_object(item) || equal(candidate, item, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}
