//! The module `math`.

use super::Builtin;
use super::convert::real;
use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::number::Real;
use crate::value::{Value, arith, integer, sequence};
use lakeql_query::syntax::python::BinaryOp;
use num_bigint::BigInt;
use num_integer::Integer as _;
use num_traits::{Signed, ToPrimitive, Zero};

/// An attribute of the module; None for those it does not have.
pub(super) fn attribute(name: &str) -> Value {
    let constant = match name {
        "pi" => Some(std::f64::consts::PI),
        "e" => Some(std::f64::consts::E),
        "tau" => Some(std::f64::consts::TAU),
        "inf" => Some(f64::INFINITY),
        "nan" => Some(f64::NAN),
        _ => None,
    };
    if let Some(constant) = constant {
        return Value::Float(constant);
    }
    let found = SIMPLE.iter().chain(&SPECIAL).find(|builtin| builtin.name.strip_prefix("math.") == Some(name));
    found.map_or(Value::None, Value::Builtin)
}

/// A function of one float whose result must be finite for finite arguments.
fn of_one(args: &Args, function: fn(f64) -> f64) -> Result<Value, Raised> {
    let [x] = args.exactly("this function")?;
    let x = real(x)?;
    let y = function(x);
    if y.is_nan() && !x.is_nan() {
        return Err(Raised::value_error("the function is not defined there"));
    }
    if y.is_infinite() && x.is_finite() {
        return Err(Raised::overflow("the result is too large for a float"));
    }
    Ok(Value::Float(y))
}

fn of_two(args: &Args, function: fn(f64, f64) -> f64) -> Result<Value, Raised> {
    let [x, y] = args.exactly("this function")?;
    let (x, y) = (real(x)?, real(y)?);
    let z = function(x, y);
    if z.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(Raised::value_error("the function is not defined there"));
    }
    if z.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(Raised::overflow("the result is too large for a float"));
    }
    Ok(Value::Float(z))
}

macro_rules! one {
    ($($name:literal $function:expr),* $(,)?) => {
        [$(Builtin::new(concat!("math.", $name), |_, args| of_one(args, $function))),*]
    };
}

static SIMPLE: [Builtin; 21] = one!(
    "acos" f64::acos, "acosh" f64::acosh, "asin" f64::asin, "asinh" f64::asinh, "atan" f64::atan, "atanh" f64::atanh,
    "cbrt" f64::cbrt, "cos" f64::cos, "cosh" f64::cosh, "degrees" f64::to_degrees, "exp" f64::exp, "exp2" f64::exp2,
    "expm1" f64::exp_m1, "fabs" f64::abs, "log1p" f64::ln_1p, "radians" f64::to_radians, "sin" f64::sin,
    "sinh" f64::sinh, "sqrt" f64::sqrt, "tan" f64::tan, "tanh" f64::tanh,
);

fn rounded(eval: &Eval<'_>, args: &Args, round: fn(f64) -> f64) -> Result<Value, Raised> {
    let _ = eval;
    let [x] = args.exactly("this function")?;
    match x {
        // A wrapper cannot be rounded by itself and is asked for its float, which texts have too.
        Value::Wrapped(_) | Value::Context(_) => integer::from_float(round(real(x)?)),
        Value::Float(f) => integer::from_float(round(*f)),
        other => int(other).map(Value::integer),
    }
}

fn int(value: &Value) -> Result<BigInt, Raised> {
    let big = Real::of(value.unwrapped()).and_then(Real::to_big);
    big.map(std::borrow::Cow::into_owned).ok_or_else(|| Raised::type_error("the function takes integers"))
}

/// Logarithm of a positive number, of integers beyond floats too.
fn logarithm(value: &Value, log: fn(f64) -> f64) -> Result<f64, Raised> {
    if let Value::Big(big) = value.unwrapped()
        && big.is_positive()
    {
        let shift = big.bits().saturating_sub(64);
        let top = (&**big >> shift).to_f64().unwrap_or(f64::NAN);
        return Ok(log(top) + shift as f64 * log(2.0));
    }
    let x = real(value)?;
    if x <= 0.0 { Err(Raised::value_error("a logarithm of what is not positive")) } else { Ok(log(x)) }
}

fn power(x: f64, y: f64) -> Result<Value, Raised> {
    let undefined =
        (x == 0.0 && y < 0.0 && y.is_finite()) || (x < 0.0 && x.is_finite() && y.is_finite() && y.fract() != 0.0);
    if undefined {
        return Err(Raised::value_error("the power is not defined"));
    }
    let z = x.powf(y);
    if z.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(Raised::overflow("the result is too large for a float"));
    }
    Ok(Value::Float(z))
}

