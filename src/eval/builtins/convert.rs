//! Conversions between numbers and texts.

use super::Builtin;
use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::number::{Real, complex_parts};
use crate::value::{Value, format, integer, sequence, text};
use num_traits::Signed;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("ascii", |eval, args| {
        let [value] = args.exactly("ascii")?;
        Ok(Value::text(ascii(&text::repr(value, &eval.meter)?)))
    }),
    Builtin::new("bin", |eval, args| radix(eval, args, "bin", 2, "0b")),
    Builtin::new("chr", chr),
    Builtin::new("format", |eval, args| {
        let [value, spec] = args.bind("format", ["", ""], 1)?;
        let spec = match spec.map(Value::unwrapped) {
            Some(Value::Str(spec)) => spec.clone(),
            None => "".into(),
            _ => return Err(Raised::type_error("a format specification is a text")),
        };
        format::format(value.unwrap_or(&Value::None), &spec, &eval.meter)
    }),
    Builtin::new("hex", |eval, args| radix(eval, args, "hex", 16, "0x")),
    Builtin::new("oct", |eval, args| radix(eval, args, "oct", 8, "0o")),
    Builtin::new("ord", ord),
    Builtin::new("repr", |eval, args| {
        let [value] = args.exactly("repr")?;
        Ok(Value::text(text::repr(value, &eval.meter)?))
    }),
];

/// Everything beyond ASCII as escapes.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() { out.push(c) } else { text::write_escape(c, &mut out) }
    }
    out
}

fn radix(eval: &Eval<'_>, args: &Args, name: &str, radix: u32, prefix: &str) -> Result<Value, Raised> {
    let [value] = args.exactly(name)?;
    let int = Real::of(value.unwrapped()).and_then(Real::to_big);
    let int = int.ok_or_else(|| Raised::type_error(format!("{name}() takes an integer")))?;
    eval.meter.allocate(int.bits() as usize)?;
    let sign = if int.is_negative() { "-" } else { "" };
    Ok(Value::text(format!("{sign}{prefix}{}", int.magnitude().to_str_radix(radix))))
}

fn chr(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.exactly("chr")?;
    let c = u32::try_from(sequence::index(value)?).ok().and_then(char::from_u32);
    c.map(|c| Value::text(String::from(c))).ok_or_else(|| Raised::value_error("not the number of a character"))
}

fn ord(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.exactly("ord")?;
    match value.unwrapped() {
        Value::Str(text) => {
            let mut chars = text.chars();
            if let (Some(c), None) = (chars.next(), chars.next()) {
                return Ok(Value::Int(i64::from(u32::from(c))));
            }
        }
        Value::Bytes(bytes) => {
            if let [byte] = **bytes {
                return Ok(Value::Int(i64::from(byte)));
            }
        }
        _ => {}
    }
    Err(Raised::type_error("ord() takes one character"))
}

/// `int(value, base)`
pub(super) fn int(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value, base] = args.bind("int", ["x", "base"], 0)?;
    let Some(value) = value.map(Value::unwrapped) else { return Ok(Value::Int(0)) };
    if let Some(base) = base {
        let base = sequence::index(base)?;
        let base = u32::try_from(base).ok().filter(|base| *base == 0 || (2..=36).contains(base));
        let base = base.ok_or_else(|| Raised::value_error("a base is 0 or from 2 to 36"))?;
        return match value {
            Value::Str(text) => integer::parse(text, base, &eval.meter),
            _ => Err(Raised::type_error("only texts have a base")),
        };
    }
    match value {
        Value::Bool(b) => Ok(Value::Int(i64::from(*b))),
        Value::Int(_) | Value::Big(_) => Ok(value.clone()),
        Value::Float(f) => integer::from_float(*f),
        Value::Str(text) => integer::parse(text, 10, &eval.meter),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => integer::parse(text, 10, &eval.meter),
            Err(_) => Err(Raised::value_error("not an integer")),
        },
        other => Err(Raised::type_error(format!("a value of type {} is not an integer", other.type_name()))),
    }
}

/// `float(value)`
pub(super) fn float(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.bind("float", [""], 0)?;
    let Some(value) = value else { return Ok(Value::Float(0.0)) };
    to_float(value, eval).map(Value::Float)
}

/// The float of a number or a text.
pub(super) fn to_float(value: &Value, eval: &Eval<'_>) -> Result<f64, Raised> {
    match value.unwrapped() {
        Value::Str(text) => {
            eval.meter.walk(text.len())?;
            integer::parse_float(text)
        }
        other => real(other),
    }
}

/// The float of a number. A wrapper converts whatever it holds, so a text in it may be a number too.
pub(super) fn real(value: &Value) -> Result<f64, Raised> {
    if let (Value::Wrapped(_) | Value::Context(_), Value::Str(text)) = (value, value.unwrapped()) {
        return integer::parse_float(text);
    }
    let value = value.unwrapped();
    let Some(real) = Real::of(value) else {
        return Err(Raised::type_error(format!("a value of type {} is not a number", value.type_name())));
    };
    let float = real.to_f64();
    match real {
        Real::Float(_) => Ok(float),
        _ if float.is_finite() => Ok(float),
        _ => Err(Raised::overflow("the integer is too large for a float")),
    }
}

/// `complex(real, imag)`
pub(super) fn complex(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [re, im] = args.bind("complex", ["real", "imag"], 0)?;
    if let (Some(Value::Str(text)), None) = (re.map(Value::unwrapped), im) {
        return parse_complex(text, eval);
    }
    let parts = |value: Option<&Value>| match value.map(Value::unwrapped) {
        None => Ok((0.0, 0.0)),
        Some(value) => complex_parts(value).ok_or_else(|| Raised::type_error("complex() takes numbers")),
    };
    let ((a, b), (c, d)) = (parts(re)?, parts(im)?);
    Ok(Value::Complex(a - d, b + c))
}

fn parse_complex(text: &str, eval: &Eval<'_>) -> Result<Value, Raised> {
    let trimmed = text.trim_matches(integer::is_space);
    let trimmed = trimmed.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(trimmed);
    let number = |text: &str| match text {
        "" | "+" => Ok(1.0),
        "-" => Ok(-1.0),
        text => integer::parse_float(text),
    };
    eval.meter.walk(text.len())?;
    let Some(body) = trimmed.strip_suffix(['j', 'J']) else {
        return Ok(Value::Complex(integer::parse_float(trimmed)?, 0.0));
    };
    // The sign between the parts: the last one that does not belong to an exponent.
    let signs = body.char_indices().filter(|(i, c)| {
        *i > 0 && matches!(c, '+' | '-') && !body.get(..*i).is_some_and(|before| before.ends_with(['e', 'E']))
    });
    match { signs }.next_back() {
        Some((i, _)) => {
            let (re, im) = body.split_at(i);
            Ok(Value::Complex(integer::parse_float(re)?, number(im)?))
        }
        None => Ok(Value::Complex(0.0, number(body)?)),
    }
}
