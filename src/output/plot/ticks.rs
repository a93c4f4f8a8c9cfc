//! Round values on an axis and their texts.

use super::calendar;
use super::scale::Scale;
use super::{Axis, AxisKind};

/// A mark on an axis; without a text only its line is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) text: Option<String>,
}

/// The marks of an axis and what is written beside it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    pub(super) ticks: Vec<Tick>,
    /// The label with the unit.
    pub(super) label: String,
}

/// Seconds in the units of lengths of time.
const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];

/// Distances in seconds that divide the next larger unit.
const STEPS: [f64; 20] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0,
    43_200.0, 86_400.0, 172_800.0, 604_800.0,
];

/// About `wanted` marks of an axis with this range.
pub(super) fn ticks(axis: &Axis, scale: Scale, wanted: usize) -> Ticks {
    let wanted = wanted.max(2);
    match axis.kind {
        AxisKind::Time => {
            let (ticks, unit) = calendar::ticks(scale, wanted);
            Ticks { ticks, label: with_unit(&axis.label, Some(&unit)) }
        }
        AxisKind::Duration if scale.log => {
            Ticks { ticks: decades(scale, wanted), label: with_unit(&axis.label, Some("s")) }
        }
        AxisKind::Duration => {
            let step = time_step(scale, wanted);
            let (size, unit) = UNITS.into_iter().find(|(size, _)| step >= *size).unwrap_or((1.0, "s"));
            let in_unit = Scale { low: scale.low / size, high: scale.high / size, log: false };
            let mut ticks = multiples(in_unit, step / size);
            ticks.iter_mut().for_each(|tick| tick.value *= size);
            Ticks { ticks, label: with_unit(&axis.label, Some(unit)) }
        }
        AxisKind::Number | AxisKind::Whole => {
            let label = with_unit(&axis.label, axis.unit.as_deref());
            let ticks = if scale.log { decades(scale, wanted) } else { linear(axis.kind, scale, wanted) };
            Ticks { ticks, label }
        }
    }
}

fn with_unit(label: &str, unit: Option<&str>) -> String {
    match unit {
        Some(unit) if !unit.is_empty() => format!("{label} ({unit})"),
        _ => label.to_owned(),
    }
}

fn linear(kind: AxisKind, scale: Scale, wanted: usize) -> Vec<Tick> {
    let step = round_step((scale.high - scale.low) / wanted as f64);
    multiples(scale, if kind == AxisKind::Whole { step.max(1.0) } else { step })
}

/// The least of 1, 2 and 5 times a power of ten that is not below.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let found = [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * (1.0 - 1e-9));
    found.unwrap_or(10.0 * power)
}

/// The distance of marks on an axis of time.
pub(super) fn time_step(scale: Scale, wanted: usize) -> f64 {
    let least = (scale.high - scale.low) / wanted as f64;
    if least <= 1.0 {
        return round_step(least);
    }
    let found = STEPS.into_iter().find(|step| *step >= least);
    found.unwrap_or_else(|| 86_400.0 * round_step(least / 86_400.0))
}

/// The multiples of `step` in the range.
fn multiples(scale: Scale, step: f64) -> Vec<Tick> {
    // The range may be too small to be divided.
    if step < f64::MIN_POSITIVE {
        return vec![];
    }
    let (first, last) = ((scale.low / step - 1e-9).ceil(), (scale.high / step + 1e-9).floor());
    // Neighbouring floats leave no room for marks.
    let count = if (last - first) < 1000.0 { (last - first) as usize + 1 } else { 0 };
    // The last digit that a multiple may have: 15 has one more than 10, 20 and 50.
    let whole = step.log10().floor() as i32;
    let round = [1.0, 2.0, 5.0].into_iter().any(|first| (step / 10_f64.powi(whole) - first).abs() < 1e-9);
    let power = if round { whole } else { whole - 1 };
    let greatest = scale.low.abs().max(scale.high.abs());
    let scientific = !(1e-3..1e6).contains(&greatest);
    let tick = |index: usize| {
        let number = (first + index as f64) * step;
        // Rounded to the digits that it has, because 3 times 0.1 is not 0.3.
        let value: f64 = format!("{number:.*e}", digits(number, power)).parse().unwrap_or(number);
        Tick { value, text: Some(number_text(value, power, scientific)) }
    };
    (0..count).map(tick).collect()
}

/// Digits after the first one, for a number that is a multiple of a power of ten.
fn digits(number: f64, power: i32) -> usize {
    if number == 0.0 {
        return 0;
    }
    usize::try_from((number.abs().log10() + 1e-9).floor() as i32 - power).unwrap_or(0).min(17)
}

/// A number with the digits down to a power of ten.
fn number_text(number: f64, power: i32, scientific: bool) -> String {
    if number == 0.0 {
        return "0".into();
    }
    if scientific {
        return format!("{number:.*e}", digits(number, power));
    }
    format!("{number:.*}", usize::try_from(-power).unwrap_or(0).min(17))
}

