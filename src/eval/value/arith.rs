//! Arithmetic.

use super::complex::complex;
use super::integer::MAX_BITS;
use super::number::{Real, complex_parts, round_half_even};
use super::{Set, Value, percent};
use crate::builtins::time;
use crate::{Meter, Raised};
use lakeql_query::syntax::python::{BinaryOp, UnaryOp};
use num_bigint::BigInt;
use num_integer::Integer as _;
use num_traits::{Signed, ToPrimitive, Zero};
use std::borrow::Cow;
use std::sync::Arc;

/// `left op right`
pub(crate) fn binary(op: BinaryOp, left: &Value, right: &Value, meter: &Meter) -> Result<Value, Raised> {
    let (a, b) = (left.unwrapped(), right.unwrapped());
    if let (Some(x), Some(y)) = (Real::of(a), Real::of(b)) {
        if let (BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor, Value::Bool(x), Value::Bool(y)) = (op, a, b) {
            return Ok(Value::Bool(match op {
                BinaryOp::BitAnd => x & y,
                BinaryOp::BitOr => x | y,
                _ => x ^ y,
            }));
        }
        return real(op, x, y, meter);
    }
    let other = match op {
        BinaryOp::Add => add(a, b, meter)?,
        BinaryOp::Sub => match (a, b) {
            (Value::Set(x) | Value::FrozenSet(x), Value::Set(y) | Value::FrozenSet(y)) => {
                Some(like(a, filter_set(x, y, false, meter)?))
            }
            _ => time::subtract(a, b)?,
        },
        BinaryOp::Mul => match (a, b) {
            (Value::Timedelta(span), number) | (number, Value::Timedelta(span)) => time::multiply(*span, number)?,
            (sequence, Value::Int(_) | Value::Bool(_) | Value::Big(_)) => repeat(sequence, b, meter)?,
            (Value::Int(_) | Value::Bool(_) | Value::Big(_), sequence) => repeat(sequence, a, meter)?,
            _ => None,
        },
        BinaryOp::Mod => match a {
            Value::Str(format) => return percent::format(format, right, meter).map(Value::text),
            _ => time::divide(op, a, b)?,
        },
        BinaryOp::Div | BinaryOp::FloorDiv => time::divide(op, a, b)?,
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor => merge(op, a, b, meter)?,
        BinaryOp::Pow | BinaryOp::MatMul | BinaryOp::ShiftLeft | BinaryOp::ShiftRight => None,
    };
    if let Some(value) = other {
        return Ok(value);
    }
    if let (Some(x), Some(y)) = (complex_parts(a), complex_parts(b)) {
        return complex(op, x, y);
    }
    Err(mismatch(op, a, b))
}

fn mismatch(op: BinaryOp, a: &Value, b: &Value) -> Raised {
    let sign = match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "**",
        BinaryOp::MatMul => "@",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::ShiftLeft => "<<",
        BinaryOp::ShiftRight => ">>",
    };
    Raised::type_error(format!("{} {sign} {} is not possible", a.type_name(), b.type_name()))
}

