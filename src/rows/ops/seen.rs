//! `seen`: one row with a bloom filter of a column's values.

use super::new;
use crate::cell::Cell;
use crate::error::Failure;
use crate::pipeline::{Flow, Made, Operator, Sink};
use crate::row::Row;
use crate::sketch::Bloom;
use std::sync::Arc;

struct Seen {
    column: usize,
    filter: Bloom,
}

pub(super) fn make(column: usize, bits: usize, hashes: u32) -> Made {
    new(Box::new(Seen { column, filter: Bloom::new(bits, hashes) }))
}

impl Operator for Seen {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        if let Some(text) = row.get(self.column).to_text() {
            self.filter.add(&text);
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        Ok(out.send(Row::new(vec![Cell::Bloom(Arc::new(self.filter.clone()))]))?)
    }
}
