//! `sum`, `avg`, `min`, `max`, `delta`: running aggregates over the rows as they come.

use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::number::{Number, float_or_number, integer_or_number};
use crate::pipeline::{Flow, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::{Roll, RollOutput, RollSpec};

struct Rolling {
    spec: RollSpec,
    input: Columns,
    bound: Option<Bound>,
    /// Rows since the start; with `strict` since the key changed.
    rows: i64,
    last_key: Option<String>,
    key: String,
    strict: bool,
}

struct Bound {
    from: Vec<usize>,
    to: Vec<usize>,
    keys: Vec<usize>,
    states: Vec<Option<State>>,
}

#[derive(Clone, Copy)]
struct State {
    value: Number,
    /// The value of the row before.
    before: Number,
}

pub(super) fn make(spec: &RollSpec, input: &Columns, setting: &Setting) -> Box<dyn Operator> {
    let (spec, input) = (spec.clone(), input.clone());
    Box::new(Rolling { spec, input, bound: None, rows: 0, last_key: None, key: String::new(), strict: setting.strict })
}

impl Rolling {
    fn bind(&self) -> Bound {
        let from = self.input.resolve_all(&self.spec.columns);
        let keys = self.input.resolve_all(&self.spec.keys);
        let to = match self.spec.output {
            RollOutput::InPlace | RollOutput::Summary => from.clone(),
            RollOutput::Append => {
                let name = |position: &usize| format!("op_{}", self.input.name(*position).unwrap_or_default());
                from.iter().map(|position| self.input.find_or_create(&name(position))).collect()
            }
        };
        let states = vec![None; from.len()];
        Bound { from, to, keys, states }
    }

    fn number(&self, cell: &Cell) -> Result<Option<Number>, Problem> {
        if self.spec.float { float_or_number(cell) } else { integer_or_number(cell) }
    }

    fn next(&self, state: Option<State>, cell: &Cell) -> Result<State, Problem> {
        let number = self.number(cell)?;
        let Some(state) = state else {
            let first = number.unwrap_or(Number::Int(0));
            return Ok(State { value: first, before: first });
        };
        let own = |number: Number| state.value.beside(number, self.strict);
        let value = match (self.spec.kind, number) {
            (Roll::Delta, None) => return Err(Problem::EmptyCell),
            (Roll::Delta, Some(number)) => {
                let value = number.beside(state.before, self.strict).minus(state.before);
                return Ok(State { value, before: number });
            }
            // Doubles cannot be compared with nothing.
            (Roll::Min | Roll::Max, None) if matches!(state.value, Number::Float(_)) && !self.strict => {
                return Err(Problem::EmptyCell);
            }
            (_, None) => state.value,
            (Roll::Sum | Roll::Average, Some(number)) => own(number).plus(number),
            (Roll::Min, Some(number)) => own(number).min(number, self.strict),
            (Roll::Max, Some(number)) => own(number).max(number),
        };
        Ok(State { value, ..state })
    }

    fn shown(&self, value: Number) -> Cell {
        if self.spec.kind == Roll::Average { value.average(self.rows).into() } else { value.into() }
    }
}

impl Operator for Rolling {
    fn push(&mut self, mut row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let mut bound = self.bound.take().unwrap_or_else(|| self.bind());
        self.rows += 1;
        if !bound.keys.is_empty() {
            self.key.clear();
            for position in &bound.keys {
                row.get(*position).push_text(&mut self.key);
                if self.strict {
                    self.key.push('\0');
                }
            }
            if self.last_key.as_ref() != Some(&self.key) {
                std::mem::swap(self.last_key.get_or_insert_default(), &mut self.key);
                bound.states.fill(None);
                if self.strict {
                    self.rows = 1;
                }
            }
        }
        for (index, state) in bound.states.iter_mut().enumerate() {
            let (Some(from), Some(to)) = (bound.from.get(index), bound.to.get(index)) else { continue };
            let next = self.next(*state, row.get(*from))?;
            *state = Some(next);
            if self.spec.output != RollOutput::Summary {
                row.set(*to, self.shown(next.value));
            }
        }
        self.bound = Some(bound);
        Ok(out.send(row)?)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let Some(bound) = self.bound.as_ref().filter(|_| self.spec.output == RollOutput::Summary) else {
            return Ok(Flow::More);
        };
        let mut row = Row::default();
        for (state, to) in bound.states.iter().zip(&bound.to) {
            if let Some(state) = state {
                row.set(*to, self.shown(state.value));
            }
        }
        Ok(out.send(row)?)
    }
}
