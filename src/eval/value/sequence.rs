//! Indexes and slices of sequences and texts.

use super::{Range, Value};
use crate::{Meter, Raised};
use num_traits::Signed;

/// An index: an integer or a bool, perhaps wrapped.
pub(crate) fn index(value: &Value) -> Result<i64, Raised> {
    match value.unwrapped() {
        Value::Int(i) => Ok(*i),
        Value::Bool(b) => Ok(i64::from(*b)),
        Value::Big(_) => Err(Raised::index_error("the number is too large for an index")),
        other => Err(Raised::type_error(format!("a value of type {} is not an integer", other.type_name()))),
    }
}

/// The position that an index means in a sequence of some length.
pub(crate) fn position(index: i64, length: usize) -> Result<usize, Raised> {
    let out = || Raised::index_error("index out of range");
    if index >= 0 {
        let index = usize::try_from(index).map_err(|_| out())?;
        if index < length { Ok(index) } else { Err(out()) }
    } else {
        let back = usize::try_from(index.unsigned_abs()).map_err(|_| out())?;
        length.checked_sub(back).ok_or_else(out)
    }
}

/// `value[key]` for sequences, texts, bytes and ranges; None for values that have no elements by position.
pub(crate) fn item(value: &Value, key: &Value, meter: &Meter) -> Result<Option<Value>, Raised> {
    if let Value::Slice(parts) = key.unwrapped() {
        return slice(value, parts, meter);
    }
    Ok(Some(match value {
        Value::List(items) | Value::Tuple(items) => {
            let i = position(index(key)?, items.len())?;
            items.get(i).cloned().unwrap_or(Value::None)
        }
        Value::Str(text) if text.is_ascii() => {
            let i = position(index(key)?, text.len())?;
            Value::text(text.get(i..=i).unwrap_or_default())
        }
        Value::Str(text) => {
            meter.walk(text.len())?;
            let i = position(index(key)?, text.chars().count())?;
            Value::text(text.chars().nth(i).map(String::from).unwrap_or_default())
        }
        Value::Bytes(bytes) => {
            let i = position(index(key)?, bytes.len())?;
            Value::Int(i64::from(bytes.get(i).copied().unwrap_or(0)))
        }
        Value::Range(range) => {
            let i = position(index(key)?, range.len())?;
            Value::Int(range.get(i).unwrap_or(0))
        }
        _ => return Ok(None),
    }))
}

/// A bound of a slice; integers beyond 64 bits are as good as the largest.
fn bound(value: &Value) -> Result<Option<i64>, Raised> {
    match value.unwrapped() {
        Value::None => Ok(None),
        Value::Big(i) => Ok(Some(if i.is_negative() { i64::MIN } else { i64::MAX })),
        other => index(other).map(Some),
    }
}

/// The positions of a slice in order, by Python's rules.
pub(crate) fn slice_positions(parts: &[Value; 3], length: usize) -> Result<Range, Raised> {
    let [lower, upper, step] = parts;
    let step = bound(step)?.unwrap_or(1);
    if step == 0 {
        return Err(Raised::value_error("the step of a slice cannot be zero"));
    }
    let step = step.max(-i64::MAX);
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (least, most) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let clamp = |value: Option<i64>, default: i64| match value {
        None => default,
        Some(i) if i < 0 => i.saturating_add(length).max(least),
        Some(i) => i.min(most),
    };
    let (first, last) = if step < 0 { (most, least) } else { (least, most) };
    Ok(Range { start: clamp(bound(lower)?, first), stop: clamp(bound(upper)?, last), step })
}

fn slice(value: &Value, parts: &[Value; 3], meter: &Meter) -> Result<Option<Value>, Raised> {
    Ok(Some(match value {
        Value::List(items) => Value::list(pick(items, parts, meter)?),
        Value::Tuple(items) => Value::tuple(pick(items, parts, meter)?),
        Value::Bytes(bytes) => {
            let bytes = pick(bytes, parts, meter)?;
            Value::Bytes(bytes.into())
        }
        Value::Str(text) => {
            meter.walk(text.len())?;
            if text.is_ascii() {
                let range = slice_positions(parts, text.len())?;
                if range.step == 1 {
                    let (start, stop) = (range.start as usize, range.stop.max(range.start) as usize);
                    meter.allocate(stop - start)?;
                    return Ok(Some(Value::text(text.get(start..stop).unwrap_or_default())));
                }
            }
            let chars: Vec<char> = text.chars().collect();
            let picked: String = pick(&chars, parts, meter)?.into_iter().collect();
            Value::text(picked)
        }
        Value::Range(range) => {
            let picked = slice_positions(parts, range.len())?;
            let at = |i: i64| range.start.saturating_add(i.saturating_mul(range.step));
            let step = range.step.saturating_mul(picked.step);
            Value::Range(std::sync::Arc::new(Range { start: at(picked.start), stop: at(picked.stop), step }))
        }
        _ => return Ok(None),
    }))
}

fn pick<T: Clone>(items: &[T], parts: &[Value; 3], meter: &Meter) -> Result<Vec<T>, Raised> {
    let range = slice_positions(parts, items.len())?;
    meter.allocate(range.len().saturating_mul(size_of::<T>()))?;
    let positions = (0..range.len()).filter_map(|i| range.get(i));
    Ok(positions.filter_map(|i| items.get(usize::try_from(i).ok()?).cloned()).collect())
}
