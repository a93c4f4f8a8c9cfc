//! Integers of any size and their texts.

use super::Value;
use crate::{Meter, Raised};
use num_bigint::BigInt;
use num_traits::{FromPrimitive, Num};

/// Most decimal digits that are read or written, Python's default.
const MAX_DIGITS: usize = 4300;
/// Most bits of an integer.
pub(crate) const MAX_BITS: u64 = 1 << 20;

fn too_many_digits() -> Raised {
    Raised::value_error("an integer of more than 4300 digits is neither read nor written")
}

/// The decimal text.
pub(crate) fn to_text(value: &BigInt) -> Result<String, Raised> {
    // 4300 digits are 14,285 bits.
    if value.bits() > 14_300 {
        return Err(too_many_digits());
    }
    let text = value.to_string();
    if text.trim_start_matches('-').len() > MAX_DIGITS { Err(too_many_digits()) } else { Ok(text) }
}

/// `int(text, base)`
pub(crate) fn parse(text: &str, base: u32, meter: &Meter) -> Result<Value, Raised> {
    meter.walk(text.len())?;
    let bad = || Raised::value_error(format!("not an integer of base {base}"));
    let trimmed = text.trim_matches(is_space);
    let (negative, digits) = match trimmed.strip_prefix(['-', '+']) {
        Some(rest) => (trimmed.starts_with('-'), rest),
        None => (false, trimmed),
    };
    let prefix = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 0,
    };
    let (base, digits) = match (base, prefix) {
        (0, 0) => {
            if digits.starts_with('0') && digits.contains(|c: char| c != '0' && c != '_') {
                return Err(bad());
            }
            (10, digits)
        }
        (0, prefix) => (prefix, digits.get(2..).unwrap_or("")),
        (base, prefix) if base == prefix => (base, digits.get(2..).unwrap_or("")),
        (base, _) => (base, digits),
    };
    let digits = if prefix == base { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let mut plain = String::with_capacity(digits.len() + 1);
    if negative {
        plain.push('-');
    }
    let mut after_digit = false;
    for c in digits.chars() {
        if c == '_' && after_digit {
            after_digit = false;
            continue;
        }
        let Some(digit) = digit_of(c, base) else { return Err(bad()) };
        plain.push(digit);
        after_digit = true;
    }
    if !after_digit {
        return Err(bad());
    }
    if !base.is_power_of_two() && plain.len() > MAX_DIGITS + 1 {
        return Err(too_many_digits());
    }
    if plain.len() as u64 > MAX_BITS / 8 {
        return Err(Raised::limit("the integer is too large"));
    }
    BigInt::from_str_radix(&plain, base).map(Value::integer).map_err(|_| bad())
}

/// A digit of any script as an ASCII digit of the base.
fn digit_of(c: char, base: u32) -> Option<char> {
    let value = c.to_digit(36).or_else(|| decimal_value(c))?;
    if value < base { char::from_digit(value, 36) } else { None }
}

/// The value of a decimal digit of any script: their blocks of ten begin at these characters.
pub(crate) fn decimal_value(c: char) -> Option<u32> {
    const ZEROS: [u32; 38] = [
        0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
        0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
        0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0,
    ];
    let code = c as u32;
    ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code)).map(|zero| code - zero)
}

/// What Python strips from the ends of texts.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The integer part of a float.
pub(crate) fn from_float(value: f64) -> Result<Value, Raised> {
    if value.abs() < 9.2e18 {
        return Ok(Value::Int(value as i64));
    }
    match BigInt::from_f64(value.trunc()) {
        Some(big) => Ok(Value::integer(big)),
        None if value.is_nan() => Err(Raised::value_error("a NaN is not an integer")),
        None => Err(Raised::overflow("an infinite float is not an integer")),
    }
}

/// `float(text)`
pub(crate) fn parse_float(text: &str) -> Result<f64, Raised> {
    let bad = || Raised::value_error("not a number");
    let trimmed = text.trim_matches(is_space);
    let mut plain = String::with_capacity(trimmed.len());
    let mut before = ' ';
    let mut chars = trimmed.chars().peekable();
    while let Some(c) = chars.next() {
        // Underscores stand between digits only.
        if c == '_' {
            if !before.is_ascii_digit() || chars.peek().is_none_or(|c| decimal_value(*c).is_none()) {
                return Err(bad());
            }
            continue;
        }
        before = decimal_value(c).and_then(|value| char::from_digit(value, 10)).unwrap_or(c);
        plain.push(before);
    }
    let unsigned = plain.trim_start_matches(['+', '-']).to_ascii_lowercase();
    let named = matches!(unsigned.as_str(), "inf" | "infinity" | "nan");
    if !named && !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(bad());
    }
    plain.parse().map_err(|_| bad())
}
