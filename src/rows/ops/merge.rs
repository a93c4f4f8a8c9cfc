//! `merge`: adjacent rows with equal keys become one. Also the accumulators that it shares with `gather`.

use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Budget;
use crate::number::{Number, integer_or_number};
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use crate::sketch::Cardinality;
use lakeql_query::dialects::hydra::ops::{Merge, MergeSpec};
use std::sync::Arc;

/// Which input column goes where, found out while the columns become known.
pub(super) struct Binding {
    spec: MergeSpec,
    input: Columns,
    output: Columns,
    /// The output position of each letter, once its column is known; the last one is that of the count.
    to: Vec<Option<usize>>,
    known: usize,
    strict: bool,
}

impl Binding {
    pub(super) fn new(spec: &MergeSpec, input: &Columns, setting: &Setting) -> Self {
        let to = vec![None; spec.columns.len() + 1];
        Self { spec: spec.clone(), input: input.clone(), output: Columns::new(), to, known: 0, strict: setting.strict }
    }

    pub(super) fn output(&self) -> &Columns {
        &self.output
    }

    pub(super) fn spec(&self) -> &MergeSpec {
        &self.spec
    }

    /// Looks for columns that have become known.
    pub(super) fn update(&mut self, row: &Row) {
        let letters = self.spec.columns.len();
        let complete = self.known >= letters + usize::from(self.spec.count);
        if !complete {
            // Sources that name their columns late still have them.
            let width = self.input.len().max(row.len()).min(letters + usize::from(self.spec.count));
            for position in self.known..width {
                let ignored = self.spec.columns.get(position) == Some(&Merge::Ignore);
                if let Some(to) = self.to.get_mut(position).filter(|to| !ignored && to.is_none()) {
                    let name = self.input.name(position).unwrap_or_else(|| position.to_string());
                    *to = Some(self.output.find_or_create(&name));
                }
            }
            self.known = self.known.max(width);
        }
        if self.spec.count
            && let Some(to) = self.to.last_mut().filter(|to| to.is_none())
        {
            *to = Some(self.output.create("merge_"));
        }
    }

    /// The key of a row, written into `key`.
    pub(super) fn key(&self, row: &Row, key: &mut String) {
        key.clear();
        for (merge, cell) in self.spec.columns.iter().zip(&row.cells) {
            if *merge == Merge::Key {
                cell.push_text(key);
                if self.strict {
                    // Texts do not contain it, and an empty cell is not an empty text.
                    key.push(if cell.is_empty() { '\u{1}' } else { '\0' });
                }
            }
        }
    }

    /// A group without rows.
    pub(super) fn group(&self) -> Group {
        Group { cells: vec![State::Nothing; self.spec.columns.len()], rows: 0 }
    }
}

/// What is known about a group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    cells: Vec<State>,
    pub(super) rows: i64,
}

/// What is known about a column of a group.
#[derive(Clone, Debug)]
enum State {
    Nothing,
    Last(Cell),
    Number(Number),
    /// Estimates, or what `c` counts.
    Distinct(Box<Cardinality>),
    Joined(String),
}

impl Group {
    /// The group as cells, one a letter, and the number of rows.
    pub(super) fn into_cells(self) -> Row {
        let cell = |state| match state {
            State::Nothing => Cell::Empty,
            State::Last(cell) => cell,
            State::Number(number) => number.into(),
            State::Distinct(estimate) => Cell::Distinct(Arc::new(*estimate)),
            State::Joined(text) => Cell::from(text),
        };
        self.cells.into_iter().map(cell).chain([Cell::Int(self.rows)]).collect()
    }

    /// The group that became these cells.
    pub(super) fn from_cells(mut row: Row, spec: &MergeSpec) -> Option<Self> {
        let Some(Cell::Int(rows)) = row.cells.pop() else { return None };
        let state = |(cell, merge): (Cell, &Merge)| {
            Some(match (cell, merge) {
                (Cell::Empty, _) => State::Nothing,
                (cell, Merge::Key | Merge::Last) => State::Last(cell),
                (Cell::Text(text), Merge::Join) => State::Joined(text.to_string()),
                (Cell::Distinct(estimate), _) => State::Distinct(Box::new(Arc::unwrap_or_clone(estimate))),
                (cell, _) => State::Number(cell.as_number()?),
            })
        };
        let cells: Option<Vec<_>> = row.cells.into_iter().zip(&spec.columns).map(state).collect();
        Some(Self { cells: cells?, rows })
    }

    /// Bytes of memory, about.
    pub(super) fn size(&self) -> usize {
        let state = |state: &State| match state {
            State::Nothing | State::Number(_) => size_of::<State>(),
            State::Last(cell) => size_of::<State>() + cell.size(),
            State::Distinct(estimate) => size_of::<State>() + estimate.size(),
            State::Joined(text) => size_of::<State>() + text.capacity(),
        };
        size_of::<Self>() + self.cells.iter().map(state).sum::<usize>()
    }

    /// Takes a row in.
    pub(super) fn add(&mut self, row: Row, spec: &MergeSpec, strict: bool, budget: &Budget) -> Result<(), Problem> {
        self.rows += 1;
        for ((state, merge), cell) in self.cells.iter_mut().zip(&spec.columns).zip(row.cells) {
            if !cell.is_empty() {
                state.add(*merge, cell, strict, budget)?;
            }
        }
        Ok(())
    }

