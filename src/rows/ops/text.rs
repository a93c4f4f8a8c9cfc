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
use std::sync::Arc;

pub(super) struct Texts {
    /// The steps, and what constants push.
    steps: Vec<(TextStep, Cell)>,
    strict: bool,
    budget: Budget,
    stack: Vec<Cell>,
    space: String,
}

impl Texts {
    pub(super) fn new(steps: &[TextStep], setting: &Setting) -> Self {
        let step = |step: &TextStep| match step {
            TextStep::Constant(text) => (step.clone(), Cell::from(text.as_str())),
            _ => (step.clone(), Cell::Empty),
        };
        let (steps, budget) = (steps.iter().map(step).collect(), setting.budget.clone());
        Self { steps, strict: setting.strict, budget, stack: vec![], space: String::new() }
    }
}

fn pop(stack: &mut Vec<Cell>) -> Result<Cell, Problem> {
    stack.pop().ok_or_else(|| Problem::other("the stack is empty"))
}

/// The text on top; no copy is made of what is one.
fn text(stack: &mut Vec<Cell>) -> Result<Arc<str>, Problem> {
    match pop(stack)? {
        Cell::Text(text) => Ok(text),
        other => Ok(other.to_text().ok_or(Problem::EmptyCell)?.into()),
    }
}

fn number(stack: &mut Vec<Cell>) -> Result<i64, Problem> {
    integer(&pop(stack)?)
}

/// From one unit to before another; negative ones count from the end.
fn range(text: &str, first: i64, last: i64) -> Result<Cell, Problem> {
    let units: Vec<u16> = if text.is_ascii() { vec![] } else { text.encode_utf16().collect() };
    let length = if text.is_ascii() { text.len() } else { units.len() };
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if length == 0 {
        return Ok(Cell::from(""));
    }
    let first = if first < 0 { length.saturating_add(first) } else { first };
    let last = if last < 0 { length.saturating_add(last) } else { last };
    let first = if first > length { length - 1 } else { first };
    let last = last.min(length);
    let part = usize::try_from(first).ok().zip(usize::try_from(last).ok()).and_then(|(first, last)| {
        if text.is_ascii() {
            text.get(first..last).map(Cell::from)
        } else {
            units.get(first..last).map(|part| Cell::from(String::from_utf16_lossy(part)))
        }
    });
    part.ok_or_else(|| Problem::other(format!("there is no range from {first} to {last} in a text of {length}")))
}

impl RowOp for Texts {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let stack = &mut self.stack;
        stack.clear();
        let width = row.len();
        for (step, constant) in &self.steps {
            match step {
                TextStep::Column(column) => stack.push(row.get(*column).clone()),
                TextStep::Constant(_) => stack.push(constant.clone()),
                TextStep::Concatenate => {
                    let (right, left) = (text(stack)?, text(stack)?);
                    self.budget.check_text(left.len() + right.len())?;
                    self.space.clear();
                    self.space.push_str(&left);
                    self.space.push_str(&right);
                    stack.push(Cell::from(self.space.as_str()));
                }
                TextStep::Range => {
                    let (last, first) = (number(stack)?, number(stack)?);
                    let part = range(&text(stack)?, first, last)?;
                    stack.push(part);
                }
                TextStep::Split => {
                    let (index, separators) = (number(stack)?, text(stack)?);
                    let whole = text(stack)?;
                    let mut parts = whole.split(|c: char| separators.contains(c)).filter(|part| !part.is_empty());
                    let part = usize::try_from(index).ok().and_then(|index| parts.nth(index));
                    let part = part.ok_or_else(|| Problem::other(format!("there is no part {index} of a text")))?;
                    let part = Cell::from(part);
                    stack.push(part);
                }
                TextStep::Set => {
                    let (column, cell) = (number(stack)?, pop(stack)?);
                    let within = usize::try_from(column).is_ok_and(|column| column < width);
                    if cell.is_empty() && !within {
                        return Err(Problem::other("an empty cell cannot be appended"));
                    }
                    store(&mut row, column, width, cell);
                    self.budget.check_row(row.len())?;
                }
                TextStep::Equal | TextStep::NotEqual => {
                    let (top, lower) = (pop(stack)?, pop(stack)?);
                    let equal = if self.strict { top.same_text(&lower) } else { top.equals(&lower)? };
                    if equal != (*step == TextStep::Equal) {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(row))
    }
}
