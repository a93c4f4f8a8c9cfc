//! A text as moment.

use super::calendar::{Date, Instant, LAST_YEAR, days_of, is_leap};
use super::pattern::{Field, MONTHS, Pattern, Token, WEEKDAYS};

/// Years of two digits lie between 50 years before this one and 49 after it. The original takes the current year less 30.
const PIVOT: i64 = 1996;

/// What was read.
#[derive(Default)]
struct Read {
    year: Option<i64>,
    week_year: Option<i64>,
    century: Option<i64>,
    before_christ: bool,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    week: Option<i64>,
    weekday: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    milli: i64,
    /// Milliseconds east of UTC.
    offset: i64,
}

impl Pattern {
    /// Reads a moment; the whole text must be of the pattern. Without a year it is 2000 if there is a month or day, else 1970.
    ///
    /// # Errors
    /// Where the text is not of the pattern, or which value is too great.
    pub fn parse(&self, text: &str) -> Result<Instant, String> {
        let mut read = Read::default();
        let mut rest = text;
        for (index, token) in self.tokens.iter().enumerate() {
            let next_is_number = self.tokens.get(index + 1).is_some_and(Token::is_number);
            let parsed = match token {
                Token::Literal(literal) => strip(rest, literal),
                Token::Field(field, count) => read.field(*field, *count, next_is_number, rest),
            };
            rest = parsed.ok_or_else(|| malformed(text, rest))?;
        }
        if !rest.is_empty() {
            return Err(malformed(text, rest));
        }
        read.instant()
    }
}

fn malformed(text: &str, rest: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    let place = text.len() - rest.len();
    if rest.is_empty() {
        format!("`{shown}` is too short for the pattern")
    } else {
        format!("`{shown}` is not of the pattern from byte {place} on")
    }
}

/// What follows a literal, in any case.
fn strip<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let head = text.get(..literal.len())?;
    if head.to_lowercase() == literal.to_lowercase() { text.get(literal.len()..) } else { None }
}

/// A number of at most so many digits, and what follows.
fn digits(text: &str, most: usize, signed: bool) -> Option<(i64, usize, &str)> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) if signed => (true, rest),
        _ if signed => (false, text.strip_prefix('+').unwrap_or(text)),
        _ => (false, text),
    };
    let count = unsigned.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let value: i64 = unsigned.get(..count)?.parse().ok()?;
    Some((if negative { -value } else { value }, count, unsigned.get(count..)?))
}

/// The number of a name, in short or long form, and what follows.
fn named<'a>(names: &[&str], text: &'a str) -> Option<(i64, &'a str)> {
    names.iter().zip(1..).find_map(|(name, number)| {
        let rest = strip(text, name).or_else(|| strip(text, name.get(..3)?))?;
        Some((number, rest))
    })
}

/// A year of two digits, or as it is where it has more or fewer.
fn year(text: &str, count: usize, next_is_number: bool) -> Option<(i64, &str)> {
    if count != 2 {
        let (value, _, rest) = digits(text, if next_is_number { count } else { 9 }, true)?;
        return Some((value, rest));
    }
    let (value, length, rest) = if next_is_number { digits(text, 2, false)? } else { digits(text, 9, true)? };
    if next_is_number && length != 2 {
        return None;
    }
    if length != 2 || text.starts_with(['-', '+']) {
        return Some((value, rest));
    }
    let low = PIVOT - 50;
    let year = low - low % 100 + value;
    Some((if year < low { year + 100 } else { year }, rest))
}

