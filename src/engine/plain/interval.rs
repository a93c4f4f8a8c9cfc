//! Comparisons as intervals of a column's own values, so that nothing is cast and statistics prune.
//!
//! A literal rarely is a value of the column's type: `2.5` is none of an integer column, `0.1` none of floats of 32 bits,
//! an instant none of days. What matters is between which two values it lies.

use super::kind::{Kind, Meaning, Whole, Width};
use datafusion::common::ScalarValue;
use lakeql_query::model::{CompareOp, Literal};
use std::cmp::Ordering;

/// Values between two bounds; none of them is NaN.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Interval {
    Never,
    Between { low: Option<Bound>, high: Option<Bound> },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) value: ScalarValue,
    pub(super) inclusive: bool,
}

/// The neighbours of a literal among the values of a type: the largest that is not above, the smallest that is not below.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place<T> {
    floor: T,
    ceil: T,
}

impl<T: PartialEq + Copy> Place<T> {
    fn exact(value: T) -> Self {
        Self { floor: value, ceil: value }
    }

    /// The bounds of `value op literal`: value and whether it is included; nothing if no value equals the literal.
    fn bounds(self, op: CompareOp) -> Option<Bounds<T>> {
        Some(match op {
            CompareOp::Eq if self.floor != self.ceil => return None,
            CompareOp::Eq => (Some((self.floor, true)), Some((self.floor, true))),
            CompareOp::Lt => (None, Some((self.ceil, false))),
            CompareOp::LtEq => (None, Some((self.floor, true))),
            CompareOp::Gt => (Some((self.floor, false)), None),
            CompareOp::GtEq => (Some((self.ceil, true)), None),
        })
    }
}

/// Low and high, each with whether it is included.
type Bounds<T> = (Option<(T, bool)>, Option<(T, bool)>);

/// The values of the column for which `value op literal` holds; nothing if they are not intervals of this kind.
pub(super) fn interval(kind: &Kind, op: CompareOp, literal: &Literal) -> Option<Interval> {
    match kind {
        Kind::Whole(whole) => Some(match whole_place(whole, literal).and_then(|place| place.bounds(op)) {
            None => Interval::Never,
            Some(bounds) => clipped(whole, bounds),
        }),
        Kind::Float(width) => Some(match literal {
            Literal::Float(number) => float(*width, op, *number, *number),
            Literal::Int(number) => {
                let place = double_of_int(*number);
                float(*width, op, place.floor, place.ceil)
            }
            Literal::Bool(_) | Literal::Text(_) | Literal::Time(_) => Interval::Never,
        }),
        Kind::Text | Kind::Bool | Kind::List(_) | Kind::Null => None,
    }
}

/// The times from the first to before the second, in microseconds.
pub(super) fn within(whole: &Whole, from: i64, to: i64) -> Interval {
    let places = (whole_place(whole, &Literal::Time(from)), whole_place(whole, &Literal::Time(to)));
    match places {
        (Some(from), Some(to)) => clipped(whole, (Some((from.ceil, true)), Some((to.ceil, false)))),
        _ => Interval::Never,
    }
}

/// A bound that every value of the type keeps is none; one that no value keeps leaves nothing.
fn clipped(whole: &Whole, (low, high): Bounds<i128>) -> Interval {
    let (mut lower, mut upper) = (None, None);
    if let Some((value, inclusive)) = low {
        match whole.scalar(value) {
            Some(value) => lower = Some(Bound { value, inclusive }),
            None if value > whole.max => return Interval::Never,
            None => {}
        }
    }
    if let Some((value, inclusive)) = high {
        match whole.scalar(value) {
            Some(value) => upper = Some(Bound { value, inclusive }),
            None if value < whole.min => return Interval::Never,
            None => {}
        }
    }
    Interval::Between { low: lower, high: upper }
}

