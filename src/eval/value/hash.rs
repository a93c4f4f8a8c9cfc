//! Hashes: equal values have equal hashes; those of numbers are Python's own.

use super::{Missing, Value};
use crate::{Meter, Raised};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

/// Python hashes numbers modulo this prime.
const MODULUS: u64 = (1 << 61) - 1;

/// The hash of a value.
pub(crate) fn hash(value: &Value, meter: &Meter) -> Result<u64, Raised> {
    Ok(match value {
        Value::Str(text) => {
            meter.walk(text.len())?;
            of_text(text)
        }
        Value::Wrapped(inner) | Value::Context(inner) => return hash(inner, meter),
        Value::Bool(b) => u64::from(*b),
        Value::Int(i) => of_int(*i) as u64,
        Value::Big(i) => of_big(i) as u64,
        Value::Float(f) => of_float(*f) as u64,
        Value::Complex(re, im) => of_float(*re).wrapping_add(of_float(*im).wrapping_mul(1_000_003)) as u64,
        Value::Bytes(bytes) => {
            meter.walk(bytes.len())?;
            mix(1, bytes)
        }
        Value::Tuple(items) => {
            meter.walk(items.len())?;
            let mut hasher = DefaultHasher::new();
            for item in items.iter() {
                hasher.write_u64(hash(item, meter)?);
            }
            hasher.finish()
        }
        Value::FrozenSet(set) => {
            meter.walk(set.len())?;
            let mut sum = 0_u64;
            for item in set.items() {
                sum = sum.wrapping_add(mix(2, &hash(item, meter)?.to_le_bytes()));
            }
            sum
        }
        Value::None => 3,
        Value::Ellipsis => 4,
        Value::Range(range) => mix(5, &(range.len() as u64).to_le_bytes()),
        Value::Datetime(time) => mix(6, &time.and_utc().timestamp_micros().to_le_bytes()),
        Value::Date(date) => mix(7, &date.to_epoch_days().to_le_bytes()),
        Value::Time(time) => mix(8, &time.to_le_bytes()),
        Value::Timedelta(span) => mix(9, &span.to_le_bytes()),
        Value::Builtin(builtin) => mix(10, builtin.name().as_bytes()),
        Value::Type(class) => mix(11, class.name().as_bytes()),
        Value::Module(module) => mix(12, module.name().as_bytes()),
        Value::Function(function) => mix(13, &(Arc::as_ptr(function) as usize).to_le_bytes()),
        Value::Iterator(iterator) => mix(14, &(Arc::as_ptr(iterator) as usize).to_le_bytes()),
        Value::Run => 15,
        Value::Item => 16,
        Value::Metrics => 17,
        // What is missing further down can be hashed, though it equals nothing.
        Value::Method(_) | Value::Unbound(..) | Value::Object(_) | Value::Missing(Missing::Deeper) => 18,
        Value::List(_)
        | Value::Dict(_)
        | Value::Set(_)
        | Value::Slice(_)
        | Value::Missing(Missing::First)
        | Value::Metric(_) => {
            return Err(Raised::type_error(format!("unhashable type: {}", value.type_name())));
        }
    })
}

fn mix(seed: u64, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(seed);
    hasher.write(bytes);
    hasher.finish()
}

/// The hash of a text.
pub(crate) fn of_text(text: &str) -> u64 {
    mix(0, text.as_bytes())
}

/// Python reserves −1 for errors.
fn reserved(hash: i64) -> i64 {
    if hash == -1 { -2 } else { hash }
}

/// Python's hash of an integer.
pub(crate) fn of_int(value: i64) -> i64 {
    let magnitude = (value.unsigned_abs() % MODULUS) as i64;
    reserved(if value < 0 { -magnitude } else { magnitude })
}

fn of_big(value: &BigInt) -> i64 {
    let magnitude = (value.abs() % MODULUS).to_i64().unwrap_or(0);
    reserved(if value.is_negative() { -magnitude } else { magnitude })
}

/// Python's hash of a float: that of the equal integer where there is one.
fn of_float(value: f64) -> i64 {
    if value.is_nan() {
        return 0;
    }
    if value.is_infinite() {
        return if value > 0.0 { 314_159 } else { -314_159 };
    }
    // value = mantissa · 2^exponent, computed modulo 2^61 − 1, where multiplying by 2 is a rotation.
    let bits = value.abs().to_bits();
    let raw = (bits >> 52) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if raw == 0 { (fraction, -1074) } else { (fraction | 1 << 52, raw - 1075) };
    let shift = exponent.rem_euclid(61) as u32;
    let rotated = if shift == 0 { mantissa } else { ((mantissa << shift) & MODULUS) | (mantissa >> (61 - shift)) };
    let magnitude = (rotated % MODULUS) as i64;
    reserved(if value < 0.0 { -magnitude } else { magnitude })
}