/// `op operand`, except `not`.
pub(crate) fn unary(op: UnaryOp, operand: &Value) -> Result<Value, Raised> {
    let value = operand.unwrapped();
    let done = match (op, Real::of(value)) {
        (UnaryOp::Not, _) => Some(Value::Bool(!value.truthy())),
        (UnaryOp::Neg, Some(Real::Float(f))) => Some(Value::Float(-f)),
        (UnaryOp::Pos, Some(Real::Float(f))) => Some(Value::Float(f)),
        (UnaryOp::Neg, Some(Real::Int(i))) => {
            Some(i.checked_neg().map_or_else(|| Value::integer(-BigInt::from(i)), Value::Int))
        }
        (UnaryOp::Pos, Some(Real::Int(i))) => Some(Value::Int(i)),
        (UnaryOp::Invert, Some(Real::Int(i))) => Some(Value::Int(!i)),
        (UnaryOp::Neg, Some(Real::Big(i))) => Some(Value::integer(-i)),
        (UnaryOp::Pos, Some(Real::Big(_))) => Some(value.clone()),
        (UnaryOp::Invert, Some(Real::Big(i))) => Some(Value::integer(-(i + BigInt::from(1)))),
        (UnaryOp::Invert, Some(Real::Float(_))) => None,
        (op, None) => match (op, value) {
            (UnaryOp::Neg, Value::Complex(re, im)) => Some(Value::Complex(-re, -im)),
            (UnaryOp::Pos, Value::Complex(..) | Value::Timedelta(_)) => Some(value.clone()),
            (UnaryOp::Neg, Value::Timedelta(span)) => Some(Value::Timedelta(span.saturating_neg())),
            _ => None,
        },
    };
    done.ok_or_else(|| Raised::type_error(format!("a value of type {} has no sign", value.type_name())))
}

fn add(a: &Value, b: &Value, meter: &Meter) -> Result<Option<Value>, Raised> {
    Ok(Some(match (a, b) {
        (Value::Str(x), Value::Str(y)) => {
            meter.allocate(x.len() + y.len())?;
            Value::text([&**x, &**y].concat())
        }
        (Value::List(x), Value::List(y)) => {
            meter.allocate_items(x.len() + y.len())?;
            Value::list([&***x, &***y].concat())
        }
        (Value::Tuple(x), Value::Tuple(y)) => {
            meter.allocate_items(x.len() + y.len())?;
            Value::tuple([&***x, &***y].concat())
        }
        (Value::Bytes(x), Value::Bytes(y)) => {
            meter.allocate(x.len() + y.len())?;
            Value::Bytes([&**x, &**y].concat().into())
        }
        _ => return time::add(a, b),
    }))
}

/// `sequence * count`
fn repeat(sequence: &Value, count: &Value, meter: &Meter) -> Result<Option<Value>, Raised> {
    let count = match count {
        Value::Int(i) => usize::try_from((*i).max(0)).unwrap_or(usize::MAX),
        Value::Bool(b) => usize::from(*b),
        Value::Big(_) => return Err(Raised::overflow("a count is an integer of 64 bits")),
        _ => usize::MAX,
    };
    let items = |length: usize| -> Result<usize, Raised> {
        let count = if length == 0 { 0 } else { count };
        meter.allocate_items(length.saturating_mul(count))?;
        Ok(count)
    };
    Ok(Some(match sequence {
        Value::Str(text) => {
            let count = if text.is_empty() { 0 } else { count };
            meter.allocate(text.len().saturating_mul(count))?;
            Value::text(text.repeat(count))
        }
        Value::Bytes(bytes) => {
            let count = if bytes.is_empty() { 0 } else { count };
            meter.allocate(bytes.len().saturating_mul(count))?;
            Value::Bytes(bytes.repeat(count).into())
        }
        Value::List(seq) => Value::list(repeated(seq, items(seq.len())?)),
        Value::Tuple(seq) => Value::tuple(repeated(seq, items(seq.len())?)),
        _ => return Ok(None),
    }))
}

fn repeated(items: &[Value], count: usize) -> Vec<Value> {
    let mut all = Vec::with_capacity(items.len() * count);
    for _ in 0..count {
        all.extend_from_slice(items);
    }
    all
}

