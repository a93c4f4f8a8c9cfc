//! Functions about values in general, and those of the original's sandbox.

use super::Builtin;
use super::types::{Type, is_instance};
use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::number::Real;
use crate::value::{Dict, Value, arith, hash, sequence};
use lakeql_query::syntax::python::BinaryOp;
use num_bigint::BigInt;
use num_traits::{Signed, Zero};
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("abs", abs),
    Builtin::new("callable", callable),
    Builtin::new("delattr", immutable),
    Builtin::new("divmod", divmod),
    Builtin::new("hash", hash_of),
    Builtin::new("id", id),
    Builtin::new("isinstance", isinstance),
    Builtin::new("issubclass", issubclass),
    Builtin::new("pow", pow),
    Builtin::new("reorder", reorder),
    Builtin::new("round", round),
    Builtin::new("same_type", same_type),
    Builtin::new("setattr", immutable),
    Builtin::new("test", test),
    Builtin::new("type", type_of),
];

/// `dict.fromkeys`
pub(super) const FROM_KEYS: Builtin = Builtin::new("dict.fromkeys", |eval, args| {
    let [keys, value] = args.bind("fromkeys", ["", ""], 1)?;
    let mut dict = Dict::default();
    for key in eval.collect(keys.unwrap_or(&Value::None))? {
        eval.meter.allocate_items(3)?;
        dict.insert(key, value.cloned().unwrap_or(Value::None), &eval.meter)?;
    }
    Ok(Value::Dict(Arc::new(dict)))
});

fn abs(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.exactly("abs")?;
    Ok(match value.unwrapped() {
        Value::Bool(b) => Value::Int(i64::from(*b)),
        Value::Int(i) => i.checked_abs().map_or_else(|| Value::integer(BigInt::from(*i).abs()), Value::Int),
        Value::Big(i) => Value::integer(i.abs()),
        Value::Float(f) => Value::Float(f.abs()),
        Value::Complex(re, im) => Value::Float(re.hypot(*im)),
        Value::Timedelta(span) => Value::Timedelta(span.saturating_abs()),
        other => {
            return Err(Raised::type_error(format!("a value of type {} has no absolute value", other.type_name())));
        }
    })
}

fn callable(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.exactly("callable")?;
    let callable = matches!(
        value,
        // The wrappers of the original can be called, whatever comes of it.
        Value::Builtin(_)
            | Value::Type(_)
            | Value::Function(_)
            | Value::Method(_)
            | Value::Unbound(..)
            | Value::Wrapped(_)
            | Value::Context(_)
            | Value::Missing(_)
            | Value::Metric(_)
    );
    Ok(Value::Bool(callable))
}

fn immutable(_: &Eval<'_>, _: &Args) -> Result<Value, Raised> {
    Err(Raised::unsupported("values cannot be changed in a query"))
}

fn divmod(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [a, b] = args.exactly("divmod")?;
    let number = |value: &Value| Real::of(value).is_some() || matches!(value, Value::Timedelta(_));
    if !number(a.unwrapped()) || !number(b.unwrapped()) {
        return Err(Raised::type_error("divmod() takes numbers"));
    }
    let quotient = arith::binary(BinaryOp::FloorDiv, a, b, &eval.meter)?;
    Ok(Value::tuple(vec![quotient, arith::binary(BinaryOp::Mod, a, b, &eval.meter)?]))
}

fn hash_of(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.exactly("hash")?;
    Ok(Value::Int(hash::hash(value, &eval.meter)? as i64))
}

/// Some number that is not zero; nothing can be learnt from it.
fn id(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [_value] = args.exactly::<1>("id")?;
    Ok(Value::Int(1))
}

fn isinstance(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value, class] = args.exactly("isinstance")?;
    is_instance(value, class).map(Value::Bool)
}

fn issubclass(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [class, base] = args.exactly("issubclass")?;
    let Value::Type(class) = class else { return Err(Raised::type_error("issubclass() takes a class")) };
    let bases = match base {
        Value::Tuple(bases) => &bases[..],
        one => std::slice::from_ref(one),
    };
    for base in bases {
        match base {
            Value::Type(base) if base.is_base_of(*class) => return Ok(Value::Bool(true)),
            Value::Type(_) => {}
            _ => return Err(Raised::type_error("issubclass() takes classes")),
        }
    }
    Ok(Value::Bool(false))
}

fn type_of(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.exactly("type")?;
    Ok(Value::Type(Type::of(value)))
}

