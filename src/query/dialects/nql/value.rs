//! What a value can mean, depending on the type it is compared with.

use super::Settings;
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{CompareOp, Literal, Test};
use crate::span::Span;
use crate::syntax::number::{Number, parse_number};
use crate::syntax::time::{MILLISECOND, parse_iso, parse_relative};

/// Bytes of a kilobyte (R7).
const SIZE_BASE: u32 = 1024;

/// A number, perhaps with kb, mb or gb in any case and a blank before it (R7, T11).
pub(super) fn sized(text: &str, base: Option<u32>) -> Option<Number> {
    if let Some(number) = parse_number(text) {
        return Some(number);
    }
    let (rest, unit) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let power = ["kb", "mb", "gb"].iter().position(|known| unit.eq_ignore_ascii_case(known))?;
    let base = i64::from(base.unwrap_or(SIZE_BASE));
    let factor = base.checked_pow(u32::try_from(power).ok()? + 1)?;
    match parse_number(rest.trim_end_matches([' ', '\t']))? {
        Number::Int(number) => Some(match number.checked_mul(factor) {
            Some(bytes) => Number::Int(bytes),
            None => Number::Float(number as f64 * factor as f64),
        }),
        Number::Float(number) if number.is_finite() => {
            let bytes = number * factor as f64;
            // Whole bytes stay exact where integers are compared.
            let whole = bytes.fract() == 0.0 && bytes.abs() < 9_007_199_254_740_992.0;
            Some(if whole { Number::Int(bytes as i64) } else { Number::Float(bytes) })
        }
        Number::Float(_) | Number::Nan => None,
    }
}

/// True or false in any case.
pub(super) fn flag(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Microseconds since 1970, cut to milliseconds (T7); an error if the time of the question is needed and not known.
pub(super) fn time(text: &str, span: Span, settings: &Settings) -> Result<Option<i64>, Diagnostic> {
    if let Some(micros) = parse_iso(text) {
        return Ok(Some(micros.div_euclid(MILLISECOND) * MILLISECOND));
    }
    // Any instant shows whether the text has the form.
    if parse_relative(text, 0).is_none() {
        return Ok(None);
    }
    let now = settings.now.ok_or_else(|| {
        Diagnostic::error(Kind::Semantic, "a relative time needs to know what time it is")
            .label(span, "")
            .hint("say from when it counts with --now")
    })?;
    Ok(parse_relative(text, now).map(|micros| micros.div_euclid(MILLISECOND) * MILLISECOND))
}

/// Compares integers: exactly, with a float by its value (R23).
pub(super) fn compare_int(op: CompareOp, number: Number) -> Option<Test> {
    match number {
        Number::Int(number) => Some(Test::Compare { op, value: Literal::Int(number) }),
        Number::Float(number) => Some(Test::Compare { op, value: Literal::Float(number) }),
        Number::Nan => None,
    }
}

/// Compares floats: the literal becomes the nearest float first (R23). Only `=` asks for NaN (R13).
pub(super) fn compare_float(op: CompareOp, number: Number) -> Option<Test> {
    match number {
        Number::Int(_) | Number::Float(_) => Some(Test::Compare { op, value: Literal::Float(number.as_f64()) }),
        Number::Nan if op == CompareOp::Eq => Some(Test::IsNan),
        Number::Nan => None,
    }
}

/// Compares times to the millisecond: stored times are cut like the literal (T7).
pub(super) fn compare_time(op: CompareOp, micros: i64) -> Test {
    let next = micros.saturating_add(MILLISECOND);
    let compare = |op, micros| Test::Compare { op, value: Literal::Time(micros) };
    match op {
        CompareOp::Eq => Test::TimeWithin(micros, next),
        CompareOp::Lt => compare(CompareOp::Lt, micros),
        CompareOp::LtEq => compare(CompareOp::Lt, next),
        CompareOp::Gt => compare(CompareOp::GtEq, next),
        CompareOp::GtEq => compare(CompareOp::GtEq, micros),
    }
}

/// One test for «equals one of these»: sets are looked up at once, whatever there are many of.
pub(super) fn one_of(tests: impl IntoIterator<Item = Test>) -> Option<Test> {
    let (mut values, mut others) = (vec![], vec![]);
    for test in tests {
        match test {
            Test::Compare { op: CompareOp::Eq, value } => values.push(value),
            Test::In(more) => values.extend(more),
            other if !others.contains(&other) => others.push(other),
            _ => {}
        }
    }
    match values.len() {
        0 => {}
        1 => others.extend(values.pop().map(|value| Test::Compare { op: CompareOp::Eq, value })),
        _ => others.push(Test::In(values)),
    }
    if others.len() > 1 { Some(Test::Any(others)) } else { others.pop() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, number) in [
            ("35kb", Number::Int(35_840)),
            ("35 KB", Number::Int(35_840)),
            ("20MB", Number::Int(20_971_520)),
            ("1.5GB", Number::Int(3 << 29)),
            ("-1", Number::Int(-1)),
            ("1e9", Number::Float(1e9)),
            ("0.1kb", Number::Float(102.4)),
            ("9999999999gb", Number::Float(9_999_999_999.0 * 1_073_741_824.0)),
        ] {
            assert_eq!(sized(text, None), Some(number), "{text}");
        }
        assert_eq!(sized("2MB", Some(1000)), Some(Number::Int(2_000_000)));
        for text in ["", "kb", "100b", "1tb", "1kib", "35 k b", "many", "nankb", "infgb", "1 kb ", "é", "1é"] {
            assert_eq!(sized(text, None), None, "{text}");
        }
    }

    #[test]
    fn equalities_become_a_set() {
        let equal = |number| Test::Compare { op: CompareOp::Eq, value: Literal::Int(number) };
        assert_eq!(one_of([equal(1)]), Some(equal(1)));
        assert_eq!(one_of([equal(1), equal(2)]), Some(Test::In(vec![Literal::Int(1), Literal::Int(2)])));
        assert_eq!(one_of([Test::IsNan, equal(1), Test::IsNan]), Some(Test::Any(vec![Test::IsNan, equal(1)])));
        assert_eq!(one_of([]), None);
    }
}
