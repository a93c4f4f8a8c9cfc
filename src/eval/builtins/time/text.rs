//! How times are written.

use super::{DAY, SECOND, clock};
use crate::{Meter, Raised};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use std::fmt::Write as _;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `2022-02-14`
pub(crate) fn date_text(date: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// `09:15:00`, with microseconds if there are some.
pub(crate) fn clock_text(micros: i64) -> String {
    let time = clock(micros);
    let mut out = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    if micros % SECOND != 0 {
        let _ = write!(out, ".{:06}", micros % SECOND);
    }
    out
}

/// `datetime.isoformat(separator)`
pub(crate) fn isoformat(time: NaiveDateTime, separator: char) -> String {
    format!("{}{separator}{}", date_text(time.date()), clock_text(super::micros_of_day(time.time())))
}

/// The same with a chosen precision; None if there is no such precision.
pub(crate) fn isoformat_with(time: NaiveDateTime, separator: char, precision: &str) -> Option<String> {
    let micros = time.nanosecond() / 1000;
    let full = format!("{:02}:{:02}:{:02}.{micros:06}", time.hour(), time.minute(), time.second());
    let length = match precision {
        "auto" => return Some(isoformat(time, separator)),
        "hours" => 2,
        "minutes" => 5,
        "seconds" => 8,
        "milliseconds" => 12,
        "microseconds" => 15,
        _ => return None,
    };
    Some(format!("{}{separator}{}", date_text(time.date()), full.get(..length)?))
}

pub(crate) fn date_repr(date: NaiveDate) -> String {
    format!("datetime.date({}, {}, {})", date.year(), date.month(), date.day())
}

/// Hour and minute, then second and microsecond as far as they are needed.
fn clock_parts(micros: i64) -> String {
    let time = clock(micros);
    let mut out = format!("{}, {}", time.hour(), time.minute());
    if time.second() != 0 || micros % SECOND != 0 {
        let _ = write!(out, ", {}", time.second());
    }
    if micros % SECOND != 0 {
        let _ = write!(out, ", {}", micros % SECOND);
    }
    out
}

pub(crate) fn time_repr(micros: i64) -> String {
    format!("datetime.time({})", clock_parts(micros))
}

pub(crate) fn datetime_repr(time: NaiveDateTime) -> String {
    let clock = clock_parts(super::micros_of_day(time.time()));
    format!("datetime.datetime({}, {}, {}, {clock})", time.year(), time.month(), time.day())
}

/// `1 day, 0:00:05.500000`
pub(crate) fn span_text(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let seconds = rest / SECOND;
    let mut out = String::new();
    if days != 0 {
        let _ = write!(out, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" });
    }
    let _ = write!(out, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest % SECOND != 0 {
        let _ = write!(out, ".{:06}", rest % SECOND);
    }
    out
}

pub(crate) fn span_repr(micros: i64) -> String {
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let parts = [("days", days), ("seconds", rest / SECOND), ("microseconds", rest % SECOND)];
    let shown: Vec<String> =
        parts.iter().filter(|(_, value)| *value != 0).map(|(name, value)| format!("{name}={value}")).collect();
    if shown.is_empty() {
        "datetime.timedelta(0)".to_owned()
    } else {
        format!("datetime.timedelta({})", shown.join(", "))
    }
}

/// The week of the year when weeks begin on a day so many days after the year's first such day.
fn week(time: NaiveDateTime, days_since_begin: u32) -> u32 {
    (time.ordinal0() + 7 - days_since_begin) / 7
}

/// `strftime` of the C locale.
pub(crate) fn strftime(time: NaiveDateTime, format: &str, meter: &Meter) -> Result<String, Raised> {
    meter.allocate(format.len().saturating_mul(2))?;
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = String::from("%");
        let mut flag = None;
        while let Some(found) = chars.next_if(|c| matches!(c, '-' | '_' | '0' | '^' | '#')) {
            flag = Some(found);
            directive.push(found);
        }
        let mut width = None;
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
            chars.next();
            directive.push(char::from_digit(digit, 10).unwrap_or('0'));
            width = Some(width.unwrap_or(0_usize).saturating_mul(10).saturating_add(digit as usize));
        }
        chars.next_if(|c| matches!(c, 'E' | 'O'));
        let Some(kind) = chars.next() else {
            out.push_str(&directive);
            break;
        };
        let Some((text, default_width, fill)) = part(time, kind) else {
            out.push_str(&directive);
            out.push(kind);
            continue;
        };
        let fill = match flag {
            Some('0') => '0',
            Some('_') => ' ',
            _ => fill,
        };
        let width = if flag == Some('-') { 0 } else { width.unwrap_or(default_width) };
        let missing = width.saturating_sub(text.chars().count());
        meter.allocate(missing.saturating_add(text.len()))?;
        out.extend(std::iter::repeat_n(fill, missing));
        match (flag, kind) {
            (Some('^'), _) | (Some('#'), 'a' | 'A' | 'b' | 'B' | 'h') => out.push_str(&text.to_uppercase()),
            (Some('#'), 'p') => out.push_str(&text.to_lowercase()),
            _ => out.push_str(&text),
        }
    }
    Ok(out)
}

/// A part of a time with its usual width and filling.
fn part(time: NaiveDateTime, kind: char) -> Option<(String, usize, char)> {
    let date = time.date();
    let number = |value: i64, width: usize| Some((value.to_string(), width, '0'));
    let padded = |value: u32, width: usize| Some((value.to_string(), width, ' '));
    let text = |text: String| Some((text, 0, ' '));
    let iso = date.iso_week();
    let name = |names: &[&str], index: u32| (*names.get(index as usize).unwrap_or(&"")).to_owned();
    let short = |name: String| name.chars().take(3).collect::<String>();
    let days = date.weekday().num_days_from_monday();
    let twelve = time.hour12().1;
    let clock = |time: NaiveDateTime| format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    match kind {
        'a' => text(short(name(&DAYS, days))),
        'A' => text(name(&DAYS, days)),
        'b' | 'h' => text(short(name(&MONTHS, date.month0()))),
        'B' => text(name(&MONTHS, date.month0())),
        'c' => text(format!(
            "{} {} {:2} {} {}",
            short(name(&DAYS, days)),
            short(name(&MONTHS, date.month0())),
            date.day(),
            clock(time),
            date.year()
        )),
        'C' => number(i64::from(date.year() / 100), 2),
        'd' => number(date.day().into(), 2),
        'D' | 'x' => text(format!("{:02}/{:02}/{:02}", date.month(), date.day(), date.year() % 100)),
        'e' => padded(date.day(), 2),
        'f' => number((time.nanosecond() / 1000).into(), 6),
        'F' => text(format!("{}-{:02}-{:02}", date.year(), date.month(), date.day())),
        'g' => number((iso.year() % 100).into(), 2),
        'G' => number(iso.year().into(), 0),
        'H' => number(time.hour().into(), 2),
        'I' => number(twelve.into(), 2),
        'j' => number(date.ordinal().into(), 3),
        'k' => padded(time.hour(), 2),
        'l' => padded(twelve, 2),
        'm' => number(date.month().into(), 2),
        'M' => number(time.minute().into(), 2),
        'n' => text("\n".to_owned()),
        'p' => text(if time.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        'P' => text(if time.hour() < 12 { "am" } else { "pm" }.to_owned()),
        'r' => {
            let half = if time.hour() < 12 { "AM" } else { "PM" };
            text(format!("{twelve:02}:{:02}:{:02} {half}", time.minute(), time.second()))
        }
        'R' => text(format!("{:02}:{:02}", time.hour(), time.minute())),
        's' => text(time.and_utc().timestamp().to_string()),
        'S' => number(time.second().into(), 2),
        't' => text("\t".to_owned()),
        'T' | 'X' => text(clock(time)),
        'u' => number((days + 1).into(), 1),
        'U' => number(week(time, date.weekday().num_days_from_sunday()).into(), 2),
        'V' => number(iso.week().into(), 2),
        'w' => number(date.weekday().num_days_from_sunday().into(), 1),
        'W' => number(week(time, days).into(), 2),
        'y' => number((date.year() % 100).into(), 2),
        'Y' => number(date.year().into(), 0),
        'z' | 'Z' => text(String::new()),
        '%' => text("%".to_owned()),
        _ => None,
    }
}
