//! `histo` and `histo2`: how many values lie where.

use super::{new, send_all};
use crate::cell::Cell;
use crate::error::Failure;
use crate::limits::Share;
use crate::number::{any_number, integer_or_number};
use crate::pipeline::{Flow, Made, Operator, Setting, Sink, no_rows};
use crate::row::Row;
use lakeql_query::dialects::hydra::ops::Bounds;
use std::collections::BTreeMap;

struct Powers {
    column: usize,
    scale: i64,
    counts: BTreeMap<i64, i64>,
    _held: Share,
}

pub(super) fn powers(column: usize, scale: i64, setting: &Setting) -> Made {
    new(Box::new(Powers { column, scale, counts: BTreeMap::new(), _held: setting.budget.share() }))
}

/// The greatest power of `scale` up to `value`; nothing below 1.
pub(crate) fn power_below(value: i64, scale: i64) -> Option<i64> {
    if value < 1 || scale < 2 {
        return None;
    }
    let mut power = 1_i64;
    while let Some(next) = power.checked_mul(scale).filter(|next| *next <= value) {
        power = next;
    }
    Some(power)
}

impl Operator for Powers {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        let value = any_number(row.get(self.column))?.as_int();
        if let Some(power) = power_below(value, self.scale) {
            *self.counts.entry(power).or_insert(0) += 1;
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let row = |(power, count): (&i64, &i64)| Row::new(vec![Cell::Int(*power), Cell::Int(*count)]);
        send_all(self.counts.iter().map(row), out)
    }
}

struct Explicit {
    column: usize,
    frequency: Option<usize>,
    bounds: Bounds,
    /// One more than bounds: the first is for everything below them.
    counts: Vec<i64>,
    seen: bool,
    strict: bool,
}

pub(super) fn bounds(column: usize, frequency: Option<usize>, bounds: &Bounds, strict: bool) -> Made {
    let count = match bounds {
        Bounds::Integers(bounds) => bounds.len(),
        Bounds::Floats(bounds) => bounds.len(),
    };
    let counts = vec![0; count + 1];
    new(Box::new(Explicit { column, frequency, bounds: bounds.clone(), counts, seen: false, strict }))
}

impl Operator for Explicit {
    #[allow(clippy::cast_possible_truncation, reason = "the original compares 32 bits")]
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.seen = true;
        let value = any_number(row.get(self.column))?;
        let times = match self.frequency {
            None => 1,
            Some(column) => integer_or_number(row.get(column))?.map_or(1, crate::number::Number::as_int),
        };
        let place = match &self.bounds {
            Bounds::Integers(bounds) => {
                let value = value.as_int() as i32;
                bounds.partition_point(|bound| *bound <= value)
            }
            Bounds::Floats(bounds) => {
                let value = value.as_float() as f32;
                bounds.partition_point(|bound| *bound <= value || value.is_nan())
            }
        };
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.wrapping_add(times);
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if !self.seen {
            return if self.strict { Ok(Flow::More) } else { Err(no_rows("a histogram").into()) };
        }
        let mut lower: Vec<Cell> = match &self.bounds {
            Bounds::Integers(bounds) => {
                std::iter::once(i32::MIN).chain(bounds.iter().copied()).map(|bound| Cell::Int(bound.into())).collect()
            }
            Bounds::Floats(bounds) => std::iter::once(f32::NEG_INFINITY)
                .chain(bounds.iter().copied())
                .map(|bound| Cell::Float(bound.into()))
                .collect(),
        };
        // Below the first bound there is no bound.
        if let Some(first) = lower.first_mut().filter(|_| self.strict) {
            *first = Cell::Empty;
        }
        let rows = lower.into_iter().zip(&self.counts).map(|(bound, count)| Row::new(vec![bound, Cell::Int(*count)]));
        send_all(rows, out)
    }
}
