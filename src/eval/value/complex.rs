//! Arithmetic of complex numbers.

use super::Value;
use super::arith::division_by_zero;
use crate::Raised;
use lakeql_query::syntax::python::BinaryOp;

/// `left op right` of complex numbers.
pub(super) fn complex(op: BinaryOp, (a, b): (f64, f64), (c, d): (f64, f64)) -> Result<Value, Raised> {
    let (re, im) = match op {
        BinaryOp::Add => (a + c, b + d),
        BinaryOp::Sub => (a - c, b - d),
        BinaryOp::Mul => (a * c - b * d, a * d + b * c),
        BinaryOp::Div => {
            if c == 0.0 && d == 0.0 {
                return Err(division_by_zero());
            }
            if c.abs() >= d.abs() {
                let ratio = d / c;
                let scale = c + d * ratio;
                ((a + b * ratio) / scale, (b - a * ratio) / scale)
            } else {
                let ratio = c / d;
                let scale = c * ratio + d;
                ((a * ratio + b) / scale, (b * ratio - a) / scale)
            }
        }
        BinaryOp::Pow if c == 0.0 && d == 0.0 => (1.0, 0.0),
        BinaryOp::Pow if a == 0.0 && b == 0.0 => {
            if c < 0.0 || d != 0.0 {
                return Err(Raised::zero_division("zero to a negative or complex power"));
            }
            (0.0, 0.0)
        }
        BinaryOp::Pow if d == 0.0 && c.fract() == 0.0 && c.abs() <= 100.0 => complex_power((a, b), c as i32)?,
        BinaryOp::Pow => {
            let (modulus, angle) = (a.hypot(b), b.atan2(a));
            let mut length = modulus.powf(c);
            let mut turn = angle * c;
            if d != 0.0 {
                length *= (-angle * d).exp();
                turn += d * modulus.ln();
            }
            (length * turn.cos(), length * turn.sin())
        }
        _ => return Err(Raised::type_error("complex numbers have no such operation")),
    };
    Ok(Value::Complex(re, im))
}

/// Whole powers by multiplication, as exact as the factors allow.
fn complex_power(base: (f64, f64), exponent: i32) -> Result<(f64, f64), Raised> {
    let times = |x: (f64, f64), y: (f64, f64)| (x.0 * y.0 - x.1 * y.1, x.0 * y.1 + x.1 * y.0);
    let mut result = (1.0, 0.0);
    let mut square = base;
    let mut left = exponent.unsigned_abs();
    while left > 0 {
        if left & 1 == 1 {
            result = times(result, square);
        }
        square = times(square, square);
        left >>= 1;
    }
    if exponent < 0
        && let Value::Complex(re, im) = complex(BinaryOp::Div, (1.0, 0.0), result)?
    {
        return Ok((re, im));
    }
    Ok(result)
}
