//! How times are read.

use super::text::{DAYS, MONTHS};
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};

/// What a format has found so far.
struct Found {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micro: u32,
    afternoon: Option<bool>,
    ordinal: Option<u32>,
}

/// `datetime.strptime(text, format)`
pub(super) fn parse(text: &str, format: &str) -> Option<NaiveDateTime> {
    let mut found =
        Found { year: 1900, month: 1, day: 1, hour: 0, minute: 0, second: 0, micro: 0, afternoon: None, ordinal: None };
    let rest = read(text, format, &mut found)?;
    if !rest.is_empty() {
        return None;
    }
    let hour = match found.afternoon {
        Some(afternoon) => found.hour % 12 + if afternoon { 12 } else { 0 },
        None => found.hour,
    };
    let date = match found.ordinal {
        Some(day) => NaiveDate::from_yo_opt(found.year, day)?,
        None => NaiveDate::from_ymd_opt(found.year, found.month, found.day)?,
    };
    Some(date.and_time(NaiveTime::from_hms_micro_opt(hour, found.minute, found.second, found.micro)?))
}

/// Reads a text by a format; what is left of the text.
fn read<'t>(text: &'t str, format: &str, found: &mut Found) -> Option<&'t str> {
    let mut rest = text;
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            rest = rest.trim_start();
            continue;
        }
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let kind = chars.next()?;
        rest = match kind {
            '%' => rest.strip_prefix('%')?,
            'T' | 'X' => read(rest, "%H:%M:%S", found)?,
            'D' | 'x' => read(rest, "%m/%d/%y", found)?,
            'F' => read(rest, "%Y-%m-%d", found)?,
            'R' => read(rest, "%H:%M", found)?,
            'c' => read(rest, "%a %b %d %H:%M:%S %Y", found)?,
            'a' | 'A' => named(rest, &DAYS, kind == 'a')?.1,
            'b' | 'B' | 'h' => {
                let (month, rest) = named(rest, &MONTHS, kind != 'B')?;
                found.month = month + 1;
                rest
            }
            'p' => {
                let half = rest.get(..2)?.to_ascii_lowercase();
                found.afternoon = Some(match half.as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return None,
                });
                rest.get(2..)?
            }
            'f' => {
                let digits = rest.bytes().take(6).take_while(u8::is_ascii_digit).count();
                let value: u32 = rest.get(..digits)?.parse().ok()?;
                found.micro = value * 10_u32.pow(6 - digits as u32);
                rest.get(digits..)?
            }
            _ => {
                let width = match kind {
                    'Y' => 4,
                    'j' => 3,
                    _ => 2,
                };
                let (value, rest) = digits(rest, width)?;
                match kind {
                    'Y' => found.year = i32::try_from(value).ok().filter(|year| *year > 0)?,
                    // Two digits are years from 1969 to 2068.
                    'y' => found.year = i32::try_from(if value < 69 { value + 2000 } else { value + 1900 }).ok()?,
                    'm' => found.month = value,
                    'd' => found.day = value,
                    'H' => found.hour = value,
                    'I' if (1..=12).contains(&value) => {
                        found.hour = value;
                        found.afternoon.get_or_insert(false);
                    }
                    'M' => found.minute = value,
                    'S' => found.second = value,
                    'j' => found.ordinal = Some(value),
                    _ => return None,
                }
                rest
            }
        };
    }
    Some(rest)
}

fn digits(text: &str, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    Some((text.get(..count)?.parse().ok()?, text.get(count..)?))
}

/// One of some names, without regard to case.
fn named<'t>(text: &'t str, names: &[&str], short: bool) -> Option<(u32, &'t str)> {
    names.iter().zip(0..).find_map(|(name, i)| {
        let name = if short { name.get(..3)? } else { name };
        let start = text.get(..name.len())?;
        start.eq_ignore_ascii_case(name).then(|| text.get(name.len()..)).flatten().map(|rest| (i, rest))
    })
}

/// `datetime.fromisoformat(text)`, without time zones.
pub(super) fn from_iso(text: &str) -> Option<NaiveDateTime> {
    if !text.is_ascii() {
        return None;
    }
    let split = if text.get(4..5) == Some("-") { 10 } else { 8 };
    let (date, clock) = if text.len() > split { text.split_at(split) } else { (text, "") };
    let date = iso_date(date)?;
    if clock.is_empty() {
        return Some(date.and_time(NaiveTime::MIN));
    }
    Some(date.and_time(iso_clock(clock.get(1..)?)?))
}

fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn iso_date(text: &str) -> Option<NaiveDate> {
    let year = number(text.get(..4)?)?;
    let rest = text.get(4..)?;
    if rest.contains('W') {
        let plain = rest.trim_start_matches('-').trim_start_matches('W').replace('-', "");
        let week = number(plain.get(..2)?)?;
        let day = if plain.len() > 2 { number(plain.get(2..)?)? } else { 1 };
        if !(1..=7).contains(&day) {
            return None;
        }
        let monday = NaiveDate::from_isoywd_opt(i32::try_from(year).ok()?, week, chrono::Weekday::Mon)?;
        return monday.checked_add_days(Days::new(u64::from(day - 1)));
    }
    let (month, day) = match rest.strip_prefix('-') {
        Some(rest) => (rest.get(..2)?, rest.get(2..)?.strip_prefix('-')?),
        None => (rest.get(..2)?, rest.get(2..)?),
    };
    if day.len() != 2 || year == 0 {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(month)?, number(day)?)
}

fn iso_clock(text: &str) -> Option<NaiveTime> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let plain = whole.replace(':', "");
    if plain.is_empty() || plain.len() % 2 == 1 || plain.len() > 6 {
        return None;
    }
    let part = |from: usize| plain.get(from..from + 2).map_or(Some(0), number);
    let micro = if fraction.is_empty() {
        if text.len() != whole.len() { return None } else { 0 }
    } else {
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        number(fraction)?;
        number(&digits)?
    };
    NaiveTime::from_hms_micro_opt(part(0)?, part(2)?, part(4)?, micro)
}
