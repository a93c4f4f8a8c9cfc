//! Columns of properties to runs: consecutive samples of a file with equal properties become one row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array, make_comparator};
use arrow::compute::{SortOptions, partition, take};
use arrow::datatypes::SchemaRef;

use super::fault;
use crate::catalog::samples::{Property, PropertyKind};
use crate::error::{Result, RowPlace};

/// Cuts one file into runs.
pub(super) struct RunCutter<'a> {
    dataset: u32,
    file: u32,
    name: &'a str,
    /// Whether places are lines of text.
    lines: bool,
    properties: &'a [Property],
    /// Of the rows of the lake.
    schema: SchemaRef,
    /// Samples so far.
    samples: u64,
    /// The run that may go on: its first sample, and its properties as one row.
    open: Option<(u64, Vec<ArrayRef>)>,
}

impl<'a> RunCutter<'a> {
    pub(super) fn new(
        (dataset, file): (u32, u32),
        name: &'a str,
        lines: bool,
        properties: &'a [Property],
        schema: SchemaRef,
    ) -> Self {
        Self { dataset, file, name, lines, properties, schema, samples: 0, open: None }
    }

    /// The runs that end within these rows, or before them.
    pub(super) fn cut(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let rows = batch.num_rows();
        let first = self.samples;
        self.samples += rows as u64;
        if rows == 0 {
            return Ok(vec![]);
        }
        let columns = batch.columns();
        let ranges = if columns.is_empty() { std::iter::once(0..rows).collect() } else { partition(columns)?.ranges() };
        let mut starts: Vec<u64> = ranges.iter().map(|range| first + range.start as u64).collect();
        let mut done = vec![];
        if let Some((start, row)) = self.open.take() {
            if equal(&row, columns)? {
                if let Some(first) = starts.first_mut() {
                    *first = start;
                }
            } else {
                done.push(self.rows(&[start], &[first], row)?);
            }
        }
        let Some((last, before)) = ranges.split_last() else { return Ok(done) };
        if !before.is_empty() {
            let indices: UInt32Array = before.iter().map(|range| range.start as u32).collect();
            let taken = columns.iter().map(|column| take(column, &indices, None));
            let ends: Vec<u64> = before.iter().map(|range| first + range.end as u64).collect();
            let starts = starts.get(..before.len()).unwrap_or_default();
            done.push(self.rows(starts, &ends, taken.collect::<Result<_, _>>()?)?);
        }
        // Copied, so that the batch can go.
        let index = UInt32Array::from(vec![last.start as u32]);
        let row = columns.iter().map(|column| take(column, &index, None)).collect::<Result<_, _>>()?;
        self.open = starts.last().map(|start| (*start, row));
        Ok(done)
    }

    /// The last run.
    pub(super) fn finish(mut self) -> Result<Option<RecordBatch>> {
        match self.open.take() {
            None => Ok(None),
            Some((start, row)) => self.rows(&[start], &[self.samples], row).map(Some),
        }
    }

    fn rows(&self, starts: &[u64], ends: &[u64], properties: Vec<ArrayRef>) -> Result<RecordBatch> {
        for (property, column) in self.properties.iter().zip(&properties) {
            self.check(property, column, starts)?;
        }
        let int = |values: &[u64]| -> ArrayRef {
            Arc::new(values.iter().map(|value| i64::try_from(*value).unwrap_or(i64::MAX)).collect::<Int64Array>())
        };
        let id = |id: u32| -> ArrayRef { Arc::new(Int64Array::from(vec![i64::from(id); starts.len()])) };
        let mut columns = vec![id(self.dataset), id(self.file), int(starts), int(ends)];
        columns.extend(properties);
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// That nothing is missing that must not, and that texts are among those that are allowed.
    fn check(&self, property: &Property, column: &ArrayRef, starts: &[u64]) -> Result<()> {
        let wrong = |row: usize, reason: String| {
            let number = starts.get(row).copied().unwrap_or_default() + 1;
            let place = if self.lines { RowPlace::Line(number) } else { RowPlace::Row(number) };
            Err(fault(self.name, Some(place), Some(&property.name), reason))
        };
        if !property.nullable
            && let Some(row) = (0..column.len()).find(|row| column.is_null(*row))
        {
            return wrong(row, "the value is missing, which the schema does not allow".to_owned());
        }
        let (Some(options), PropertyKind::Text) = (&property.options, property.kind) else { return Ok(()) };
        let allowed = |values: &ArrayRef| {
            let values = values.as_string_opt::<i32>()?;
            let odd = values.iter().flatten().find(|value| !options.iter().any(|option| option == value))?;
            Some(odd.to_owned())
        };
        let list = column.as_list_opt::<i32>();
        for row in 0..column.len() {
            let values = list.map_or_else(|| column.slice(row, 1), |list| list.value(row));
            if let Some(odd) = Some(values).filter(|_| column.is_valid(row)).as_ref().and_then(allowed) {
                return wrong(row, format!("{odd:?} is none of the allowed values: {}", options.join(", ")));
            }
        }
        Ok(())
    }
}

/// Whether the first rows are the same.
fn equal(left: &[ArrayRef], right: &[ArrayRef]) -> Result<bool> {
    for (left, right) in left.iter().zip(right) {
        if make_comparator(left, right, SortOptions::default())?(0, 0).is_ne() {
            return Ok(false);
        }
    }
    Ok(true)
}
