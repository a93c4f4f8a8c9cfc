//! Properties and fields of a visited node.

use super::Tree;
use super::candidates::Visit;
use crate::cell::Cell;
use crate::error::Problem;
use crate::number::integer_or_number;
use lakeql_query::dialects::hydra::path::{Bounds, Element, Field, Property};

/// What a property or field comes to.
pub(super) enum Value {
    /// A value within its bounds.
    Cell(Cell),
    /// Nothing, or a value out of bounds.
    Nothing,
    /// The node is fine and the cell gets lost.
    Lost,
}

fn bounded(cell: Cell, bounds: &Bounds) -> Value {
    if cell.is_empty() {
        return Value::Nothing;
    }
    if !bounds.any() {
        return Value::Cell(cell);
    }
    match integer_or_number(&cell) {
        Ok(Some(number)) if bounds.admit(number.as_int()) => Value::Cell(cell),
        _ => Value::Nothing,
    }
}

/// The value of a property.
pub(super) fn property<T: Tree>(tree: &T, visit: &Visit<T::Node>, property: &Property) -> Value {
    let cell = match property.name.as_str() {
        "hits" | "count" => Cell::Int(visit.hits(tree)),
        "nodes" => Cell::Int(visit.real().map_or(0, |node| tree.child_count(node))),
        "mem" => Cell::Int(visit.real().map_or(0, |node| tree.weight(node))),
        "json" => {
            let nodes = visit.real().map_or(0, |node| tree.child_count(node));
            let json = serde_json::json!({"name": &*visit.name(tree), "hits": visit.hits(tree), "nodes": nodes});
            Cell::from(json.to_string())
        }
        _ => Cell::Empty,
    };
    bounded(cell, &property.bounds)
}

/// The value of a field: that of its last key. A key without an answer is one too many.
pub(super) fn field<T: Tree>(tree: &T, visit: &Visit<T::Node>, field: &Field) -> Result<Value, Problem> {
    let node = match visit {
        Visit::Real(node) | Visit::Counted(node, _) => node,
        Visit::Made(made) => {
            let asks_error =
                field.attachment == "stats" && field.keys.iter().all(|key| key.name.as_deref() == Some("error"));
            let error = made.error.filter(|_| asks_error && !field.size).map_or(Cell::Empty, Cell::Int);
            let bounds = field.keys.last().map(|key| key.bounds).unwrap_or_default();
            return Ok(bounded(error, &bounds));
        }
    };
    let Some(attachment) = tree.attachment(node, &field.attachment)? else { return Ok(Value::Nothing) };
    if field.size {
        return Ok(Value::Cell(Cell::Int(i64::try_from(attachment.size()).unwrap_or(i64::MAX))));
    }
    let mut last = Value::Nothing;
    for key in &field.keys {
        let answer = attachment.answer(key.name.as_deref())?;
        // Of an array every entry would go to the same cell.
        let answer = match answer {
            Cell::List(items) => items.last().cloned().unwrap_or_default(),
            other => other,
        };
        last = match key.bounds.equal {
            Some(_) if !answer.is_empty() => Value::Lost,
            _ => bounded(answer, &key.bounds),
        };
        if matches!(last, Value::Nothing) {
            return Ok(Value::Nothing);
        }
    }
    Ok(last)
}

/// The names of an element's columns: the one of the node, those of properties, those of fields.
pub(super) struct Names {
    pub(super) node: String,
    pub(super) properties: Vec<String>,
    pub(super) fields: Vec<String>,
}

impl Names {
    /// The name of a cell: 0 is that of the node, those of properties and fields follow.
    pub(super) fn of(&self, place: usize) -> &str {
        let Some(place) = place.checked_sub(1) else { return &self.node };
        let name = match place.checked_sub(self.properties.len()) {
            None => self.properties.get(place),
            Some(place) => self.fields.get(place),
        };
        name.map_or("", String::as_str)
    }
}

/// Names by a running number over the order of the text; what is not shown takes none.
pub(super) fn names(elements: &[Element]) -> Vec<Names> {
    let mut number = 0_usize;
    let mut next = || {
        number += 1;
        (number - 1).to_string()
    };
    let of = |element: &Element| {
        let node = match &element.column {
            Some(column) => column.clone(),
            None if element.collect => next(),
            None => String::new(),
        };
        let places = element.properties.len() + element.fields.len();
        let shown = |place: usize| {
            element.properties.iter().any(|property| property.place == place && property.show)
                || element.fields.iter().any(|field| field.place == place && field.show)
        };
        let by_place: Vec<String> =
            (0..places).map(|place| if shown(place) { next() } else { String::new() }).collect();
        let name = |place: usize| by_place.get(place).cloned().unwrap_or_default();
        Names {
            node,
            properties: element.properties.iter().map(|property| name(property.place)).collect(),
            fields: element.fields.iter().map(|field| name(field.place)).collect(),
        }
    };
    elements.iter().map(of).collect()
}