/// Powers of ten, and what lies between them as far as there is room.
fn decades(scale: Scale, wanted: usize) -> Vec<Tick> {
    let (low, high) = (scale.low.log10(), scale.high.log10());
    let span = high - low;
    let (first, last) = (low.floor() as i32, high.ceil() as i32);
    let whole = (high + 1e-9).floor() as i32 - (low - 1e-9).ceil() as i32;
    let named: &[i32] = match () {
        () if span <= 1.5 => &[1, 2, 3, 5, 7],
        () if span <= 3.5 && wanted >= 6 => &[1, 2, 5],
        () => &[1],
    };
    let stride = usize::try_from(whole).unwrap_or(0) / wanted + 1;
    let mut ticks = vec![];
    for exponent in first..=last {
        for factor in 1..10 {
            let value: f64 = format!("{factor}e{exponent}").parse().unwrap_or(f64::NAN);
            // The ends of the range have been computed, so they may miss a power by a hair.
            let inside =
                scale.contains(value) || [scale.low, scale.high].iter().any(|end| (value / end - 1.0).abs() < 1e-9);
            if !inside {
                continue;
            }
            let strides = exponent.rem_euclid(i32::try_from(stride).unwrap_or(1)) == 0;
            let text = (named.contains(&factor) && (factor > 1 || strides)).then(|| power_text(factor, exponent));
            if text.is_some() || (factor == 1 && whole < 40) || span <= 6.0 {
                ticks.push(Tick { value, text });
            }
        }
    }
    if ticks.iter().filter(|tick| tick.text.is_some()).count() >= 2 {
        return ticks;
    }
    // Less than a decade: like any other axis.
    let step = round_step((scale.high - scale.low) / wanted as f64);
    multiples(scale, step).into_iter().filter(|tick| tick.value > 0.0).collect()
}

fn power_text(factor: i32, exponent: i32) -> String {
    match (usize::try_from(exponent), exponent) {
        (Ok(zeros), 0..=5) => format!("{factor}{}", "0".repeat(zeros)),
        (Err(_), -4..=-1) => {
            format!("{:.*}", exponent.unsigned_abs() as usize, f64::from(factor) * 10_f64.powi(exponent))
        }
        _ => format!("{factor}e{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(kind: AxisKind, low: f64, high: f64, log: bool, wanted: usize) -> (Vec<String>, String) {
        let axis = Axis { label: "x".into(), kind, log, ..Axis::default() };
        let found = ticks(&axis, Scale { low, high, log }, wanted);
        (found.ticks.into_iter().filter_map(|tick| tick.text).collect(), found.label)
    }

    fn numbers(low: f64, high: f64, wanted: usize) -> Vec<String> {
        texts(AxisKind::Number, low, high, false, wanted).0
    }

    #[test]
    fn numbers_are_round_and_have_the_digits_they_need() {
        assert_eq!(numbers(0.0, 10.0, 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(numbers(0.05, 0.42, 4), ["0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(numbers(-1.0, 1.0, 4), ["-1.0", "-0.5", "0", "0.5", "1.0"]);
        assert_eq!(numbers(0.0, 3e6, 3), ["0", "1e6", "2e6", "3e6"]);
        assert_eq!(numbers(0.0, 2.5e-7, 5), ["0", "5e-8", "1.0e-7", "1.5e-7", "2.0e-7", "2.5e-7"]);
        assert_eq!(numbers(100_000.0, 100_002.0, 2), ["100000", "100001", "100002"]);
        assert_eq!(texts(AxisKind::Whole, 0.0, 2.0, false, 8).0, ["0", "1", "2"]);
    }

    #[test]
    fn decades_have_names_and_less_than_one_gets_numbers() {
        let log = |low, high, wanted| texts(AxisKind::Number, low, high, true, wanted).0;
        assert_eq!(log(0.001, 10_000.0, 5), ["0.01", "1", "100", "10000"]);
        assert_eq!(log(1.0, 100.0, 8), ["1", "2", "5", "10", "20", "50", "100"]);
        assert_eq!(log(2.0, 9.0, 8), ["2", "3", "5", "7"]);
        assert_eq!(log(41.0, 44.0, 3), ["41", "42", "43", "44"]);
        assert_eq!(log(1e-8, 1e-6, 3), ["1e-8", "1e-7", "1e-6"]);
    }

    #[test]
    fn lengths_of_time_have_their_unit() {
        let (found, label) = texts(AxisKind::Duration, 0.0, 60.0, false, 6);
        assert_eq!(
            (found, label.as_str()),
            (["0", "10", "20", "30", "40", "50", "60"].map(str::to_owned).to_vec(), "x (s)")
        );
        let (found, label) = texts(AxisKind::Duration, 0.0, 3600.0, false, 4);
        assert_eq!((found, label.as_str()), (["0", "15", "30", "45", "60"].map(str::to_owned).to_vec(), "x (min)"));
        let (found, label) = texts(AxisKind::Duration, 0.0, 86_400.0 * 3.0, false, 3);
        assert_eq!((found, label.as_str()), (["0", "1", "2", "3"].map(str::to_owned).to_vec(), "x (d)"));
    }

    #[test]
    fn no_range_is_too_odd() {
        for (low, high) in
            [(-1e300, 1e300), (1e300, 1.1e300), (0.0, 5e-324), (1.0, 1.0 + f64::EPSILON), (1e15, 1e15 + 1.0)]
        {
            for kind in [AxisKind::Number, AxisKind::Whole, AxisKind::Duration, AxisKind::Time] {
                for log in [false, true] {
                    let low = if log { f64::max(low, 1e-300) } else { low };
                    if low < high {
                        assert!(texts(kind, low, high, log, 6).0.len() < 1000);
                    }
                }
            }
        }
    }
}
