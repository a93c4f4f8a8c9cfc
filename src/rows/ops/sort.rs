//! `sort`: stable. Empty cells come last ascending and first descending.

use super::{TableOp, table};
use crate::cell::Cell;
use crate::error::Problem;
use crate::number::{Number, compare_floats, compare_texts, float_or_number, integer_or_number};
use crate::pipeline::{Operator, Setting};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::{SortKey, SortType};
use std::cmp::Ordering;

struct Sort {
    keys: Vec<SortKey>,
    input: Columns,
}

pub(super) fn make(keys: &[SortKey], input: &Columns, setting: &Setting) -> Box<dyn Operator> {
    table(Sort { keys: keys.to_vec(), input: input.clone() }, setting)
}

impl TableOp for Sort {
    fn table(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        Order::new(&self.keys, &self.input).sort(rows)
    }
}

/// The order of rows by some columns.
pub(super) struct Order {
    columns: Vec<(usize, SortType, bool)>,
}

/// What a cell compares as.
enum Key {
    Empty,
    Int(i64),
    Float(f64),
    Text(Cell),
}

impl Order {
    pub(super) fn new(keys: &[SortKey], columns: &Columns) -> Self {
        let refs: Vec<_> = keys.iter().map(|key| key.column.clone()).collect();
        let positions = columns.resolve_all(&refs);
        let columns = positions.into_iter().zip(keys).map(|(column, key)| (column, key.as_type, key.descending));
        Self { columns: columns.collect() }
    }

    fn key(&self, row: &Row) -> Result<Vec<Key>, Problem> {
        let key = |(column, as_type, _): &(usize, SortType, bool)| {
            let cell = row.get(*column);
            Ok(match as_type {
                _ if cell.is_empty() => Key::Empty,
                SortType::Integer => integer_or_number(cell)?.map_or(Key::Empty, |number| Key::Int(number.as_int())),
                SortType::Float => {
                    float_or_number(cell)?.map_or(Key::Empty, |number: Number| Key::Float(number.as_float()))
                }
                SortType::Text => match cell {
                    Cell::Text(_) => Key::Text(cell.clone()),
                    other => Key::Text(Cell::from(other.to_text().unwrap_or_default().into_owned())),
                },
            })
        };
        self.columns.iter().map(key).collect()
    }

    fn compare(&self, a: &[Key], b: &[Key]) -> Ordering {
        for ((a, b), (_, _, descending)) in a.iter().zip(b).zip(&self.columns) {
            let order = match (a, b) {
                (Key::Int(a), Key::Int(b)) => a.cmp(b),
                (Key::Float(a), Key::Float(b)) => compare_floats(*a, *b),
                (Key::Text(Cell::Text(a)), Key::Text(Cell::Text(b))) => compare_texts(a, b),
                (Key::Empty, Key::Empty) => Ordering::Equal,
                (Key::Empty, _) => Ordering::Greater,
                (_, Key::Empty) => Ordering::Less,
                // Both sides are of one column and have its type.
                (Key::Int(_) | Key::Float(_) | Key::Text(_), _) => Ordering::Equal,
            };
            let order = if *descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// The rows in order. One row is in order whatever it holds.
    pub(super) fn sort(&self, rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        if rows.len() < 2 {
            return Ok(rows);
        }
        let keyed: Result<Vec<_>, Problem> = rows.into_iter().map(|row| Ok((self.key(&row)?, row))).collect();
        let mut keyed = keyed?;
        keyed.sort_by(|a, b| self.compare(&a.0, &b.0));
        Ok(keyed.into_iter().map(|(_, row)| row).collect())
    }
}
