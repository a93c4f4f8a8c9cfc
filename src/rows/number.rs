//! Numbers as the original calculates with them.
//!
//! An operation takes the type of its first operand: integer 2 plus double 1.5 is 3, double 1.5 plus integer 2 is 3.5.

use crate::cell::Cell;
use crate::error::Problem;
use std::cmp::Ordering;

/// An integer or a double.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// As an integer: doubles are cut, and saturate.
    #[allow(clippy::cast_possible_truncation, reason = "cutting is meant")]
    pub fn as_int(self) -> i64 {
        match self {
            Self::Int(value) => value,
            Self::Float(value) => value as i64,
        }
    }

    /// As a double.
    #[allow(clippy::cast_precision_loss, reason = "rounding is meant")]
    pub fn as_float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Itself, or as double beside one: strictly, the first operand does not decide the type.
    #[must_use]
    pub fn beside(self, other: Self, strict: bool) -> Self {
        match (self, other) {
            (Self::Int(_), Self::Float(_)) if strict => Self::Float(self.as_float()),
            _ => self,
        }
    }

    /// The sum; integers wrap.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match self {
            Self::Int(value) => Self::Int(value.wrapping_add(other.as_int())),
            Self::Float(value) => Self::Float(value + other.as_float()),
        }
    }

    /// The difference; integers wrap.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        match self {
            Self::Int(value) => Self::Int(value.wrapping_sub(other.as_int())),
            Self::Float(value) => Self::Float(value - other.as_float()),
        }
    }

    /// The product; integers wrap.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        match self {
            Self::Int(value) => Self::Int(value.wrapping_mul(other.as_int())),
            Self::Float(value) => Self::Float(value * other.as_float()),
        }
    }

    /// The smaller one. Of doubles up to 0 it is the other one, as in the original, unless strict.
    #[must_use]
    pub fn min(self, other: Self, strict: bool) -> Self {
        match self {
            Self::Int(value) => Self::Int(value.min(other.as_int())),
            Self::Float(value) if value <= 0.0 && !strict => Self::Float(other.as_float()),
            Self::Float(value) => Self::Float(value.min(other.as_float())),
        }
    }

    /// The greater one.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        match self {
            Self::Int(value) => Self::Int(value.max(other.as_int())),
            Self::Float(value) => Self::Float(value.max(other.as_float())),
        }
    }

    /// Divided by a count, which is taken for 1 if it is less; integers by integer division.
    #[must_use]
    pub fn average(self, count: i64) -> Self {
        let count = count.max(1);
        match self {
            Self::Int(value) => Self::Int(value / count),
            #[allow(clippy::cast_precision_loss, reason = "counts are small")]
            Self::Float(value) => Self::Float(value / count as f64),
        }
    }
}

/// A cell as number, texts read as integers; nothing for an empty cell.
///
/// # Errors
/// Texts that are no integers, and values that are no numbers.
pub fn integer_or_number(cell: &Cell) -> Result<Option<Number>, Problem> {
    match cell {
        Cell::Empty => Ok(None),
        Cell::Text(text) => match text.parse() {
            Ok(value) => Ok(Some(Number::Int(value))),
            Err(_) => Err(Problem::not_a_number(text)),
        },
        other => other.as_number().map(Some).ok_or_else(|| Problem::no_number(other)),
    }
}

/// A cell as number, texts read as doubles; nothing for an empty cell.
///
/// # Errors
/// Texts that are no numbers, and values that are none.
pub fn float_or_number(cell: &Cell) -> Result<Option<Number>, Problem> {
    match cell {
        Cell::Empty => Ok(None),
        Cell::Text(text) => match parse_float(text) {
            Some(value) => Ok(Some(Number::Float(value))),
            None => Err(Problem::not_a_number(text)),
        },
        other => other.as_number().map(Some).ok_or_else(|| Problem::no_number(other)),
    }
}

/// A text as number: as double if there is a point in it, else as integer.
pub fn parse_number(text: &str) -> Option<Number> {
    if text.contains('.') { parse_float(text).map(Number::Float) } else { text.parse().map(Number::Int).ok() }
}

/// The number that a text begins with: an integer unless it has a fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "whole numbers within 53 bits")]
pub(crate) fn leading_number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let fraction = match unsigned.get(whole..)?.strip_prefix('.') {
        Some(rest) if whole + digits(rest) > 0 => 1 + digits(rest),
        _ => 0,
    };
    let sign = text.len() - unsigned.len();
    if whole + fraction == 0 {
        return None;
    }
    let number = text.get(..sign + whole + fraction)?;
    if let Ok(value) = number.parse() {
        return Some(Number::Int(value));
    }
    let value: f64 = number.parse().ok()?;
    let is_whole = value.fract() == 0.0 && value.abs() < 9e15 && !(value == 0.0 && sign > 0);
    Some(if is_whole { Number::Int(value as i64) } else { Number::Float(value) })
}

