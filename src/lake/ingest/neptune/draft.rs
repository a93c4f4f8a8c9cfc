//! A run of Neptune on its way to the columns of a block.
//!
//! Both sources end here. Attributes keep their path, cut at its slashes; the run's own columns are filled from `sys/…`;
//! groups get their markers, as the tables want them; series are put in order and summed up.

use std::collections::HashSet;

use super::document::write_document;
use crate::catalog::kind::AttributeKind;
use crate::catalog::path::push_text;
use crate::ingest::aim::context::read_context;
use crate::ingest::aim::sequence::stats;
use crate::ingest::block::{Block, NO_TIME, Rows, Run, Series, SeriesKind, Span, Stats, Summary, TextPoint, Value};
use crate::ingest::fault::{Fault, Read};
use crate::ingest::lines::json::Reader;
use crate::storage::segment::{Digest, RunKey};

/// Steps are kept in millionths, which is what an export keeps.
pub(super) const MICRO: i64 = 1_000_000;

/// One record of a series that is not a metric.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextRow {
    /// The step in millionths.
    pub(super) step: i64,
    /// Microseconds since 1970, or [`NO_TIME`].
    pub(super) time: i64,
    pub(super) text: Option<Span>,
}

/// A run while its attributes and series arrive.
pub(super) struct Draft<'b> {
    pub(super) block: &'b mut Block,
    owner: u32,
    attributes: Vec<(String, Value)>,
    context: u32,
    series_start: u32,
    newest_point: i64,
    path: String,
}

/// Blocks address their texts by 32 bits.
const MOST_TEXT: usize = u32::MAX as usize;

/// The text of an attribute's path in the tables: `parameters/lr` is `parameters.lr`.
pub(super) fn attribute_path(neptune: &str, out: &mut String) {
    out.clear();
    for key in neptune.split('/') {
        push_text(out, key);
    }
}

impl<'b> Draft<'b> {
    /// Begins the next run of a block. When it turns out to be bad, the caller takes the block back to where it was.
    pub(super) fn new(block: &'b mut Block) -> Read<Self> {
        let owner = block.runs.len() as u32;
        let context = read_context(&mut Reader::new("{}"), block)?;
        let series_start = block.series.len() as u32;
        Ok(Draft {
            block,
            owner,
            attributes: Vec::new(),
            context,
            series_start,
            newest_point: NO_TIME,
            path: String::new(),
        })
    }

    /// Makes sure that so many more bytes of text fit.
    pub(super) fn reserve_text(&self, bytes: usize) -> Read<()> {
        let used = self.block.arena.len().max(self.block.json.len());
        if used.saturating_add(bytes) > MOST_TEXT {
            return Err(Fault::new("the run holds more than 4 GiB of text"));
        }
        Ok(())
    }

    /// Adds an attribute. A path can have one value.
    pub(super) fn attribute(&mut self, path: &str, value: Value) -> Read<()> {
        attribute_path(path, &mut self.path);
        if !self.block.attributes.push(self.owner, &self.path, value) {
            return Err(Fault::new(format!("the attribute {path} is there twice")));
        }
        self.attributes.push((path.to_owned(), value));
        Ok(())
    }

    /// Adds a text attribute.
    pub(super) fn text(&mut self, path: &str, text: &str) -> Read<()> {
        let span = self.block.add_text(text);
        self.attribute(path, Value::Text(span))
    }

