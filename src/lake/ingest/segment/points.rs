//! The tables `points` and `text_points`: the rows of every series, in the order of series and steps.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Float64Builder, Int32Array, Int32Builder, Int64Array, Int64Builder, RecordBatch,
    StringBuilder, TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};

use super::order::Ordered;
use super::{BATCH_ROWS, Batches, Target, discard, write_batches};
use crate::catalog::tables::Table;
use crate::error::Error;
use crate::ingest::aim::sequence::epoch_value;
use crate::ingest::block::{Block, NO_TIME, Series, SeriesKind};
use crate::storage::segment::SegmentId;
use crate::storage::writer::WrittenFile;

/// Writes both tables.
pub(super) async fn write(ordered: &Ordered<'_>, target: &Target) -> Result<Vec<WrittenFile>, Error> {
    let mut files = Vec::new();
    files.extend(write_batches(target, Table::Points, metric_batches(ordered, target)).await?);
    match write_batches(target, Table::TextPoints, text_batches(ordered, target)).await {
        Ok(file) => files.extend(file),
        Err(error) => {
            discard(target, &files).await;
            return Err(error);
        }
    }
    Ok(files)
}

/// The columns of one batch of `points`.
#[derive(Default)]
struct Columns {
    series: Vec<i64>,
    step: Vec<i64>,
    substep: Vec<i32>,
    substeps: Nulls,
    epoch: Vec<f64>,
    epochs: Nulls,
    time: Vec<i64>,
    times: Nulls,
    value: Vec<f64>,
}

/// Which rows have a value; nothing is kept while all have or all lack one.
#[derive(Default)]
struct Nulls {
    valid: Vec<bool>,
    any: bool,
    all: bool,
}

impl Nulls {
    fn start() -> Self {
        Nulls { valid: Vec::with_capacity(BATCH_ROWS), any: false, all: true }
    }

    fn push_same(&mut self, valid: bool, rows: usize) {
        self.valid.resize(self.valid.len() + rows, valid);
        if rows > 0 {
            self.any |= valid;
            self.all &= valid;
        }
    }

    fn push(&mut self, valid: bool) {
        self.valid.push(valid);
        self.any |= valid;
        self.all &= valid;
    }

    fn finish(self) -> Option<NullBuffer> {
        if self.all { None } else { Some(NullBuffer::from(self.valid)) }
    }
}

impl Columns {
    fn new() -> Self {
        Columns {
            series: Vec::with_capacity(BATCH_ROWS),
            step: Vec::with_capacity(BATCH_ROWS),
            substep: Vec::with_capacity(BATCH_ROWS),
            substeps: Nulls::start(),
            epoch: Vec::with_capacity(BATCH_ROWS),
            epochs: Nulls::start(),
            time: Vec::with_capacity(BATCH_ROWS),
            times: Nulls::start(),
            value: Vec::with_capacity(BATCH_ROWS),
        }
    }

    /// Appends points `from..to` of a series whose steps ascend.
    fn push_slice(&mut self, ordinal: i64, block: &Block, series: &Series, from: usize, to: usize) {
        let rows = to - from;
        let start = series.points.start as usize;
        self.series.resize(self.series.len() + rows, ordinal);
        self.step.extend_from_slice(block.steps.get(start + from..start + to).unwrap_or_default());
        self.value.extend_from_slice(block.values.get(start + from..start + to).unwrap_or_default());
        match series.substeps.map(|start| start as usize) {
            None => {
                self.substep.resize(self.substep.len() + rows, 0);
                self.substeps.push_same(false, rows);
            }
            Some(start) => {
                for substep in block.substeps.get(start + from..start + to).unwrap_or_default() {
                    self.substeps.push(*substep != 0);
                    self.substep.push(*substep);
                }
            }
        }
        match series.times.map(|start| start as usize) {
            None => {
                self.time.resize(self.time.len() + rows, 0);
                self.times.push_same(false, rows);
            }
            Some(start) => {
                let times = block.times.get(start + from..start + to).unwrap_or_default();
                self.time.extend_from_slice(times);
                if times.contains(&NO_TIME) {
                    times.iter().for_each(|time| self.times.push(*time != NO_TIME));
                } else {
                    self.times.push_same(true, rows);
                }
            }
        }
        match series.epochs.map(|start| start as usize) {
            None => {
                self.epoch.resize(self.epoch.len() + rows, 0.0);
                self.epochs.push_same(false, rows);
            }
            Some(start) => {
                for epoch in block.epochs.get(start + from..start + to).unwrap_or_default() {
                    self.epochs.push(epoch_value(*epoch).is_some());
                    self.epoch.push(*epoch);
                }
            }
        }
    }