fn pow(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [base, exponent, modulus] = args.bind("pow", ["base", "exp", "mod"], 2)?;
    let (base, exponent) = (base.unwrap_or(&Value::None), exponent.unwrap_or(&Value::None));
    let modulus = match modulus {
        None | Some(Value::None) => return arith::binary(BinaryOp::Pow, base, exponent, &eval.meter),
        Some(modulus) => modulus,
    };
    let int = |value: &Value| {
        let int = Real::of(value.unwrapped()).and_then(Real::to_big).map(std::borrow::Cow::into_owned);
        int.ok_or_else(|| Raised::type_error("pow() with a modulus takes integers"))
    };
    let (base, mut exponent, modulus) = (int(base)?, int(exponent)?, int(modulus)?);
    if modulus.is_zero() {
        return Err(Raised::value_error("the modulus is zero"));
    }
    let words = modulus.bits() / 64 + 1;
    eval.meter.steps(exponent.bits().saturating_mul(words).saturating_mul(words) / 64)?;
    let mut base = base;
    if exponent.is_negative() {
        eval.meter.steps(words.saturating_mul(words))?;
        let inverse = base.modinv(&modulus);
        base = inverse.ok_or_else(|| Raised::value_error("the base has no inverse for this modulus"))?;
        exponent = -exponent;
    }
    Ok(Value::integer(base.modpow(&exponent, &modulus)))
}

fn round(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value, digits] = args.bind("round", ["number", "ndigits"], 1)?;
    let value = value.map_or(&Value::None, Value::unwrapped);
    let digits = digits.filter(|digits| !matches!(digits, Value::None)).map(sequence::index).transpose()?;
    match (value, digits) {
        (Value::Float(f), None) => crate::value::integer::from_float(crate::value::number::round_half_even(*f)),
        (Value::Float(f), Some(digits)) => arith::round_float(*f, digits).map(Value::Float),
        (Value::Bool(b), None) => Ok(Value::Int(i64::from(*b))),
        (Value::Int(_) | Value::Big(_) | Value::Bool(_), Some(digits)) if digits < 0 => {
            let digits = u32::try_from(digits.unsigned_abs()).unwrap_or(u32::MAX);
            arith::round_integer(value, digits, &eval.meter)
        }
        (Value::Int(_) | Value::Big(_), _) => Ok(value.clone()),
        (Value::Bool(b), _) => Ok(Value::Int(i64::from(*b))),
        (other, _) => Err(Raised::type_error(format!("a value of type {} cannot be rounded", other.type_name()))),
    }
}

/// Whether all values are of one class.
fn same_type(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let Some((first, rest)) = args.positional.split_first() else {
        return Err(Raised::type_error("same_type() takes at least one argument"));
    };
    Ok(Value::Bool(rest.iter().all(|value| Type::of(value) == Type::of(first))))
}

/// The value behind the first true condition, else the last one.
fn test(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let mut pairs = args.positional.chunks_exact(2);
    for pair in &mut pairs {
        if let [condition, value] = pair
            && condition.truthy()
        {
            return Ok(value.clone());
        }
    }
    Ok(pairs.remainder().first().cloned().unwrap_or(Value::None))
}

/// The pairs of a sequence that are also in a second and not in a third, in the order of the second.
fn reorder(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [source, with, without] = args.bind("reorder", ["s", "with_", "without"], 1)?;
    let source = source.unwrap_or(&Value::None);
    let pair = |item: Value| match &item {
        Value::Tuple(parts) => match &parts[..] {
            [key, value] => (key.clone(), value.clone()),
            _ => (item.clone(), item),
        },
        _ => (item.clone(), item),
    };
    let mut known = Dict::default();
    for item in eval.collect(source)? {
        let (key, value) = pair(item);
        known.insert(key, value, &eval.meter)?;
    }
    let mut gone = crate::value::Set::default();
    if let Some(without) = without {
        for item in eval.collect(without)? {
            gone.insert(pair(item).0, &eval.meter)?;
        }
    }
    let with = with.filter(|with| !matches!(with, Value::None)).unwrap_or(source);
    let mut result = vec![];
    for item in eval.collect(with)? {
        let (key, _) = pair(item);
        if gone.contains(&key, &eval.meter)? {
            continue;
        }
        if let Some(value) = known.get(&key, &eval.meter)? {
            eval.meter.allocate_items(3)?;
            result.push(Value::tuple(vec![key.clone(), value.clone()]));
            gone.insert(key, &eval.meter)?;
        }
    }
    Ok(Value::list(result))
}
