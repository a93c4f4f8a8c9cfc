//! Rows as JSON arrays: `["a", 1, 1.5, null]`.
//!
//! A number with a fraction or exponent is a double, any other one an integer; `{"float": "-Infinity"}` is a double that
//! JSON cannot write.

use crate::cell::Cell;
use crate::row::Row;
use serde_json::{Map, Number, Value};
use std::sync::Arc;

/// A row from the text of an array.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_row(text: &str) -> Result<Row, String> {
    row(serde_json::from_str(text).map_err(|error| error.to_string())?)
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
        match cell {
            Cell::Empty => into.push_str("null"),
            Cell::Int(value) => into.push_str(&value.to_string()),
            other => into.push_str(&value(other).to_string()),
        }
    }
    into.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_there_and_back() {
        let text = r#"["a",5,"5",5.0,null,[1,"x"],{"k":1},{"float":"-Infinity"}]"#;
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
}
