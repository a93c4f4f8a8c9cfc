//! Values that are more than a word: sizes, durations, lists of columns, names from a list.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use lakeql_engine::PlainSource;
use lakeql_lake::AsOf;
use lakeql_lake::ingest::neptune::SeriesZone;
use lakeql_lake::ingest::samples::KnownLayout;
use lakeql_output::Format;
use lakeql_query::dialects;
use lakeql_query::model::Entity;
use lakeql_rows::text::hydra::HydraFormat;
use std::time::Duration;

/// A number of bytes.
pub(crate) type Bytes = usize;

/// Names of columns, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns(pub(crate) Vec<String>);

/// The language that is not in the list of dialects, because the engine reads it by itself.
pub(crate) const SQL: &str = "sql";

/// `--format`.
pub(crate) fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}

/// `--hydra-format`.
pub(crate) fn hydra_format() -> impl TypedValueParser<Value = HydraFormat> {
    PossibleValuesParser::new(HydraFormat::ALL.map(|(name, _)| name))
        .try_map(|name| HydraFormat::find(&name).ok_or("no such format"))
}

/// `--lang`: all dialects and SQL.
pub(crate) fn language_parser() -> PossibleValuesParser {
    let dialects = dialects::ALL.iter().map(|dialect| PossibleValue::new(dialect.name()).help(dialect.about()));
    PossibleValuesParser::new(dialects.chain([PossibleValue::new(SQL).help("SQL over the same tables")]))
}

/// `--entity`.
pub(crate) fn entity_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(Entity::ALL.map(Entity::variable))
}

/// `--as-of`: the number of a version, or a time. A time without a zone is in UTC, a date is its first moment.
pub(crate) fn as_of(text: &str) -> Result<AsOf, String> {
    if let Ok(version) = text.parse() {
        return Ok(AsOf::Version(version));
    }
    let zoned = || DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%F %T%.f%:z"));
    if let Ok(time) = zoned() {
        return Ok(AsOf::Time(time.to_utc()));
    }
    let time = ["%FT%T%.f", "%F %T%.f", "%FT%H:%M", "%F %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| Some(NaiveDate::parse_from_str(text, "%F").ok()?.and_time(NaiveTime::MIN)));
    time.map(|time| AsOf::Time(time.and_utc()))
        .ok_or_else(|| "expected the number of a version or a time such as 2024-05-31T12:00:00Z".into())
}

/// `--now`: microseconds since 1970 of an ISO 8601 time; without an offset it is in UTC.
pub(crate) fn instant(text: &str) -> Result<i64, String> {
    lakeql_query::syntax::time::parse_iso(text)
        .ok_or_else(|| "expected a time such as 2024-05-31 or 2024-05-31T12:00:00Z".into())
}

/// `--legacy-prefixes`: four prefixes, each may be empty.
pub(crate) fn prefixes(text: &str) -> Result<dialects::LegacyPrefixes, String> {
    let parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
    let [parameters, metrics, logs, properties] = parts.try_into().map_err(|_| {
        "expected four prefixes: of parameters, metrics, logs and properties, as in hparams/,metrics/,logs/,meta/"
            .to_owned()
    })?;
    Ok(dialects::LegacyPrefixes { parameters, metrics, logs, properties })
}

/// `1.5GB`, `512MiB`, `1000000`. kB MB GB TB are powers of 1000, KiB MiB GiB TiB and K M G T of 1024.
pub(crate) fn size(text: &str) -> Result<Bytes, String> {
    let (number, unit) = split_number(text);
    let scale: f64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(format!("unknown unit '{unit}': expected a size such as 512MB or 2GiB")),
    };
    let number: f64 = number.parse().map_err(|_| "expected a size such as 512MB or 2GiB".to_owned())?;
    let bytes = number * scale;
    // `as` saturates, so what is too large for this machine means "no limit".
    if bytes >= 1.0 { Ok(bytes as usize) } else { Err("a size is at least one byte".into()) }
}

/// `500ms`, `30s`, `1h30m`, `7d`; `0` needs no unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a duration such as 500ms, 30s, 5m, 1h30m or 7d";
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut total, mut rest) = (0.0_f64, text);
    while !rest.is_empty() {
        let (number, after) = split_number(rest);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, following) = after.split_at(end);
        let scale = match unit {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 7.0 * 86_400.0,
            "" => return Err(format!("{EXPECTED}: the unit is missing")),
            _ => return Err(format!("unknown unit '{unit}': {EXPECTED}")),
        };
        total += number.parse::<f64>().map_err(|_| EXPECTED.to_owned())? * scale;
        rest = following;
    }
    if text.is_empty() {
        return Err(EXPECTED.into());
    }
    Duration::try_from_secs_f64(total).map_err(|_| EXPECTED.to_owned())
}

fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end..).unwrap_or_default().trim_start())
}

/// `--from`: `FILES` or `NAME=FILES`.
#[expect(clippy::unnecessary_wraps, reason = "what a parser of values looks like")]
pub(crate) fn plain_source(text: &str) -> Result<PlainSource, String> {
    Ok(PlainSource::parse(text))
}

/// Splits at commas that are not inside double quotes, brackets or braces: `hash,"a,b".c,loss.last`.
pub(crate) fn columns(text: &str) -> Result<Columns, String> {
    let (mut columns, mut current) = (vec![], String::new());
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' | '{' | '(' if !quoted => depth += 1,
            ']' | '}' | ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                columns.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(character);
    }
    if quoted {
        return Err("a double quote is not closed".into());
    }
    columns.push(current);
    let columns: Vec<String> = columns.iter().map(|column| column.trim().to_owned()).collect();
    if columns.iter().any(|column| matches!(column.as_str(), "" | "-")) {
        return Err("expected names of columns, separated by commas".into());
    }
    Ok(Columns(columns))
}

/// A time zone by its name or its distance from UTC.
pub(crate) fn series_zone(text: &str) -> Result<SeriesZone, String> {
    text.parse()
}

/// A corpus whose properties are known.
pub(crate) fn layout(text: &str) -> Result<KnownLayout, String> {
    KnownLayout::from_name(&text.to_lowercase()).ok_or_else(|| {
        let names: Vec<&str> = KnownLayout::ALL.into_iter().map(KnownLayout::name).collect();
        format!("known are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_times() {
        let time = |text: &str| AsOf::Time(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        assert_eq!(as_of("7"), Ok(AsOf::Version(7)));
        assert_eq!(as_of("2024-05-31"), Ok(time("2024-05-31T00:00:00Z")));
        assert_eq!(as_of("2024-05-31T12:30"), Ok(time("2024-05-31T12:30:00Z")));
        assert_eq!(as_of("2024-05-31 12:30:01.5"), Ok(time("2024-05-31T12:30:01.5Z")));
        assert_eq!(as_of("2024-05-31T12:30:00+02:00"), Ok(time("2024-05-31T10:30:00Z")));
        assert_eq!(as_of("2024-05-31T12:30:00Z"), Ok(time("2024-05-31T12:30:00Z")));
        for wrong in ["", "-1", "yesterday", "2024-13-01", "31.5.2024"] {
            assert!(as_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn instants_and_prefixes() {
        assert_eq!(instant("1970-01-02T00:00:00.5Z"), Ok(86_400_500_000));
        assert!(instant("yesterday").is_err());
        let found = prefixes("hparams/, ,logs/,p/").unwrap();
        assert_eq!((found.parameters.as_str(), found.metrics.as_str(), found.logs.as_str()), ("hparams/", "", "logs/"));
        assert!(prefixes("a,b").is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(size("1000"), Ok(1000));
        assert_eq!(size("512MB"), Ok(512_000_000));
        assert_eq!(size("1.5 GiB"), Ok(3 << 29));
        assert_eq!(size("2g"), Ok(2 << 30));
        assert_eq!(size("64kB"), Ok(64_000));
        for wrong in ["", "GB", "-1GB", "1XB", "1.2.3MB", "0", "0.1b", "inf"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "30", "s", "-1s", "5 parsecs", "1h30", "1.2.3s", "99999999999999999999999w"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(duration("30").unwrap_err().contains("unit is missing"));
    }

    #[test]
    fn columns_are_split_at_outer_commas() {
        let split = |text: &str| columns(text).unwrap().0;
        assert_eq!(split("hash, hparams.lr ,loss.last"), ["hash", "hparams.lr", "loss.last"]);
        assert_eq!(split(r#"-"a,\"b".c,d[1]"#), [r#"-"a,\"b".c"#, "d[1]"]);
        assert_eq!(split(r#"loss{"a":1,"b":2}.last,x"#), [r#"loss{"a":1,"b":2}.last"#, "x"]);
        for wrong in ["", "a,,b", ",", "a,", "\"a", "-"] {
            assert!(columns(wrong).is_err(), "{wrong}");
        }
    }
}
