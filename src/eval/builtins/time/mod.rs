//! Datetimes, dates and time spans: how they are made, and their arithmetic.

mod strptime;
mod text;

pub(crate) use text::{
    clock_text, date_repr, date_text, datetime_repr, isoformat, isoformat_with, span_repr, span_text, strftime,
    time_repr,
};

use super::{Builtin, Type};
use crate::Raised;
use crate::methods;
use crate::program::Args;
use crate::value::number::{Real, round_half_even};
use crate::value::{Value, sequence};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use lakeql_query::syntax::python::BinaryOp;

const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

fn out_of_range() -> Raised {
    Raised::overflow("the date is outside of the years 1 to 9999")
}

fn bad(what: &'static str) -> Raised {
    Raised::value_error(what)
}

/// Dates have the years 1 to 9999.
fn checked(time: Option<NaiveDateTime>) -> Result<NaiveDateTime, Raised> {
    time.filter(|time| (1..=9999).contains(&time.year())).ok_or_else(out_of_range)
}

/// A time of day from microseconds since midnight.
pub(crate) fn clock(micros: i64) -> NaiveTime {
    let seconds = (micros / SECOND) as u32;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, (micros % SECOND) as u32 * 1000).unwrap_or(NaiveTime::MIN)
}

/// Microseconds since midnight.
pub(crate) fn micros_of_day(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond() / 1000)
}

fn date_of(year: i64, month: i64, day: i64) -> Result<NaiveDate, Raised> {
    let part = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    let year = i32::try_from(year).ok().filter(|year| (1..=9999).contains(year));
    let date = year.and_then(|year| NaiveDate::from_ymd_opt(year, part(month), part(day)));
    date.ok_or_else(|| bad("not a date"))
}

fn clock_of(hour: i64, minute: i64, second: i64, micro: i64) -> Result<NaiveTime, Raised> {
    let part = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    let micro = u32::try_from(micro).ok().filter(|micro| *micro < 1_000_000);
    let time = micro.and_then(|micro| NaiveTime::from_hms_micro_opt(part(hour), part(minute), part(second), micro));
    time.ok_or_else(|| bad("not a time of day"))
}

fn int(value: Option<&Value>, default: u32) -> Result<i64, Raised> {
    value.map_or(Ok(i64::from(default)), sequence::index)
}

/// Time zones do not exist here; None is the only one.
fn no_zone(zone: Option<&Value>) -> Result<(), Raised> {
    match zone {
        None | Some(Value::None) => Ok(()),
        Some(_) => Err(Raised::unsupported("time zones")),
    }
}

/// `datetime(year, month, day, …)`
pub(super) fn datetime(args: &Args) -> Result<Value, Raised> {
    let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
    let [year, month, day, hour, minute, second, micro, zone, _] = args.bind("datetime", names, 3)?;
    no_zone(zone)?;
    let date = date_of(int(year, 0)?, int(month, 0)?, int(day, 0)?)?;
    let time = clock_of(int(hour, 0)?, int(minute, 0)?, int(second, 0)?, int(micro, 0)?)?;
    Ok(Value::Datetime(date.and_time(time)))
}

/// `date(year, month, day)`
pub(super) fn date(args: &Args) -> Result<Value, Raised> {
    let [year, month, day] = args.bind("date", ["year", "month", "day"], 3)?;
    date_of(int(year, 0)?, int(month, 0)?, int(day, 0)?).map(Value::Date)
}

/// `time.replace(…)` of a datetime or a date.
pub(crate) fn replace(value: &Value, args: &Args) -> Result<Value, Raised> {
    match value {
        Value::Datetime(time) => {
            let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
            let [year, month, day, hour, minute, second, micro, zone, _] = args.bind("replace", names, 0)?;
            no_zone(zone)?;
            let year = year.map_or(Ok(i64::from(time.year())), sequence::index)?;
            let date = date_of(year, int(month, time.month())?, int(day, time.day())?)?;
            let micro = int(micro, time.nanosecond() / 1000)?;
            let clock =
                clock_of(int(hour, time.hour())?, int(minute, time.minute())?, int(second, time.second())?, micro)?;
            Ok(Value::Datetime(date.and_time(clock)))
        }
        Value::Date(date) => {
            let [year, month, day] = args.bind("replace", ["year", "month", "day"], 0)?;
            let year = year.map_or(Ok(i64::from(date.year())), sequence::index)?;
            date_of(year, int(month, date.month())?, int(day, date.day())?).map(Value::Date)
        }
        other => Err(Raised::type_error(format!("a value of type {} has no replace()", other.type_name()))),
    }
}

