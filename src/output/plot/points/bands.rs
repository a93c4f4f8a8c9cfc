//! One line a group, with what surrounds it.

use super::super::{Band, Chart, Series, smooth};
use super::{Across, Look, distinct, floats, group_text, texts};
use crate::Error;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;

/// The area around a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spread {
    /// None.
    None,
    /// Between two columns: the lower and the upper bound.
    Between(String, String),
    /// As far as this column says, below and above.
    Around(String),
}

/// Collects statistics into lines with areas.
#[derive(Debug)]
pub struct Bands {
    across: Across,
    group: Vec<String>,
    line: String,
    spread: Spread,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    name: String,
    group: Option<String>,
    xs: Vec<f64>,
    ys: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Bands {
    /// Statistics for each step or epoch: the column `line`, surrounded by `spread`; `group` are the columns to group by
    /// besides the name of the metric.
    pub fn new(across: Across, group: &[String], line: &str, spread: Spread) -> Self {
        Self { across, group: group.to_vec(), line: line.to_owned(), spread, lines: vec![] }
    }

    /// Takes more statistics.
    ///
    /// # Errors
    /// A column is missing or is of no type that it can have.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let names = texts(batch, "name")?;
        let names = names.as_string_view();
        let place = if self.across == Across::Epoch { "epoch" } else { "step" };
        let (xs, ys) = (floats(batch, place)?, floats(batch, &self.line)?);
        let bounds = match &self.spread {
            Spread::None => None,
            Spread::Between(low, high) => Some((floats(batch, low)?, floats(batch, high)?)),
            Spread::Around(width) => {
                let width = floats(batch, width)?;
                Some((width.clone(), width))
            }
        };
        for row in 0..batch.num_rows() {
            let (name, group) = (names.value(row), group_text(batch, &self.group, row)?);
            if !self.lines.last().is_some_and(|line| line.name == name && line.group == group) {
                let name = name.to_owned();
                self.lines.push(Line { name, group, xs: vec![], ys: vec![], low: vec![], high: vec![] });
            }
            let (Some(line), Some(x)) = (self.lines.last_mut(), value(&xs, row)) else { continue };
            let y = value(&ys, row).unwrap_or(f64::NAN);
            line.xs.push(x);
            line.ys.push(y);
            if let Some((low, high)) = &bounds {
                let (low, high) = (value(low, row).unwrap_or(f64::NAN), value(high, row).unwrap_or(f64::NAN));
                let around = matches!(self.spread, Spread::Around(_));
                line.low.push(if around { y - low } else { low });
                line.high.push(if around { y + high } else { high });
            }
        }
        Ok(())
    }

    /// Whether there was nothing at all.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The chart. Lines of several metrics are told apart by the metric's name too. Smoothing treats the bounds like the
    /// line.
    pub fn finish(self, look: &Look) -> Chart {
        let names = distinct(self.lines.iter().map(|line| line.name.clone()));
        let several = names.len() > 1;
        let with_band = self.spread != Spread::None;
        let grouped = several || !self.group.is_empty();
        let series = self.lines.into_iter().map(|line| {
            let smoothed = |values: Vec<f64>| if look.smooth > 0.0 { smooth(&values, look.smooth) } else { values };
            let group = match (several, &line.group, self.group.is_empty()) {
                (true, _, true) => Some(line.name.clone()),
                (true, group, false) => Some(format!("{}, {}", line.name, group.as_deref().unwrap_or("none"))),
                (false, group, _) => group.clone(),
            };
            let label = group.clone().unwrap_or_else(|| line.name.clone());
            Series {
                group,
                label: if grouped { label } else { self.line.clone() },
                xs: line.xs,
                ys: smoothed(line.ys),
                raw: vec![],
                band: with_band.then(|| Band { low: smoothed(line.low), high: smoothed(line.high) }),
            }
        });
        let heading = several.then_some("name").into_iter().chain(self.group.iter().map(String::as_str));
        let heading: Vec<&str> = heading.collect();
        let around = match &self.spread {
            Spread::None => String::new(),
            Spread::Between(low, high) => match (low.strip_suffix("_low"), high.strip_suffix("_high")) {
                (Some(name), Some(same)) if name == same => format!(" ({name})"),
                _ => format!(" ({low} to {high})"),
            },
            Spread::Around(width) => format!(" (± {width})"),
        };
        let what = if several { "value" } else { names.first().map_or("value", String::as_str) };
        let y = look.y(&format!("{} of {what}{around}", self.line));
        let series = series.collect();
        let group = grouped.then(|| heading.join(", "));
        Chart { title: look.title.clone(), x: look.x(self.across), y, group, series }
    }
}

fn value(column: &ArrayRef, row: usize) -> Option<f64> {
    column.is_valid(row).then(|| column.as_primitive::<Float64Type>().value(row))
}