    /// Adds a set. An empty one is kept: it has been written, even if no question finds it.
    pub(super) fn set<'t>(&mut self, path: &str, members: impl Iterator<Item = &'t str>) -> Read<()> {
        let start = self.block.spans.len() as u32;
        let mut seen = HashSet::new();
        for member in members.filter(|member| seen.insert(*member)) {
            let span = self.block.add_text(member);
            self.block.spans.push(span);
        }
        let rows = Rows { start, end: self.block.spans.len() as u32 };
        self.attribute(path, Value::Set(rows))
    }

    /// Adds an attribute of one of the kinds with a text at most.
    pub(super) fn named(&mut self, path: &str, kind: AttributeKind, text: Option<&str>) -> Read<()> {
        let span = text.map(|text| self.block.add_text(text));
        self.attribute(path, Value::Named(kind, span))
    }

    /// The value of an attribute that has come already.
    pub(super) fn get(&self, path: &str) -> Option<Value> {
        self.attributes.iter().find(|(known, _)| known == path).map(|(_, value)| *value)
    }

    /// Adds a float series: steps in millionths, times, values, all of one length. Nothing is added without points.
    pub(super) fn metric(&mut self, path: &str, steps: &[i64], times: &[i64], values: &[f64]) {
        if values.is_empty() {
            return;
        }
        let block = &mut *self.block;
        let start = block.values.len();
        let order = order(steps, times);
        let has_times = times.iter().any(|time| *time != NO_TIME);
        let has_substeps = steps.iter().any(|step| step.rem_euclid(MICRO) != 0);
        let (first_time, first_substep) = (block.times.len(), block.substeps.len());
        gather(&mut block.steps, steps, order.as_deref(), |step| step.div_euclid(MICRO));
        gather(&mut block.values, values, order.as_deref(), |value| value);
        if has_substeps {
            gather(&mut block.substeps, steps, order.as_deref(), |step| step.rem_euclid(MICRO) as i32);
        }
        if has_times {
            gather(&mut block.times, times, order.as_deref(), |time| time);
            self.newest_point = self.newest_point.max(times.iter().copied().max().unwrap_or(NO_TIME));
        }
        let values = block.values.get(start..).unwrap_or_default();
        let float = |value: Option<f64>| value.map(Summary::Float);
        let numbers = || values.iter().copied().filter(|value| !value.is_nan());
        let series = Series {
            first: float(values.first().copied()),
            last: float(values.last().copied()),
            min: float(numbers().reduce(f64::min)),
            max: float(numbers().reduce(f64::max)),
            first_step: block.steps.get(start).copied(),
            last_step: block.steps.last().copied(),
            points: Rows { start: start as u32, end: block.values.len() as u32 },
            times: has_times.then_some(first_time as u32),
            substeps: has_substeps.then_some(first_substep as u32),
            stats: stats(values),
            ..empty_series(SeriesKind::Metric, block.names.id(path), self.context)
        };
        block.series.push(series);
    }

    /// Adds a series of another kind. The rows are sorted. Nothing is added without points.
    pub(super) fn texts(&mut self, kind: SeriesKind, path: &str, rows: &mut [TextRow]) {
        if rows.is_empty() {
            return;
        }
        rows.sort_by_key(|row| (row.step, row.time));
        let block = &mut *self.block;
        let start = block.text_points.len() as u32;
        for row in rows.iter() {
            self.newest_point = self.newest_point.max(row.time);
            block.text_points.push(TextPoint {
                step: row.step.div_euclid(MICRO),
                substep: row.step.rem_euclid(MICRO) as i32,
                index: None,
                epoch: None,
                time: (row.time != NO_TIME).then_some(row.time),
                text: row.text,
            });
        }
        let last_text = match kind {
            SeriesKind::Texts | SeriesKind::Files => rows.last().and_then(|row| row.text),
            SeriesKind::Metric
            | SeriesKind::Images
            | SeriesKind::Audios
            | SeriesKind::Distributions
            | SeriesKind::Figures => None,
        };
        let series = Series {
            last_text,
            first_step: rows.first().map(|row| row.step.div_euclid(MICRO)),
            last_step: rows.last().map(|row| row.step.div_euclid(MICRO)),
            points: Rows { start, end: block.text_points.len() as u32 },
            ..empty_series(kind, block.names.id(path), self.context)
        };
        block.series.push(series);
    }

    /// Completes the run.
    pub(super) fn finish(mut self, key: &RunKey, digest: Digest) -> Read<()> {
        self.reserve_text(key.hash.len() + 1024)?;
        let params = write_document(self.block, self.owner, &mut self.attributes)?;
        let text = |path: &str| match self.get(path) {
            Some(Value::Text(span)) => Some(span),
            _ => None,
        };
        let time = |path: &str| match self.get(path) {
            Some(Value::Time(micros)) => Some(micros),
            _ => None,
        };
        let number = |path: &str| match self.get(path) {
            Some(Value::Float(value)) => Some(value),
            Some(Value::Int(value)) => Some(value as f64),
            _ => None,
        };
        let flag = |path: &str| matches!(self.get(path), Some(Value::Bool(true)));
        let (name, description) = (text("sys/name"), text("sys/description"));
        let tags = match self.get("sys/tags") {
            Some(Value::Set(rows)) => rows,
            _ => Rows::default(),
        };
        let archived = flag("sys/trashed") || flag("sys/archived");
        let newest = Some(self.newest_point).filter(|time| *time != NO_TIME);
        // A run without system attributes still needs a place in the order of runs.
        let created_at = time("sys/creation_time").or(newest).unwrap_or_default();
        let finalized_at = time("sys/legacy/finished");
        let last_sign = time("sys/ping_time").or(time("sys/modification_time")).or(newest);
        let duration = number("sys/running_time")
            .or(number("sys/running_time_seconds"))
            .filter(|seconds| seconds.is_finite())
            .or(last_sign.map(|end| (end.saturating_sub(created_at)) as f64 / 1e6));
        let block = self.block;
        let hash = block.add_text(&key.hash);
        let project = key.project.as_deref().map(|project| block.add_text(project));
        block.runs.push(Run {
            hash,
            project,
            name: name.unwrap_or(hash),
            experiment: project.unwrap_or(hash),
            description,
            tags,
            archived,
            active: false,
            created_at,
            finalized_at,
            end_time: finalized_at.map(|end| end as f64 / 1e6),
            duration,
            digest,
            params,
            series: Rows { start: self.series_start, end: block.series.len() as u32 },
        });
        Ok(())
    }
}

/// The order of points by step, then time, then place; `None` when they lie so.
fn order(steps: &[i64], times: &[i64]) -> Option<Vec<u32>> {
    let ascends = |a: usize| {
        let key = |row: usize| (steps.get(row), times.get(row));
        key(a) <= key(a + 1)
    };
    if (0..steps.len().saturating_sub(1)).all(ascends) {
        return None;
    }
    let mut order: Vec<u32> = (0..steps.len() as u32).collect();
    order.sort_by_key(|row| (steps.get(*row as usize), times.get(*row as usize)));
    Some(order)
}

/// Appends a column, in another order if there is one.
fn gather<T: Copy, U>(into: &mut Vec<U>, from: &[T], order: Option<&[u32]>, change: impl Fn(T) -> U) {
    match order {
        None => into.extend(from.iter().map(|value| change(*value))),
        Some(order) => into.extend(order.iter().filter_map(|row| from.get(*row as usize)).map(|value| change(*value))),
    }
}

fn empty_series(kind: SeriesKind, name: u32, context: u32) -> Series {
    Series {
        kind,
        name,
        context,
        context_hash: None,
        dtype: None,
        version: None,
        first: None,
        last: None,
        min: None,
        max: None,
        last_json: None,
        last_text: None,
        first_step: None,
        last_step: None,
        record_max_length: None,
        points: Rows::default(),
        times: None,
        substeps: None,
        epochs: None,
        sorted: true,
        stats: Stats::default(),
    }
}