    fn finish(self) -> Result<RecordBatch, Error> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(self.series)),
            Arc::new(Int64Array::from(self.step)),
            Arc::new(Int32Array::new(ScalarBuffer::from(self.substep), self.substeps.finish())),
            Arc::new(Float64Array::new(ScalarBuffer::from(self.epoch), self.epochs.finish())),
            Arc::new(
                TimestampMicrosecondArray::new(ScalarBuffer::from(self.time), self.times.finish()).with_timezone("UTC"),
            ),
            Arc::new(Float64Array::from(self.value)),
        ];
        Ok(RecordBatch::try_new(Table::Points.schema(), columns)?)
    }
}

/// Walks the series in order and cuts their points into batches.
struct MetricBatches<'a> {
    ordered: &'a Ordered<'a>,
    segment: SegmentId,
    /// The next series and the first of its points that is not out yet.
    series: usize,
    point: usize,
    /// The order of the points of the current series, when its steps do not ascend.
    permutation: Option<Vec<u32>>,
}

fn metric_batches<'a>(ordered: &'a Ordered<'a>, target: &Target) -> Batches<'a> {
    Box::new(MetricBatches { ordered, segment: target.segment, series: 0, point: 0, permutation: None })
}

impl Iterator for MetricBatches<'_> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut columns = Columns::new();
        while columns.series.len() < BATCH_ROWS {
            let Some(row) = self.ordered.series.get(self.series) else { break };
            let metric = self.ordered.series(row.place).filter(|(_, series, _)| series.kind == SeriesKind::Metric);
            let Some((block, series, _)) = metric else {
                self.series += 1;
                continue;
            };
            let points = series.points.len();
            let to = points.min(self.point + BATCH_ROWS - columns.series.len());
            let ordinal = self.segment.ordinal(self.series as u32);
            if series.sorted {
                columns.push_slice(ordinal, block, series, self.point, to);
            } else {
                let permutation = self.permutation.get_or_insert_with(|| by_step(block, series));
                for point in permutation.get(self.point..to).unwrap_or_default() {
                    columns.push_slice(ordinal, block, series, *point as usize, *point as usize + 1);
                }
            }
            self.point = to;
            if to == points {
                self.series += 1;
                self.point = 0;
                self.permutation = None;
            }
        }
        if columns.series.is_empty() { None } else { Some(columns.finish()) }
    }
}

/// The points of a series by step; points of one step keep the order of the export.
fn by_step(block: &Block, series: &Series) -> Vec<u32> {
    let steps = block.steps.get(series.points.range()).unwrap_or_default();
    let mut order: Vec<u32> = (0..steps.len() as u32).collect();
    order.sort_by_key(|point| steps.get(*point as usize).copied().unwrap_or_default());
    order
}

fn text_batches<'a>(ordered: &'a Ordered<'a>, target: &Target) -> Batches<'a> {
    let segment = target.segment;
    let rows = ordered.series.iter().enumerate().filter_map(move |(number, row)| {
        let (block, series, _) = ordered.series(row.place)?;
        if series.kind == SeriesKind::Metric {
            return None;
        }
        let mut points: Vec<_> = block.text_points.get(series.points.range())?.to_vec();
        points.sort_by_key(|point| (point.step, point.substep));
        Some((segment.ordinal(number as u32), block, points))
    });
    let mut rows =
        rows.flat_map(|(ordinal, block, points)| points.into_iter().map(move |point| (ordinal, block, point)));
    Box::new(std::iter::from_fn(move || {
        let mut series = Int64Builder::new();
        let mut step = Int64Builder::new();
        let mut substep = Int32Builder::new();
        let mut index = Int64Builder::new();
        let mut epoch = Float64Builder::new();
        let mut time = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        let mut text = StringBuilder::new();
        let mut count = 0;
        for (ordinal, block, point) in rows.by_ref().take(BATCH_ROWS) {
            count += 1;
            series.append_value(ordinal);
            step.append_value(point.step);
            substep.append_option((point.substep != 0).then_some(point.substep));
            index.append_option(point.index);
            epoch.append_option(point.epoch);
            time.append_option(point.time);
            text.append_option(point.text.map(|span| block.text(span)));
        }
        if count == 0 {
            return None;
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(series.finish()),
            Arc::new(step.finish()),
            Arc::new(substep.finish()),
            Arc::new(index.finish()),
            Arc::new(epoch.finish()),
            Arc::new(time.finish()),
            Arc::new(text.finish()),
        ];
        Some(RecordBatch::try_new(Table::TextPoints.schema(), columns).map_err(Error::from))
    }))
}
