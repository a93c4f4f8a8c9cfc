//! `'%s' % value`

use super::format::{self, Spec};
use super::number::Real;
use super::{Value, integer, text};
use crate::builtins::convert;
use crate::{Meter, Raised};

/// Formats a text with a tuple, a dict or one value.
pub(crate) fn format(format: &str, arguments: &Value, meter: &Meter) -> Result<String, Raised> {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    let positional = match arguments {
        Value::Tuple(items) => &items[..],
        one => std::slice::from_ref(one),
    };
    let mut next = 0;
    let mut mapped = false;
    let mut take = || -> Result<&Value, Raised> {
        next += 1;
        positional.get(next - 1).ok_or_else(|| Raised::type_error("not enough values for the format"))
    };
    meter.walk(format.len())?;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut by_key = None;
        if chars.next_if_eq(&'(').is_some() {
            let key = balanced(&mut chars)?;
            let Value::Dict(dict) = arguments.unwrapped() else {
                return Err(Raised::type_error("the format asks for a dict"));
            };
            let value = dict.get_text(&key).ok_or_else(|| Raised::key_error(key))?;
            by_key = Some(value);
            mapped = true;
        }
        let mut spec = Spec::default();
        let (mut left, mut zero) = (false, false);
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | ' ' | '0' | '#')) {
            match flag {
                '-' => left = true,
                '0' => zero = true,
                '#' => spec.alternate = true,
                '+' => spec.sign = '+',
                _ if spec.sign == '-' => spec.sign = ' ',
                _ => {}
            }
        }
        let width = number(&mut chars, &mut take)?.unwrap_or(0);
        left |= width < 0;
        spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        if chars.next_if_eq(&'.').is_some() {
            let precision = number(&mut chars, &mut take)?.unwrap_or(0).max(0);
            spec.precision = Some(usize::try_from(precision).unwrap_or(usize::MAX));
        }
        while chars.next_if(|c| matches!(c, 'l' | 'h' | 'L')).is_some() {}
        let Some(kind) = chars.next() else { return Err(Raised::value_error("the format is not complete")) };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match by_key {
            Some(value) => value,
            None => take()?,
        };
        spec.align = Some(if left { '<' } else { '>' });
        out.push_str(&one(value, kind, spec, zero && !left, meter)?);
    }
    // Whatever has elements by key might have been meant as a mapping.
    let exempt = mapped
        || arguments.is_lenient()
        || matches!(arguments, Value::Dict(_) | Value::List(_) | Value::Range(_) | Value::Bytes(_));
    if next < positional.len() && !exempt {
        return Err(Raised::type_error("not all values were used by the format"));
    }
    Ok(out)
}

/// A key up to its closing parenthesis.
fn balanced(chars: &mut impl Iterator<Item = char>) -> Result<String, Raised> {
    let mut key = String::new();
    let mut depth = 1;
    for c in chars {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 {
            return Ok(key);
        }
        key.push(c);
    }
    Err(Raised::value_error("the key of the format does not end"))
}

/// A number, or `*` for the next value.
fn number<'v>(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    take: &mut impl FnMut() -> Result<&'v Value, Raised>,
) -> Result<Option<i64>, Raised> {
    if chars.next_if_eq(&'*').is_some() {
        return super::sequence::index(take()?).map(Some);
    }
    let mut value: Option<i64> = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        value = Some(value.unwrap_or(0).saturating_mul(10).saturating_add(i64::from(digit)));
    }
    Ok(value)
}

fn one(value: &Value, kind: char, mut spec: Spec, zero: bool, meter: &Meter) -> Result<String, Raised> {
    let text = match kind {
        's' => match text::str(value, meter)? {
            Value::Str(text) => text.to_string(),
            _ => String::new(),
        },
        'r' => text::repr(value, meter)?,
        'a' => convert::ascii(&text::repr(value, meter)?),
        'c' => match value.unwrapped() {
            Value::Str(text) if text.chars().count() == 1 => text.to_string(),
            Value::Bool(b) => char::from(u8::from(*b)).to_string(),
            Value::Int(code) => u32::try_from(*code)
                .ok()
                .and_then(char::from_u32)
                .map(String::from)
                .ok_or_else(|| Raised::overflow("not the number of a character"))?,
            _ => return Err(Raised::type_error("%c takes a character")),
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            if zero {
                spec.fill = '0';
                spec.align = Some('=');
            }
            return numeric(value, kind, &spec, meter);
        }
        other => return Err(Raised::value_error(format!("the format has no kind {other:?}"))),
    };
    let cut = match spec.precision {
        Some(precision) if kind != 'c' => text.chars().take(precision).collect(),
        _ => text,
    };
    spec.pad("", &cut, '>', meter)
}

fn numeric(value: &Value, kind: char, spec: &Spec, meter: &Meter) -> Result<String, Raised> {
    let value = value.unwrapped();
    let real = Real::of(value).ok_or_else(|| {
        Raised::type_error(format!("%{kind} takes a number, not a value of type {}", value.type_name()))
    })?;
    let precision = spec.precision.unwrap_or(6);
    let (negative, body) = if matches!(kind, 'd' | 'i' | 'u' | 'x' | 'X' | 'o') {
        let whole = match real {
            Real::Float(f) if matches!(kind, 'd' | 'i' | 'u') => integer::from_float(f)?,
            Real::Float(_) => return Err(Raised::type_error(format!("%{kind} takes an integer"))),
            _ => value.clone(),
        };
        let Some(int) = Real::of(&whole).and_then(Real::to_big).map(std::borrow::Cow::into_owned) else {
            return Err(Raised::type_error("not an integer"));
        };
        let magnitude = int.magnitude();
        let mut digits = match kind {
            'x' | 'X' | 'o' => magnitude.to_str_radix(if kind == 'o' { 8 } else { 16 }),
            _ => integer::to_text(&int)?.trim_start_matches('-').to_owned(),
        };
        if let Some(precision) = spec.precision {
            let missing = precision.saturating_sub(digits.len());
            meter.allocate(missing)?;
            digits = "0".repeat(missing) + &digits;
        }
        if kind == 'X' {
            digits = digits.to_uppercase();
        }
        let prefix = match kind {
            'x' if spec.alternate => "0x",
            'X' if spec.alternate => "0X",
            'o' if spec.alternate => "0o",
            _ => "",
        };
        let sign = sign_text(int.sign() == num_bigint::Sign::Minus, spec.sign);
        return spec.pad(&format!("{sign}{prefix}"), &digits, '>', meter);
    } else {
        let float = real.to_f64();
        if precision > 5_000 {
            return Err(Raised::limit("the precision of a format is too large"));
        }
        let magnitude = float.abs();
        let body = match text::not_finite(magnitude) {
            Some(name) => name.to_owned(),
            None => match kind {
                'f' | 'F' => format::fixed(magnitude, precision, spec.alternate),
                'e' | 'E' => format::scientific(magnitude, precision, spec.alternate),
                _ => format::general(magnitude, precision, spec.alternate, false),
            },
        };
        (float.is_sign_negative() && !float.is_nan(), if kind.is_uppercase() { body.to_uppercase() } else { body })
    };
    spec.pad(sign_text(negative, spec.sign), &body, '>', meter)
}

fn sign_text(negative: bool, sign: char) -> &'static str {
    match (negative, sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        (false, _) => "",
    }
}
