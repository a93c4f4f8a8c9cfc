//! `pivot`: values arranged by row and column keys. Header and totals are ordinary rows.

use super::keys::Keys;
use super::send_all;
use super::sort::by_column;
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::number::{Number, compare_texts, integer_or_number};
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::{ColumnRef, PivotOp, PivotSort, PivotSpec, SortKey, SortType};

struct Pivot {
    spec: PivotSpec,
    input: Columns,
    output: Columns,
    bound: Option<Bound>,
    /// Keys of the columns in order of appearance, and their positions in the output.
    header: Keys,
    columns: Vec<usize>,
    /// Keys of the rows, and their cells.
    labels: Keys,
    rows: Vec<Vec<Value>>,
    key: String,
    strict: bool,
    held: Share,
}

struct Bound {
    rows: Vec<usize>,
    columns: Vec<usize>,
    value: usize,
}

pub(super) fn make(spec: &PivotSpec, input: &Columns, setting: &Setting) -> Made {
    let columns = Columns::named(["__row__"]);
    let operator = Pivot {
        spec: spec.clone(),
        input: input.clone(),
        output: columns.clone(),
        bound: None,
        header: Keys::default(),
        columns: vec![],
        labels: Keys::default(),
        rows: vec![],
        key: String::new(),
        strict: setting.strict,
        held: setting.budget.share(),
    };
    Made { operator: Box::new(operator), columns }
}

/// A cell of a pivot. An average remembers how many numbers it is made of, although cells never show it.
#[derive(Clone, Debug, Default)]
struct Value {
    cell: Cell,
    /// How many numbers were put together, if that is an average.
    parts: Option<i64>,
}

impl Value {
    fn number(&self) -> Result<Number, Problem> {
        Ok(integer_or_number(&self.cell)?.unwrap_or(Number::Int(0)))
    }

    /// Puts a number in.
    fn add(&mut self, op: Option<PivotOp>, number: Number, strict: bool) -> Result<(), Problem> {
        let own = self.number()?.beside(number, strict);
        let result = match (op, self.parts) {
            (None, _) => own,
            (Some(PivotOp::Sum | PivotOp::Average), _) => own.plus(number),
            (Some(PivotOp::Min), _) => own.min(number, strict),
            (Some(PivotOp::Max), _) => own.max(number),
        };
        if op == Some(PivotOp::Average) || (op.is_some() && self.parts.is_some()) {
            self.parts = Some(self.parts.unwrap_or(1) + 1);
        }
        self.cell = result.into();
        Ok(())
    }
}

fn write_key(row: &Row, columns: &[usize], key: &mut String) -> Result<(), Problem> {
    key.clear();
    for column in columns {
        let cell = row.get(*column);
        if cell.is_empty() {
            return Err(Problem::EmptyCell);
        }
        cell.push_text(key);
    }
    Ok(())
}

