//! A value of any type, as the JSON text in which the lake has it.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A value as JSON in the notation of the lake: `{"$float": "nan"}` where JSON has no number, `{"$map": [[key, value], …]}`
/// where keys are not texts. Integers keep all their digits, floats their point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// From valid JSON.
    pub(super) fn of_json(json: impl Into<String>) -> Self {
        Self(json.into())
    }

    pub(super) fn text(text: &str) -> Self {
        Self(serde_json::Value::from(text).to_string())
    }

    pub(super) fn float(number: f64) -> Self {
        Self(match number {
            number if number.is_nan() => r#"{"$float":"nan"}"#.into(),
            f64::INFINITY => r#"{"$float":"inf"}"#.into(),
            f64::NEG_INFINITY => r#"{"$float":"-inf"}"#.into(),
            number => format!("{number:?}"),
        })
    }

    pub(super) fn int(number: i64) -> Self {
        Self(number.to_string())
    }

    /// The JSON text.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// The value for people: texts without quotes, unless they would read like something else (`"1"`, `"true"`, `" x"`);
    /// `NaN`, `inf`, `-inf`; `None` for null.
    pub fn readable(&self) -> String {
        let json = self.json();
        if json == "null" {
            return "None".into();
        }
        if let Some(number) = special(json) {
            return number.into();
        }
        match serde_json::from_str::<String>(json) {
            Ok(text) if !reads_like_something_else(&text) => text,
            _ => json.to_owned(),
        }
    }

    /// Whether two values are the same: numbers by their value (`1` and `1.0`), NaN and itself, everything else by type
    /// and content, whatever the order of keys.
    pub fn same(&self, other: &Self) -> bool {
        same(self.json(), other.json())
    }
}

/// What JSON has no number for.
fn special(json: &str) -> Option<&'static str> {
    let Some(Json::Object(members)) = Json::read(json) else { return None };
    let [(key, value)] = members.as_slice() else { return None };
    match (key.as_str(), value.get()) {
        ("$float", "\"nan\"") => Some("NaN"),
        ("$float", "\"inf\"") => Some("inf"),
        ("$float", "\"-inf\"") => Some("-inf"),
        _ => None,
    }
}

fn reads_like_something_else(text: &str) -> bool {
    let words = ["", "None", "NaN", "nan", "inf", "-inf"];
    words.contains(&text) || text.trim() != text || serde_json::from_str::<&RawValue>(text).is_ok()
}

fn same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (Json::read(left), Json::read(right)) {
        (Some(Json::Number(left)), Some(Json::Number(right))) => same_number(left, right),
        (Some(Json::List(left)), Some(Json::List(right))) => {
            left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| same(left.get(), right.get()))
        }
        (Some(Json::Object(left)), Some(Json::Object(right))) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.iter().any(|(other, found)| key == other && same(value.get(), found.get()))
                })
        }
        (Some(Json::Text(left)), Some(Json::Text(right))) => left == right,
        _ => false,
    }
}

/// Numbers of any size, compared exactly.
fn same_number(left: &str, right: &str) -> bool {
    let is_integer = |text: &str| !text.contains(['.', 'e', 'E']);
    let float = |text: &str| text.parse::<f64>().ok();
    match (is_integer(left), is_integer(right)) {
        (true, true) => left == right || (float(left) == Some(0.0) && float(right) == Some(0.0)),
        (false, false) => float(left) == float(right),
        (true, false) => float(right).is_some_and(|right| is_whole(right, left)),
        (false, true) => float(left).is_some_and(|left| is_whole(left, right)),
    }
}

/// Whether a float is this integer. Without a fraction a float is printed with all its digits.
fn is_whole(float: f64, integer: &str) -> bool {
    float.fract() == 0.0
        && (format!("{float:.0}") == integer || (float == 0.0 && integer.trim_start_matches('-') == "0"))
}

/// One level of a JSON text.
pub(super) enum Json<'a> {
    Object(Vec<(String, &'a RawValue)>),
    List(Vec<&'a RawValue>),
    Text(String),
    Number(&'a str),
    /// `null`, `true`, `false`.
    Word,
}

impl<'a> Json<'a> {
    /// Nothing if the text is not JSON.
    pub(super) fn read(json: &'a str) -> Option<Self> {
        let json = json.trim();
        Some(match json.as_bytes().first()? {
            b'{' => Self::Object(serde_json::from_str::<Members<'a>>(json).ok()?.0),
            b'[' => Self::List(serde_json::from_str(json).ok()?),
            b'"' => Self::Text(serde_json::from_str(json).ok()?),
            b'-' | b'0'..=b'9' => Self::Number(json),
            _ => Self::Word,
        })
    }
}

/// The members of an object in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        Value::of_json(json)
    }

    #[test]
    fn people_read_texts_without_quotes_unless_they_mislead() {
        for (json, expected) in [
            ("\"adam\"", "adam"),
            ("\"a \\\"b\\\"\"", "a \"b\""),
            ("\"1\"", "\"1\""),
            ("\"true\"", "\"true\""),
            ("\"[1]\"", "\"[1]\""),
            ("\"None\"", "\"None\""),
            ("\"\"", "\"\""),
            ("\" x\"", "\" x\""),
            ("1", "1"),
            ("1.0", "1.0"),
            ("null", "None"),
            ("{\"$float\":\"nan\"}", "NaN"),
            ("{\"$float\":\"-inf\"}", "-inf"),
            ("[64,64]", "[64,64]"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(value(json).readable(), expected);
        }
    }

    #[test]
    fn numbers_are_the_same_by_value_and_the_rest_by_type() {
        for (left, right) in [
            ("1", "1.0"),
            ("1e3", "1000"),
            ("0", "-0.0"),
            ("0.1", "1e-1"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551616", "1.8446744073709552e19"),
            ("[1,{\"a\":2}]", "[1.0,{\"a\":2.0}]"),
            ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"),
            ("{\"$float\":\"nan\"}", "{\"$float\":\"nan\"}"),
            ("\"\\u0061\"", "\"a\""),
        ] {
            assert!(value(left).same(&value(right)) && value(right).same(&value(left)), "{left} {right}");
        }
        for (left, right) in [
            ("1", "\"1\""),
            ("1", "true"),
            ("0", "null"),
            ("9007199254740993", "9007199254740992.0"),
            ("0.1", "0.10000000000000002"),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            ("{\"a\":1}", "{\"a\":1,\"b\":2}"),
            ("true", "false"),
        ] {
            assert!(!value(left).same(&value(right)), "{left} {right}");
        }
    }

    #[test]
    fn floats_keep_their_point_and_what_json_lacks_has_a_notation() {
        for (number, json) in [(1.0, "1.0"), (-0.0, "-0.0"), (1e300, "1e300"), (f64::NAN, r#"{"$float":"nan"}"#)] {
            assert_eq!(Value::float(number).json(), json);
        }
    }
}