fn isclose(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    if args.positional.len() > 2 {
        return Err(Raised::type_error("isclose() takes two arguments by position"));
    }
    let [a, b, relative, absolute] = args.bind("isclose", ["a", "b", "rel_tol", "abs_tol"], 2)?;
    let float = |value: Option<&Value>, default: f64| value.map_or(Ok(default), real);
    let (a, b) = (float(a, 0.0)?, float(b, 0.0)?);
    let (relative, absolute) = (float(relative, 1e-9)?, float(absolute, 0.0)?);
    if relative < 0.0 || absolute < 0.0 {
        return Err(Raised::value_error("tolerances are not negative"));
    }
    if a == b {
        return Ok(Value::Bool(true));
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(Value::Bool(false));
    }
    let difference = (b - a).abs();
    let close = difference <= (relative * b).abs() || difference <= (relative * a).abs() || difference <= absolute;
    Ok(Value::Bool(close))
}

/// Product of integers from `from` to `to`.
fn product(eval: &Eval<'_>, from: u64, to: u64) -> Result<BigInt, Raised> {
    let mut product = Value::Int(1);
    for factor in from..=to {
        product = arith::binary(BinaryOp::Mul, &product, &Value::integer(factor.into()), &eval.meter)?;
    }
    int(&product)
}

fn natural(value: &Value) -> Result<u64, Raised> {
    u64::try_from(sequence::index(value)?).map_err(|_| Raised::value_error("the function takes no negative numbers"))
}

/// `n! / (n - k)!`, and divided by `k!` for combinations.
fn choices(eval: &Eval<'_>, args: &Args, ordered: bool) -> Result<Value, Raised> {
    let [n, k] = args.bind("this function", ["n", "k"], if ordered { 1 } else { 2 })?;
    let n = natural(n.unwrap_or(&Value::None))?;
    let k = k.filter(|k| !matches!(k, Value::None)).map_or(Ok(n), natural)?;
    if k > n {
        return Ok(Value::Int(0));
    }
    let k = if ordered { k } else { k.min(n - k) };
    if k == 0 {
        return Ok(Value::Int(1));
    }
    let many = product(eval, n - k + 1, n)?;
    Ok(Value::integer(if ordered { many } else { many / product(eval, 1, k)? }))
}

fn fold_ints(eval: &Eval<'_>, args: &Args, fold: fn(&BigInt, &BigInt) -> BigInt) -> Result<Value, Raised> {
    let mut total: Option<BigInt> = None;
    for value in &args.positional {
        let value = int(value)?;
        let known = total.unwrap_or_else(|| value.clone());
        eval.meter.steps((known.bits() / 64 + 1) * (value.bits() / 64 + 1))?;
        if known.bits() + value.bits() > integer::MAX_BITS {
            return Err(Raised::limit("the integer is too large"));
        }
        total = Some(fold(&known, &value));
    }
    Ok(Value::integer(total.unwrap_or_else(BigInt::zero).abs()))
}

fn floats(eval: &Eval<'_>, value: &Value) -> Result<Vec<f64>, Raised> {
    eval.collect(value)?.iter().map(real).collect()
}

/// The sum of floats, rounded once at the end.
fn fsum(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [items] = args.exactly("fsum")?;
    let items = floats(eval, items)?;
    if items.iter().any(|x| !x.is_finite()) {
        return Ok(Value::Float(items.iter().sum()));
    }
    // Partial sums that do not overlap, smallest first.
    let mut partials: Vec<f64> = vec![];
    for mut x in items {
        let mut kept = vec![];
        for mut y in partials {
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                kept.push(low);
            }
            x = high;
        }
        kept.push(x);
        eval.meter.steps(kept.len() as u64)?;
        partials = kept;
    }
    let mut rest = partials.into_iter().rev();
    let mut total = rest.next().unwrap_or(0.0);
    let mut low = 0.0;
    for y in rest.by_ref() {
        let high = total + y;
        low = y - (high - total);
        total = high;
        if low != 0.0 {
            break;
        }
    }
    // A half is rounded by the sign of what comes after it.
    if let Some(next) = rest.next()
        && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
    {
        let doubled = low * 2.0;
        if doubled == (total + doubled) - total {
            total += doubled;
        }
    }
    Ok(Value::Float(total))
}