/// Where the literal lies among the stored integers; nothing if it is of another sort.
fn whole_place(whole: &Whole, literal: &Literal) -> Option<Place<i128>> {
    match (whole.meaning, literal) {
        (Meaning::Number, Literal::Int(number)) => Some(Place::exact(i128::from(*number))),
        (Meaning::Number, Literal::Float(number)) => {
            // Floats beyond 128 bits become the largest integer of these, which is in no column.
            Some(Place { floor: number.floor() as i128, ceil: number.ceil() as i128 })
        }
        (Meaning::Decimal(scale), Literal::Int(number)) => Some(scaled(i128::from(*number), i32::from(scale))),
        (Meaning::Decimal(scale), Literal::Float(number)) => decimal(*number, i32::from(scale)),
        (Meaning::Time { numerator, denominator }, Literal::Time(micros)) => {
            let units = i128::from(*micros) * numerator;
            Some(divided(units, denominator))
        }
        _ => None,
    }
}

/// `value / divisor`, for positive divisors.
fn divided(value: i128, divisor: i128) -> Place<i128> {
    let floor = value.div_euclid(divisor);
    Place { floor, ceil: if value.rem_euclid(divisor) == 0 { floor } else { floor + 1 } }
}

/// `value × 10^power`.
fn scaled(value: i128, power: i32) -> Place<i128> {
    match 10_i128.checked_pow(power.unsigned_abs()) {
        Some(ten) if power >= 0 => Place::exact(value.saturating_mul(ten)),
        Some(ten) => divided(value, ten),
        None if value == 0 => Place::exact(0),
        None if power >= 0 => Place::exact(if value > 0 { i128::MAX } else { i128::MIN }),
        None if value > 0 => Place { floor: 0, ceil: 1 },
        None => Place { floor: -1, ceil: 0 },
    }
}

/// A float among decimals with so many digits after the point. `0.1` means the decimal that it is written as, not the
/// nearest binary fraction.
fn decimal(number: f64, scale: i32) -> Option<Place<i128>> {
    if number.is_nan() {
        return None;
    }
    if number.is_infinite() {
        return Some(Place::exact(if number > 0.0 { i128::MAX } else { i128::MIN }));
    }
    // The shortest digits that mean this float: `-1.5e-3`.
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits: i128 = mantissa.replace('.', "").parse().ok()?;
    let power = exponent.parse::<i32>().ok()? - i32::try_from(fraction).ok()? + scale;
    Some(scaled(digits, power))
}

/// The floats next to an integer.
fn double_of_int(number: i64) -> Place<f64> {
    let near = number as f64;
    match (near as i128).cmp(&i128::from(number)) {
        Ordering::Equal => Place::exact(near),
        Ordering::Less => Place { floor: near, ceil: near.next_up() },
        Ordering::Greater => Place { floor: near.next_down(), ceil: near },
    }
}

/// The single floats next to a double one.
fn single(number: f64) -> Place<f32> {
    let near = number as f32;
    match f64::from(near).partial_cmp(&number) {
        Some(Ordering::Less) => Place { floor: near, ceil: near.next_up() },
        Some(Ordering::Greater) => Place { floor: near.next_down(), ceil: near },
        Some(Ordering::Equal) | None => Place::exact(near),
    }
}

