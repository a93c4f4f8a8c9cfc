//! The proleptic Gregorian calendar.

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Greatest year that is counted, either way.
pub(super) const LAST_YEAR: i64 = 292_000_000;

/// A moment, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(i64);

/// A year, month (1 to 12) and day (1 to 31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// Whether February has 29 days.
pub(super) fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// Days of a month.
pub(super) fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    /// Days since 1970-01-01. The year is counted from March on, so that its odd day is the last one.
    pub(super) fn days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let month = (self.month + 9).rem_euclid(12);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * month + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
    }

    /// The date so many days after 1970-01-01.
    pub(super) fn of_days(days: i64) -> Self {
        let days = days + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        let date = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self { year: era * 400 + year + i64::from(month <= 2), month, day: date }
    }

    /// Monday is 1.
    pub(super) fn weekday(self) -> i64 {
        (self.days() + 3).rem_euclid(7) + 1
    }

    /// The first is 1.
    pub(super) fn day_of_year(self) -> i64 {
        self.days() - Self { year: self.year, month: 1, day: 1 }.days() + 1
    }

    /// Year and number of the week, as ISO counts them.
    pub(super) fn week(self) -> (i64, i64) {
        // The week belongs to the year of its Thursday.
        let thursday = Self::of_days(self.days() + 4 - self.weekday());
        (thursday.year, (thursday.day_of_year() - 1) / 7 + 1)
    }
}

impl Instant {
    /// Milliseconds since 1970.
    pub fn of_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    pub(super) fn of(date: Date, millis_of_day: i64) -> Option<Self> {
        date.days().checked_mul(DAY)?.checked_add(millis_of_day).map(Self)
    }

    pub(super) fn date(self) -> Date {
        Date::of_days(self.0.div_euclid(DAY))
    }

    pub(super) fn millis_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_there_and_back() {
        for days in (-800_000..800_000).step_by(37).chain([0, 59, 60, 11_016, 11_017]) {
            let date = Date::of_days(days);
            assert_eq!(date.days(), days);
            assert!((1..=days_of(date.year, date.month)).contains(&date.day));
        }
        assert_eq!(Date::of_days(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(Date { year: 2000, month: 2, day: 29 }.days(), 11_016);
        assert_eq!(Date { year: 1970, month: 1, day: 1 }.weekday(), 4);
        assert_eq!(Date { year: 2021, month: 1, day: 3 }.week(), (2020, 53));
    }
}
