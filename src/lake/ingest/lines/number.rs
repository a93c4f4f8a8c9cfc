//! JSON numbers: one pass over the digits, exact results.

/// A number as written, with what the scan learned about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'a> {
    /// The digits as written.
    pub(crate) raw: &'a str,
    /// Written without fraction and exponent: an int, however large.
    pub(crate) integer: bool,
    negative: bool,
    /// The digits as one integer; only meaningful while there are at most 18 of them.
    mantissa: u64,
    digits: usize,
    fraction: usize,
    exponent: bool,
}

/// Powers of ten that a double holds exactly.
const EXACT_TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

impl<'a> Number<'a> {
    /// The number at the start of `text`, if there is one in JSON's notation.
    #[inline]
    pub(crate) fn scan(text: &'a str) -> Option<Number<'a>> {
        let bytes = text.as_bytes();
        let mut at = 0;
        let mut mantissa = 0u64;
        let digits_from = |at: &mut usize, mantissa: &mut u64| {
            let start = *at;
            while let Some(byte @ b'0'..=b'9') = bytes.get(*at) {
                *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                *at += 1;
            }
            *at - start
        };
        let negative = bytes.first() == Some(&b'-');
        if negative {
            at = 1;
        }
        let leading_zero = bytes.get(at) == Some(&b'0');
        let whole = digits_from(&mut at, &mut mantissa);
        if whole == 0 || (leading_zero && whole > 1) {
            return None;
        }
        let mut fraction = 0;
        let mut integer = true;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            integer = false;
            fraction = digits_from(&mut at, &mut mantissa);
            if fraction == 0 {
                return None;
            }
        }
        let mut exponent = false;
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            integer = false;
            exponent = true;
            if matches!(bytes.get(at), Some(b'+' | b'-')) {
                at += 1;
            }
            let mut ignored = 0;
            if digits_from(&mut at, &mut ignored) == 0 {
                return None;
            }
        }
        let raw = text.get(..at)?;
        Some(Number { raw, integer, negative, mantissa, digits: whole + fraction, fraction, exponent })
    }

    /// The value as a double, correctly rounded; out-of-range values become infinite.
    #[inline]
    pub(crate) fn float(&self) -> f64 {
        // Both operands are exact, so the one rounding of the division gives the nearest double.
        if self.digits <= 18
            && self.mantissa < (1 << 53)
            && !self.exponent
            && let Some(ten) = EXACT_TENS.get(self.fraction)
        {
            // An int has no negative zero.
            if self.integer && self.mantissa == 0 {
                return 0.0;
            }
            let value = self.mantissa as f64 / ten;
            return if self.negative { -value } else { value };
        }
        self.raw.parse().unwrap_or(f64::NAN)
    }

    /// The value as a 64-bit integer, if it is written as an integer and fits.
    #[inline]
    pub(crate) fn int(&self) -> Option<i64> {
        if !self.integer {
            return None;
        }
        if self.digits <= 18 {
            let value = self.mantissa as i64;
            return Some(if self.negative { -value } else { value });
        }
        self.raw.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_the_nearest_double() {
        for text in [
            "0",
            "0.1",
            "-0.1",
            "123456.789",
            "1e22",
            "1e23",
            "9007199254740993",
            "9007199254740993.0",
            "5e-324",
            "1.7976931348623157e308",
            "0.30000000000000004",
            "123456789012345678901234567890",
            "2.5",
            "1639987200.000125",
            "0.000000000000000000000000000001",
            "4.35",
            "100000000000000000000000.0",
        ] {
            let number = Number::scan(text).unwrap();
            assert_eq!(number.raw, text);
            assert_eq!(number.float().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        assert_eq!(Number::scan("-0.0").unwrap().float().to_bits(), (-0.0f64).to_bits());
        assert_eq!(Number::scan("-0").unwrap().float().to_bits(), 0.0f64.to_bits());
        assert_eq!(Number::scan("1e999").unwrap().float(), f64::INFINITY);
    }

    #[test]
    fn integers_keep_all_their_digits() {
        for value in [0, 1, -1, 999_999_999_999_999_999, i64::MAX, i64::MIN] {
            assert_eq!(Number::scan(&value.to_string()).unwrap().int(), Some(value));
        }
        let big = Number::scan("9223372036854775808").unwrap();
        assert!(big.integer);
        assert_eq!(big.int(), None);
        assert_eq!(Number::scan("1.0").unwrap().int(), None);
        assert_eq!(Number::scan("1e3").unwrap().int(), None);
    }
}