/// `timedelta(days, seconds, …)`: whole parts are added exactly, the fractions rounded at the end.
pub(super) fn timedelta(args: &Args) -> Result<Value, Raised> {
    let names = ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"];
    let units = [DAY, SECOND, 1, 1000, 60 * SECOND, 3600 * SECOND, 7 * DAY];
    let mut whole = 0_i128;
    let mut fraction = 0.0;
    for (value, unit) in args.bind("timedelta", names, 0)?.into_iter().zip(units) {
        let Some(value) = value.map(Value::unwrapped) else { continue };
        match Real::of(value) {
            Some(Real::Int(count)) => whole += i128::from(count) * i128::from(unit),
            Some(Real::Float(count)) => {
                if !count.is_finite() || count.abs() > 1e17 {
                    return Err(Raised::overflow("the time span is too large"));
                }
                whole += (count.trunc() as i128) * i128::from(unit);
                fraction += count.fract() * unit as f64;
            }
            Some(Real::Big(_)) => return Err(Raised::overflow("the time span is too large")),
            None => return Err(Raised::type_error("a time span is made of numbers")),
        }
    }
    span(whole + round_half_even(fraction) as i128)
}

fn span(micros: i128) -> Result<Value, Raised> {
    i64::try_from(micros).map(Value::Timedelta).map_err(|_| Raised::overflow("the time span is too large"))
}

fn shifted(time: NaiveDateTime, micros: i64) -> Result<NaiveDateTime, Raised> {
    checked(time.checked_add_signed(TimeDelta::microseconds(micros)))
}

fn shifted_date(date: NaiveDate, micros: i64) -> Result<Value, Raised> {
    let days = micros.div_euclid(DAY);
    let count = Days::new(days.unsigned_abs());
    let moved = if days < 0 { date.checked_sub_days(count) } else { date.checked_add_days(count) };
    checked(moved.map(|date| date.and_time(NaiveTime::MIN))).map(|time| Value::Date(time.date()))
}

/// `a + b` with times; None if neither is one.
pub(crate) fn add(a: &Value, b: &Value) -> Result<Option<Value>, Raised> {
    Ok(Some(match (a, b) {
        (Value::Datetime(time), Value::Timedelta(span)) | (Value::Timedelta(span), Value::Datetime(time)) => {
            Value::Datetime(shifted(*time, *span)?)
        }
        (Value::Date(date), Value::Timedelta(span)) | (Value::Timedelta(span), Value::Date(date)) => {
            shifted_date(*date, *span)?
        }
        (Value::Timedelta(a), Value::Timedelta(b)) => span(i128::from(*a) + i128::from(*b))?,
        _ => return Ok(None),
    }))
}

/// `a - b` with times; None if they cannot be subtracted.
pub(crate) fn subtract(a: &Value, b: &Value) -> Result<Option<Value>, Raised> {
    Ok(Some(match (a, b) {
        (Value::Datetime(a), Value::Datetime(b)) => {
            Value::Timedelta(a.signed_duration_since(*b).num_microseconds().ok_or_else(out_of_range)?)
        }
        (Value::Date(a), Value::Date(b)) => Value::Timedelta(a.signed_duration_since(*b).num_days() * DAY),
        (Value::Datetime(time), Value::Timedelta(span)) => Value::Datetime(shifted(*time, span.saturating_neg())?),
        (Value::Date(date), Value::Timedelta(span)) => {
            // Only the whole days of the span count, before the sign.
            shifted_date(*date, span.div_euclid(DAY).saturating_neg().saturating_mul(DAY))?
        }
        (Value::Timedelta(a), Value::Timedelta(b)) => span(i128::from(*a) - i128::from(*b))?,
        _ => return Ok(None),
    }))
}

/// `span * number`
pub(crate) fn multiply(micros: i64, number: &Value) -> Result<Option<Value>, Raised> {
    match Real::of(number) {
        Some(Real::Int(count)) => span(i128::from(micros) * i128::from(count)).map(Some),
        Some(Real::Float(factor)) => float_span(micros as f64 * factor).map(Some),
        Some(Real::Big(_)) => Err(Raised::overflow("the time span is too large")),
        None => Ok(None),
    }
}

