//! One line a series.

use super::super::{Chart, MOST_ENTRIES, Series, smooth};
use super::{Across, Look, column, distinct, floats, group_text, texts};
use crate::Error;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use std::collections::BTreeMap;

/// Collects single points into lines.
#[derive(Debug)]
pub struct Lines {
    across: Across,
    group: Vec<String>,
    lines: Vec<Line>,
    without_place: u64,
}

#[derive(Debug)]
struct Line {
    run: String,
    /// The name of the run, or its hash where it has none of its own.
    run_name: String,
    name: String,
    context: String,
    group: Option<String>,
    /// What relative times count from.
    start: Option<f64>,
    xs: Vec<f64>,
    ys: Vec<f64>,
}

impl Lines {
    /// Lines across this axis; `group` are the columns to group by.
    pub fn new(across: Across, group: &[String]) -> Self {
        Self { across, group: group.to_vec(), lines: vec![], without_place: 0 }
    }

    /// Takes more points.
    ///
    /// # Errors
    /// A column is missing or is of no type that it can have.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let keys = [texts(batch, "run")?, texts(batch, "name")?, texts(batch, "context")?];
        let [runs, names, contexts] = keys.each_ref().map(|column| column.as_string_view());
        let place = match self.across {
            Across::Step => "step",
            Across::Epoch => "epoch",
            Across::Time | Across::Relative => "time",
        };
        let (xs, ys) = (floats(batch, place)?, floats(batch, "value")?);
        let (xs, ys) = (xs.as_primitive::<Float64Type>(), ys.as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            let (run, name, context) = (runs.value(row), names.value(row), contexts.value(row));
            let known = |line: &Line| line.run == run && line.name == name && line.context == context;
            if !self.lines.last().is_some_and(known) {
                let run_name = column(batch, "run.name").ok().filter(|names| names.is_valid(row));
                let run_name = match run_name {
                    Some(_) => texts(batch, "run.name")?.as_string_view().value(row).to_owned(),
                    None => String::new(),
                };
                // A run without a name of its own is called by its hash.
                let named = !run_name.is_empty() && run_name != format!("Run: {run}");
                self.lines.push(Line {
                    run: run.to_owned(),
                    run_name: if named { run_name } else { run.to_owned() },
                    name: name.to_owned(),
                    context: context.to_owned(),
                    group: group_text(batch, &self.group, row)?,
                    start: None,
                    xs: vec![],
                    ys: vec![],
                });
            }
            let Some(line) = self.lines.last_mut() else { continue };
            if xs.is_null(row) {
                self.without_place += 1;
                continue;
            }
            let mut x = xs.value(row);
            if self.across == Across::Relative {
                x -= *line.start.get_or_insert(x);
            }
            line.xs.push(x);
            line.ys.push(if ys.is_null(row) { f64::NAN } else { ys.value(row) });
        }
        Ok(())
    }

    /// Series so far.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there was no point at all.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Points that have no place on the axis because they have no epoch or time.
    pub fn without_place(&self) -> u64 {
        self.without_place
    }

    /// The chart. Lines are called by what tells them apart: run, name, context. If there are too many to be told apart and
    /// nothing to group by was given, they are grouped by name and context where these are few.
    pub fn finish(self, look: &Look) -> Chart {
        let names = distinct(self.lines.iter().map(|line| line.name.as_str()));
        let contexts = distinct(self.lines.iter().map(|line| line.context.as_str()));
        let (with_name, with_context) = (names.len() > 1, contexts.len() > 1);
        let mut hashes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in &self.lines {
            let known = hashes.entry(&line.run_name).or_default();
            if !known.contains(&line.run.as_str()) {
                known.push(&line.run);
            }
        }
        let sequence = |line: &Line| {
            let mut parts = vec![];
            if with_name {
                parts.push(line.name.as_str());
            }
            // What has no context is told by its name, if it is told at all.
            if with_context && !(with_name && line.context == "{}") {
                parts.push(line.context.as_str());
            }
            parts.join(" ")
        };
        let label = |line: &Line| {
            let mut label = line.run_name.clone();
            if hashes.get(line.run_name.as_str()).is_some_and(|runs| runs.len() > 1) {
                label = format!("{label} ({})", line.run);
            }
            format!("{label} {}", sequence(line)).trim_end().to_owned()
        };
        let sequences = distinct(self.lines.iter().map(sequence));
        let by_sequence =
            self.group.is_empty() && self.lines.len() > MOST_ENTRIES && (2..=MOST_ENTRIES).contains(&sequences.len());
        let y = match names.as_slice() {
            [only] => (*only).to_owned(),
            _ => "value".to_owned(),
        };
        let described: Vec<(String, Option<String>)> = self
            .lines
            .iter()
            .map(|line| (label(line), if by_sequence { Some(sequence(line)) } else { line.group.clone() }))
            .collect();
        let series = self.lines.into_iter().zip(described).map(|(line, (label, group))| {
            let smoothed = (look.smooth > 0.0).then(|| smooth(&line.ys, look.smooth));
            let (ys, raw) = match smoothed {
                Some(smoothed) => (smoothed, line.ys),
                None => (line.ys, vec![]),
            };
            Series { group, label, xs: line.xs, ys, raw, band: None }
        });
        let group = match self.group.as_slice() {
            [] => by_sequence.then(|| "sequence".to_owned()),
            columns => Some(columns.join(", ")),
        };
        Chart { title: look.title.clone(), x: look.x(self.across), y: look.y(&y), group, series: series.collect() }
    }
}