/// A cell as number. Texts with a point behind their first character are read as doubles, all others as integers.
///
/// # Errors
/// Empty cells, and values that are no numbers.
pub fn any_number(cell: &Cell) -> Result<Number, Problem> {
    match cell {
        Cell::Empty => Err(Problem::EmptyCell),
        Cell::Text(text) => {
            let number = if text.starts_with('.') { None } else { parse_number(text) };
            number.ok_or_else(|| Problem::not_a_number(text))
        }
        other => other.as_number().ok_or_else(|| Problem::no_number(other)),
    }
}

/// A cell as integer, doubles cut, texts read as integers.
///
/// # Errors
/// Empty cells, and values that are no numbers.
pub fn integer(cell: &Cell) -> Result<i64, Problem> {
    integer_or_number(cell)?.map(Number::as_int).ok_or(Problem::EmptyCell)
}

/// A double as Java reads it: blanks around it and a type letter behind it are fine.
pub fn parse_float(text: &str) -> Option<f64> {
    let trimmed = text.trim_matches(|c| c <= ' ');
    let unsigned = trimmed.trim_start_matches(['+', '-']);
    match unsigned {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(if trimmed.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ => {}
    }
    let digits = trimmed.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(trimmed);
    // Words such as "inf" are no numbers, and no sign stands twice.
    let plain = digits.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    if plain { digits.parse().ok() } else { None }
}

/// A double as Java prints it: at least one digit behind the point, powers of ten from 10⁷ and below 10⁻³ on.
pub fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = format!("{value}");
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{value:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    if digits.contains('.') { format!("{digits}E{power}") } else { format!("{digits}.0E{power}") }
}

/// Doubles in Java's order: -0.0 before 0.0, NaN last and equal to itself.
pub fn compare_floats(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.total_cmp(&b),
    }
}

/// Texts by UTF-16 units.
pub fn compare_texts(a: &str, b: &str) -> Ordering {
    // Below the surrogates the order of the bytes is the same.
    let simple = |text: &str| text.bytes().all(|byte| byte < 0xee);
    if simple(a) && simple(b) { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_operand_decides() {
        let (two, half) = (Number::Int(2), Number::Float(1.5));
        assert_eq!((two.plus(half), half.plus(two)), (Number::Int(3), Number::Float(3.5)));
        assert_eq!(Number::Int(i64::MAX).plus(Number::Int(1)), Number::Int(i64::MIN));
        assert_eq!(Number::Float(-5.0).min(Number::Float(3.5), false), Number::Float(3.5));
        assert_eq!(Number::Int(-7).average(2), Number::Int(-3));
        assert_eq!((Number::Int(7).average(0), Number::Float(7.0).average(-2)), (Number::Int(7), Number::Float(7.0)));
    }

    #[test]
    fn texts_as_numbers() {
        let (int, float) = (|value| Some(Number::Int(value)), |value| Some(Number::Float(value)));
        assert_eq!([parse_number("5"), parse_number("5.0"), parse_number(".5")], [int(5), float(5.0), float(0.5)]);
        assert_eq!([parse_number("1e5"), parse_number("NaN"), parse_number("")], [None, None, None]);
        assert!(any_number(&Cell::from(".5")).is_err() && any_number(&Cell::from("0.5")).is_ok());
        assert_eq!(
            [leading_number("12abc"), leading_number("-3.0"), leading_number(".5x")],
            [int(12), int(-3), float(0.5)]
        );
        assert_eq!([leading_number("x"), leading_number(""), leading_number("-"), leading_number(" 1")], [None; 4]);
    }

    #[test]
    fn doubles_in_and_out() {
        let texts: Vec<_> = [1.0, 0.1, 1e7, 123_456_789.0, 1e-3, 1e-4, -0.0, 1.5e300].map(float_text).into();
        assert_eq!(texts, ["1.0", "0.1", "1.0E7", "1.23456789E8", "0.001", "1.0E-4", "-0.0", "1.5E300"]);
        assert_eq!((parse_float(" 1.5d"), parse_float("inf"), parse_float("1e3")), (Some(1.5), None, Some(1000.0)));
        assert_eq!((parse_float("-Infinity"), parse_float("")), (Some(f64::NEG_INFINITY), None));
    }

    #[test]
    fn texts_compare_by_units() {
        // U+FF5E is one unit above the surrogates of U+1F600, which has more bytes.
        assert_eq!(compare_texts("\u{ff5e}", "\u{1f600}"), Ordering::Greater);
        assert_eq!(compare_texts("é", "z"), Ordering::Greater);
    }
}