impl Operator for Pivot {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        let bound = self.bound.get_or_insert_with(|| Bound {
            rows: self.input.resolve_all(&self.spec.rows),
            columns: self.input.resolve_all(&self.spec.columns),
            value: self.input.find_or_create(&self.spec.value),
        });
        write_key(&row, &bound.columns, &mut self.key)?;
        let (number, new) = self.header.number(&self.key);
        if new {
            self.held.budget().check_row(self.columns.len() + 2)?;
            self.held.take(Keys::size(&self.key) * 2)?;
            self.columns.push(self.output.find_or_create(&self.key));
        }
        let column = self.columns.get(number).copied().unwrap_or_default();
        write_key(&row, &bound.rows, &mut self.key)?;
        let (number, new) = self.labels.number(&self.key);
        if new {
            self.held.take(Keys::size(&self.key) + size_of::<Vec<Value>>())?;
            self.rows.push(vec![]);
        }
        let Some(cells) = self.rows.get_mut(number) else { return Ok(Flow::More) };
        if cells.len() <= column {
            self.held.take((column + 1 - cells.len()) * size_of::<Value>())?;
            cells.resize(column + 1, Value::default());
        }
        let input = row.get(bound.value);
        if let Some(value) = cells.get_mut(column) {
            if value.cell.is_empty() {
                value.cell = input.clone();
            } else {
                let number = integer_or_number(input)?.unwrap_or(Number::Int(0));
                value.add(self.spec.cell, number, self.strict)?;
            }
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        // Where rows have no total, there is no column for it.
        let sum = self.output.len();
        if self.spec.row.is_some() {
            self.output.create("__sum__");
        }
        let mut header = Row::default();
        for (name, column) in self.header.keys().iter().zip(&self.columns) {
            header.set(*column, Cell::from(&**name));
        }
        let labels = std::mem::take(&mut self.labels);
        let mut entries: Vec<_> = labels.keys().iter().zip(std::mem::take(&mut self.rows)).collect();
        entries.sort_by(|a, b| compare_texts(a.0, b.0));
        let mut totals: Vec<Value> = vec![Value::default(); sum];
        let mut rows = vec![];
        for (label, mut cells) in entries {
            let total = self.totals(&mut cells, &mut totals, sum)?;
            let mut row: Row = cells.into_iter().map(|value| value.cell).collect();
            row.set(0, Cell::from(&**label));
            if let Some(total) = total {
                row.set(sum, total);
            }
            rows.push(row);
        }
        if let Some(by) = self.spec.sort {
            rows = order(rows, by, sum)?;
        }
        if send_all(std::iter::once(header).chain(rows), out)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        if self.spec.column.is_none() {
            return Ok(Flow::More);
        }
        let mut footer = Row::default();
        for (column, mut value) in totals.into_iter().enumerate().skip(1) {
            if self.spec.column == Some(PivotOp::Average) {
                value.cell = value.number()?.average(value.parts.unwrap_or(0)).into();
            }
            footer.set(column, value.cell);
        }
        Ok(out.send(footer)?)
    }
}

impl Pivot {
    /// Fills missing cells, adds the row to the column totals and gives the row's total.
    fn totals(&self, cells: &mut Vec<Value>, totals: &mut [Value], sum: usize) -> Result<Option<Cell>, Problem> {
        if self.spec.row.is_none() && self.spec.column.is_none() {
            return Ok(None);
        }
        cells.resize(sum, Value::default());
        let mut total: Option<Value> = None;
        let mut first = None;
        for (column, value) in cells.iter_mut().enumerate().skip(1) {
            if value.cell.is_empty() {
                value.cell = Cell::Int(0);
                continue;
            }
            let number = value.number()?;
            if let Some(column_total) = totals.get_mut(column).filter(|_| self.spec.column.is_some()) {
                // The first one meets a zero, which decides the type.
                column_total.add(self.spec.column, number, self.strict)?;
            }
            if self.spec.row.is_some() {
                match &mut total {
                    Some(total) => total.add(self.spec.row, number, self.strict)?,
                    None => {
                        first = value.parts.is_some().then_some(column);
                        total = Some(Value { cell: number.into(), parts: value.parts });
                    }
                }
            }
        }
        let Some(total) = total else { return Ok(None) };
        // An average is one object in the original: the row's total goes on in the row's first cell.
        if let Some(place) = first.and_then(|column| cells.get_mut(column)).filter(|_| !self.strict) {
            place.cell = total.cell.clone();
        }
        match (self.spec.row, total.parts) {
            (Some(PivotOp::Average), Some(parts)) => Ok(Some(total.number()?.average(parts).into())),
            _ => Ok(Some(total.cell)),
        }
    }
}

/// The rows by label or total.
fn order(rows: Vec<Row>, by: PivotSort, sum: usize) -> Result<Vec<Row>, Problem> {
    let column = ColumnRef { text: String::new(), position: None };
    let as_type = if by.label { SortType::Text } else { SortType::Integer };
    by_column(rows, &SortKey { column, as_type, descending: by.descending }, if by.label { 0 } else { sum })
}
