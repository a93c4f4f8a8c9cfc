//! Methods of datetimes, dates and time spans.

use super::text::wanted;
use crate::Raised;
use crate::builtins::{Type, time};
use crate::program::{Args, Eval};
use crate::value::{Value, text};
use chrono::{Datelike, NaiveDateTime, NaiveTime, Timelike};

pub(super) const DATE_NAMES: &[&str] =
    &["ctime", "isocalendar", "isoformat", "isoweekday", "replace", "strftime", "timetuple", "toordinal", "weekday"];
pub(super) const DATETIME_NAMES: &[&str] = &[
    "astimezone",
    "ctime",
    "date",
    "dst",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "time",
    "timestamp",
    "timetuple",
    "toordinal",
    "tzname",
    "utcoffset",
    "utctimetuple",
    "weekday",
];

/// The names of a class's data attributes.
pub(crate) fn attributes(class: Type) -> &'static [&'static str] {
    match class {
        Type::Datetime => &["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"],
        Type::Date => &["year", "month", "day"],
        Type::Time => &["hour", "minute", "second", "microsecond", "tzinfo", "fold"],
        Type::Timedelta => &["days", "seconds", "microseconds"],
        _ => &[],
    }
}

/// A data attribute.
pub(super) fn attribute(value: &Value, name: &str) -> Option<Value> {
    if !attributes(Type::of(value)).contains(&name) {
        return None;
    }
    let (date, clock) = match value {
        Value::Datetime(time) => (Some(time.date()), time.time()),
        Value::Date(date) => (Some(*date), NaiveTime::MIN),
        Value::Time(micros) => (None, time::clock(*micros)),
        Value::Timedelta(span) => {
            let rest = span.rem_euclid(time::DAY);
            return Some(Value::Int(match name {
                "days" => span.div_euclid(time::DAY),
                "seconds" => rest / 1_000_000,
                _ => rest % 1_000_000,
            }));
        }
        _ => return None,
    };
    Some(match name {
        "year" => Value::Int(date?.year().into()),
        "month" => Value::Int(date?.month().into()),
        "day" => Value::Int(date?.day().into()),
        "hour" => Value::Int(clock.hour().into()),
        "minute" => Value::Int(clock.minute().into()),
        "second" => Value::Int(clock.second().into()),
        "microsecond" => Value::Int((clock.nanosecond() / 1000).into()),
        "fold" => Value::Int(0),
        _ => Value::None,
    })
}

/// A method.
pub(super) fn call(eval: &Eval<'_>, value: &Value, name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    match value {
        Value::Timedelta(span) if name == "total_seconds" => {
            args.exactly::<0>(name)?;
            Ok(Some(Value::Float(time::total_seconds(*span))))
        }
        Value::Datetime(moment) => match datetime(*moment, name, args)? {
            Some(found) => Ok(Some(found)),
            None => shared(eval, value, *moment, name, args),
        },
        Value::Date(date) => {
            if name == "isoformat" {
                args.exactly::<0>(name)?;
                return Ok(Some(Value::text(time::date_text(*date))));
            }
            shared(eval, value, date.and_time(NaiveTime::MIN), name, args)
        }
        Value::Time(micros) => match name {
            "isoformat" => {
                args.exactly::<0>(name)?;
                text::str(value, &eval.meter).map(Some)
            }
            "strftime" => {
                let [format] = args.exactly(name)?;
                let first = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default();
                let moment = first.and_time(time::clock(*micros));
                Ok(Some(Value::text(time::strftime(moment, wanted(Some(format))?, &eval.meter)?)))
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Methods that only datetimes have.
fn datetime(moment: NaiveDateTime, name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    let value = match name {
        "isoformat" => {
            let [separator, precision] = args.bind(name, ["sep", "timespec"], 0)?;
            let separator = separator.map_or(Ok("T".into()), |s| wanted(Some(s)).cloned())?;
            let precision = precision.map_or(Ok("auto".into()), |p| wanted(Some(p)).cloned())?;
            let mut chars = separator.chars();
            let (Some(separator), None) = (chars.next(), chars.next()) else {
                return Err(Raised::type_error("the separator is one character"));
            };
            let text = time::isoformat_with(moment, separator, &precision);
            return text.map(|text| Some(Value::text(text))).ok_or_else(|| Raised::value_error("an unknown precision"));
        }
        "date" => Value::Date(moment.date()),
        "time" => Value::Time(time::micros_of_day(moment.time())),
        "timestamp" => Value::Float(time::timestamp(moment)),
        "utcoffset" | "dst" | "tzname" => Value::None,
        "astimezone" => return Err(Raised::unsupported("time zones")),
        _ => return Ok(None),
    };
    args.exactly::<0>(name)?;
    Ok(Some(value))
}

/// Methods of datetimes and dates.
fn shared(
    eval: &Eval<'_>,
    value: &Value,
    moment: NaiveDateTime,
    name: &str,
    args: &Args,
) -> Result<Option<Value>, Raised> {
    let int = |number: u32| Value::Int(number.into());
    let result = match name {
        "replace" => return time::replace(value, args).map(Some),
        "strftime" => {
            let [format] = args.bind(name, ["format"], 1)?;
            return Ok(Some(Value::text(time::strftime(moment, wanted(format)?, &eval.meter)?)));
        }
        "weekday" => int(moment.weekday().num_days_from_monday()),
        "isoweekday" => int(moment.weekday().number_from_monday()),
        "isocalendar" => {
            let week = moment.iso_week();
            let parts =
                vec![Value::Int(week.year().into()), int(week.week()), int(moment.weekday().number_from_monday())];
            Value::record(&["year", "week", "weekday"], parts)
        }
        "toordinal" => Value::Int(moment.num_days_from_ce().into()),
        "ctime" => Value::text(time::strftime(moment, "%c", &eval.meter)?),
        "timetuple" | "utctimetuple" => {
            const NAMES: &[&str] =
                &["tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"];
            let parts = vec![
                Value::Int(moment.year().into()),
                int(moment.month()),
                int(moment.day()),
                int(moment.hour()),
                int(moment.minute()),
                int(moment.second()),
                int(moment.weekday().num_days_from_monday()),
                int(moment.ordinal()),
                Value::Int(if name == "timetuple" { -1 } else { 0 }),
            ];
            Value::record(NAMES, parts)
        }
        _ => return Ok(None),
    };
    args.exactly::<0>(name)?;
    Ok(Some(result))
}
