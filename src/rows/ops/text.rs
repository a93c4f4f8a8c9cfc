//! `str`: texts on a stack, for every row. Positions count UTF-16 units.

use super::RowOp;
use super::number::store;
use crate::cell::Cell;
use crate::error::Problem;
use crate::limits::Budget;
use crate::number::integer;
use crate::pipeline::Setting;
use crate::row::Row;
use lakeql_query::dialects::hydra::ops::TextStep;

pub(super) struct Texts {
    steps: Vec<TextStep>,
    budget: Budget,
    stack: Vec<Cell>,
}

impl Texts {
    pub(super) fn new(steps: &[TextStep], setting: &Setting) -> Self {
        Self { steps: steps.to_vec(), budget: setting.budget.clone(), stack: vec![] }
    }
}

fn pop(stack: &mut Vec<Cell>) -> Result<Cell, Problem> {
    stack.pop().ok_or_else(|| Problem::other("the stack is empty"))
}

fn text(stack: &mut Vec<Cell>) -> Result<String, Problem> {
    Ok(pop(stack)?.to_text().ok_or(Problem::EmptyCell)?.into_owned())
}

fn number(stack: &mut Vec<Cell>) -> Result<i64, Problem> {
    integer(&pop(stack)?)
}

/// From one unit to before another; negative ones count from the end.
fn range(text: &str, first: i64, last: i64) -> Result<String, Problem> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = i64::try_from(units.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Ok(String::new());
    }
    let first = if first < 0 { length.saturating_add(first) } else { first };
    let last = if last < 0 { length.saturating_add(last) } else { last };
    let first = if first > length { length - 1 } else { first };
    let last = last.min(length);
    let part =
        usize::try_from(first).ok().zip(usize::try_from(last).ok()).and_then(|(first, last)| units.get(first..last));
    let part =
        part.ok_or_else(|| Problem::other(format!("there is no range from {first} to {last} in a text of {length}")))?;
    Ok(String::from_utf16_lossy(part))
}

impl RowOp for Texts {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let stack = &mut self.stack;
        stack.clear();
        let width = row.len();
        for step in &self.steps {
            match step {
                TextStep::Column(column) => stack.push(row.get(*column).clone()),
                TextStep::Constant(constant) => stack.push(Cell::from(constant.as_str())),
                TextStep::Concatenate => {
                    let (right, mut left) = (text(stack)?, text(stack)?);
                    self.budget.check_text(left.len() + right.len())?;
                    left.push_str(&right);
                    stack.push(Cell::from(left));
                }
                TextStep::Range => {
                    let (last, first) = (number(stack)?, number(stack)?);
                    let part = range(&text(stack)?, first, last)?;
                    stack.push(Cell::from(part));
                }
                TextStep::Split => {
                    let (index, separators) = (number(stack)?, text(stack)?);
                    let whole = text(stack)?;
                    let mut parts = whole.split(|c| separators.contains(c)).filter(|part| !part.is_empty());
                    let part = usize::try_from(index).ok().and_then(|index| parts.nth(index));
                    let part = part.ok_or_else(|| Problem::other(format!("there is no part {index} of a text")))?;
                    let part = Cell::from(part);
                    stack.push(part);
                }
                TextStep::Set => {
                    let (column, cell) = (number(stack)?, pop(stack)?);
                    store(&mut row, column, width, cell);
                    self.budget.check_row(row.len())?;
                }
                TextStep::Equal | TextStep::NotEqual => {
                    let (right, left) = (pop(stack)?, pop(stack)?);
                    if (left.to_text() == right.to_text()) != (*step == TextStep::Equal) {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(row))
    }
}
