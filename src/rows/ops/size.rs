//! Ops that drop or turn around rows: `limit`, `skip`, `range`, `reverse`, `median`, `nodup`.

use super::{RowOp, TableOp};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::pipeline::{Flow, Operator, Sink, no_rows};
use crate::row::Row;

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

/// `range`.
pub(super) struct Range {
    pub(super) begin: i64,
    pub(super) end: i64,
}

impl TableOp for Range {
    fn table(&mut self, mut rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        let size = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let mut begin = if self.begin < 0 { size + self.begin.max(-size) } else { self.begin };
        let mut end = if self.end <= 0 { size.saturating_add(self.end) } else { self.end };
        if end < begin {
            std::mem::swap(&mut begin, &mut end);
        }
        if begin < 0 && end > begin && size > begin {
            return Err(Problem::other(format!("the range begins {} rows before the first one", -begin)));
        }
        let index = |position: i64| usize::try_from(position.clamp(0, size)).unwrap_or(0);
        rows.truncate(index(end));
        rows.drain(..index(begin).min(rows.len()));
        Ok(rows)
    }
}

/// `reverse`.
pub(super) struct Reverse;

impl TableOp for Reverse {
    fn table(&mut self, mut rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        rows.reverse();
        Ok(rows)
    }
}

/// `median`: the row in the middle, without sorting.
pub(super) struct Median;

impl TableOp for Median {
    fn table(&mut self, mut rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        if rows.is_empty() {
            return Err(no_rows("the median"));
        }
        let middle = rows.len() / 2;
        Ok(vec![rows.swap_remove(middle)])
    }
}

/// `nodup`: empties what repeats the cell above, as it was before.
#[derive(Default)]
pub(super) struct NoDuplicates {
    above: Option<Row>,
}

impl RowOp for NoDuplicates {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        let mut shown = row.clone();
        if let Some(above) = &self.above {
            for (cell, above) in shown.cells.iter_mut().zip(&above.cells) {
                if !cell.is_empty() && cell.to_text() == above.to_text() {
                    *cell = Cell::Empty;
                }
            }
        }
        self.above = Some(row);
        Ok(Some(shown))
    }
}

/// Drops everything.
pub(super) struct Drop;

impl RowOp for Drop {
    fn row(&mut self, _row: Row) -> Result<Option<Row>, Problem> {
        Ok(None)
    }
}

/// Changes nothing.
pub(super) struct Pass;

impl RowOp for Pass {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        Ok(Some(row))
    }
}