/// `& | ^` of sets and `|` of dicts.
fn merge(op: BinaryOp, a: &Value, b: &Value, meter: &Meter) -> Result<Option<Value>, Raised> {
    match (a, b) {
        (Value::Dict(x), Value::Dict(y)) if op == BinaryOp::BitOr => {
            meter.allocate_items(2 * (x.len() + y.len()))?;
            let mut merged = (**x).clone();
            for (key, value) in y.iter() {
                merged.insert(key.clone(), value.clone(), meter)?;
            }
            Ok(Some(Value::Dict(Arc::new(merged))))
        }
        (Value::Set(x) | Value::FrozenSet(x), Value::Set(y) | Value::FrozenSet(y)) => {
            let set = match op {
                BinaryOp::BitAnd => filter_set(x, y, true, meter)?,
                BinaryOp::BitOr => union(x, y.items(), meter)?,
                _ => union(&filter_set(x, y, false, meter)?, filter_set(y, x, false, meter)?.items(), meter)?,
            };
            Ok(Some(like(a, set)))
        }
        _ => Ok(None),
    }
}

/// A set of the same class as another.
pub(crate) fn like(model: &Value, set: Set) -> Value {
    match model {
        Value::FrozenSet(_) => Value::FrozenSet(Arc::new(set)),
        _ => Value::Set(Arc::new(set)),
    }
}

/// The elements of one set that are in another, or are not.
pub(crate) fn filter_set(set: &Set, other: &Set, keep: bool, meter: &Meter) -> Result<Set, Raised> {
    meter.allocate_items(set.len())?;
    let mut kept = Set::default();
    for item in set.items() {
        if other.contains(item, meter)? == keep {
            kept.insert(item.clone(), meter)?;
        }
    }
    Ok(kept)
}

/// The elements of both.
pub(crate) fn union(set: &Set, more: &[Value], meter: &Meter) -> Result<Set, Raised> {
    meter.allocate_items(set.len() + more.len())?;
    let mut all = set.clone();
    for item in more {
        all.insert(item.clone(), meter)?;
    }
    Ok(all)
}

fn real(op: BinaryOp, a: Real<'_>, b: Real<'_>, meter: &Meter) -> Result<Value, Raised> {
    if let (Real::Int(x), Real::Int(y)) = (a, b)
        && let Some(value) = small(op, x, y)?
    {
        return Ok(value);
    }
    match (a.to_big(), b.to_big()) {
        (Some(x), Some(y)) => big(op, &x, &y, meter),
        _ => float(op, finite(a)?, finite(b)?),
    }
}

/// As a float, unless it is an integer beyond floats.
fn finite(value: Real<'_>) -> Result<f64, Raised> {
    match value {
        Real::Float(f) => Ok(f),
        integer => {
            let float = integer.to_f64();
            if float.is_finite() { Ok(float) } else { Err(Raised::overflow("the integer is too large for a float")) }
        }
    }
}

/// Integers whose result fits as well; None if it does not.
fn small(op: BinaryOp, a: i64, b: i64) -> Result<Option<Value>, Raised> {
    Ok(match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Div if b == 0 => return Err(division_by_zero()),
        BinaryOp::FloorDiv if a != i64::MIN || b != -1 => Some(num_integer::Integer::div_floor(&a, &b)),
        BinaryOp::Mod if b != -1 => Some(a.mod_floor(&b)),
        BinaryOp::Mod => Some(0),
        BinaryOp::Div if a.unsigned_abs() < 1 << 53 && b.unsigned_abs() < 1 << 53 => {
            return Ok(Some(Value::Float(a as f64 / b as f64)));
        }
        BinaryOp::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        BinaryOp::BitAnd => Some(a & b),
        BinaryOp::BitOr => Some(a | b),
        BinaryOp::BitXor => Some(a ^ b),
        BinaryOp::ShiftRight if b >= 0 => Some(a >> b.min(63)),
        BinaryOp::ShiftLeft if (0..62).contains(&b) && a.unsigned_abs() < 1 << (62 - b) => Some(a << b),
        _ => None,
    }
    .map(Value::Int))
}

pub(super) fn division_by_zero() -> Raised {
    Raised::zero_division("division by zero")
}

