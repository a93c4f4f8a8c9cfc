//! A moment as text.

use super::calendar::Instant;
use super::pattern::{Field, MONTHS, Pattern, Token, WEEKDAYS};

impl Pattern {
    /// Writes a moment.
    ///
    /// # Errors
    /// Never for what the calendar knows.
    pub fn print(&self, instant: Instant) -> Result<String, String> {
        let mut text = String::new();
        for token in &self.tokens {
            match token {
                Token::Literal(literal) => text.push_str(literal),
                Token::Field(field, count) => print(*field, *count, instant, &mut text),
            }
        }
        Ok(text)
    }
}

fn number(value: i64, digits: usize, text: &mut String) {
    if value < 0 {
        text.push('-');
    }
    text.push_str(&format!("{:0digits$}", value.unsigned_abs()));
}

fn name(names: &[&str], number: i64, long: bool, text: &mut String) {
    let name = usize::try_from(number - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
    text.push_str(if long { name } else { name.get(..3).unwrap_or(name) });
}

fn year(value: i64, count: usize, text: &mut String) {
    // Two letters are two digits, whatever the year.
    if count == 2 { number(value.abs() % 100, 2, text) } else { number(value, count, text) }
}

fn print(field: Field, count: usize, instant: Instant, text: &mut String) {
    let (date, millis) = (instant.date(), instant.millis_of_day());
    let hour = millis / 3_600_000;
    let clock = |hour: i64, last: i64| if hour == 0 { last } else { hour };
    match field {
        Field::Era => text.push_str(if date.year > 0 { "AD" } else { "BC" }),
        Field::Century => number(era_year(date.year) / 100, count, text),
        Field::YearOfEra => year(era_year(date.year), count, text),
        Field::WeekYear => year(date.week().0, count, text),
        Field::Week => number(date.week().1, count, text),
        Field::WeekdayNumber => number(date.weekday(), count, text),
        Field::Weekday => name(&WEEKDAYS, date.weekday(), count >= 4, text),
        Field::Year => year(date.year, count, text),
        Field::DayOfYear => number(date.day_of_year(), count, text),
        Field::Month if count >= 3 => name(&MONTHS, date.month, count >= 4, text),
        Field::Month => number(date.month, count, text),
        Field::Day => number(date.day, count, text),
        Field::HalfDay => text.push_str(if hour < 12 { "AM" } else { "PM" }),
        Field::HourOfHalfDay => number(hour % 12, count, text),
        Field::ClockHourOfHalfDay => number(clock(hour % 12, 12), count, text),
        Field::Hour => number(hour, count, text),
        Field::ClockHour => number(clock(hour, 24), count, text),
        Field::Minute => number(millis / 60_000 % 60, count, text),
        Field::Second => number(millis / 1000 % 60, count, text),
        Field::Fraction => {
            let digits = format!("{:03}{:0<width$}", millis % 1000, "", width = count.saturating_sub(3));
            text.push_str(digits.get(..count).unwrap_or(&digits));
        }
        Field::ZoneName => text.push_str(if count >= 4 { "Coordinated Universal Time" } else { "UTC" }),
        Field::Offset => text.push_str(match count {
            1 => "+0000",
            2 => "+00:00",
            _ => "UTC",
        }),
    }
}

/// There is no year 0: before year 1 comes 1 BC.
fn era_year(year: i64) -> i64 {
    if year > 0 { year } else { 1 - year }
}
