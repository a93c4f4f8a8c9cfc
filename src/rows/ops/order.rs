//! `order`: exactly these columns.

use super::{RowOp, each};
use crate::error::Problem;
use crate::pipeline::Made;
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::ColumnRef;

struct Order {
    columns: Vec<ColumnRef>,
    input: Columns,
    bound: Option<Vec<usize>>,
}

pub(super) fn make(columns: &[ColumnRef], input: &Columns) -> Made {
    // A column that is named twice is one column.
    let mut once: Vec<ColumnRef> = vec![];
    for column in columns {
        if !once.contains(column) {
            once.push(column.clone());
        }
    }
    let output = Columns::named(once.iter().map(|column| column.text.as_str()));
    Made { operator: each(Order { columns: once, input: input.clone(), bound: None }), columns: output }
}

impl RowOp for Order {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        let bound = self.bound.get_or_insert_with(|| self.input.resolve_all(&self.columns));
        Ok(Some(bound.iter().map(|column| row.get(*column).clone()).collect()))
    }
}
