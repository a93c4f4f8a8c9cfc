//! `rmsing`: drops runs of a key with one distinct value.

use super::{TableOp, send_all};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::pipeline::{Flow, Setting, Sink};
use crate::row::{Columns, Row};
use crate::store::Spool;

pub(super) struct RemoveSingletons {
    key: usize,
    value: usize,
    input: Columns,
    strict: bool,
    run: Run,
    held: Share,
}

/// Rows that wait for a second value.
#[derive(Default)]
struct Run {
    key: Cell,
    rows: Vec<Row>,
    value: Option<Cell>,
    several: bool,
}

impl RemoveSingletons {
    pub(super) fn new(key: usize, value: usize, input: &Columns, setting: &Setting) -> Self {
        Self {
            key,
            value,
            input: input.clone(),
            strict: setting.strict,
            run: Run::default(),
            held: setting.budget.share(),
        }
    }

    fn add(&mut self, row: Row) -> Result<(), Problem> {
        let value = row.get(self.value);
        if value.is_empty() && !self.strict {
            return Err(Problem::EmptyCell);
        }
        match &self.run.value {
            None => self.run.value = Some(value.clone()),
            Some(first) => self.run.several |= !first.same_text(value),
        }
        self.wait(row)
    }

    fn wait(&mut self, row: Row) -> Result<(), Problem> {
        self.held.take(row.size())?;
        self.run.rows.push(row);
        Ok(())
    }

    /// Sends what waits if there are several values. Otherwise it stays.
    fn send(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if !self.run.several {
            return Ok(Flow::More);
        }
        self.held.give_back(usize::MAX);
        send_all(self.run.rows.drain(..), out)
    }

    /// A new run, whatever waits.
    fn start(&mut self, key: Cell) {
        self.held.give_back(usize::MAX);
        self.run = Run { key, ..Run::default() };
    }
}

impl TableOp for RemoveSingletons {
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let width = self.input.len();
        if let Some(column) = [self.key, self.value].into_iter().find(|column| *column >= width && !rows.is_empty()) {
            return Err(Problem::other(format!("there is no column {column}, rows have {width}")).into());
        }
        for (index, row) in (1..).zip(rows.rows()) {
            let row = row?;
            let last = index == rows.len();
            let key = row.get(self.key).clone();
            let mut flow = Flow::More;
            if self.strict {
                if index == 1 || self.run.key != key {
                    self.start(key);
                }
                self.add(row)?;
                flow = self.send(out)?;
            } else if self.run.key.is_empty() {
                self.run.key = key;
                self.add(row)?;
                // Without a key before it, the last row ends nothing.
                if !last && !self.run.key.is_empty() {
                    flow = self.send(out)?;
                }
            } else if last {
                // It counts as part of the run before it, and its value does not count: as the original has it.
                if row.get(self.value).is_empty() {
                    return Err(Problem::EmptyCell.into());
                }
                self.wait(row)?;
                flow = self.send(out)?;
            } else {
                if !self.run.key.equals(&key)? {
                    self.start(key);
                }
                self.add(row)?;
                // Without a key, the run goes on with the next row.
                if !self.run.key.is_empty() {
                    flow = self.send(out)?;
                }
            }
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}
