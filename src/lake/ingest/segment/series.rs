//! The table `series`: one row per sequence, with its summaries and where its points are.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int64Builder, RecordBatch, StringBuilder};

use super::order::{Ordered, SeriesPlace};
use super::runs::with_typed;
use super::typed::TypedColumns;
use super::{BATCH_ROWS, Batches, Target};
use crate::catalog::tables::Table;
use crate::error::Error;
use crate::ingest::block::{SeriesKind, Summary};
use crate::storage::segment::SegmentId;

/// The batches of the table.
pub(super) fn batches<'a>(
    ordered: &'a Ordered<'a>,
    target: &'a Target,
    typed: TypedColumns,
) -> Result<Batches<'a>, Error> {
    let schema = with_typed(&Table::Series.schema(), &typed);
    let mut next = NextRows::default();
    let chunks = ordered.series.chunks(BATCH_ROWS).enumerate();
    Ok(Box::new(chunks.map(move |(number, rows)| {
        let first = number * BATCH_ROWS;
        let mut columns = system_columns(ordered, target.segment, first, rows, &mut next);
        columns.extend(typed.iter().map(|(_, column)| column.slice(first, rows.len())));
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
    })))
}

/// The rows of `points` and `text_points` that the series so far have taken.
#[derive(Default)]
struct NextRows {
    points: i64,
    text_points: i64,
}

#[derive(Default)]
struct Columns {
    series: Int64Builder,
    run: Int64Builder,
    name: StringBuilder,
    context: StringBuilder,
    context_key: StringBuilder,
    context_hash: Int64Builder,
    kind: StringBuilder,
    dtype: StringBuilder,
    version: Int64Builder,
    summaries: [SummaryColumn; 4],
    last_json: StringBuilder,
    last_text: StringBuilder,
    first_step: Int64Builder,
    last_step: Int64Builder,
    record_max_length: Int64Builder,
    n: Int64Builder,
    mean: Float64Builder,
    m2: Float64Builder,
    n_nan: Int64Builder,
    first_row: Int64Builder,
}

/// A summary as a float and, if it was tracked as one, as an integer.
#[derive(Default)]
struct SummaryColumn {
    float: Float64Builder,
    int: Int64Builder,
}

impl SummaryColumn {
    fn push(&mut self, value: Option<Summary>) {
        self.float.append_option(value.map(Summary::float));
        self.int.append_option(value.and_then(Summary::int));
    }
}

fn system_columns(
    ordered: &Ordered<'_>,
    segment: SegmentId,
    first: usize,
    rows: &[SeriesPlace],
    next: &mut NextRows,
) -> Vec<ArrayRef> {
    let mut columns = Columns::default();
    for (index, row) in rows.iter().enumerate() {
        let Some((block, series, context)) = ordered.series(row.place) else { continue };
        columns.series.append_value(segment.ordinal((first + index) as u32));
        columns.run.append_value(segment.ordinal(row.run));
        columns.name.append_value(block.names.text(series.name));
        columns.context.append_value(block.json_text(context.text));
        columns.context_key.append_value(block.text(context.key));
        columns.context_hash.append_option(series.context_hash);
        columns.kind.append_value(series.kind.name());
        columns.dtype.append_option(series.dtype.map(|id| block.names.text(id)));
        columns.version.append_option(series.version);
        let summaries = [series.first, series.last, series.min, series.max];
        for (column, summary) in columns.summaries.iter_mut().zip(summaries) {
            column.push(summary);
        }
        columns.last_json.append_option(series.last_json.map(|span| block.json_text(span)));
        columns.last_text.append_option(series.last_text.map(|span| block.text(span)));
        columns.first_step.append_option(series.first_step);
        columns.last_step.append_option(series.last_step);
        columns.record_max_length.append_option(series.record_max_length);
        let n = series.points.len() as i64;
        columns.n.append_value(n);
        columns.mean.append_option(series.stats.mean);
        columns.m2.append_option(series.stats.m2);
        columns.n_nan.append_value(series.stats.n_nan);
        let taken = if series.kind == SeriesKind::Metric { &mut next.points } else { &mut next.text_points };
        columns.first_row.append_value(*taken);
        *taken += n;
    }
    columns.finish()
}

impl Columns {
    /// The columns in the order of the schema: the summaries as floats first, then as integers.
    fn finish(mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.series.finish()),
            Arc::new(self.run.finish()),
            Arc::new(self.name.finish()),
            Arc::new(self.context.finish()),
            Arc::new(self.context_key.finish()),
            Arc::new(self.context_hash.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.dtype.finish()),
            Arc::new(self.version.finish()),
        ];
        for summary in &mut self.summaries {
            columns.push(Arc::new(summary.float.finish()));
        }
        for summary in &mut self.summaries {
            columns.push(Arc::new(summary.int.finish()));
        }
        columns.extend([
            Arc::new(self.last_json.finish()) as ArrayRef,
            Arc::new(self.last_text.finish()),
            Arc::new(self.first_step.finish()),
            Arc::new(self.last_step.finish()),
            Arc::new(self.record_max_length.finish()),
            Arc::new(self.n.finish()),
            Arc::new(self.mean.finish()),
            Arc::new(self.m2.finish()),
            Arc::new(self.n_nan.finish()),
            Arc::new(self.first_row.finish()),
        ]);
        columns
    }
}
