//! Ops that drop or turn around rows: `limit`, `skip`, `range`, `reverse`, `median`, `nodup`.

use super::{RowOp, TableOp, each, send_read, table};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::pipeline::{Flow, Operator, Setting, Sink, no_rows};
use crate::row::Row;
use crate::store::Spool;

/// `limit`: some rows, then the end of the query.
pub(super) struct Limit {
    skip: u64,
    left: u64,
}

impl Limit {
    pub(super) fn new(skip: u64, count: u64) -> Self {
        Self { skip, left: count }
    }
}

impl Operator for Limit {
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(Flow::More);
        }
        if self.left == 0 {
            return Ok(Flow::Stop);
        }
        self.left -= 1;
        let flow = out.send(row)?;
        Ok(if self.left == 0 { Flow::Stop } else { flow })
    }
}

/// `skip`: drops the first, and perhaps passes and drops on in turns.
pub(super) struct Skip {
    numbers: Vec<i64>,
    left: i64,
    on: bool,
}

impl Skip {
    pub(super) fn new(numbers: &[i64]) -> Self {
        let left = numbers.first().copied().unwrap_or_default().saturating_add(1);
        Self { numbers: numbers.to_vec(), left, on: false }
    }
}

impl RowOp for Skip {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        self.left = self.left.wrapping_sub(1);
        if self.left == 0 {
            match self.numbers.as_slice() {
                [_, pass, drop, ..] => self.left = if self.on { *drop } else { *pass },
                [_, pass] => self.left = *pass,
                _ => {}
            }
            self.on = !self.on;
        }
        Ok(self.on.then_some(row))
    }
}

/// `range`: rows from the first ones on are passed as they come, those that are counted from the end wait for it.
pub(super) fn range(begin: i64, end: i64, setting: &Setting) -> Box<dyn Operator> {
    if begin >= 0 && end > 0 {
        each(Slice { rows: begin.min(end)..begin.max(end), at: 0 })
    } else {
        table(Range { begin, end }, setting)
    }
}

struct Slice {
    rows: std::ops::Range<i64>,
    at: i64,
}

impl RowOp for Slice {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        let kept = self.rows.contains(&self.at);
        self.at = self.at.saturating_add(1);
        Ok(kept.then_some(row))
    }
}

struct Range {
    begin: i64,
    end: i64,
}

impl TableOp for Range {
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let size = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let mut begin = if self.begin < 0 { size + self.begin.max(-size) } else { self.begin };
        let mut end = if self.end <= 0 { size.saturating_add(self.end) } else { self.end };
        if end < begin {
            std::mem::swap(&mut begin, &mut end);
        }
        if begin < 0 && end > begin && size > begin {
            return Err(Problem::other(format!("the range begins {} rows before the first one", -begin)).into());
        }
        let index = |position: i64| usize::try_from(position.clamp(0, size)).unwrap_or(0);
        let (begin, end) = (index(begin), index(end));
        send_read(rows.rows().skip(begin).take(end.saturating_sub(begin)), out)
    }
}

/// `reverse`.
pub(super) struct Reverse;

impl TableOp for Reverse {
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        send_read(rows.backwards(), out)
    }
}

/// `median`: the row in the middle, without sorting.
pub(super) struct Median;

impl TableOp for Median {
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if rows.is_empty() {
            return Err(no_rows("the median").into());
        }
        let middle = usize::try_from(rows.len() / 2).unwrap_or(usize::MAX);
        send_read(rows.rows().skip(middle).take(1), out)
    }
}

/// `nodup`: empties what repeats the cell above, as it was before.
#[derive(Default)]
pub(super) struct NoDuplicates {
    above: Option<Row>,
}

impl RowOp for NoDuplicates {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let Some(above) = &mut self.above else {
            self.above = Some(row.clone());
            return Ok(Some(row));
        };
        above.cells.resize(row.len(), Cell::Empty);
        for (cell, above) in row.cells.iter_mut().zip(&mut above.cells) {
            // The cell above stays what it was before it was emptied.
            if cell.is_empty() || !cell.same_text(above) {
                *above = cell.clone();
            } else {
                *cell = Cell::Empty;
            }
        }
        Ok(Some(row))
    }
}
