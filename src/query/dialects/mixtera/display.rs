//! The trees that the software prints: one node a line, as many dashes as it is deep.

use super::Flavour;
use super::tree::{Condition, Query, Value};
use std::fmt::Write;

/// The tree as text, without a line break at the end.
pub(super) fn display(query: &Query, flavour: Flavour) -> String {
    let mut lines = vec![];
    node(query, flavour, 0, &mut lines);
    lines.join("\n")
}

fn node(query: &Query, flavour: Flavour, level: usize, lines: &mut Vec<String>) {
    let line = |text: &str| match level {
        0 => text.to_owned(),
        level => format!("{}> {text}", "-".repeat(level)),
    };
    let (title, children): (_, Vec<&Query>) = match query {
        Query::Select(conditions) => return lines.push(line(&select(conditions, flavour))),
        Query::Chain(parts) => {
            let Some((first, rest)) = parts.split_first() else { return };
            node(first, flavour, level, lines);
            return rest.iter().for_each(|part| node(part, flavour, level + 1, lines));
        }
        Query::Union(parts) => ("union<>()", parts.iter().collect()),
        Query::Intersection(parts) => ("intersection<>()", parts.iter().collect()),
        Query::Difference(left, right) => ("difference<>()", vec![left, right]),
    };
    lines.push(line(title));
    children.into_iter().for_each(|child| node(child, flavour, level + 1, lines));
}

fn select(conditions: &[Condition], flavour: Flavour) -> String {
    match (flavour, conditions) {
        (Flavour::Seed, [Condition { field, operator, value, .. }]) => {
            let value = if let Value::Text(text) = value { text.clone() } else { literal(value) };
            format!("select<>({field} {operator} {value})")
        }
        (Flavour::Seed | Flavour::Current, _) => {
            let tuple =
                |it: &Condition| format!("({}, {}, {})", text(&it.field), text(&it.operator), literal(&it.value));
            format!("select<>([{}])", conditions.iter().map(tuple).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value as Python writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::Text(value) => text(value),
        Value::List(values) => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
    }
}

/// The shortest digits that give the float back, with an exponent below 0.0001 and from 1e16 on.
fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(power) if (-4..16).contains(&power) => format!("{number:?}"),
        Ok(power) => format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs()),
        Err(_) => scientific,
    }
}

/// In single quotes, or in double ones if there are single quotes and no double ones in the text.
fn text(value: &str) -> String {
    let quote = if value.contains('\'') && !value.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(value.len() + 2);
    out.push(quote);
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => {
                out.push('\\');
                out.push(quote);
            }
            _ if character.is_control() && u32::from(character) < 256 => {
                let _ = write!(out, "\\x{:02x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_python_does() {
        for (value, shown) in [
            (Value::from("it's"), "\"it's\""),
            (Value::from("'\""), "'\\'\"'"),
            (Value::from("a\\\n\u{1}ü"), "'a\\\\\\n\\x01ü'"),
            (Value::Float(0.5), "0.5"),
            (Value::Float(1e-5), "1e-05"),
            (Value::Float(1.5e16), "1.5e+16"),
            (Value::Float(2.0), "2.0"),
            (Value::list([Value::None, Value::Bool(true), Value::Int(-3)]), "[None, True, -3]"),
        ] {
            assert_eq!(literal(&value), shown);
        }
    }
}
