//! Comparing numbers as they are written, exactly.

use std::cmp::Ordering;

/// A number: its sign, its digits without zeros at either end, and the power of ten of its first digit.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    part: &'a str,
    /// Power of ten of the first digit that is not zero; nothing for zero.
    first: Option<i64>,
}

impl<'a> Decimal<'a> {
    /// Reads a JSON number.
    fn new(text: &'a str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 =
            exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 });
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0');
        let first = if whole.is_empty() {
            part.find(|digit| digit != '0').map(|at| exponent - at as i64 - 1)
        } else {
            Some(exponent + whole.len() as i64 - 1)
        };
        Self { negative: negative && first.is_some(), whole, part, first }
    }

    /// The digits from the first that is not zero.
    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.bytes().chain(self.part.bytes()).skip_while(|digit| *digit == b'0')
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.first.cmp(&other.first).then_with(|| {
            let (mut left, mut right) = (self.digits(), other.digits());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    (a, b) => match a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        different => return different,
                    },
                }
            }
        })
    }
}

/// Compares two JSON numbers by value: `1.0` equals `10e-1`.
pub fn compare(a: &str, b: &str) -> Ordering {
    if let (Ok(a), Ok(b)) = (a.parse::<i64>(), b.parse::<i64>()) {
        return a.cmp(&b);
    }
    let (a, b) = (Decimal::new(a), Decimal::new(b));
    match (a.negative, b.negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => a.magnitude(&b),
        (true, true) => b.magnitude(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let ascending = [
            "-1e400",
            "-5.5",
            "-5",
            "-1e-300",
            "0",
            "1e-300",
            "0.3",
            "0.30000000000000004",
            "5",
            "9007199254740992",
            "9007199254740993",
            "1e25",
            "1e400",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in
            [("5", "5.0"), ("10e-1", "1"), ("0.0", "-0"), ("10000000000000000000000000", "1e25"), ("1.50", "15e-1")]
        {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(compare("1e99999999999999999999", "5"), Ordering::Greater);
    }
}
