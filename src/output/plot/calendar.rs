//! Round moments on an axis of time, in UTC.

use super::scale::Scale;
use super::ticks::{Tick, time_step};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

const DAY: f64 = 86_400.0;

/// Distances in months, the shortest first.
const MONTHS: [u32; 9] = [1, 3, 6, 12, 24, 60, 120, 240, 600];

/// Seconds of a month of average length.
const MONTH: f64 = 30.436_875 * DAY;

/// The marks, and what stands in brackets after the label.
pub(super) fn ticks(scale: Scale, wanted: usize) -> (Vec<Tick>, String) {
    let (Some(low), Some(high)) = (moment(scale.low), moment(scale.high)) else { return (vec![], "UTC".into()) };
    let least = (scale.high - scale.low) / wanted as f64;
    if least > 7.0 * DAY {
        return (months(low, high, least), "UTC".into());
    }
    let step = time_step(scale, wanted);
    let one_day = low.date() == high.date();
    let format = match step {
        step if step >= DAY => "%Y-%m-%d",
        step if step >= 60.0 && one_day => "%H:%M",
        step if step >= 60.0 => "%m-%d %H:%M",
        step if step >= 1.0 => "%H:%M:%S",
        step if step >= 1e-3 => "%H:%M:%S%.3f",
        _ => "%H:%M:%S%.6f",
    };
    // Counted from a Monday's midnight, so that weeks and days begin where people expect it.
    let Some(midnight) = NaiveDate::from_ymd_opt(1970, 1, 5).map(|date| date.and_time(NaiveTime::MIN)) else {
        return (vec![], "UTC".into());
    };
    let start = midnight.and_utc().timestamp() as f64;
    let (first, last) = (((scale.low - start) / step - 1e-9).ceil(), ((scale.high - start) / step + 1e-9).floor());
    let count = if last - first < 1000.0 { (last - first) as usize + 1 } else { 0 };
    let tick = |index: usize| {
        let value = start + (first + index as f64) * step;
        // To the microsecond, which is as fine as times are.
        let moment = moment((value * 1e6).round() / 1e6)?;
        Some(Tick { value, text: Some(moment.format(format).to_string()) })
    };
    let unit = if one_day { low.format("%Y-%m-%d, UTC").to_string() } else { "UTC".into() };
    ((0..count).filter_map(tick).collect(), unit)
}

fn months(low: NaiveDateTime, high: NaiveDateTime, least: f64) -> Vec<Tick> {
    let longest = MONTHS.last().copied().unwrap_or(12);
    let stride = MONTHS.into_iter().find(|months| f64::from(*months) * MONTH >= least).unwrap_or(longest);
    let stride = i64::from(stride);
    let number = |moment: NaiveDateTime| i64::from(moment.year()) * 12 + i64::from(moment.month0());
    let first = number(low).div_euclid(stride) * stride;
    let mut ticks = vec![];
    let mut at = first;
    while at <= number(high) {
        let date = i32::try_from(at.div_euclid(12)).ok().zip(u32::try_from(at.rem_euclid(12) + 1).ok());
        if let Some(date) = date.and_then(|(year, month)| NaiveDate::from_ymd_opt(year, month, 1)) {
            let moment = date.and_time(NaiveTime::MIN);
            if low <= moment && moment <= high {
                let text = moment.format(if stride >= 12 { "%Y" } else { "%Y-%m" }).to_string();
                ticks.push(Tick { value: moment.and_utc().timestamp() as f64, text: Some(text) });
            }
        }
        at += stride;
    }
    ticks
}

/// The moment so many seconds after 1970; nothing where the calendar ends.
fn moment(seconds: f64) -> Option<NaiveDateTime> {
    if seconds.abs() > 1e12 {
        return None;
    }
    let micros = TimeDelta::microseconds((seconds * 1e6).round() as i64);
    DateTime::UNIX_EPOCH.naive_utc().checked_add_signed(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> f64 {
        text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_micros() as f64 / 1e6
    }

    fn texts(low: &str, high: &str, wanted: usize) -> (Vec<String>, String) {
        let scale = Scale { low: seconds(low), high: seconds(high), log: false };
        let (ticks, unit) = ticks(scale, wanted);
        for tick in &ticks {
            assert!(scale.contains(tick.value), "{tick:?}");
        }
        (ticks.into_iter().filter_map(|tick| tick.text).collect(), unit)
    }

    #[test]
    fn marks_are_where_clocks_and_calendars_have_them() {
        let (found, unit) = texts("2024-05-01T10:02:00Z", "2024-05-01T11:07:00Z", 5);
        assert_eq!(found, ["10:15", "10:30", "10:45", "11:00"]);
        assert_eq!(unit, "2024-05-01, UTC");
        let (found, unit) = texts("2024-02-28T10:00:00Z", "2024-03-02T10:00:00Z", 4);
        assert_eq!(
            (found, unit.as_str()),
            (vec!["2024-02-29".into(), "2024-03-01".into(), "2024-03-02".to_owned()], "UTC")
        );
        assert_eq!(
            texts("2024-05-01T20:00:00Z", "2024-05-02T04:00:00Z", 3).0,
            ["05-01 21:00", "05-02 00:00", "05-02 03:00"]
        );
        assert_eq!(texts("2023-11-15T00:00:00Z", "2024-08-01T00:00:00Z", 4).0, ["2024-01", "2024-04", "2024-07"]);
        assert_eq!(
            texts("2019-06-01T00:00:00Z", "2024-02-01T00:00:00Z", 6).0,
            ["2020", "2021", "2022", "2023", "2024"]
        );
        assert_eq!(texts("2024-05-01T00:00:00Z", "2024-05-01T00:00:02Z", 2).0, ["00:00:00", "00:00:01", "00:00:02"]);
        // Weeks begin on Mondays: the 6th of May 2024 was one.
        assert_eq!(
            texts("2024-05-01T00:00:00Z", "2024-05-20T00:00:00Z", 3).0,
            ["2024-05-06", "2024-05-13", "2024-05-20"]
        );
    }

    #[test]
    fn where_the_calendar_ends_there_are_no_marks() {
        assert!(ticks(Scale { low: -1e300, high: 1e300, log: false }, 5).0.is_empty());
    }
}
