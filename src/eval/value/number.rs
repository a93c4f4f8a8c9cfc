//! Numbers of every kind seen as one, and how they compare: exactly, integers with floats included.

use super::Value;
use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive, Zero};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A real number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Real<'a> {
    Int(i64),
    Big(&'a BigInt),
    Float(f64),
}

impl<'a> Real<'a> {
    /// The number in a value; bools are integers.
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Bool(b) => Self::Int(i64::from(*b)),
            Value::Int(i) => Self::Int(*i),
            Value::Big(i) => Self::Big(i),
            Value::Float(f) => Self::Float(*f),
            _ => return None,
        })
    }

    /// As a float; infinite when too large.
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Int(i) => i as f64,
            Self::Big(i) => i.to_f64().unwrap_or(f64::NAN),
            Self::Float(f) => f,
        }
    }

    /// As an integer, unless it is a float.
    pub(crate) fn to_big(self) -> Option<Cow<'a, BigInt>> {
        match self {
            Self::Int(i) => Some(Cow::Owned(BigInt::from(i))),
            Self::Big(i) => Some(Cow::Borrowed(i)),
            Self::Float(_) => None,
        }
    }

    /// Exact comparison; None when a NaN takes part.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Float(b)) => int_float(a, b),
            (Self::Float(a), Self::Int(b)) => int_float(b, a).map(Ordering::reverse),
            (Self::Big(a), Self::Big(b)) => Some(a.cmp(b)),
            // A big integer is beyond every small one, on the side of its sign.
            (Self::Big(a), Self::Int(_)) => Some(a.cmp(&BigInt::zero())),
            (Self::Int(_), Self::Big(b)) => Some(BigInt::zero().cmp(b)),
            (Self::Big(a), Self::Float(b)) => big_float(a, b),
            (Self::Float(a), Self::Big(b)) => big_float(b, a).map(Ordering::reverse),
        }
    }
}

fn int_float(int: i64, float: f64) -> Option<Ordering> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        None
    } else if float >= END {
        Some(Ordering::Less)
    } else if float < -END {
        Some(Ordering::Greater)
    } else {
        let whole = float.trunc() as i64;
        Some(int.cmp(&whole).then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
    }
}

fn big_float(int: &BigInt, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    match BigInt::from_f64(float.trunc()) {
        Some(whole) => Some(int.cmp(&whole).then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))),
        None => Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater }),
    }
}

/// The real and imaginary part of any number.
pub(crate) fn complex_parts(value: &Value) -> Option<(f64, f64)> {
    match value {
        Value::Complex(re, im) => Some((*re, *im)),
        other => Real::of(other).map(|real| (real.to_f64(), 0.0)),
    }
}

/// Rounds to the nearest integer, halves to the even one.
pub(crate) fn round_half_even(value: f64) -> f64 {
    value.round_ties_even()
}