fn big(op: BinaryOp, a: &BigInt, b: &BigInt, meter: &Meter) -> Result<Value, Raised> {
    let bits = a.bits() + b.bits();
    if bits > 2 * MAX_BITS {
        return Err(too_large());
    }
    // Schoolbook multiplication and division take the product of the lengths in words.
    meter.steps((a.bits() / 64 + 1) * (b.bits() / 64 + 1) / 64)?;
    meter.allocate((bits / 8) as usize)?;
    Ok(Value::integer(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Div if b.is_zero() => return Err(division_by_zero()),
        BinaryOp::FloorDiv => a.div_floor(b),
        BinaryOp::Mod => a.mod_floor(b),
        BinaryOp::Div => return true_division(a, b).map(Value::Float),
        BinaryOp::Pow => return power(a, b, meter),
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        BinaryOp::ShiftLeft | BinaryOp::ShiftRight => return shift(op, a, b, meter),
        BinaryOp::MatMul => return Err(Raised::type_error("integers have no matrix product")),
    }))
}

fn too_large() -> Raised {
    Raised::limit("the integer is too large")
}

fn shift(op: BinaryOp, a: &BigInt, b: &BigInt, meter: &Meter) -> Result<Value, Raised> {
    if b.is_negative() {
        return Err(Raised::value_error("a negative shift"));
    }
    if a.is_zero() {
        return Ok(Value::Int(0));
    }
    let count = b.to_u64().unwrap_or(u64::MAX);
    if op == BinaryOp::ShiftRight {
        let count = count.min(a.bits() + 1);
        return Ok(Value::integer(a >> count));
    }
    if a.bits().saturating_add(count) > MAX_BITS {
        return Err(too_large());
    }
    meter.allocate((count / 8) as usize)?;
    Ok(Value::integer(a << count))
}

/// The quotient rounded once.
fn true_division(a: &BigInt, b: &BigInt) -> Result<f64, Raised> {
    // Scale so that the quotient has at least 66 bits: the conversion then rounds correctly, given a sticky last bit.
    let shift = 66 - (a.bits() as i64 - b.bits() as i64);
    let (scaled_a, scaled_b) =
        if shift > 0 { (a.abs() << shift, b.abs()) } else { (a.abs(), b.abs() << shift.unsigned_abs()) };
    let (quotient, remainder) = scaled_a.div_rem(&scaled_b);
    let mut quotient: u128 = quotient.to_u128().unwrap_or(u128::MAX);
    if !remainder.is_zero() {
        quotient |= 1;
    }
    // Below the normal range the digits that count are fewer.
    let exponent = -shift;
    let lowest = -1074 - exponent;
    if lowest > 0 && lowest < 127 {
        let cut = lowest.min(120) as u32;
        let spare = 128 - quotient.leading_zeros();
        if spare.saturating_sub(cut) < 53 {
            let (kept, rest, half) = (quotient >> cut, quotient & ((1 << cut) - 1), 1_u128 << (cut - 1));
            let rounded = kept + u128::from(rest > half || (rest == half && kept & 1 == 1));
            let value = rounded as f64 * f64::from_bits(1);
            return Ok(if a.is_negative() == b.is_negative() { value } else { -value });
        }
    }
    let value = scale(quotient as f64, exponent);
    if value.is_infinite() {
        return Err(Raised::overflow("the quotient is too large for a float"));
    }
    Ok(if a.is_negative() == b.is_negative() { value } else { -value })
}

/// `value · 2^exponent`
fn scale(value: f64, exponent: i64) -> f64 {
    let mut value = value;
    let mut left = exponent.clamp(-4000, 4000);
    while left != 0 {
        let part = left.clamp(-900, 900);
        value *= 2_f64.powi(part as i32);
        left -= part;
    }
    value
}

