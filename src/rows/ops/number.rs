//! `num`: a calculation on a stack, for every row.

use super::RowOp;
use super::columns::cell as constant_cell;
use super::murmur;
use crate::cell::Cell;
use crate::error::Problem;
use crate::limits::Budget;
use crate::number::{Number, leading_number, parse_number};
use crate::pipeline::Setting;
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::{Binary, Comparison, NumberProgram, NumberStep, Unary};

/// Most numbers on the stack.
const DEEPEST: usize = 1_000_000;

pub(super) struct Calculator {
    program: NumberProgram,
    input: Columns,
    strict: bool,
    budget: Budget,
    stack: Vec<Number>,
    space: String,
}

/// Whether the row goes on.
enum Outcome {
    Keep,
    Drop,
}

impl Calculator {
    pub(super) fn new(program: &NumberProgram, input: &Columns, setting: &Setting) -> Self {
        let (input, budget) = (input.clone(), setting.budget.clone());
        Self { program: program.clone(), input, strict: setting.strict, budget, stack: vec![], space: String::new() }
    }

    fn pop(&mut self) -> Result<Number, Problem> {
        self.stack.pop().ok_or_else(|| Problem::other("the stack is empty"))
    }

    fn push(&mut self, number: Number) -> Result<(), Problem> {
        if self.stack.len() >= DEEPEST {
            return Err(Problem::Limit(format!("more than {DEEPEST} numbers on the stack")));
        }
        self.stack.push(number);
        Ok(())
    }

    /// Pushes a cell; a text with commas is several numbers, and one that is no number drops the row.
    fn load(&mut self, cell: &Cell) -> Result<Outcome, Problem> {
        match cell {
            Cell::Empty => return Err(Problem::EmptyCell),
            Cell::Text(text) if text.contains(',') => {
                for part in text.split(',').filter(|part| !part.is_empty()) {
                    let Some(number) = leading_number(part) else { return Ok(Outcome::Drop) };
                    self.push(number)?;
                }
            }
            Cell::Text(text) => match parse_number(text) {
                Some(number) => self.push(number)?,
                None => return Ok(Outcome::Drop),
            },
            other => match other.as_number() {
                Some(number) => self.push(number)?,
                None => return Ok(Outcome::Drop),
            },
        }
        Ok(Outcome::Keep)
    }

    fn binary(&self, op: Binary, lower: Number, top: Number) -> Result<Number, Problem> {
        let zero = |divisor: bool| divisor && !self.program.division_errors;
        Ok(match op {
            Binary::Add => top.beside(lower, self.strict).plus(lower),
            Binary::Subtract => lower.beside(top, self.strict).minus(top),
            Binary::Multiply => Number::Int(top.as_int().wrapping_mul(lower.as_int())),
            Binary::Divide if zero(top.as_int() == 0) => Number::Int(0),
            Binary::Remainder if zero(top.as_int() == 0) => Number::Int(0),
            Binary::Divide | Binary::Remainder if top.as_int() == 0 => return Err(Problem::DivisionByZero),
            Binary::Divide => Number::Int(lower.as_int().wrapping_div(top.as_int())),
            Binary::Remainder => Number::Int(lower.as_int().wrapping_rem(top.as_int())),
            Binary::MultiplyFloat => Number::Float(top.as_float() * lower.as_float()),
            Binary::DivideFloat if zero(top.as_float() == 0.0) => Number::Int(0),
            Binary::DivideFloat => Number::Float(lower.as_float() / top.as_float()),
            Binary::Min => top.beside(lower, self.strict).min(lower, self.strict),
            Binary::Max => top.beside(lower, self.strict).max(lower),
            // The original has the two the wrong way round.
            Binary::MinIf if self.strict => {
                if top.as_float() <= lower.as_float() {
                    top
                } else {
                    lower
                }
            }
            Binary::MaxIf if self.strict => {
                if top.as_float() >= lower.as_float() {
                    top
                } else {
                    lower
                }
            }
            Binary::MinIf => {
                if top.max(lower) == top {
                    top
                } else {
                    lower
                }
            }
            Binary::MaxIf => {
                if top.min(lower, false) == top {
                    top
                } else {
                    lower
                }
            }
        })
    }

    /// Mean and population variance of the stack, from the top down.
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    fn statistic(&mut self, variance: bool) -> Number {
        let (mut count, mut mean, mut squares) = (0_u64, 0.0, 0.0);
        while let Some(number) = self.stack.pop() {
            count += 1;
            let value = number.as_float();
            let delta = value - mean;
            mean += delta / count as f64;
            squares += delta * (value - mean);
        }
        Number::Float(match variance {
            false => mean,
            true if count < 2 => 0.0,
            true => squares / count as f64,
        })
    }

