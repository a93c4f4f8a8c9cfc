//! The range of an axis, and where a value lies on it.

use super::Range;

/// Values beyond cannot be drawn: differences of them would not be finite.
const MOST: f64 = 1e300;

/// Values below cannot be drawn on a logarithmic axis: near the least float there are no decades.
const LEAST: f64 = 1e-300;

/// Free space above and below the values, in parts of the range.
const SPACE: f64 = 0.04;

/// Whether a value has a place on an axis.
pub(super) fn drawable(value: f64, log: bool) -> bool {
    value.is_finite() && value.abs() <= MOST && (!log || value >= LEAST)
}

/// The range of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
}

impl Scale {
    /// The range of these values, those without a place left out. `spaced`: with some room at both ends.
    pub(super) fn of(values: impl Iterator<Item = f64>, log: bool, spaced: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| drawable(*value, log)) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            return Self { low: if log { 0.1 } else { 0.0 }, high: 1.0, log };
        }
        let scale = Self { low, high, log };
        if low == high {
            let around = if log { 1.0 } else { (low.abs() / 10.0).max(0.5) };
            return scale.widened(around);
        }
        if spaced { scale.widened(SPACE * (scale.inner(high) - scale.inner(low))) } else { scale }
    }

    /// The range of a vertical axis: the ends that were asked for, otherwise those of the values between them.
    pub(super) fn within(range: Range, values: impl Iterator<Item = f64>, log: bool) -> Self {
        let usable = |end: &f64| drawable(*end, log);
        let (low, high) = (range.low.filter(usable), range.high.filter(usable));
        let inside = |value: &f64| low.is_none_or(|low| low <= *value) && high.is_none_or(|high| *value <= high);
        let mut scale = Self::of(values.filter(inside), log, true);
        scale.low = low.unwrap_or(scale.low);
        scale.high = high.unwrap_or(scale.high);
        if scale.low >= scale.high {
            // All values lie beyond the end that was given.
            let length = |end: f64| if log { end * 9.0 } else { end.abs().max(1.0) };
            match high {
                Some(high) => scale.low = if log { high / 10.0 } else { high - length(high) },
                None => scale.high = scale.low + length(scale.low),
            }
        }
        scale
    }

    fn widened(self, by: f64) -> Self {
        if self.log {
            // Never down to what cannot be told from zero.
            let low = 10_f64.powf(self.low.log10() - by).max(f64::MIN_POSITIVE);
            Self { low, high: 10_f64.powf(self.high.log10() + by).min(MOST), ..self }
        } else {
            Self { low: self.low - by, high: self.high + by, ..self }
        }
    }

    fn inner(self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// Where a value lies: 0 at the lower end, 1 at the upper.
    pub(super) fn place(self, value: f64) -> f64 {
        let (low, high) = (self.inner(self.low), self.inner(self.high));
        // Far outside it only matters on which side.
        ((self.inner(value) - low) / (high - low)).clamp(-1e6, 1e6)
    }

    /// Whether a value lies in the range.
    pub(super) fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_zero_and_one() {
        let linear = Scale::of([2.0, 4.0, f64::NAN, f64::INFINITY].into_iter(), false, false);
        assert_eq!((linear.place(2.0), linear.place(3.0), linear.place(4.0)), (0.0, 0.5, 1.0));
        let log = Scale::of([0.01, 100.0, 0.0, -1.0].into_iter(), true, false);
        assert_eq!((log.place(0.01), log.place(1.0), log.place(100.0)), (0.0, 0.5, 1.0));
    }

    #[test]
    fn ends_can_be_given() {
        let within = |low, high| Scale::within(Range { low, high }, [1.0, 2.0, 1e299].into_iter(), false);
        // What lies outside does not stretch the axis.
        assert_eq!(within(None, Some(5.0)), Scale { low: 0.96, high: 5.0, log: false });
        assert_eq!(within(Some(0.0), Some(5.0)).place(2.5), 0.5);
        let beyond = within(None, Some(0.5));
        assert!(beyond.low < 0.5 && beyond.high == 0.5);
        let beyond = within(Some(1e300), None);
        assert!(beyond.low == 1e300 && beyond.high > 1e300);
    }

    #[test]
    fn there_is_always_a_range() {
        for values in
            [vec![], vec![0.0], vec![7.0], vec![-1e300], vec![1e300, -1e300], vec![5e-324], vec![1e-300, 1e300]]
        {
            for log in [false, true] {
                for spaced in [false, true] {
                    let scale = Scale::of(values.iter().copied(), log, spaced);
                    assert!(scale.low < scale.high && scale.low.is_finite() && scale.high.is_finite(), "{scale:?}");
                    for value in values.iter().filter(|value| drawable(**value, log)) {
                        let place = scale.place(*value);
                        assert!((-1e-9..=1.0 + 1e-9).contains(&place), "{value} {scale:?} {place}");
                    }
                }
            }
        }
    }
}
