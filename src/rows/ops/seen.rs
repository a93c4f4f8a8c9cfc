//! `seen`: one row with a bloom filter of a column's values.

use super::send_all;
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::pipeline::{Flow, Operator, Setting, Sink};
use crate::row::Row;
use crate::sketch::Bloom;
use std::sync::Arc;

pub(super) struct Seen {
    column: usize,
    filter: Bloom,
    strict: bool,
    /// The first rows, as long as there are few. The original compares the column with the number of rows: if there are not
    /// more, they pass.
    few: Option<Vec<Row>>,
    held: Share,
    space: String,
}

impl Seen {
    pub(super) fn new(column: usize, bits: usize, hashes: u32, setting: &Setting) -> Self {
        let few = (!setting.strict).then(Vec::new);
        let (filter, held) = (Bloom::new(bits, hashes), setting.budget.share());
        Self { column, filter, strict: setting.strict, few, held, space: String::new() }
    }

    fn add(&mut self, row: &Row) -> Result<(), Problem> {
        match row.get(self.column).text_in(&mut self.space) {
            Some(text) => self.filter.add(text),
            None if self.strict => {}
            None => return Err(Problem::EmptyCell),
        }
        Ok(())
    }
}

impl Operator for Seen {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        let Some(few) = &mut self.few else {
            self.add(&row)?;
            return Ok(Flow::More);
        };
        self.held.take(row.size())?;
        few.push(row);
        if few.len() > self.column {
            for row in &self.few.take().unwrap_or_default() {
                self.add(row)?;
            }
            self.held.give_back(usize::MAX);
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        match self.few.take() {
            Some(rows) => send_all(rows, out),
            None => Ok(out.send(Row::new(vec![Cell::Bloom(Arc::new(self.filter.clone()))]))?),
        }
    }
}
