//! `order`: exactly these columns.

use super::{RowOp, each};
use crate::cell::Cell;
use crate::error::Problem;
use crate::pipeline::Made;
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::ColumnRef;

struct Order {
    columns: Vec<ColumnRef>,
    input: Columns,
    bound: Option<Bound>,
    /// The cells of the row before, whose place is used again.
    space: Vec<Cell>,
}

struct Bound {
    columns: Vec<usize>,
    /// Whether no column is taken twice, under two names.
    once: bool,
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
    let op = Order { columns: once, input: input.clone(), bound: None, space: vec![] };
    Made { operator: each(op), columns: output }
}

impl Order {
    fn bind(columns: &[ColumnRef], input: &Columns) -> Bound {
        let columns = input.resolve_all(columns);
        let once = columns.iter().enumerate().all(|(index, column)| !columns.iter().take(index).any(|it| it == column));
        Bound { columns, once }
    }
}

impl RowOp for Order {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let Self { columns, input, bound, space } = self;
        let bound = bound.get_or_insert_with(|| Self::bind(columns, input));
        std::mem::swap(space, &mut row.cells);
        row.cells.clear();
        let take = |column: &usize| match space.get_mut(*column) {
            Some(cell) if bound.once => std::mem::take(cell),
            Some(cell) => cell.clone(),
            None => Cell::Empty,
        };
        row.cells.extend(bound.columns.iter().map(take));
        Ok(Some(row))
    }
}