/// Floats have a bound at both ends, since columns order NaN beyond the infinities on either side.
fn float(width: Width, op: CompareOp, floor: f64, ceil: f64) -> Interval {
    let bounds = match width {
        Width::Double => Place { floor, ceil }.bounds(op),
        Width::Single => {
            let place = Place { floor: single(floor).floor, ceil: single(ceil).ceil };
            place.bounds(op).map(|(low, high)| {
                let wide = |bound: (f32, bool)| (f64::from(bound.0), bound.1);
                (low.map(wide), high.map(wide))
            })
        }
    };
    let Some((low, high)) = bounds else { return Interval::Never };
    let (low, low_in) = low.unwrap_or((f64::NEG_INFINITY, true));
    let (high, high_in) = high.unwrap_or((f64::INFINITY, true));
    // Both zeros are equal, but −0.0 comes first in a column.
    let low = if low == 0.0 { if low_in { -0.0 } else { 0.0 } } else { low };
    let high = if high == 0.0 { if high_in { 0.0 } else { -0.0 } } else { high };
    let bound = |value: f64, inclusive| {
        let value = match width {
            Width::Double => ScalarValue::Float64(Some(value)),
            Width::Single => ScalarValue::Float32(Some(value as f32)),
        };
        Some(Bound { value, inclusive })
    };
    Interval::Between { low: bound(low, low_in), high: bound(high, high_in) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::{DataType, TimeUnit};

    fn text(data_type: DataType, op: CompareOp, literal: Literal) -> String {
        let kind = Kind::of(&data_type).unwrap();
        let show = |bound: Option<Bound>| match bound {
            None => "-".to_owned(),
            Some(Bound { value, inclusive }) => format!("{value}{}", if inclusive { "" } else { "!" }),
        };
        match interval(&kind, op, &literal).unwrap() {
            Interval::Never => "never".to_owned(),
            Interval::Between { low, high } => format!("{} to {}", show(low), show(high)),
        }
    }

    use CompareOp::{Eq, Gt, GtEq, Lt, LtEq};
    use DataType::{Date32, Decimal128, Float32, Float64, Int8, Int64, Timestamp, UInt64};
    use Literal::{Float, Int, Time};

    #[test]
    fn integers_between_floats() {
        for (op, literal, expected) in [
            (Eq, Int(5), "5 to 5"),
            (Eq, Float(5.0), "5 to 5"),
            (Eq, Float(5.5), "never"),
            (Gt, Float(5.5), "5! to -"),
            (GtEq, Float(5.5), "6 to -"),
            (Lt, Float(5.5), "- to 6!"),
            (LtEq, Float(-5.5), "- to -6"),
            (Lt, Int(200), "- to -"),
            (Gt, Int(200), "never"),
            (Gt, Int(127), "127! to -"),
            (GtEq, Int(-200), "- to -"),
            (LtEq, Int(-200), "never"),
            (Eq, Int(200), "never"),
            (Lt, Float(f64::INFINITY), "- to -"),
            (Eq, Float(f64::INFINITY), "never"),
            (GtEq, Float(f64::NEG_INFINITY), "- to -"),
            (Gt, Float(1e300), "never"),
        ] {
            assert_eq!(text(Int8, op, literal.clone()), expected, "{op} {literal}");
        }
        let big = 9_007_199_254_740_993_i64;
        assert_eq!(text(Int64, Eq, Int(big)), format!("{big} to {big}"));
        assert_eq!(text(UInt64, GtEq, Int(-1)), "- to -");
        assert_eq!(text(UInt64, Gt, Float(1e19)), "10000000000000000000! to -");
        assert_eq!(text(UInt64, Lt, Float(1e20)), "- to -");
    }

    #[test]
    fn floats_have_two_ends() {
        assert_eq!(text(Float64, Gt, Float(0.5)), "0.5! to inf");
        assert_eq!(text(Float64, Lt, Float(0.5)), "-inf to 0.5!");
        assert_eq!(text(Float64, Eq, Float(-0.0)), "-0 to 0");
        assert_eq!(text(Float64, Gt, Float(-0.0)), "0! to inf");
        assert_eq!(text(Float64, GtEq, Float(0.0)), "-0 to inf");
        assert_eq!(text(Float64, Lt, Float(0.0)), "-inf to -0!");
        assert_eq!(text(Float64, LtEq, Float(-0.0)), "-inf to 0");
        // 2^53 + 1 is no float: it lies between 2^53 and 2^53 + 2.
        let odd = 9_007_199_254_740_993;
        assert_eq!(text(Float64, Eq, Int(odd)), "never");
        assert_eq!(text(Float64, Gt, Int(odd)), "9007199254740992! to inf");
        assert_eq!(text(Float64, GtEq, Int(odd)), "9007199254740994 to inf");
    }

    #[test]
    fn single_floats_lie_beside_double_ones() {
        assert_eq!(text(Float32, Eq, Float(0.1)), "never");
        assert_eq!(text(Float32, Eq, Float(0.5)), "0.5 to 0.5");
        // The single float that is written 0.1 is a bit more than the double one.
        assert_eq!(text(Float32, GtEq, Float(0.1)), "0.1 to inf");
        assert_eq!(text(Float32, Gt, Float(0.1)), "0.099999994! to inf");
        assert_eq!(text(Float32, LtEq, Float(0.1)), "-inf to 0.099999994");
        assert_eq!(text(Float32, Gt, Float(1e300)), format!("{}! to inf", f32::MAX));
        assert_eq!(text(Float32, Lt, Float(1e300)), "-inf to inf!");
    }

    #[test]
    fn decimals_are_what_they_are_written_as() {
        let price = || Decimal128(10, 2);
        let stored = |value: i128| ScalarValue::Decimal128(Some(value), 10, 2).to_string();
        assert_eq!(text(price(), Eq, Float(0.1)), format!("{0} to {0}", stored(10)));
        assert_eq!(text(price(), Eq, Float(0.105)), "never");
        assert_eq!(text(price(), Gt, Float(0.105)), format!("{}! to -", stored(10)));
        assert_eq!(text(price(), GtEq, Float(-0.105)), format!("{} to -", stored(-10)));
        assert_eq!(text(price(), Lt, Int(7)), format!("- to {}!", stored(700)));
        assert_eq!(text(price(), Gt, Float(1e-300)), format!("{}! to -", stored(0)));
        assert_eq!(text(price(), Lt, Float(1e300)), "- to -");
        assert_eq!(text(Decimal128(5, -2), Eq, Int(150)), "never");
        assert_eq!(
            text(Decimal128(5, -2), GtEq, Int(150)),
            format!("{} to -", ScalarValue::Decimal128(Some(2), 5, -2))
        );
    }

    #[test]
    fn instants_between_stored_ones() {
        let day = 86_400_000_000;
        let unit = |unit| Timestamp(unit, Some("Europe/Warsaw".into()));
        let bound = |value: Interval| match value {
            Interval::Between { low: Some(low), .. } => low.value,
            other => panic!("{other:?}"),
        };
        let low = |data_type: DataType, op, micros| {
            bound(interval(&Kind::of(&data_type).unwrap(), op, &Time(micros)).unwrap())
        };
        assert_eq!(low(Date32, GtEq, day + 1), ScalarValue::Date32(Some(2)));
        assert_eq!(low(Date32, Gt, day + 1), ScalarValue::Date32(Some(1)));
        assert_eq!(low(Date32, Eq, -day), ScalarValue::Date32(Some(-1)));
        assert_eq!(text(Date32, Eq, Time(day + 1)), "never");
        assert_eq!(
            low(unit(TimeUnit::Nanosecond), GtEq, 7),
            ScalarValue::TimestampNanosecond(Some(7_000), Some("Europe/Warsaw".into()))
        );
        assert_eq!(
            low(unit(TimeUnit::Second), GtEq, -1),
            ScalarValue::TimestampSecond(Some(0), Some("Europe/Warsaw".into()))
        );
        // Beyond what nanoseconds reach: nothing is after it.
        assert_eq!(text(unit(TimeUnit::Nanosecond), Gt, Time(i64::MAX)), "never");
        let Kind::Whole(seconds) = Kind::of(&unit(TimeUnit::Second)).unwrap() else { panic!() };
        let Interval::Between { low: Some(low), high: Some(high) } = within(&seconds, 1, 2_000_000) else { panic!() };
        assert!(low.inclusive && !high.inclusive);
        assert_eq!(high.value, ScalarValue::TimestampSecond(Some(2), Some("Europe/Warsaw".into())));
    }
}