fn float_span(micros: f64) -> Result<Value, Raised> {
    if micros.is_finite() { span(round_half_even(micros) as i128) } else { Err(Raised::overflow("not a time span")) }
}

/// Division of time spans; None if they cannot be divided.
pub(crate) fn divide(op: BinaryOp, a: &Value, b: &Value) -> Result<Option<Value>, Raised> {
    let Value::Timedelta(a) = a else { return Ok(None) };
    let zero = || Raised::zero_division("division by zero");
    let (a, quotient_is_span, b) = match (b, Real::of(b)) {
        (Value::Timedelta(b), _) => (i128::from(*a), false, i128::from(*b)),
        (_, Some(Real::Int(b))) if op != BinaryOp::Mod => (i128::from(*a), true, i128::from(b)),
        (_, Some(Real::Float(b))) if op == BinaryOp::Div => {
            return if b == 0.0 { Err(zero()) } else { float_span(*a as f64 / b).map(Some) };
        }
        _ => return Ok(None),
    };
    if b == 0 {
        return Err(zero());
    }
    let floor = a.div_euclid(b) - i128::from(b < 0 && a.rem_euclid(b) != 0);
    let value = match (op, quotient_is_span) {
        (BinaryOp::Div, false) => Value::Float(a as f64 / b as f64),
        (BinaryOp::Div, true) => {
            // Halves go to the even quotient.
            let rest = 2 * (a - floor * b).abs();
            let up = rest > b.abs() || (rest == b.abs() && floor % 2 != 0);
            span(floor + i128::from(up))?
        }
        (BinaryOp::FloorDiv, true) => span(floor)?,
        (BinaryOp::FloorDiv, false) => Value::integer(floor.into()),
        _ => span(a - floor * b)?,
    };
    Ok(Some(value))
}

/// From Unix seconds; the local time of queries is UTC.
fn from_timestamp(value: &Value) -> Result<NaiveDateTime, Raised> {
    let micros = match Real::of(value.unwrapped()) {
        Some(Real::Int(seconds)) => i128::from(seconds) * i128::from(SECOND),
        Some(Real::Float(seconds)) if seconds.is_nan() => return Err(bad("a NaN is not a time")),
        Some(Real::Float(seconds)) => {
            (seconds.trunc() as i128).saturating_mul(i128::from(SECOND))
                + round_half_even(if seconds.is_finite() { seconds.fract() * 1e6 } else { 0.0 }) as i128
        }
        Some(Real::Big(_)) => return Err(out_of_range()),
        None => return Err(Raised::type_error("a timestamp is a number")),
    };
    let time = i64::try_from(micros).ok().and_then(DateTime::from_timestamp_micros);
    checked(time.map(|time| time.naive_utc()))
}

/// Unix seconds of a datetime taken as UTC.
pub(crate) fn timestamp(time: NaiveDateTime) -> f64 {
    time.and_utc().timestamp() as f64 + f64::from(time.nanosecond() / 1000) / 1e6
}

const MIN: NaiveDateTime = NaiveDate::MIN.and_time(NaiveTime::MIN);

/// First or last day.
fn edge(last: bool) -> NaiveDate {
    let edge = if last { NaiveDate::from_ymd_opt(9999, 12, 31) } else { NaiveDate::from_ymd_opt(1, 1, 1) };
    edge.unwrap_or(MIN.date())
}

/// An attribute of one of the classes; None if it is not known here.
pub(super) fn class_attribute(class: Type, name: &str) -> Option<Value> {
    match (class, name) {
        (Type::Timedelta, "resolution") | (Type::Datetime, "resolution") => Some(Value::Timedelta(1)),
        (Type::Datetime, "min") => Some(Value::Datetime(edge(false).and_time(NaiveTime::MIN))),
        (Type::Datetime, "max") => Some(Value::Datetime(edge(true).and_time(clock(DAY - 1)))),
        (Type::Date, "min") => Some(Value::Date(edge(false))),
        (Type::Date, "max") => Some(Value::Date(edge(true))),
        (Type::Date, "resolution") => Some(Value::Timedelta(DAY)),
        (Type::Datetime, "now" | "today" | "utcnow") => Some(Value::Builtin(&NOW)),
        (Type::Date, "today") => Some(Value::Builtin(&TODAY)),
        (Type::Datetime, "fromtimestamp" | "utcfromtimestamp") => Some(Value::Builtin(&FROM_TIMESTAMP)),
        (Type::Date, "fromtimestamp") => Some(Value::Builtin(&DATE_FROM_TIMESTAMP)),
        (Type::Datetime, "fromisoformat") => Some(Value::Builtin(&FROM_ISO)),
        (Type::Date, "fromisoformat") => Some(Value::Builtin(&DATE_FROM_ISO)),
        (Type::Datetime, "fromordinal") => Some(Value::Builtin(&FROM_ORDINAL)),
        (Type::Date, "fromordinal") => Some(Value::Builtin(&DATE_FROM_ORDINAL)),
        (Type::Datetime, "combine") => Some(Value::Builtin(&COMBINE)),
        (Type::Datetime, "strptime") => Some(Value::Builtin(&STRPTIME)),
        (_, name) if methods::time_attributes(class).contains(&name) => Some(Value::Unbound(class, name.into())),
        _ => None,
    }
}

