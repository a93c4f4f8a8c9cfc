//! Numbers and times as JSON text, written into a byte buffer: a generator of gigabytes cannot afford `format!`.

/// The unit of [`push_fixed`]: a number is this many times its value.
pub(crate) const FIXED_ONE: i64 = 1_000_000_000_000_000;

const MICROS: i64 = 1_000_000;

/// Append text.
pub(crate) fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Append a whole number with at least `width` digits (zeros in front).
pub(crate) fn push_padded(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    let start = start.min(digits.len() - width.min(digits.len()));
    out.extend_from_slice(&digits[start..]);
}

/// Append a whole number.
pub(crate) fn push_int(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_padded(out, number.unsigned_abs(), 1);
}

/// Append `number / FIXED_ONE` with all 15 decimals.
///
/// For numbers below 2^53 the text reads back as exactly [`fixed_value`], since both are that quotient rounded once.
pub(crate) fn push_fixed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let number = number.unsigned_abs();
    push_padded(out, number / FIXED_ONE as u64, 1);
    out.push(b'.');
    push_padded(out, number % FIXED_ONE as u64, 15);
}

/// What [`push_fixed`] writes, as a float.
pub(crate) fn fixed_value(number: i64) -> f64 {
    number as f64 / FIXED_ONE as f64
}

/// Append a finite float in the shortest form that reads back the same; always recognisable as a float.
pub(crate) fn push_float(out: &mut Vec<u8>, number: f64) {
    // Debug, unlike Display, keeps `.0` and uses exponents for very large and very small numbers.
    push(out, &format!("{number:?}"));
}

/// Append a number of microseconds as seconds.
pub(crate) fn push_seconds(out: &mut Vec<u8>, micros: i64) {
    push_padded(out, (micros / MICROS).unsigned_abs(), 1);
    out.push(b'.');
    push_padded(out, (micros % MICROS).unsigned_abs(), 6);
}

/// Append microseconds since 1970 as ISO 8601 in UTC, in quotes.
pub(crate) fn push_iso(out: &mut Vec<u8>, micros: i64) {
    let (seconds, fraction) = (micros.div_euclid(MICROS), micros.rem_euclid(MICROS));
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let parts = [
        (b'"', year, 4),
        (b'-', month, 2),
        (b'-', day, 2),
        (b'T', second / 3600, 2),
        (b':', second / 60 % 60, 2),
        (b':', second % 60, 2),
        (b'.', fraction, 6),
    ];
    for (before, number, width) in parts {
        out.push(before);
        push_padded(out, number.unsigned_abs(), width);
    }
    push(out, "Z\"");
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // Count from 1 March of the year 0: then the leap day is the last day of a year, and months have a fixed rhythm.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whole_numbers() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, i64::MAX, i64::MIN, -7] {
            assert_eq!(text(|out| push_int(out, number)), number.to_string());
        }
        assert_eq!(text(|out| push_padded(out, 42, 5)), "00042");
        assert_eq!(text(|out| push_padded(out, 123_456, 2)), "123456");
    }

    #[test]
    fn fixed_numbers_read_back_exactly() {
        assert_eq!(text(|out| push_fixed(out, 0)), "0.000000000000000");
        assert_eq!(text(|out| push_fixed(out, -2_500_000_000_000_000)), "-2.500000000000000");
        let mut dice = crate::dice::Dice::new(3);
        for _ in 0..10_000 {
            let number = dice.below(9 * FIXED_ONE as u64) as i64;
            let read: f64 = text(|out| push_fixed(out, number)).parse().unwrap();
            assert_eq!(read.to_bits(), fixed_value(number).to_bits());
        }
    }

    #[test]
    fn floats_are_json_floats() {
        for number in [1.0, 0.1, 1e-7, 1e300, 123_456.75] {
            let written = text(|out| push_float(out, number));
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            assert!(read.is_f64(), "{written}");
            assert_eq!(read.as_f64(), Some(number));
        }
    }

    #[test]
    fn times() {
        assert_eq!(text(|out| push_seconds(out, 1_730_678_400_000_042)), "1730678400.000042");
        let iso = |micros| text(|out| push_iso(out, micros));
        assert_eq!(iso(0), "\"1970-01-01T00:00:00.000000Z\"");
        assert_eq!(iso(1_730_678_400_000_000), "\"2024-11-04T00:00:00.000000Z\"");
        assert_eq!(iso(951_782_400_000_001), "\"2000-02-29T00:00:00.000001Z\"");
        assert_eq!(iso(1_709_251_199_999_999), "\"2024-02-29T23:59:59.999999Z\"");
        assert_eq!(iso(-1), "\"1969-12-31T23:59:59.999999Z\"");
    }
}
