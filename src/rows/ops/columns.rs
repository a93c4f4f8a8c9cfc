//! Ops over columns: `title`, `fill`, `pad`, `t`.

use super::{RowOp, TableOp, send_all, table};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Budget;
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use crate::store::Spool;
use lakeql_query::dialects::hydra::ops::{ColumnRef, Constant};

/// The cell that a constant stands for.
pub(super) fn cell(constant: &Constant) -> Cell {
    match constant {
        Constant::Integer(value) => Cell::Int(*value),
        Constant::Float(value) => Cell::Float(*value),
        Constant::Text(text) => Cell::from(text.as_str()),
    }
}

/// `title`: a row of names before the first row; nothing before no rows.
pub(super) struct Title {
    names: Vec<Cell>,
    input: Columns,
    sent: bool,
}

impl Title {
    pub(super) fn new(names: &[String], input: &Columns) -> Self {
        let names = names.iter().map(|name| Cell::from(name.as_str())).collect();
        Self { names, input: input.clone(), sent: false }
    }

    fn title(&self, row: &Row) -> Row {
        if !self.names.is_empty() {
            self.input.grow(self.names.len());
            return Row::new(self.names.clone());
        }
        let name = |(position, cell): (usize, &Cell)| {
            if cell.is_empty() {
                return Cell::Empty;
            }
            self.input.name(position).map_or(Cell::Empty, Cell::from)
        };
        row.cells.iter().enumerate().map(name).collect()
    }
}

impl Operator for Title {
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if !self.sent {
            self.sent = true;
            if out.send(self.title(&row))? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(out.send(row)?)
    }
}

/// `fill`: every empty cell of the columns that are known.
pub(super) struct Fill {
    with: Cell,
    input: Columns,
    budget: Budget,
}

impl Fill {
    pub(super) fn new(with: &Constant, input: &Columns, setting: &Setting) -> Self {
        Self { with: cell(with), input: input.clone(), budget: setting.budget.clone() }
    }
}

impl RowOp for Fill {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let width = self.input.len().max(row.len());
        self.budget.check_row(width)?;
        row.cells.resize(width, Cell::Empty);
        for cell in row.cells.iter_mut().filter(|cell| cell.is_empty()) {
            *cell = self.with.clone();
        }
        Ok(Some(row))
    }
}

/// `pad`: the same for the first columns, which are created.
pub(super) struct Pad {
    with: Cell,
    columns: Vec<ColumnRef>,
    input: Columns,
    bound: Option<Vec<usize>>,
}

impl Pad {
    pub(super) fn new(with: &Constant, columns: usize, input: &Columns) -> Self {
        let columns = (0..columns).map(|column| ColumnRef::new(&column.to_string())).collect();
        Self { with: cell(with), columns, input: input.clone(), bound: None }
    }
}

impl RowOp for Pad {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let bound = self.bound.get_or_insert_with(|| self.input.resolve_all(&self.columns));
        for column in bound {
            if row.get(*column).is_empty() {
                row.set(*column, self.with.clone());
            }
        }
        Ok(Some(row))
    }
}

struct Transpose {
    input: Columns,
    output: Columns,
    budget: Budget,
}

/// `t`: as many rows as there were columns.
pub(super) fn transpose(input: &Columns, setting: &Setting) -> Made {
    let output = Columns::new();
    let op = Transpose { input: input.clone(), output: output.clone(), budget: setting.budget.clone() };
    Made { operator: table(op, setting), columns: output }
}

impl TableOp for Transpose {
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if rows.is_empty() {
            return Ok(Flow::More);
        }
        let count = usize::try_from(rows.len()).unwrap_or(usize::MAX);
        self.budget.check_row(count)?;
        self.output.grow(count);
        let mut held = self.budget.share();
        let mut all = Vec::with_capacity(count);
        for row in rows.rows() {
            let row = row?;
            held.take(row.size())?;
            all.push(row);
        }
        let width = all.iter().map(Row::len).max().unwrap_or(0).max(self.input.len());
        // Rows of very different lengths would become many more cells than they have.
        held.take(width.saturating_mul(count).saturating_mul(size_of::<Cell>()))?;
        let turned = |column: usize| {
            let mut turned: Row = all.iter().map(|row| row.get(column).clone()).collect();
            turned.trim();
            turned
        };
        send_all((0..width).map(turned), out)
    }
}
