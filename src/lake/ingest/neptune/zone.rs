//! The zone of the times of points.
//!
//! Neptune 2.x hands out the times of points as local times without a zone, and the exporter writes them as if they were
//! UTC. Whoever knows where the exporter ran can put that right.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::ingest::block::NO_TIME;

/// A time zone by its name (`Europe/Warsaw`) or its distance from UTC (`+02:00`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesZone(Zone);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl FromStr for SeriesZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(['+', '-'])
            && let Ok(offset) = text.parse()
        {
            return Ok(SeriesZone(Zone::Fixed(offset)));
        }
        let named = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(text));
        named.map(|zone| SeriesZone(Zone::Named(*zone))).ok_or_else(|| {
            format!("`{text}` is not a time zone: expected a name such as Europe/Warsaw or an offset such as +02:00")
        })
    }
}

impl SeriesZone {
    /// The name, as it goes into fingerprints.
    pub(super) fn name(self) -> String {
        match self.0 {
            Zone::Named(zone) => zone.name().to_owned(),
            Zone::Fixed(offset) => offset.to_string(),
        }
    }

    /// Takes local times to UTC, in place. Of the two readings of an hour that comes twice the earlier counts; a time in
    /// an hour that never was is read with the offset before it.
    pub(super) fn to_utc(self, times: &mut [i64]) {
        // Neighbours mostly lie in one quarter of an hour, within which a zone does not change.
        let mut known: Option<(i64, i64)> = None;
        for time in times.iter_mut().filter(|time| **time != NO_TIME) {
            let quarter = time.div_euclid(QUARTER_HOUR);
            let offset = match known {
                Some((of, offset)) if of == quarter => offset,
                _ => {
                    let offset = self.offset(*time);
                    known = Some((quarter, offset));
                    offset
                }
            };
            *time = time.saturating_sub(offset);
        }
    }

    /// Microseconds between a local time and UTC.
    fn offset(&self, local: i64) -> i64 {
        let Some(naive) = DateTime::from_timestamp_micros(local).map(|time| time.naive_utc()) else { return 0 };
        let seconds = match self.0 {
            Zone::Fixed(offset) => offset.local_minus_utc(),
            Zone::Named(zone) => named_offset(&zone, naive),
        };
        i64::from(seconds) * 1_000_000
    }
}

/// Changes of a zone come at full quarters of an hour.
const QUARTER_HOUR: i64 = 15 * 60 * 1_000_000;

fn named_offset(zone: &Tz, local: NaiveDateTime) -> i32 {
    match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset.fix().local_minus_utc(),
        LocalResult::None => {
            let before = local.checked_sub_signed(TimeDelta::hours(3)).unwrap_or(local);
            zone.offset_from_local_datetime(&before).earliest().map_or(0, |offset| offset.fix().local_minus_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    fn moved(zone: &str, local: &[&str]) -> Vec<String> {
        let mut times: Vec<i64> = local.iter().map(|text| micros(text)).collect();
        zone.parse::<SeriesZone>().unwrap().to_utc(&mut times);
        times.iter().map(|time| crate::ingest::time_text(*time)).collect()
    }

    #[test]
    fn local_times_become_utc() {
        assert_eq!(moved("+02:00", &["2024-01-05T01:00:00Z"]), ["2024-01-04T23:00:00Z"]);
        assert_eq!(
            moved("Europe/Warsaw", &["2024-01-05T01:00:00Z", "2024-07-05T01:00:00.5Z"]),
            ["2024-01-05T00:00:00Z", "2024-07-04T23:00:00.500Z"]
        );
        // 2024-10-27 02:30 comes twice, 2024-03-31 02:30 never.
        assert_eq!(
            moved("europe/warsaw", &["2024-10-27T02:30:00Z", "2024-10-27T03:00:00Z", "2024-03-31T02:30:00Z"]),
            ["2024-10-27T00:30:00Z", "2024-10-27T02:00:00Z", "2024-03-31T01:30:00Z"]
        );
        let mut times = [NO_TIME];
        "UTC".parse::<SeriesZone>().unwrap().to_utc(&mut times);
        assert_eq!(times, [NO_TIME]);
    }

    #[test]
    fn texts_that_are_no_zones() {
        for wrong in ["", "Mars", "+2", "02:00", "+99:00"] {
            assert!(wrong.parse::<SeriesZone>().is_err(), "{wrong}");
        }
    }
}