fn power(a: &BigInt, b: &BigInt, meter: &Meter) -> Result<Value, Raised> {
    if b.is_negative() {
        let (x, y) = (a.to_f64().unwrap_or(f64::NAN), b.to_f64().unwrap_or(f64::NAN));
        return float(BinaryOp::Pow, finite(Real::Float(x))?, finite(Real::Float(y))?);
    }
    if a.bits() <= 1 {
        let odd = b.is_odd();
        return Ok(match a.to_i64() {
            Some(0) => Value::Int(i64::from(b.is_zero())),
            Some(-1) if odd => Value::Int(-1),
            _ => Value::Int(1),
        });
    }
    let bits = b.to_u64().map_or(u64::MAX, |exponent| a.bits().saturating_mul(exponent));
    let exponent = b.to_u32().filter(|_| bits <= MAX_BITS).ok_or_else(too_large)?;
    meter.allocate((bits / 8) as usize)?;
    meter.steps((bits / 64) * (bits / 64) / 64)?;
    Ok(Value::integer(a.pow(exponent)))
}

fn float(op: BinaryOp, a: f64, b: f64) -> Result<Value, Raised> {
    Ok(Value::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod if b == 0.0 => return Err(division_by_zero()),
        BinaryOp::Div => a / b,
        BinaryOp::FloorDiv => floor_division(a, b).0,
        BinaryOp::Mod => floor_division(a, b).1,
        BinaryOp::Pow => return float_power(a, b),
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor | BinaryOp::ShiftLeft | BinaryOp::ShiftRight => {
            return Err(Raised::type_error("floats have no bits"));
        }
        BinaryOp::MatMul => return Err(Raised::type_error("floats have no matrix product")),
    }))
}

/// Quotient and remainder; the remainder has the sign of the divisor.
pub(crate) fn floor_division(a: f64, b: f64) -> (f64, f64) {
    let mut remainder = a % b;
    let mut quotient = (a - remainder) / b;
    if remainder == 0.0 {
        remainder = 0.0_f64.copysign(b);
    } else if (b < 0.0) != (remainder < 0.0) {
        remainder += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), remainder);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, remainder)
}

fn float_power(a: f64, b: f64) -> Result<Value, Raised> {
    if a == 0.0 && b < 0.0 {
        return Err(Raised::zero_division("zero to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 {
        return complex(BinaryOp::Pow, (a, 0.0), (b, 0.0));
    }
    let value = a.powf(b);
    if value.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(Raised::overflow("the power is too large for a float"));
    }
    Ok(Value::Float(value))
}

/// `round(integer, -digits)`: to a multiple of a power of ten, halves to the even multiple.
pub(crate) fn round_integer(value: &Value, digits: u32, meter: &Meter) -> Result<Value, Raised> {
    let big: Cow<'_, BigInt> = match Real::of(value).and_then(Real::to_big) {
        Some(big) => big,
        None => return Err(Raised::type_error("not an integer")),
    };
    if u64::from(digits).saturating_mul(3) > big.bits() + 3 {
        return Ok(Value::Int(0));
    }
    meter.steps(u64::from(digits))?;
    let unit = BigInt::from(10).pow(digits);
    let (quotient, remainder) = big.div_mod_floor(&unit);
    let up = match (&remainder * 2_u8).cmp(&unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.is_odd(),
        std::cmp::Ordering::Greater => true,
    };
    Ok(Value::integer((quotient + i32::from(up)) * unit))
}

/// `round(float, digits)`
pub(crate) fn round_float(value: f64, digits: i64) -> Result<f64, Raised> {
    if !value.is_finite() || value == 0.0 || digits > 323 {
        return Ok(value);
    }
    if digits < -308 {
        return Ok(0.0_f64.copysign(value));
    }
    let rounded = if digits >= 0 {
        format!("{value:.*}", digits as usize).parse().unwrap_or(value)
    } else {
        let unit = 10_f64.powi((-digits) as i32);
        round_half_even(value / unit) * unit
    };
    if rounded.is_infinite() { Err(Raised::overflow("the rounded value is too large")) } else { Ok(rounded) }
}
