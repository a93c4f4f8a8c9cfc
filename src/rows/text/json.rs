//! Rows as JSON arrays: `["a", 1, 1.5, null]`.
//!
//! A number with a fraction or exponent is a double, any other one an integer; `{"float": "-Infinity"}` is a double that
//! JSON cannot write.

use crate::cell::{Cell, push_integer};
use crate::row::Row;
use serde_json::{Map, Number, Value};
use std::sync::Arc;

/// A row from the text of an array.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_row(text: &str) -> Result<Row, String> {
    read::row(text)
}

/// A row from an array.
///
/// # Errors
/// Anything but an array.
pub fn row(value: Value) -> Result<Row, String> {
    match value {
        Value::Array(cells) => Ok(cells.into_iter().map(cell).collect()),
        other => Err(format!("a row is an array, this is {}", sort(&other))),
    }
}

fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A cell from a value. Integers beyond 64 bits become doubles, truth values texts.
pub fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::Bool(value) => Cell::from(if value { "true" } else { "false" }),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Cell::Int(value),
            None => Cell::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cell::from(text),
        Value::Array(items) => Cell::List(items.into_iter().map(cell).collect()),
        Value::Object(entries) => match special_float(&entries) {
            Some(value) => Cell::Float(value),
            None => Cell::Map(Arc::new(entries.into_iter().map(|(key, value)| (key, cell(value))).collect())),
        },
    }
}

fn special_float(entries: &Map<String, Value>) -> Option<f64> {
    if entries.len() != 1 {
        return None;
    }
    match entries.get("float")?.as_str()? {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => None,
    }
}

/// Rows straight from the text: what most cells are needs no value in between.
mod read {
    use super::{Cell, Row};
    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
    use std::fmt;

    pub(super) fn row(text: &str) -> Result<Row, String> {
        let read: Result<Cells, _> = serde_json::from_str(text);
        read.map(|cells| Row { cells: cells.0 }).map_err(|error| error.to_string())
    }

    struct Cells(Vec<Cell>);

    impl<'de> Deserialize<'de> for Cells {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Array;
            impl<'de> Visitor<'de> for Array {
                type Value = Cells;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a row, which is an array")
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Cells, A::Error> {
                    // Most rows are short; one more cell is what many ops add.
                    let mut cells = Vec::with_capacity(4);
                    while let Some(One(cell)) = items.next_element()? {
                        cells.push(cell);
                    }
                    Ok(Cells(cells))
                }
            }
            deserializer.deserialize_seq(Array)
        }
    }

    struct One(Cell);

    impl<'de> Deserialize<'de> for One {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Any;
            impl<'de> Visitor<'de> for Any {
                type Value = One;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a cell")
                }

                fn visit_unit<E: Error>(self) -> Result<One, E> {
                    Ok(One(Cell::Empty))
                }

                fn visit_bool<E: Error>(self, value: bool) -> Result<One, E> {
                    Ok(One(Cell::from(if value { "true" } else { "false" })))
                }

                fn visit_i64<E: Error>(self, value: i64) -> Result<One, E> {
                    Ok(One(Cell::Int(value)))
                }

                #[allow(clippy::cast_precision_loss, reason = "beyond 64 bits it is a double")]
                fn visit_u64<E: Error>(self, value: u64) -> Result<One, E> {
                    Ok(One(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int)))
                }

                fn visit_f64<E: Error>(self, value: f64) -> Result<One, E> {
                    Ok(One(Cell::Float(value)))
                }

                fn visit_str<E: Error>(self, text: &str) -> Result<One, E> {
                    Ok(One(Cell::from(text)))
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<One, A::Error> {
                    let mut cells = vec![];
                    while let Some(One(cell)) = items.next_element()? {
                        cells.push(cell);
                    }
                    Ok(One(Cell::List(cells.into())))
                }

                fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<One, A::Error> {
                    Deserialize::deserialize(MapAccessDeserializer::new(entries)).map(|value| One(super::cell(value)))
                }
            }
            deserializer.deserialize_any(Any)
        }
    }
}

/// The value of a cell.
pub fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Int(value) => Value::from(*value),
        Cell::Float(value) => match Number::from_f64(*value) {
            Some(number) => Value::Number(number),
            None => serde_json::json!({"float": crate::number::float_text(*value)}),
        },
        Cell::Text(text) => Value::from(&**text),
        Cell::List(items) => items.iter().map(value).collect(),
        Cell::Map(entries) => Value::Object(entries.iter().map(|(key, cell)| (key.clone(), value(cell))).collect()),
        Cell::Distinct(estimate) => Value::from(estimate.count()),
        Cell::Bloom(filter) => Value::from(filter.bits_set()),
        Cell::Bytes(_) => cell.to_text().map_or(Value::Null, |text| Value::from(text.into_owned())),
    }
}

/// The text of a row, as an array on one line.
pub fn write_row(row: &Row, into: &mut String) {
    into.push('[');
    for (index, cell) in row.cells.iter().enumerate() {
        if index > 0 {
            into.push(',');
        }
        write_cell(cell, into);
    }
    into.push(']');
}

fn write_cell(cell: &Cell, into: &mut String) {
    match cell {
        Cell::Empty => into.push_str("null"),
        Cell::Int(value) => push_integer(*value, into),
        // Nothing to escape, as most texts have it.
        Cell::Text(text) if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') => {
            into.push('"');
            into.push_str(text);
            into.push('"');
        }
        other => into.push_str(&value(other).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_there_and_back() {
        let text = r#"["a",5,"5",5.0,null,[1,"x"],{"k":1},{"float":"-Infinity"},"a\"\\\né"]"#;
        let row = parse_row(text).unwrap();
        assert_eq!(row.get(3), &Cell::Float(5.0));
        assert_eq!(row.get(7), &Cell::Float(f64::NEG_INFINITY));
        let mut written = String::new();
        write_row(&row, &mut written);
        assert_eq!(written, text);
        for wrong in ["", "{}", "[", "[1] 2", "5"] {
            assert!(parse_row(wrong).is_err(), "{wrong}");
        }
    }

    /// The two ways from text to cells give the same.
    #[test]
    fn cells_read_straight_are_those_of_values() {
        for text in [
            r#"[9223372036854775807, 9223372036854775808, -9223372036854775809, 1e3, -0, -0.0, 1E400]"#,
            r#"[true, false, null, "", "\u00e9\ud83d\ude00", [], {}, [[null, {"float": "NaN"}]], {"float": 1}]"#,
            r#"[{"a": {"float": "Infinity"}, "b": [1]}, {"float": "x"}]"#,
        ] {
            match serde_json::from_str::<Value>(text) {
                Ok(value) => assert_eq!(format!("{:?}", parse_row(text)), format!("{:?}", super::row(value))),
                Err(_) => assert!(parse_row(text).is_err(), "{text}"),
            }
        }
    }
}
