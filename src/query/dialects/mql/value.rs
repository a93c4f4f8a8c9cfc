//! Constants: words to numbers, texts without their escapes, days and instants.

use super::tree::Value;
use crate::model::Scalar;

/// What a word means as a constant, or nothing if it cannot be one. Floats come first, then integers, `true` and `false`.
pub(super) fn word(text: &str) -> Option<Value> {
    if is_int(text) {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let digits = digits.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        return Some(Value::Int(format!("{}{digits}", if digits == "0" { "" } else { sign })));
    }
    if is_float(text)
        && let Ok(number) = text.parse::<f64>()
    {
        return number.is_finite().then_some(Value::Float(number));
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Some(Value::Bool(text.eq_ignore_ascii_case("true")));
    }
    if text == "null" {
        return Some(Value::Null);
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '@' | '_' | '.' | '-');
    (!text.is_empty() && text.chars().all(safe)).then(|| Value::Word(text.to_owned()))
}

/// `[+-] digits`
pub(super) fn is_int(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[+-] (digits "." [digits] | "." digits | digits) [("e"|"E") [+-] digits]`
fn is_float(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part) && whole.len() + part.len() > 0,
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa && exponent.is_none_or(is_int)
}

/// A float as an exact decimal: the shortest that stands for it.
pub(super) fn decimal(number: f64) -> String {
    format!("{:e}", if number == 0.0 { 0.0 } else { number })
}

/// A text in which a backslash begins an escape of JSON paths: `\n`, `\t`, `\u00e9`, `\x41`; any other character behind one
/// stands for itself.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('u') => match unicode(&mut chars) {
                Some(c) => out.push(c),
                None => out.push('u'),
            },
            Some('x') => match digits(&mut chars, 2).and_then(char::from_u32) {
                Some(c) => out.push(c),
                None => out.push('x'),
            },
            Some(c) => out.push(c),
            None => out.push('\\'),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Reads so many hexadecimal digits; nothing is read if they are not there.
fn digits(chars: &mut Chars<'_>, count: usize) -> Option<u32> {
    let mut ahead = chars.clone();
    let mut value = 0;
    for _ in 0..count {
        value = value * 16 + ahead.next()?.to_digit(16)?;
    }
    *chars = ahead;
    Some(value)
}

/// The character of an escape behind `\u`: four digits, two such (a surrogate pair), or digits in curly brackets.
fn unicode(chars: &mut Chars<'_>) -> Option<char> {
    if chars.peek() == Some(&'{') {
        let mut ahead = chars.clone();
        ahead.next();
        let mut value: u32 = 0;
        loop {
            match ahead.next()? {
                '}' => break,
                c => value = value.checked_mul(16)?.checked_add(c.to_digit(16)?)?,
            }
        }
        *chars = ahead;
        return char::from_u32(value);
    }
    let first = digits(chars, 4)?;
    if let 0xd800..=0xdbff = first {
        let mut ahead = chars.clone();
        if (ahead.next(), ahead.next()) == (Some('\\'), Some('u'))
            && let Some(second @ 0xdc00..=0xdfff) = digits(&mut ahead, 4)
        {
            *chars = ahead;
            return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        }
    }
    char::from_u32(first)
}

/// Seconds since 1970 of `YYYY-MM-DD[(T| )hh:mm[:ss[.f]][±hh:mm]]`; UTC unless it says otherwise.
pub(super) fn instant(text: &str) -> Option<f64> {
    let text = text.trim();
    // The calendar is shared; here a blank may stand for the T.
    let iso = match text.split_once(' ') {
        Some((date, time)) => format!("{date}T{}", time.trim_start()),
        None => text.to_owned(),
    };
    crate::syntax::time::parse_iso(&iso).map(|micros| micros as f64 / 1e6)
}

/// Seconds at which a day begins, at an offset such as `-05:00`.
pub(super) fn day(date: &str, offset: Option<&str>) -> Option<f64> {
    let (date, zone) = (date.trim(), offset.unwrap_or("+00:00").trim());
    let is_date = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !is_date || !(zone.starts_with(['+', '-']) || zone == "Z") {
        return None;
    }
    instant(&format!("{date}T00:00:00{zone}"))
}

/// Constants of metadata.
pub(super) fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Int(digits) => Scalar::Number(digits.clone()),
        Value::Float(number) | Value::Moment(number) | Value::Day(number) => Scalar::Number(decimal(*number)),
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Null => Scalar::Null,
        Value::Word(text) => Scalar::Text(text.clone()),
        Value::Text(text) => Scalar::Text(unescape(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let cases = [
            ("011002", Value::Int("11002".into())),
            ("-0", Value::Int("0".into())),
            ("+5", Value::Int("5".into())),
            ("1.", Value::Float(1.0)),
            (".5", Value::Float(0.5)),
            ("1e3", Value::Float(1000.0)),
            ("TRUE", Value::Bool(true)),
            ("2024-01-15", Value::Word("2024-01-15".into())),
            ("0x5", Value::Word("0x5".into())),
            ("v09_72", Value::Word("v09_72".into())),
        ];
        for (text, value) in cases {
            assert_eq!(word(text), Some(value), "{text}");
        }
        assert!(word("100%").is_none() && word("/pnfs/x").is_none() && word("raw*").is_none());
        assert_eq!(decimal(5.000000000000000000001), "5e0");
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(r"a\tb\\d\.\u00e9\u{1F600}\ud83d\ude80"), "a\tb\\d.é😀🚀");
    }

    #[test]
    fn times() {
        assert_eq!(instant("2011-11-04"), Some(1_320_364_800.0));
        assert_eq!(instant("2011-11-04 12:00:00+05:00"), Some(1_320_390_000.0));
        assert_eq!(day("2011-11-04", Some("-05:00")), Some(1_320_382_800.0));
        assert!(day("2011-11", None).is_none() && instant("soon").is_none());
    }
}
