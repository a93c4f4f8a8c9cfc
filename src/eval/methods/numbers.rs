//! Methods of numbers.

use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::Value;
use crate::value::number::Real;
use num_bigint::BigInt;
use num_traits::FromPrimitive;

pub(super) const INT_NAMES: &[&str] = &["as_integer_ratio", "bit_count", "bit_length", "conjugate"];
pub(super) const FLOAT_NAMES: &[&str] = &["as_integer_ratio", "conjugate", "hex", "is_integer"];

/// Parts of a number.
pub(super) fn attribute(value: &Value, name: &str) -> Option<Value> {
    let whole = |value: &Value| match value {
        Value::Bool(b) => Value::Int(i64::from(*b)),
        other => other.clone(),
    };
    Some(match (value, name) {
        (Value::Complex(re, _), "real") => Value::Float(*re),
        (Value::Complex(_, im), "imag") => Value::Float(*im),
        (Value::Complex(..), _) => return None,
        (value, "real") => whole(value),
        (Value::Float(_), "imag") => Value::Float(0.0),
        (_, "imag") => Value::Int(0),
        (Value::Float(_), _) => return None,
        (value, "numerator") => whole(value),
        (_, "denominator") => Value::Int(1),
        _ => return None,
    })
}

/// A method of a number.
pub(super) fn call(_: &Eval<'_>, value: &Value, name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    let int = Real::of(value).and_then(Real::to_big);
    let result = match (name, value, &int) {
        ("conjugate", Value::Complex(re, im), _) => Value::Complex(*re, -im),
        ("conjugate", value, _) => attribute(value, "real").unwrap_or(Value::None),
        ("is_integer", Value::Float(f), _) => Value::Bool(f.is_finite() && f.fract() == 0.0),
        ("bit_length", _, Some(int)) => Value::integer(int.bits().into()),
        ("bit_count", _, Some(int)) => Value::integer(int.magnitude().count_ones().into()),
        ("as_integer_ratio", _, Some(int)) => {
            Value::tuple(vec![Value::integer(int.clone().into_owned()), Value::Int(1)])
        }
        ("as_integer_ratio", Value::Float(f), _) => ratio(*f)?,
        ("hex", Value::Float(_), _) => return Err(Raised::unsupported("float.hex")),
        _ => return Ok(None),
    };
    args.exactly::<0>(name)?;
    Ok(Some(result))
}

fn ratio(value: f64) -> Result<Value, Raised> {
    if !value.is_finite() {
        return Err(Raised::overflow("not a finite number"));
    }
    let mut numerator = value;
    let mut shift = 0_u32;
    while numerator.fract() != 0.0 {
        numerator *= 2.0;
        shift += 1;
    }
    let numerator = BigInt::from_f64(numerator).unwrap_or_default();
    Ok(Value::tuple(vec![Value::integer(numerator), Value::integer(BigInt::from(1) << shift)]))
}
