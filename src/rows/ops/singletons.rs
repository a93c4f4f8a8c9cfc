//! `rmsing`: drops runs of a key with one distinct value.

use super::TableOp;
use crate::cell::Cell;
use crate::error::Problem;
use crate::row::Row;
use std::collections::HashSet;

pub(super) struct RemoveSingletons {
    pub(super) key: usize,
    pub(super) value: usize,
}

impl TableOp for RemoveSingletons {
    fn table(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        let mut kept = vec![];
        let mut current = Cell::Empty;
        let (mut values, mut run) = (HashSet::new(), vec![]);
        let last = rows.len().saturating_sub(1);
        for (index, row) in rows.into_iter().enumerate() {
            let key = row.get(self.key).clone();
            if current.is_empty() {
                current = key;
            } else if current != key || index == last {
                // The last row counts as part of the run before it, and its value does not count: as the original has it.
                if index == last {
                    run.push(row.clone());
                }
                if values.len() > 1 {
                    kept.append(&mut run);
                }
                current = key;
                values.clear();
                run.clear();
            }
            values.insert(row.get(self.value).to_text().ok_or(Problem::EmptyCell)?.into_owned());
            run.push(row);
        }
        Ok(kept)
    }
}