    fn step(&mut self, step: &NumberStep, row: &mut Row, width: usize) -> Result<Outcome, Problem> {
        match step {
            NumberStep::Column(column) => return self.load(row.get(*column)),
            NumberStep::Named(name) => {
                return self.load(self.input.find(name).map_or(&crate::cell::EMPTY, |column| row.get(column)));
            }
            NumberStep::Array(column) => match row.get(*column) {
                Cell::List(items) => {
                    for item in items.iter() {
                        if let Outcome::Drop = self.load(item)? {
                            return Ok(Outcome::Drop);
                        }
                    }
                }
                // A text is one number, whatever stands between its commas.
                Cell::Text(text) => match parse_number(text) {
                    Some(number) => self.push(number)?,
                    None => return Ok(Outcome::Drop),
                },
                other => return self.load(other),
            },
            NumberStep::Hash(column) => {
                let text = row.get(*column).text_in(&mut self.space).ok_or(Problem::EmptyCell)?;
                let hash = murmur::hash(text);
                self.push(Number::Int(hash.into()))?;
            }
            NumberStep::Constant(constant) => return self.load(&constant_cell(constant)),
            NumberStep::Binary(op) => {
                let (top, lower) = (self.pop()?, self.pop()?);
                let result = self.binary(*op, lower, top)?;
                self.push(result)?;
            }
            NumberStep::Vector(op) => {
                let mut result = self.pop()?;
                while let Some(next) = self.stack.pop() {
                    result = self.binary(*op, next, result)?;
                }
                self.push(result)?;
            }
            NumberStep::Unary(op) => {
                let number = self.pop()?;
                self.push(unary(*op, number))?;
            }
            NumberStep::Statistic { variance } => {
                let result = self.statistic(*variance);
                self.push(result)?;
            }
            NumberStep::Compare { how, float } => {
                let (top, lower) = (self.pop()?, self.pop()?);
                let order = if *float {
                    lower.as_float().partial_cmp(&top.as_float())
                } else {
                    Some(lower.as_int().cmp(&top.as_int()))
                };
                let holds = order.is_some_and(|order| match how {
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterEqual => order.is_ge(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessEqual => order.is_le(),
                    Comparison::Equal => order.is_eq(),
                });
                if !holds {
                    return Ok(Outcome::Drop);
                }
            }
            NumberStep::Duplicate => {
                let top = self.pop()?;
                self.push(top)?;
                self.push(top)?;
            }
            NumberStep::Swap => {
                let (top, lower) = (self.pop()?, self.pop()?);
                self.push(top)?;
                self.push(lower)?;
            }
            NumberStep::Pop => {
                self.pop()?;
            }
            NumberStep::Set => {
                let (column, value) = (self.pop()?.as_int(), self.pop()?);
                store(row, column, width, value.into());
            }
            NumberStep::Out => {
                let value = self.pop()?;
                row.push(value.into());
            }
        }
        self.budget.check_row(row.len())?;
        Ok(Outcome::Keep)
    }
}

/// Sets a column that the row had at first; any other one is appended.
pub(super) fn store(row: &mut Row, column: i64, width: usize, cell: Cell) {
    match usize::try_from(column).ok().filter(|column| *column < width) {
        Some(column) => row.set(column, cell),
        None => row.push(cell),
    }
}

#[allow(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "bits")]
fn unary(op: Unary, number: Number) -> Number {
    match op {
        Unary::Log => Number::Float(number.as_float().log10()),
        Unary::SquareRoot => Number::Float(number.as_float().sqrt()),
        Unary::Absolute => Number::Float(number.as_float().abs()),
        Unary::ToInteger => Number::Int(number.as_int()),
        Unary::ToFloat => Number::Float(number.as_float()),
        Unary::ToBits => Number::Int(number.as_float().to_bits() as i64),
        Unary::FromBits => Number::Float(f64::from_bits(number.as_int() as u64)),
    }
}

impl RowOp for Calculator {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        self.stack.clear();
        let width = row.len();
        let steps = std::mem::take(&mut self.program.steps);
        let mut outcome = Ok(Outcome::Keep);
        for step in &steps {
            outcome = self.step(step, &mut row, width);
            if !matches!(outcome, Ok(Outcome::Keep)) {
                break;
            }
        }
        self.program.steps = steps;
        match outcome? {
            Outcome::Keep => {
                if row.len() > width {
                    self.input.grow(row.len());
                }
                Ok(Some(row))
            }
            Outcome::Drop => Ok(None),
        }
    }
}
