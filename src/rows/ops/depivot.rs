//! `depivot`: a pivot's rows become one row per cell.

use crate::cell::Cell;
use crate::error::Failure;
use crate::pipeline::{Flow, Made, Operator, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::DepivotCell;

struct Depivot {
    cells: Vec<DepivotCell>,
    header: Option<Vec<Cell>>,
}

pub(super) fn make(cells: &[DepivotCell]) -> Made {
    let operator = Depivot { cells: cells.to_vec(), header: None };
    Made { operator: Box::new(operator), columns: Columns::numbered(cells.len()) }
}

impl Operator for Depivot {
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let Some(header) = &self.header else {
            self.header = Some(row.cells.into_iter().skip(1).filter(|cell| !cell.is_empty()).collect());
            return Ok(Flow::More);
        };
        for (index, name) in header.iter().enumerate() {
            let cell = |cell: &DepivotCell| match cell {
                DepivotCell::Row => row.get(0).clone(),
                DepivotCell::Column => name.clone(),
                DepivotCell::Value => row.get(index + 1).clone(),
                DepivotCell::Extra => row.cells.last().cloned().unwrap_or_default(),
            };
            if out.send(self.cells.iter().map(cell).collect())? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}
