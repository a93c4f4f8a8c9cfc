//! Points in time as people write them, and the calendar behind them. No clock: «now» is always given.

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// Microseconds of a day.
const DAY: i64 = 86_400 * SECOND;
/// Microseconds of a millisecond.
pub const MILLISECOND: i64 = 1_000;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// Years begin in March here, so that the leap day comes last, and are counted in eras of 400 (146,097 days).
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day counted from 1970-01-01: year, month, day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The instant of an ISO 8601 text in microseconds since 1970, or nothing if it is none. Without an offset it is in UTC, a
/// date alone is its midnight. Digits beyond microseconds are cut off.
///
/// ```ebnf
/// time   = date , [ "T" , hh , ":" , mm , [ ":" , ss , [ "." , digits ] ] , [ offset ] ] ;
/// date   = YYYY , "-" , MM , "-" , DD ;
/// offset = "Z" | ( "+" | "-" ) , hh , [ [ ":" ] , mm ] ;
/// ```
pub fn parse_iso(text: &str) -> Option<i64> {
    let mut rest = Fields { text };
    let year = rest.digits(4)?;
    rest.eat("-").then_some(())?;
    let month = rest.digits(2)?;
    rest.eat("-").then_some(())?;
    let day = rest.digits(2)?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let mut micros = days_of(year, month, day) * DAY;
    if rest.text.is_empty() {
        return Some(micros);
    }
    rest.eat("T").then_some(())?;
    let hour = rest.digits(2)?;
    rest.eat(":").then_some(())?;
    let minute = rest.digits(2)?;
    let mut second = 0;
    if rest.eat(":") {
        second = rest.digits(2)?;
        if rest.eat(".") {
            micros += rest.fraction()?;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    micros += ((hour * 60 + minute) * 60 + second) * SECOND;
    let sign = if rest.eat("Z") || rest.text.is_empty() {
        0
    } else if rest.eat("+") {
        1
    } else {
        rest.eat("-").then_some(-1)?
    };
    if sign != 0 {
        let hours = rest.digits(2)?;
        let colon = rest.eat(":");
        let minutes = if colon || !rest.text.is_empty() { rest.digits(2)? } else { 0 };
        if hours > 23 || minutes > 59 {
            return None;
        }
        micros -= sign * (hours * 60 + minutes) * 60 * SECOND;
    }
    rest.text.is_empty().then_some(micros)
}

struct Fields<'a> {
    text: &'a str,
}

impl Fields<'_> {
    fn eat(&mut self, piece: &str) -> bool {
        match self.text.strip_prefix(piece) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    /// Exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.text.split_at_checked(count)?;
        self.text = rest;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    }

    /// The digits of a fraction of a second in microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let length = self.text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.text.split_at_checked(length)?;
        self.text = rest;
        let six: String = digits.chars().chain("000000".chars()).take(6).collect();
        if digits.is_empty() { None } else { six.parse().ok() }
    }
}

/// The instant `-<n><unit>` before `now` (both in microseconds since 1970), or nothing if the text is of another form or
/// the instant out of reach. Units: s m h d w, and by the calendar M (months) and y, where a day that the month does not
/// have becomes its last one.
pub fn parse_relative(text: &str, now: i64) -> Option<i64> {
    let (number, unit) = text.strip_prefix('-')?.split_at_checked(text.len().checked_sub(2)?)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = number.parse().ok()?;
    let back = |micros: i64| now.checked_sub(number.checked_mul(micros)?);
    match unit {
        "s" => back(SECOND),
        "m" => back(60 * SECOND),
        "h" => back(3_600 * SECOND),
        "d" => back(DAY),
        "w" => back(7 * DAY),
        "M" => months_before(now, number),
        "y" => months_before(now, number.checked_mul(12)?),
        _ => None,
    }
}

fn months_before(now: i64, months: i64) -> Option<i64> {
    let (days, time) = (now.div_euclid(DAY), now.rem_euclid(DAY));
    let (year, month, day) = date_of(days);
    let count = (year * 12 + month - 1).checked_sub(months)?;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    if !(-9_999..=9_999).contains(&year) {
        return None;
    }
    let day = day.min(days_in(year, month));
    Some(days_of(year, month, day) * DAY + time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates() {
        assert_eq!((days_of(1970, 1, 1), days_of(2000, 3, 1), days_of(1969, 12, 31)), (0, 11_017, -1));
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), days);
            assert!((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day));
        }
    }

    #[test]
    fn iso_texts() {
        // 2024-02-06 is day 19,759.
        let base = 19_759 * DAY;
        for (text, micros) in [
            ("2024-02-06", base),
            ("2024-02-06T05:00", base + 5 * 3_600 * SECOND),
            ("2024-02-06T05:00:00Z", base + 5 * 3_600 * SECOND),
            ("2024-02-06T05:00:00.123Z", base + 5 * 3_600 * SECOND + 123_000),
            ("2024-02-06T05:00:00.1234567", base + 5 * 3_600 * SECOND + 123_456),
            ("2024-02-06T05:00:00+09", base - 4 * 3_600 * SECOND),
            ("2024-02-06T00:00:00-0500", base + 5 * 3_600 * SECOND),
            ("2024-02-06T00:00-05:30", base + (5 * 60 + 30) * 60 * SECOND),
        ] {
            assert_eq!(parse_iso(text), Some(micros), "{text}");
        }
        for text in [
            "",
            "2024",
            "2024-13-01",
            "2024-02-30",
            "2023-02-29",
            "2024-02-06 05:00",
            "2024-02-06T",
            "2024-02-06T5:00",
            "2024-02-06T24:00",
            "2024-02-06T05:00:00.",
            "2024-02-06T05:00:00+",
            "2024-02-06Z",
            "2024-02-06T05:00:00+9",
            "2024-02-06T05:00:00z",
            "2024-02-06T05:00:60Z",
            "２０２４-02-06",
            "2024-02-06T05:00:00+09:0",
            "-2d",
        ] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }

    #[test]
    fn relative_texts() {
        let at = |text: &str| parse_iso(text).unwrap();
        let now = at("2024-03-31T08:00:00Z");
        for (text, then) in [
            ("-0s", "2024-03-31T08:00:00Z"),
            ("-90m", "2024-03-31T06:30:00Z"),
            ("-2h", "2024-03-31T06:00:00Z"),
            ("-2d", "2024-03-29T08:00:00Z"),
            ("-1w", "2024-03-24T08:00:00Z"),
            ("-1M", "2024-02-29T08:00:00Z"),
            ("-13M", "2023-02-28T08:00:00Z"),
            ("-3M", "2023-12-31T08:00:00Z"),
            ("-1y", "2023-03-31T08:00:00Z"),
        ] {
            assert_eq!(parse_relative(text, now), Some(at(then)), "{text}");
        }
        for text in ["", "-", "-d", "2d", "-2D", "-2", "--2d", "-2 d", "-2.5d", "-99999999999999w", "-99999y", "-2é"] {
            assert_eq!(parse_relative(text, now), None, "{text}");
        }
    }
}