const NOW: Builtin = Builtin::new("datetime.now", |eval, args| {
    let [zone] = args.bind("now", ["tz"], 0)?;
    no_zone(zone)?;
    Ok(Value::Datetime(eval.row.now()))
});

const TODAY: Builtin = Builtin::new("date.today", |eval, args| {
    args.exactly::<0>("today")?;
    Ok(Value::Date(eval.row.now().date()))
});

const FROM_TIMESTAMP: Builtin = Builtin::new("datetime.fromtimestamp", |_, args| {
    let [value, zone] = args.bind("fromtimestamp", ["timestamp", "tz"], 1)?;
    no_zone(zone)?;
    from_timestamp(value.unwrap_or(&Value::None)).map(Value::Datetime)
});

const DATE_FROM_TIMESTAMP: Builtin = Builtin::new("date.fromtimestamp", |_, args| {
    let [value] = args.exactly("fromtimestamp")?;
    from_timestamp(value).map(|time| Value::Date(time.date()))
});

fn iso(args: &Args) -> Result<NaiveDateTime, Raised> {
    let [value] = args.exactly("fromisoformat")?;
    match value.unwrapped() {
        Value::Str(text) => strptime::from_iso(text).ok_or_else(|| bad("not a time in ISO format")),
        _ => Err(Raised::type_error("fromisoformat() takes a text")),
    }
}

const FROM_ISO: Builtin = Builtin::new("datetime.fromisoformat", |_, args| iso(args).map(Value::Datetime));
const DATE_FROM_ISO: Builtin = Builtin::new("date.fromisoformat", |_, args| iso(args).map(|t| Value::Date(t.date())));

fn ordinal(args: &Args) -> Result<NaiveDate, Raised> {
    let [value] = args.exactly("fromordinal")?;
    let days = i32::try_from(sequence::index(value)?).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
    checked(days.map(|date| date.and_time(NaiveTime::MIN))).map(|time| time.date())
}

const FROM_ORDINAL: Builtin =
    Builtin::new("datetime.fromordinal", |_, args| ordinal(args).map(|d| Value::Datetime(d.and_time(NaiveTime::MIN))));
const DATE_FROM_ORDINAL: Builtin = Builtin::new("date.fromordinal", |_, args| ordinal(args).map(Value::Date));

const COMBINE: Builtin = Builtin::new("datetime.combine", |_, args| {
    let [date, time] = args.bind("combine", ["date", "time"], 2)?;
    let date = match date {
        Some(Value::Date(date)) => *date,
        Some(Value::Datetime(time)) => time.date(),
        _ => return Err(Raised::type_error("combine() takes a date and a time")),
    };
    match time {
        Some(Value::Time(micros)) => Ok(Value::Datetime(date.and_time(clock(*micros)))),
        _ => Err(Raised::type_error("combine() takes a date and a time")),
    }
});

const STRPTIME: Builtin = Builtin::new("datetime.strptime", |eval, args| {
    let [text, format] = args.exactly("strptime")?;
    match (text.unwrapped(), format.unwrapped()) {
        (Value::Str(text), Value::Str(format)) => {
            eval.meter.walk(text.len() + format.len())?;
            strptime::parse(text, format).map(Value::Datetime).ok_or_else(|| bad("the text does not have this format"))
        }
        _ => Err(Raised::type_error("strptime() takes two texts")),
    }
});

/// Seconds of a time span.
pub(crate) fn total_seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
