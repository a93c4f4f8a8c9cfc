//! `sort`: stable. Empty cells come last ascending and first descending. Rows that do not fit in memory go to disk.

use crate::error::{Failure, Problem};
use crate::pipeline::{Flow, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use crate::store::disk::Disk;
use crate::store::key;
use crate::store::sorter::Sorter;
use lakeql_query::dialects::hydra::ops::{ColumnRef, SortKey};

pub(super) struct Sort {
    keys: Keys,
    sorter: Option<Sorter>,
    /// One row is in order whatever it holds: its key is made when there is a second one.
    first: Option<Row>,
    key: Vec<u8>,
}

impl Sort {
    pub(super) fn new(keys: &[SortKey], input: &Columns, setting: &Setting) -> Self {
        let sorter = Sorter::new(setting.share(), Disk::default());
        Self { keys: Keys::new(keys, input), sorter: Some(sorter), first: None, key: vec![] }
    }

    fn add(&mut self, row: &Row) -> Result<(), Problem> {
        self.key.clear();
        self.keys.write(row, &mut self.key)?;
        match &mut self.sorter {
            Some(sorter) => sorter.push(&self.key, row),
            None => Ok(()),
        }
    }
}

impl Operator for Sort {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        match self.first.take() {
            None if self.sorter.as_ref().is_some_and(|sorter| sorter.len() == 0) => {
                self.first = Some(row);
                return Ok(Flow::More);
            }
            Some(first) => self.add(&first)?,
            None => {}
        }
        self.add(&row)?;
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.keys.create();
        if let Some(row) = self.first.take() {
            return Ok(out.send(row)?);
        }
        let Some(sorter) = self.sorter.take() else { return Ok(Flow::More) };
        let mut sorted = sorter.finish()?;
        while let Some(row) = sorted.next()? {
            if out.send(row)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}

/// The columns by which rows are sorted.
struct Keys {
    keys: Vec<SortKey>,
    input: Columns,
    /// Where each is, once that is known. As long as there is no such column, no row has a cell of it.
    positions: Vec<Option<usize>>,
    /// How many columns there were when they were looked for.
    known: usize,
}

impl Keys {
    fn new(keys: &[SortKey], input: &Columns) -> Self {
        Self { keys: keys.to_vec(), input: input.clone(), positions: vec![None; keys.len()], known: usize::MAX }
    }

    fn write(&mut self, row: &Row, into: &mut Vec<u8>) -> Result<(), Problem> {
        let width = self.input.len();
        if width != self.known {
            self.known = width;
            for (key, position) in self.keys.iter().zip(&mut self.positions) {
                let by_number = || key.column.position.filter(|position| *position < width);
                *position = position.or_else(by_number).or_else(|| self.input.find(&key.column.text));
            }
        }
        for (key, position) in self.keys.iter().zip(&self.positions) {
            // A row may have cells beyond the columns that have a name.
            let position = position.or(key.column.position.filter(|position| *position < row.len()));
            let cell = position.map_or(&crate::cell::EMPTY, |position| row.get(position));
            key::write(cell, key.as_type, key.descending, into)?;
        }
        Ok(())
    }

    /// Columns that are nowhere are created, as all ops do.
    fn create(&self) {
        let refs: Vec<ColumnRef> = self.keys.iter().map(|key| key.column.clone()).collect();
        self.input.resolve_all(&refs);
    }
}

/// Rows in the order of one column.
pub(super) fn by_column(rows: Vec<Row>, by: &SortKey, position: usize) -> Result<Vec<Row>, Problem> {
    if rows.len() < 2 {
        return Ok(rows);
    }
    let mut keyed = vec![];
    for row in rows {
        let mut bytes = vec![];
        key::write(row.get(position), by.as_type, by.descending, &mut bytes)?;
        keyed.push((bytes, row));
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}
