//! Single points with the columns of their series.

use super::align::Aligned;
use super::matched::Matched;
use super::pieces::Owners;
use super::reading::Reading;
use super::scan::SUBSTEP;
use super::steps::{KeyKind, Steps, key_of_float};
use crate::Result;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter, filter_record_batch, take, take_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The columns of the series in front of those of the point; whatever else was asked for comes behind.
pub(super) const KEYS: [&str; 3] = ["run", "name", "context"];

/// What makes rows of points into rows of the answer.
#[derive(Debug)]
pub(super) struct List {
    pub(super) matched: Arc<Matched>,
    pub(super) reading: Reading,
    pub(super) aligned: Option<Aligned>,
    pub(super) steps: KeyKind,
    pub(super) schema: SchemaRef,
    /// Points that were dropped because there was nothing to align them by.
    pub(super) dropped: AtomicU64,
}

/// The schema of single points: key columns, `point` columns, the others.
pub(super) fn schema(matched: &Matched, point: &[Field], steps: KeyKind) -> Schema {
    let of_series = matched.columns.schema();
    let (keys, others) = of_series.fields().split_at(KEYS.len().min(of_series.fields().len()));
    let point = point.iter().filter(|field| field.name() != SUBSTEP).map(|field| match field.name().as_str() {
        "step" => Field::new("step", steps.data_type(), false),
        _ => field.clone(),
    });
    let fields = keys.iter().map(|field| field.as_ref().clone()).chain(point);
    Schema::new(fields.chain(others.iter().map(|field| field.as_ref().clone())).collect::<Vec<_>>())
}

impl List {
    /// The rows of a piece.
    pub(super) async fn piece(&self, index: usize) -> Result<Vec<RecordBatch>> {
        let values = match (&self.aligned, self.reading.pieces.get(index)) {
            (Some(aligned), Some(piece)) => Some(aligned.values(index, &piece.series).await?),
            _ => None,
        };
        let mut out = vec![];
        let list = |batch: RecordBatch, owners: &Owners| -> Result<()> {
            let all = owners.rows.len() == batch.num_rows();
            let mut batch =
                if all { batch } else { take_record_batch(&batch, &UInt32Array::from(owners.rows.clone()))? };
            let mut series = UInt32Array::from(owners.series.clone());
            let mut step = None;
            if let Some(values) = &values {
                let steps = Steps::of(&batch)?;
                let found = owners.series.iter().enumerate().map(|(row, series)| values.at(*series, steps.key(row)));
                let found: Vec<Option<f64>> = found.collect();
                let kept: BooleanArray = found.iter().map(|value| Some(value.is_some())).collect();
                let missing = found.iter().filter(|value| value.is_none()).count();
                if missing > 0 {
                    self.dropped.fetch_add(missing as u64, Ordering::Relaxed);
                    batch = filter_record_batch(&batch, &kept)?;
                    series = arrow::array::AsArray::as_primitive(&filter(&series, &kept)?).clone();
                }
                step = Some(self.steps.column(found.into_iter().flatten().map(key_of_float))?);
            }
            if batch.num_rows() > 0 {
                out.push(self.rows(&batch, &series, step)?);
            }
            Ok(())
        };
        self.reading.piece(index, list).await?;
        Ok(out)
    }

    /// One batch of the answer. `step` takes the place of the steps that were read.
    fn rows(&self, batch: &RecordBatch, series: &UInt32Array, step: Option<ArrayRef>) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        let mut of_series = vec![];
        for column in self.matched.columns.columns() {
            of_series.push(take(column, series, None)?);
        }
        let others = of_series.split_off(KEYS.len().min(of_series.len()));
        columns.extend(of_series);
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            match field.name().as_str() {
                SUBSTEP => {}
                "step" => columns.push(match (&step, self.steps) {
                    (Some(step), _) => Arc::clone(step),
                    (None, KeyKind::Whole) => Arc::clone(column),
                    (None, KeyKind::Fraction | KeyKind::Float) => {
                        let steps = Steps::of(batch)?;
                        self.steps.column((0..batch.num_rows()).map(|row| steps.key(row)))?
                    }
                }),
                _ => columns.push(Arc::clone(column)),
            }
        }
        columns.extend(others);
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
