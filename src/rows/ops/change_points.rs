//! `changepoints`: where a series leaves its course.

use super::{TableOp, hold, new, send_all, table};
use crate::cell::Cell;
use crate::error::Failure;
use crate::limits::Share;
use crate::number::integer;
use crate::pipeline::{Flow, Made, Setting, Sink};
use crate::row::Row;
use crate::store::Spool;
use lakeql_query::dialects::hydra::ops::ChangePoints;

struct Changes {
    spec: ChangePoints,
    held: Share,
}

pub(super) fn make(spec: &ChangePoints, setting: &Setting) -> Made {
    new(table(Changes { spec: spec.clone(), held: setting.budget.share() }, setting))
}

/// Mean with a sum of 32 bits, which is what the original adds up in.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "as the original")]
fn mean(values: &[i64]) -> f64 {
    let sum = values.iter().fold(0_i32, |sum, value| i64::from(sum).wrapping_add(*value) as i32);
    f64::from(sum) / values.len() as f64
}

/// Root of the summed squares around the mean, never nothing.
#[allow(clippy::cast_precision_loss, reason = "as the original")]
fn spread(values: &[i64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (mean - *value as f64).powi(2)).sum::<f64>().sqrt().max(0.0001)
}

/// Where a straight line through the values goes next.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "as the original")]
fn predict(values: &[i64]) -> f64 {
    let squares: Vec<i64> = (0..values.len() as i64).map(|x| x * x).collect();
    let products: Vec<i64> = values.iter().enumerate().map(|(x, y)| (x as i64).wrapping_mul(*y)).collect();
    let middle = 0.5 * (values.len() as f64 - 1.0);
    let slope = (mean(&products) - middle * mean(values)) / (mean(&squares) - middle.powi(2));
    slope * values.len() as f64 + (mean(values) - slope * middle)
}

/// Cut to 32 bits, as the original stores sizes.
#[allow(clippy::cast_possible_truncation, reason = "cutting is meant")]
fn size(change: f64) -> Cell {
    Cell::Int(i64::from(change as i32))
}

impl Changes {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "as the original")]
    fn peaks(&self, data: &mut [i64]) -> Vec<(usize, &'static str, Cell)> {
        let (width, min_change) = (self.spec.window, self.spec.min_change as f64);
        let mut found = vec![];
        for index in 0..data.len() {
            let (left, right) = (index.saturating_sub(width), (index + width).min(data.len()));
            let around = data.get(left..right).unwrap_or_default();
            let mut without = around.to_vec();
            let value = without.remove(index - left);
            if spread(around) > self.spec.min_z * spread(&without) {
                let change = value as f64 - mean(&without);
                if change.abs() > min_change {
                    found.push((index, "PEAK", size(change)));
                    if let Some(place) = data.get_mut(index) {
                        *place = mean(&without) as i64;
                    }
                }
            }
        }
        found
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "as the original")]
    fn changes(&self, data: &[i64]) -> Vec<(usize, &'static str, Cell)> {
        let spec = &self.spec;
        let mut found = vec![];
        for (index, next) in data.iter().enumerate().skip(2) {
            let before = data.get((index + 1).saturating_sub(spec.window)..index).unwrap_or_default();
            let predicted = predict(before);
            let change = *next as f64 - predicted;
            let ratio = -1.0 + *next as f64 / predicted.max(1.0);
            let far = (change / spread(before)).abs() > spec.min_z;
            if far && change.abs() > spec.min_change as f64 && ratio.abs() > spec.min_ratio {
                let mean = mean(before) as i64;
                let kind = match mean > *next {
                    true if *next > spec.inactive => "FALL",
                    true => "STOP",
                    false if mean < spec.inactive => "START",
                    false => "RISE",
                };
                found.push((index, kind, size(change)));
            }
        }
        found
    }
}

impl TableOp for Changes {
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let (mut data, mut times) = (vec![], vec![]);
        for row in rows.rows() {
            let row = row?;
            hold(&mut data, integer(row.get(self.spec.value))?, &mut self.held)?;
            let time = row.get(self.spec.time).clone();
            self.held.take(time.size() - size_of::<Cell>())?;
            hold(&mut times, time, &mut self.held)?;
        }
        let mut found = self.peaks(&mut data);
        found.extend(self.changes(&data));
        let time = |index: usize| times.get(index).cloned().unwrap_or_default();
        send_all(found.into_iter().map(|(index, kind, size)| Row::new(vec![time(index), kind.into(), size])), out)
    }
}
