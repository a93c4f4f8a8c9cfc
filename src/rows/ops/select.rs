//! Ops that keep some rows: `contains`, `compare`, `filter`.

use super::RowOp;
use super::replace::{part_regex, whole_regex};
use crate::cell::Cell;
use crate::error::Problem;
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::{ColumnRef, Side, ValueFilter};
use memchr::memmem::Finder;
use regex::Regex;

/// `contains`: a column beyond the row keeps it.
pub(super) struct Contains {
    column: usize,
    parts: Vec<Finder<'static>>,
    space: String,
}

impl Contains {
    pub(super) fn new(column: usize, parts: &[String]) -> Self {
        let parts = parts.iter().map(|part| Finder::new(part.as_str()).into_owned()).collect();
        Self { column, parts, space: String::new() }
    }
}

impl RowOp for Contains {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        if self.column >= row.len() {
            return Ok(Some(row));
        }
        if self.parts.is_empty() {
            return Ok(None);
        }
        let text = row.get(self.column).text_in(&mut self.space).ok_or(Problem::EmptyCell)?;
        let found = self.parts.iter().any(|part| part.find(text.as_bytes()).is_some());
        Ok(found.then_some(row))
    }
}

/// `compare`: what is no integer is 0, a column beyond the row keeps it.
pub(super) struct Compare {
    pub(super) column: usize,
    pub(super) equal: bool,
    pub(super) other: Option<Side>,
    pub(super) with: i64,
}

impl RowOp for Compare {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        if self.column >= row.len() {
            return Ok(Some(row));
        }
        let value = match row.get(self.column) {
            Cell::Int(value) => *value,
            Cell::Text(text) => text.parse().unwrap_or(0),
            other => other.to_text().and_then(|text| text.parse().ok()).unwrap_or(0),
        };
        let keeps = (self.equal && value == self.with)
            || match self.other {
                Some(Side::Greater) => value > self.with,
                Some(Side::Less) => value < self.with,
                Some(Side::Unequal) => value != self.with,
                None => false,
            };
        Ok(keeps.then_some(row))
    }
}

/// `filter`: an empty cell never passes.
pub(super) struct Filter {
    column: ColumnRef,
    exclude: bool,
    values: Vec<String>,
    contains: Vec<String>,
    patterns: Vec<Regex>,
    input: Columns,
    bound: Option<usize>,
}

impl Filter {
    pub(super) fn new(filter: &ValueFilter, input: &Columns) -> Result<Self, Problem> {
        let whole = filter.matches.iter().map(|pattern| whole_regex(pattern));
        let parts = filter.finds.iter().map(|pattern| part_regex(pattern));
        Ok(Self {
            column: filter.column.clone(),
            exclude: filter.exclude,
            values: filter.values.clone(),
            contains: filter.contains.clone(),
            patterns: whole.chain(parts).collect::<Result<_, _>>()?,
            input: input.clone(),
            bound: None,
        })
    }
}

impl RowOp for Filter {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        let column = *self.bound.get_or_insert_with(|| self.input.resolve(&self.column));
        let Some(text) = row.get(column).to_text() else { return Ok(None) };
        let found = self.values.iter().any(|value| *value == text)
            || self.contains.iter().any(|part| text.contains(part.as_str()))
            || self.patterns.iter().any(|pattern| pattern.is_match(&text));
        drop(text);
        Ok((found != self.exclude).then_some(row))
    }
}