impl Read {
    fn field<'a>(&mut self, field: Field, count: usize, next_is_number: bool, text: &'a str) -> Option<&'a str> {
        let two = |place: &mut Option<i64>| {
            let (value, _, rest) = digits(text, 2, false)?;
            *place = Some(value);
            Some(rest)
        };
        match field {
            Field::Year | Field::YearOfEra => {
                let (value, rest) = year(text, count, next_is_number)?;
                self.year = Some(value);
                Some(rest)
            }
            Field::WeekYear => {
                let (value, rest) = year(text, count, next_is_number)?;
                self.week_year = Some(value);
                Some(rest)
            }
            Field::Century => {
                let (value, _, rest) = digits(text, 9, true)?;
                self.century = Some(value);
                Some(rest)
            }
            Field::Era => {
                self.before_christ = strip(text, "BC").is_some();
                strip(text, "AD").or_else(|| strip(text, "BC"))
            }
            Field::Month if count >= 3 => {
                let (value, rest) = named(&MONTHS, text)?;
                self.month = Some(value);
                Some(rest)
            }
            Field::Weekday => {
                let (value, rest) = named(&WEEKDAYS, text)?;
                self.weekday = Some(value);
                Some(rest)
            }
            Field::Month => two(&mut self.month),
            Field::Day => two(&mut self.day),
            Field::Week => two(&mut self.week),
            Field::WeekdayNumber => {
                let (value, _, rest) = digits(text, 1, false)?;
                self.weekday = Some(value);
                Some(rest)
            }
            Field::DayOfYear => {
                let (value, _, rest) = digits(text, 3, false)?;
                self.day_of_year = Some(value);
                Some(rest)
            }
            Field::HalfDay => {
                self.afternoon = Some(strip(text, "PM").is_some());
                strip(text, "AM").or_else(|| strip(text, "PM"))
            }
            Field::Hour => two(&mut self.hour),
            Field::ClockHour => {
                let rest = two(&mut self.hour)?;
                self.hour = self.hour.filter(|hour| *hour >= 1).map(|hour| hour % 24);
                self.hour.map(|_| rest)
            }
            Field::HourOfHalfDay => two(&mut self.half_hour),
            Field::ClockHourOfHalfDay => {
                let rest = two(&mut self.half_hour)?;
                self.half_hour = self.half_hour.filter(|hour| (1..=12).contains(hour)).map(|hour| hour % 12);
                self.half_hour.map(|_| rest)
            }
            Field::Minute | Field::Second => {
                let (value, _, rest) = digits(text, 2, false)?;
                *(if field == Field::Minute { &mut self.minute } else { &mut self.second }) = value;
                Some(rest)
            }
            Field::Fraction => {
                let length = text.bytes().take(count).take_while(u8::is_ascii_digit).count();
                if length == 0 {
                    return None;
                }
                let digits: String = text.get(..length)?.chars().chain("000".chars()).take(3).collect();
                self.milli = digits.parse().ok()?;
                text.get(length..)
            }
            Field::Offset => self.zone(text),
            Field::ZoneName => strip(text, "UTC").or_else(|| strip(text, "GMT")),
        }
    }

    /// `zone = "Z" | "UTC" | ( "+" | "-" ) hh [ ":" ] mm`.
    fn zone<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = strip(text, "UTC").or_else(|| text.strip_prefix('Z')) {
            return Some(rest);
        }
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let (hours, _, rest) = digits(text.strip_prefix(['+', '-'])?, 2, false)?;
        let (minutes, _, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2, false)?;
        self.offset = sign * (hours * 60 + minutes) * 60_000;
        Some(rest)
    }

    fn date(&self) -> Result<Date, String> {
        let within = |value: i64, most: i64, what: &str| match value {
            value if (1..=most).contains(&value) => Ok(value),
            value => Err(format!("{what} {value} lies outside of 1 to {most}")),
        };
        let partial = self.month.is_some() || self.day.is_some();
        let mut year = self.year.unwrap_or(if partial { 2000 } else { 1970 });
        if let Some(century) = self.century {
            year = century.saturating_mul(100).saturating_add(year.rem_euclid(100));
        }
        if self.before_christ {
            year = 1 - year;
        }
        if year.abs() > LAST_YEAR || self.week_year.is_some_and(|year| year.abs() > LAST_YEAR) {
            return Err(format!("the year {year} is too far away"));
        }
        if self.week.is_some() || self.week_year.is_some() {
            let year = self.week_year.unwrap_or(year);
            let fourth = Date { year, month: 1, day: 4 };
            let week = within(self.week.unwrap_or(1), 53, "week")?;
            let weekday = within(self.weekday.unwrap_or(1), 7, "weekday")?;
            return Ok(Date::of_days(fourth.days() - fourth.weekday() + 7 * (week - 1) + weekday));
        }
        if let Some(day) = self.day_of_year {
            let day = within(day, if is_leap(year) { 366 } else { 365 }, "day of the year")?;
            return Ok(Date::of_days(Date { year, month: 1, day: 1 }.days() + day - 1));
        }
        let month = within(self.month.unwrap_or(1), 12, "month")?;
        let day = within(self.day.unwrap_or(1), days_of(year, month), "day")?;
        let date = Date { year, month, day };
        // A weekday alone moves the date within its week; beside a day it says what is known.
        match self.weekday.filter(|_| self.day.is_none()) {
            Some(weekday) => Ok(Date::of_days(date.days() - date.weekday() + within(weekday, 7, "weekday")?)),
            None => Ok(date),
        }
    }

    fn instant(&self) -> Result<Instant, String> {
        let date = self.date()?;
        let half = if self.afternoon == Some(true) { 12 } else { 0 };
        let hour = match (self.hour, self.half_hour) {
            (Some(hour), _) => hour,
            (None, Some(hour)) if hour < 12 => hour + half,
            (None, Some(hour)) => return Err(format!("hour {hour} lies outside of 0 to 11")),
            (None, None) => half,
        };
        for (value, most, what) in [(hour, 23, "hour"), (self.minute, 59, "minute"), (self.second, 59, "second")] {
            if value > most {
                return Err(format!("{what} {value} lies outside of 0 to {most}"));
            }
        }
        let millis = ((hour * 60 + self.minute) * 60 + self.second) * 1000 + self.milli - self.offset;
        Instant::of(date, millis).ok_or_else(|| "the date is too far away".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(input: &str, output: &str, text: &str) -> Result<String, String> {
        Pattern::new(output)?.print(Pattern::new(input)?.parse(text)?)
    }

    #[test]
    fn dates_are_read_and_written() {
        assert_eq!(turn("yyMMdd", "yyyy-MM-dd", "130207").unwrap(), "2013-02-07");
        assert_eq!(turn("yyyy", "yy", "130101").unwrap(), "01");
        assert_eq!(turn("yyMMdd", "yyyy", "460101").unwrap(), "1946");
        assert_eq!(turn("yyMMdd", "yyyy", "450101").unwrap(), "2045");
        assert_eq!(turn("dd MMM yyyy", "EEEE D w x", "3 Jan 2021").unwrap(), "Sunday 3 53 2020");
        assert_eq!(turn("MMdd", "yyyy", "0229").unwrap(), "2000");
        assert_eq!(turn("HH:mm", "yyyy hh a", "13:05").unwrap(), "1970 01 PM");
        assert_eq!(
            turn("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "HH:mm:ss S", "2013-01-01T01:00:00.250+0200").unwrap(),
            "23:00:00 2"
        );
        assert_eq!(turn("x-'W'ww-e", "yyyyMMdd", "2020-W53-7").unwrap(), "20210103");
    }

    #[test]
    fn what_is_not_of_the_pattern_is_refused() {
        for (input, text) in [
            ("yyMMdd", "1"),
            ("yyMMdd", "130230"),
            ("yyMMdd", "1302071"),
            ("yyyy", ""),
            ("HH", "24"),
            ("yyyy", "999999999"),
        ] {
            assert!(turn(input, "yy", text).is_err(), "{input} {text}");
        }
        assert!(Pattern::new("bb").is_err() && Pattern::new("'a").is_err() && Pattern::new("").is_err());
        assert_eq!(Pattern::new("''yy").unwrap().print(Instant::of_millis(0)).unwrap(), "'70");
        assert!(turn("yyyy", "yyyy", "291999999").is_ok());
    }
}