static SPECIAL: [Builtin; 28] = [
    Builtin::new("math.atan2", |_, args| of_two(args, f64::atan2)),
    Builtin::new("math.ceil", |eval, args| rounded(eval, args, f64::ceil)),
    Builtin::new("math.comb", |eval, args| choices(eval, args, false)),
    Builtin::new("math.copysign", |_, args| of_two(args, f64::copysign)),
    Builtin::new("math.dist", |eval, args| {
        let [a, b] = args.exactly("dist")?;
        let (a, b) = (floats(eval, a)?, floats(eval, b)?);
        if a.len() != b.len() {
            return Err(Raised::value_error("the points have different dimensions"));
        }
        Ok(Value::Float(a.iter().zip(&b).fold(0.0_f64, |sum, (a, b)| sum.hypot(a - b))))
    }),
    Builtin::new("math.factorial", |eval, args| {
        let [n] = args.exactly("factorial")?;
        product(eval, 1, natural(n)?).map(Value::integer)
    }),
    Builtin::new("math.floor", |eval, args| rounded(eval, args, f64::floor)),
    Builtin::new("math.fmod", |_, args| of_two(args, |x, y| x % y)),
    Builtin::new("math.frexp", |_, args| {
        let [x] = args.exactly("frexp")?;
        let x = real(x)?;
        if x == 0.0 || !x.is_finite() {
            return Ok(Value::tuple(vec![Value::Float(x), Value::Int(0)]));
        }
        let (normal, shift) = if x.abs() < f64::MIN_POSITIVE { (x * 2_f64.powi(64), 64) } else { (x, 0) };
        let exponent = ((normal.to_bits() >> 52) & 0x7ff) as i32 - 1022;
        let mantissa = f64::from_bits(normal.to_bits() & !(0x7ff << 52) | 1022 << 52);
        Ok(Value::tuple(vec![Value::Float(mantissa), Value::Int(i64::from(exponent - shift))]))
    }),
    Builtin::new("math.fsum", fsum),
    Builtin::new("math.gcd", |eval, args| fold_ints(eval, args, |a, b| a.gcd(b))),
    Builtin::new("math.hypot", |_, args| {
        let parts: Vec<f64> = args.positional.iter().map(real).collect::<Result<_, _>>()?;
        Ok(Value::Float(parts.iter().fold(0.0_f64, |sum, x| sum.hypot(*x))))
    }),
    Builtin::new("math.isclose", isclose),
    Builtin::new("math.isfinite", |_, args| {
        let [x] = args.exactly("isfinite")?;
        Ok(Value::Bool(real(x)?.is_finite()))
    }),
    Builtin::new("math.isinf", |_, args| {
        let [x] = args.exactly("isinf")?;
        Ok(Value::Bool(real(x)?.is_infinite()))
    }),
    Builtin::new("math.isnan", |_, args| {
        let [x] = args.exactly("isnan")?;
        Ok(Value::Bool(real(x)?.is_nan()))
    }),
    Builtin::new("math.isqrt", |eval, args| {
        let [n] = args.exactly("isqrt")?;
        let n = int(n)?;
        if n.is_negative() {
            return Err(Raised::value_error("a root of a negative number"));
        }
        eval.meter.steps((n.bits() / 64 + 1).saturating_mul(n.bits() / 64 + 1))?;
        Ok(Value::integer(n.sqrt()))
    }),
    Builtin::new("math.lcm", |eval, args| fold_ints(eval, args, |a, b| a.lcm(b))),
    Builtin::new("math.ldexp", |_, args| {
        let [x, exponent] = args.exactly("ldexp")?;
        let x = real(x)?;
        let mut left = sequence::index(exponent)?.clamp(-4000, 4000) as i32;
        let mut y = x;
        while left != 0 {
            let part = left.clamp(-500, 500);
            y *= 2_f64.powi(part);
            left -= part;
        }
        if y.is_infinite() && x.is_finite() {
            Err(Raised::overflow("too large for a float"))
        } else {
            Ok(Value::Float(y))
        }
    }),
    Builtin::new("math.log", |_, args| {
        let [x, base] = args.bind("log", ["", ""], 1)?;
        let x = logarithm(x.unwrap_or(&Value::None), f64::ln)?;
        let Some(base) = base else { return Ok(Value::Float(x)) };
        let base = logarithm(base, f64::ln)?;
        if base == 0.0 { Err(Raised::zero_division("a logarithm of base 1")) } else { Ok(Value::Float(x / base)) }
    }),
    Builtin::new("math.log10", |_, args| {
        let [x] = args.exactly("log10")?;
        logarithm(x, f64::log10).map(Value::Float)
    }),
    Builtin::new("math.log2", |_, args| {
        let [x] = args.exactly("log2")?;
        logarithm(x, f64::log2).map(Value::Float)
    }),
    Builtin::new("math.modf", |_, args| {
        let [x] = args.exactly("modf")?;
        let x = real(x)?;
        let fraction = if x.is_infinite() { 0.0_f64.copysign(x) } else { x.fract().copysign(x) };
        Ok(Value::tuple(vec![Value::Float(fraction), Value::Float(x.trunc())]))
    }),
    Builtin::new("math.perm", |eval, args| choices(eval, args, true)),
    Builtin::new("math.pow", |_, args| {
        let [x, y] = args.exactly("pow")?;
        power(real(x)?, real(y)?)
    }),
    Builtin::new("math.prod", |eval, args| {
        let [items, start] = args.bind("prod", ["", "start"], 1)?;
        let mut total = start.cloned().unwrap_or(Value::Int(1));
        for item in eval.collect(items.unwrap_or(&Value::None))? {
            total = arith::binary(BinaryOp::Mul, &total, &item, &eval.meter)?;
        }
        Ok(total)
    }),
    Builtin::new("math.remainder", |_, args| {
        of_two(args, |x, y| {
            if y.is_infinite() && x.is_finite() {
                return x;
            }
            let magnitude = y.abs();
            let rest = x.abs() % magnitude;
            let other = magnitude - rest;
            let near = if rest < other {
                rest
            } else if rest > other {
                -other
            } else {
                rest - 2.0 * ((0.5 * (x.abs() - rest)) % magnitude)
            };
            near.copysign(near * x.signum())
        })
    }),
    Builtin::new("math.trunc", |eval, args| rounded(eval, args, f64::trunc)),
];
