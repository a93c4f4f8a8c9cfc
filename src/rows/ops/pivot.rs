//! `pivot`: values arranged by row and column keys. Header and totals are ordinary rows.

use super::send_all;
use super::sort::Order;
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::number::{Number, compare_texts, integer_or_number};
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::{ColumnRef, PivotOp, PivotSort, PivotSpec, SortKey, SortType};
use std::collections::HashMap;

struct Pivot {
    spec: PivotSpec,
    input: Columns,
    output: Columns,
    bound: Option<Bound>,
    /// Keys of the columns and their positions in the output.
    columns: HashMap<String, usize>,
    /// Keys of the columns in order of appearance.
    header: Vec<String>,
    rows: HashMap<String, Vec<Value>>,
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
        columns: HashMap::new(),
        header: vec![],
        rows: HashMap::new(),
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
        let own = self.number()?;
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

fn key(row: &Row, columns: &[usize]) -> Result<String, Problem> {
    let mut key = String::new();
    for column in columns {
        key.push_str(&row.get(*column).to_text().ok_or(Problem::EmptyCell)?);
    }
    Ok(key)
}

impl Operator for Pivot {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        let bound = self.bound.get_or_insert_with(|| Bound {
            rows: self.input.resolve_all(&self.spec.rows),
            columns: self.input.resolve_all(&self.spec.columns),
            value: self.input.find_or_create(&self.spec.value),
        });
        let column_key = key(&row, &bound.columns)?;
        let row_key = key(&row, &bound.rows)?;
        let column = match self.columns.get(&column_key) {
            Some(column) => *column,
            None => {
                self.held.budget().check_row(self.header.len() + 2)?;
                self.held.take(column_key.len() * 3 + 100)?;
                let column = self.output.find_or_create(&column_key);
                self.header.push(column_key.clone());
                self.columns.insert(column_key, column);
                column
            }
        };
        let cells = match self.rows.get_mut(&row_key) {
            Some(cells) => cells,
            None => {
                self.held.take(row_key.len() + 100)?;
                self.rows.entry(row_key).or_default()
            }
        };
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
        for name in &self.header {
            if let Some(column) = self.columns.get(name) {
                header.set(*column, Cell::from(name.as_str()));
            }
        }
        let mut entries: Vec<_> = std::mem::take(&mut self.rows).into_iter().collect();
        entries.sort_by(|a, b| compare_texts(&a.0, &b.0));
        let mut totals: Vec<Value> = vec![Value::default(); sum];
        let mut rows = vec![];
        for (label, mut cells) in entries {
            let total = self.totals(&mut cells, &mut totals, sum)?;
            let mut row: Row = cells.into_iter().map(|value| value.cell).collect();
            row.set(0, Cell::from(label));
            if let Some(total) = total {
                row.set(sum, total);
            }
            rows.push(row);
        }
        if let Some(by) = self.spec.sort {
            rows = order(by, sum).sort(rows)?;
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
                // Where nothing entered, the original divides nothing by nothing.
                value.cell = value.number()?.average(value.parts.unwrap_or(0))?.into();
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
            (Some(PivotOp::Average), Some(parts)) => Ok(Some(total.number()?.average(parts)?.into())),
            _ => Ok(Some(total.cell)),
        }
    }
}

fn order(by: PivotSort, sum: usize) -> Order {
    let column = ColumnRef { text: String::new(), position: Some(if by.label { 0 } else { sum }) };
    let as_type = if by.label { SortType::Text } else { SortType::Integer };
    let keys = vec![SortKey { column, as_type, descending: by.descending }];
    Order::new(&keys, &Columns::numbered(sum + 1))
}
