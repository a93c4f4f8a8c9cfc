//! `fold`: the rows of a key side by side in one row.

use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::ColumnRef;

struct Fold {
    input: Columns,
    refs: Refs<Vec<ColumnRef>, ColumnRef>,
    bound: Option<Refs<Vec<usize>, usize>>,
    values: Vec<String>,
    current: Option<Row>,
    current_key: String,
    key: String,
    space: String,
    width: usize,
}

#[derive(Clone)]
struct Refs<M, O> {
    keys: M,
    column: O,
    copies: M,
}

pub(super) fn make(
    input: &Columns,
    (keys, column, copies): (&[ColumnRef], &ColumnRef, &[ColumnRef]),
    values: &[String],
    setting: &Setting,
) -> Result<Made, Problem> {
    let width = keys.len() + values.len().saturating_mul(copies.len() + 1);
    setting.budget.check_row(width)?;
    let refs = Refs { keys: keys.to_vec(), column: column.clone(), copies: copies.to_vec() };
    let operator = Fold {
        input: input.clone(),
        refs,
        bound: None,
        values: values.to_vec(),
        current: None,
        current_key: String::new(),
        key: String::new(),
        space: String::new(),
        width,
    };
    Ok(Made { operator: Box::new(operator), columns: Columns::numbered(width) })
}

impl Operator for Fold {
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let bound = self.bound.get_or_insert_with(|| Refs {
            keys: self.input.resolve_all(&self.refs.keys),
            column: self.input.resolve(&self.refs.column),
            copies: self.input.resolve_all(&self.refs.copies),
        });
        self.key.clear();
        for column in &bound.keys {
            row.get(*column).push_text(&mut self.key);
        }
        let block = bound.copies.len() + 1;
        let mut done = None;
        if self.current.is_none() || self.current_key != self.key {
            std::mem::swap(&mut self.current_key, &mut self.key);
            let mut folded = Row::new(vec![Cell::Empty; self.width]);
            for (place, column) in bound.keys.iter().enumerate() {
                folded.set(place, row.get(*column).clone());
            }
            for (index, value) in self.values.iter().enumerate() {
                folded.set(bound.keys.len() + index * block, Cell::from(value.as_str()));
            }
            done = self.current.replace(folded);
        }
        let value = row.get(bound.column).text_in(&mut self.space).ok_or(Problem::EmptyCell)?;
        if let Some(index) = self.values.iter().position(|known| *known == value)
            && let Some(folded) = &mut self.current
        {
            for (offset, column) in bound.copies.iter().enumerate() {
                folded.set(bound.keys.len() + index * block + offset + 1, row.get(*column).clone());
            }
        }
        match done {
            Some(row) => Ok(out.send(row)?),
            None => Ok(Flow::More),
        }
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        match self.current.take() {
            Some(row) => Ok(out.send(row)?),
            None => Ok(Flow::More),
        }
    }
}
