//! Numbers as people write them in values.

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Written without fraction and exponent, and within 64 bits.
    Int(i64),
    /// Any other, the nearest float; infinite, but never NaN.
    Float(f64),
    /// Not a number.
    Nan,
}

impl Number {
    /// The nearest float.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
            Self::Nan => f64::NAN,
        }
    }
}

/// The number that the whole text is, or nothing.
///
/// ```ebnf
/// number = [ "+" | "-" ] , ( finite | "inf" | "infinity" ) | "nan" ;   (* words in any case *)
/// finite = ( digits , [ "." , digits ] | "." , digits ) , [ ( "e" | "E" ) , [ "+" | "-" ] , digits ] ;
/// ```
pub fn parse_number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.eq_ignore_ascii_case("nan") {
        return Some(Number::Nan);
    }
    if ["inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Some(Number::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    let (length, whole) = finite(unsigned)?;
    if length != unsigned.len() {
        return None;
    }
    match text.parse::<i64>() {
        Ok(number) if whole => Some(Number::Int(number)),
        _ => text.parse().ok().map(Number::Float),
    }
}

/// The length of the finite number without sign that a text begins with, and whether it has neither fraction nor exponent.
pub fn finite(text: &str) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let before = digits(0);
    let mut length = before;
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if length == 0 {
        return None;
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + signed);
        if exponent > 0 {
            length += 1 + signed + exponent;
        }
    }
    Some((length, length == before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, number) in [
            ("0", Number::Int(0)),
            ("-5", Number::Int(-5)),
            ("+5", Number::Int(5)),
            ("007", Number::Int(7)),
            ("9223372036854775807", Number::Int(i64::MAX)),
            ("9223372036854775808", Number::Float(9_223_372_036_854_775_808.0)),
            (".5", Number::Float(0.5)),
            ("5e-3", Number::Float(0.005)),
            ("1E+5", Number::Float(1e5)),
            ("20.0", Number::Float(20.0)),
            ("1e999", Number::Float(f64::INFINITY)),
            ("-Infinity", Number::Float(f64::NEG_INFINITY)),
            ("INF", Number::Float(f64::INFINITY)),
        ] {
            assert_eq!(parse_number(text), Some(number), "{text}");
        }
        assert!(matches!(parse_number("NaN"), Some(Number::Nan)));
        for text in ["", "-", ".", "5.", "1e", "e5", "0x10", "1_000", " 5", "5 ", "--5", "1.2.3", "-nan", "٣", "infin"]
        {
            assert_eq!(parse_number(text), None, "{text}");
        }
    }
}