    /// The value that a `top` compares.
    pub(super) fn value(&self, column: usize) -> Result<Number, Problem> {
        let zero = Number::Int(0);
        match self.cells.get(column) {
            None | Some(State::Nothing) => Ok(zero),
            Some(State::Number(number)) => Ok(*number),
            Some(State::Last(cell)) => Ok(integer_or_number(cell)?.unwrap_or(zero)),
            Some(State::Distinct(estimate)) => Ok(Number::Int(estimate.count())),
            Some(State::Joined(text)) => integer_or_number(&Cell::from(text.as_str())).map(|n| n.unwrap_or(zero)),
        }
    }

    /// The row of the group.
    pub(super) fn into_row(self, binding: &Binding) -> Row {
        let mut row = Row::default();
        let rows = self.rows;
        let columns = binding.spec.columns.iter().zip(self.cells).zip(&binding.to);
        for ((merge, state), to) in columns {
            let Some(to) = *to else { continue };
            row.set(to, state.into_cell(*merge, rows));
        }
        if binding.spec.count
            && let Some(Some(to)) = binding.to.last()
        {
            row.set(*to, Cell::Int(rows));
        }
        row
    }
}

impl State {
    fn add(&mut self, merge: Merge, cell: Cell, strict: bool, budget: &Budget) -> Result<(), Problem> {
        match merge {
            Merge::Ignore => {}
            Merge::Key | Merge::Last => *self = Self::Last(cell),
            Merge::Join => match (self, &cell) {
                (Self::Joined(joined), cell) => {
                    joined.push(',');
                    cell.push_text(joined);
                    budget.check_text(joined.len())?;
                }
                // An array that comes first is a list of values.
                (state, Cell::List(items)) => {
                    let items: Vec<_> = items.iter().map(|item| item.to_text().unwrap_or_default()).collect();
                    *state = Self::Joined(items.join(","));
                }
                (state, cell) => *state = Self::Joined(cell.to_text().unwrap_or_default().into_owned()),
            },
            Merge::Distinct => {
                let mut estimate = match std::mem::replace(self, Self::Nothing) {
                    Self::Distinct(estimate) => estimate,
                    Self::Nothing | Self::Last(_) | Self::Number(_) | Self::Joined(_) => Box::default(),
                };
                match &cell {
                    Cell::Distinct(other) => estimate.merge(other),
                    other => {
                        estimate.add(&other.to_text().unwrap_or_default());
                    }
                }
                *self = Self::Distinct(estimate);
            }
            Merge::Sum | Merge::Average => match (&mut *self, &cell) {
                (Self::Distinct(estimate), Cell::Distinct(other)) => estimate.merge(other),
                (Self::Nothing, Cell::Distinct(other)) => *self = Self::Distinct(Box::new(Cardinality::clone(other))),
                _ => self.combine(&cell, |own, other| own.beside(other, strict).plus(other))?,
            },
            Merge::Min => self.combine(&cell, |own, other| own.beside(other, strict).min(other, strict))?,
            Merge::Max => self.combine(&cell, |own, other| own.beside(other, strict).max(other))?,
            Merge::Difference => self.combine(&cell, |own, other| own.beside(other, strict).minus(other))?,
            Merge::Product => self.combine(&cell, |own, other| own.beside(other, strict).times(other))?,
        }
        Ok(())
    }

    fn combine(&mut self, cell: &Cell, with: impl Fn(Number, Number) -> Number) -> Result<(), Problem> {
        let Some(number) = integer_or_number(cell)? else { return Ok(()) };
        *self = match self {
            Self::Number(own) => Self::Number(with(*own, number)),
            Self::Distinct(estimate) => Self::Number(with(Number::Int(estimate.count()), number)),
            Self::Nothing | Self::Last(_) | Self::Joined(_) => Self::Number(number),
        };
        Ok(())
    }

    fn into_cell(self, merge: Merge, rows: i64) -> Cell {
        match self {
            Self::Nothing => Cell::Empty,
            Self::Last(cell) => cell,
            Self::Number(number) if merge == Merge::Average => number.average(rows).into(),
            Self::Number(number) => number.into(),
            Self::Distinct(estimate) if merge == Merge::Average => Number::Int(estimate.count()).average(rows).into(),
            Self::Distinct(estimate) => Cell::Distinct(Arc::new(*estimate)),
            Self::Joined(text) => Cell::from(text),
        }
    }
}

struct MergeRows {
    binding: Binding,
    current: Option<Group>,
    current_key: String,
    key: String,
    setting: Setting,
}

pub(super) fn make(spec: &MergeSpec, input: &Columns, setting: &Setting) -> Made {
    let binding = Binding::new(spec, input, setting);
    let columns = binding.output().clone();
    let operator =
        MergeRows { binding, current: None, current_key: String::new(), key: String::new(), setting: setting.clone() };
    Made { operator: Box::new(operator), columns }
}

impl Operator for MergeRows {
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.binding.update(&row);
        self.binding.key(&row, &mut self.key);
        let mut flow = Flow::More;
        if self.current.is_some() && self.current_key != self.key {
            flow = self.send(out)?;
        }
        let group = match &mut self.current {
            Some(group) => group,
            none => {
                std::mem::swap(&mut self.current_key, &mut self.key);
                none.insert(self.binding.group())
            }
        };
        group.add(row, &self.binding.spec, self.setting.strict, &self.setting.budget)?;
        let most = i64::try_from(self.binding.spec.number).unwrap_or(i64::MAX);
        if most > 0 && group.rows >= most {
            return self.send(out);
        }
        Ok(flow)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.send(out)
    }
}

impl MergeRows {
    /// Ends the run.
    fn send(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        match self.current.take() {
            Some(group) => Ok(out.send(group.into_row(&self.binding))?),
            None => Ok(Flow::More),
        }
    }
}
