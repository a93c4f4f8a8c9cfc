//! Points in time: ISO 8601 texts and Unix seconds, both to microseconds since 1970.

use chrono::{NaiveDate, NaiveTime};

use crate::ingest::fault::{Fault, Read, shorten};

/// Reads `2021-12-20T08:00:00.000000Z`. Fraction (up to nine digits) and seconds may be missing, the zone may be `Z`,
/// an offset such as `+01:00`, or missing, which means UTC.
pub(crate) fn parse_iso(text: &str) -> Read<i64> {
    iso(text).ok_or_else(|| {
        Fault::new(format!("expected a time such as \"2024-05-01T12:30:00.000000Z\", got {:?}", shorten(text)))
    })
}

fn iso(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_at_checked(10)?;
    let date = NaiveDate::from_ymd_opt(
        digits(date.get(0..4)?)?.try_into().ok()?,
        dashed(date.get(4..7)?)?,
        dashed(date.get(7..10)?)?,
    )?;
    let rest = rest.strip_prefix(['T', ' '])?;
    let (clock, offset) = match rest.find(['Z', '+', '-']) {
        None => (rest, 0),
        Some(at) => {
            let (clock, zone) = rest.split_at_checked(at)?;
            (clock, offset_seconds(zone)?)
        }
    };
    let (hms, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = hms.split(':');
    let hour = pair(parts.next()?)?;
    let minute = pair(parts.next()?)?;
    let second = parts.next().map_or(Some(0), pair)?;
    if parts.next().is_some() || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanos = digits(fraction)?.checked_mul(10u32.pow(9 - fraction.len() as u32))?;
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)?;
    date.and_time(time).and_utc().timestamp_micros().checked_sub(i64::from(offset) * 1_000_000)
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn pair(text: &str) -> Option<u32> {
    if text.len() == 2 { digits(text) } else { None }
}

fn dashed(text: &str) -> Option<u32> {
    pair(text.strip_prefix('-')?)
}

fn offset_seconds(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some((hours, minutes)) => (pair(hours)?, pair(minutes)?),
        None if rest.len() == 4 => (pair(rest.get(..2)?)?, pair(rest.get(2..)?)?),
        None => (pair(rest)?, 0),
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(sign * (hours * 3600 + minutes * 60) as i32)
}

/// Unix seconds to microseconds, rounded; `None` when the value is not finite or too far away.
#[inline]
pub(crate) fn unix_micros(seconds: f64) -> Option<i64> {
    let micros = (seconds * 1e6).round();
    // Beyond this, conversions between microseconds and calendar dates leave their range.
    if micros.abs() < 8.2e18 { Some(micros as i64) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_forms() {
        let noon = 1_639_987_200_000_000;
        for text in [
            "2021-12-20T08:00:00.000000Z",
            "2021-12-20T08:00:00Z",
            "2021-12-20 08:00:00",
            "2021-12-20T08:00Z",
            "2021-12-20T09:00:00+01:00",
            "2021-12-20T03:30:00.0-0430",
        ] {
            assert_eq!(parse_iso(text).unwrap(), noon, "{text}");
        }
        assert_eq!(parse_iso("2021-12-20T08:00:00.000125Z").unwrap(), noon + 125);
        assert_eq!(parse_iso("1969-12-31T23:59:59.999999Z").unwrap(), -1);
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "2021",
            "2021-13-01T00:00:00Z",
            "2021-02-30T00:00:00Z",
            "2021-12-20",
            "20211220T080000Z",
            "2021-12-20T25:00:00Z",
            "2021-12-20T08:00:00.Z",
            "2021-12-20T08:00:00ZZ",
            "2021-12-20T08:00:00+25:00",
            "yesterday at noon",
            "2021-12-2éT08:00:00",
            "2021-12-20T08:00:00.1234567890Z",
            "+021-12-20T08:00:00Z",
            "2021-12-20T08:00:00 Z",
        ] {
            assert!(parse_iso(text).is_err(), "{text}");
        }
    }

    #[test]
    fn unix_seconds_are_rounded_to_microseconds() {
        assert_eq!(unix_micros(1_639_987_200.000125), Some(1_639_987_200_000_125));
        assert_eq!(unix_micros(-0.5), Some(-500_000));
        assert_eq!(unix_micros(f64::NAN), None);
        assert_eq!(unix_micros(1e300), None);
    }
}
