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

/// `filter`: an empty cell never passes, an empty text passes whatever is required.
pub(super) struct Filter {
    column: ColumnRef,
    exclude: bool,
    inverted: bool,
    lower: bool,
    values: Vec<String>,
    contains: Vec<Finder<'static>>,
    patterns: Vec<Regex>,
    input: Columns,
    bound: Option<usize>,
    space: String,
}

impl Filter {
    fn new(filter: &ValueFilter, input: &Columns) -> Result<Self, Problem> {
        let tests = &filter.tests;
        let whole = tests.matches.iter().map(|pattern| whole_regex(pattern));
        let parts = tests.finds.iter().map(|pattern| part_regex(pattern));
        Ok(Self {
            column: filter.column.clone(),
            exclude: filter.exclude,
            inverted: filter.inverted,
            lower: tests.lower,
            values: tests.values.clone(),
            contains: tests.contains.iter().map(|part| Finder::new(part.as_str()).into_owned()).collect(),
            patterns: whole.chain(parts).collect::<Result<_, _>>()?,
            input: input.clone(),
            bound: None,
            space: String::new(),
        })
    }

    /// Whether the filter lets the row through, which it may change.
    fn passes(&mut self, row: &mut Row) -> bool {
        let column = *self.bound.get_or_insert_with(|| self.input.resolve(&self.column));
        let mut lower = None;
        let Some(mut text) = row.get(column).text_in(&mut self.space) else { return false };
        if text.is_empty() && !self.exclude {
            return true;
        }
        if self.lower {
            text = lower.insert(text.to_lowercase());
        }
        let found = self.values.iter().any(|value| value == text)
            || self.contains.iter().any(|part| part.find(text.as_bytes()).is_some())
            || self.patterns.iter().any(|pattern| pattern.is_match(text));
        let passes = found != self.exclude;
        if let Some(lower) = lower.filter(|_| passes) {
            row.set(column, Cell::from(lower));
        }
        passes
    }
}

/// Several filters, all of which let a row through.
pub(super) struct Filters(Vec<Filter>);

impl Filters {
    pub(super) fn new(filters: &[ValueFilter], input: &Columns) -> Result<Self, Problem> {
        filters.iter().map(|filter| Filter::new(filter, input)).collect::<Result<_, _>>().map(Self)
    }
}

impl RowOp for Filters {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let kept = self.0.iter_mut().all(|filter| filter.passes(&mut row) != filter.inverted);
        Ok(kept.then_some(row))
    }
}
