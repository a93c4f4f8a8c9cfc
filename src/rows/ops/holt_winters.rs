//! `holtwinters`: triple exponential smoothing, multiplicative, with the initial values NIST recommends.

use super::{TableOp, hold, new, table};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::number::integer;
use crate::pipeline::{Flow, Made, Setting, Sink};
use crate::row::Row;
use crate::store::Spool;
use lakeql_query::dialects::hydra::ops::HoltWinters;

struct Smoothing {
    spec: HoltWinters,
    held: Share,
}

pub(super) fn make(spec: &HoltWinters, setting: &Setting) -> Made {
    new(table(Smoothing { spec: spec.clone(), held: setting.budget.share() }, setting))
}

/// How much each row of a period lies above its season's mean, over all whole seasons.
#[allow(clippy::cast_precision_loss, reason = "counts")]
fn seasonal(values: &[f64], period: usize) -> Vec<f64> {
    let mut indices = vec![0.0; period];
    let seasons = values.len() / period;
    for season in values.chunks_exact(period) {
        let mean = season.iter().sum::<f64>() / period as f64;
        for (index, value) in indices.iter_mut().zip(season) {
            *index += value / mean;
        }
    }
    indices.iter().map(|index| index / seasons as f64).collect()
}

impl Smoothing {
    /// The forecast for each row, made `future` rows before it; 0 where there was none yet.
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    fn forecast(&self, values: &[f64]) -> Vec<f64> {
        let HoltWinters { alpha, beta, gamma, period, future, .. } = self.spec;
        let pairs = values.iter().zip(values.iter().skip(period)).take(period);
        let mut trend = pairs.map(|(first, second)| second - first).sum::<f64>() / (period * period) as f64;
        let mut level = values.first().copied().unwrap_or_default();
        let mut season = seasonal(values, period);
        season.resize(values.len(), 0.0);
        let mut forecast = vec![0.0; values.len() + future];
        let at = |list: &[f64], index: usize| list.get(index).copied().unwrap_or_default();
        for (index, value) in values.iter().enumerate().skip(2) {
            let before = level;
            level = match index.checked_sub(period) {
                Some(earlier) => alpha * value / at(&season, earlier) + (1.0 - alpha) * (before + trend),
                None => alpha * value + (1.0 - alpha) * (before + trend),
            };
            trend = gamma * (level - before) + (1.0 - gamma) * trend;
            if let Some(earlier) = index.checked_sub(period) {
                let next = beta * value / level + (1.0 - beta) * at(&season, earlier);
                if let Some(place) = season.get_mut(index) {
                    *place = next;
                }
            }
            if let (Some(earlier), Some(place)) =
                ((index + future).checked_sub(period), forecast.get_mut(index + future))
            {
                *place = (level + future as f64 * trend) * at(&season, earlier);
            }
        }
        forecast
    }
}

impl TableOp for Smoothing {
    #[allow(clippy::cast_precision_loss, reason = "values")]
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if rows.is_empty() {
            return Ok(Flow::More);
        }
        let needed = self.spec.period.saturating_mul(2);
        if rows.len() < needed as u64 {
            return Err(Problem::other(format!("two periods are {needed} rows, there are {}", rows.len())).into());
        }
        let mut values = vec![];
        for row in rows.rows() {
            hold(&mut values, integer(row?.get(self.spec.value))? as f64, &mut self.held)?;
        }
        // Seasons and forecasts.
        self.held.take(2 * values.len() * size_of::<f64>())?;
        let forecast = self.forecast(&values);
        for ((row, value), forecast) in rows.rows().zip(values).zip(forecast) {
            let row = row?;
            let error = (forecast - value) / forecast.max(value) * 100.0;
            let (time, actual) = (row.get(self.spec.time).clone(), row.get(self.spec.value).clone());
            if out.send(Row::new(vec![time, actual, Cell::Float(forecast), Cell::Float(error)]))? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}
