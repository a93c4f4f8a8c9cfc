//! The series that a query matches: what their points are shown with, and where these lie.

use super::rows::SeriesRows;
use crate::resolve::{ALIGN_POINTS, ALIGN_ROW, FIRST_ROW, POINTS, SERIES};
use crate::{Error, Result};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{SortOptions, concat_batches, sort_to_indices, take_arrays};
use arrow::datatypes::{DataType, Int64Type, Schema};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt;
use lakeql_lake::storage::segment::SegmentId;
use lakeql_lake::{Snapshot, Table};
use std::sync::Arc;

/// The matched series by file and row of their points. A position in it is what the rows of points refer to.
#[derive(Debug)]
pub(super) struct Matched {
    /// The columns that were asked for.
    pub(super) columns: RecordBatch,
    /// Where the points of each series lie.
    pub(super) rows: Vec<SeriesRows>,
    /// Where the points of the series lie that each is aligned by; empty if nothing is aligned.
    pub(super) align: Vec<Option<SeriesRows>>,
    /// What the above takes of the memory of queries.
    _memory: MemoryReservation,
}

impl Matched {
    /// Runs the plan of the matched series. `table` has their points.
    pub(super) async fn collect(
        plan: &Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
        snapshot: &Snapshot,
        table: Table,
    ) -> Result<Self> {
        let memory = MemoryConsumer::new("matched series").register(context.memory_pool());
        let mut stream = execute_stream(Arc::clone(plan), Arc::clone(context))?;
        let mut batches = vec![];
        while let Some(batch) = stream.try_next().await? {
            memory.try_grow(batch.get_array_memory_size())?;
            batches.push(batch);
        }
        let all = concat_batches(&plan.schema(), &batches)?;
        drop(batches);
        // By ordinal is by segment, and within a segment by row.
        let order = SortOptions { descending: false, nulls_first: false };
        let order = sort_to_indices(by_name(&all, SERIES)?.as_ref(), Some(order), None)?;
        let sorted: Vec<ArrayRef> = take_arrays(all.columns(), &order, None)?.into_iter().map(compact).collect();
        let all = RecordBatch::try_new(all.schema(), sorted)?;

        let (series, first, points) = (ints(&all, SERIES)?, ints(&all, FIRST_ROW)?, ints(&all, POINTS)?);
        let mut rows = Vec::with_capacity(all.num_rows());
        for ((series, first), points) in series.values().iter().zip(first.values()).zip(points.values()) {
            rows.push(place(snapshot, table, *series, *first, *points)?);
        }
        let mut align = vec![];
        if all.column_by_name(ALIGN_ROW).is_some() {
            let (first, points) = (ints(&all, ALIGN_ROW)?, ints(&all, ALIGN_POINTS)?);
            for (index, series) in series.values().iter().enumerate() {
                let other = first.is_valid(index).then(|| (first.value(index), points.value(index)));
                // A run's series lie in one segment, whatever their names.
                let other = other.map(|(first, points)| place(snapshot, Table::Points, *series, first, points));
                align.push(other.transpose()?);
            }
        }
        memory
            .try_resize(all.get_array_memory_size() + size_of_val(rows.as_slice()) + size_of_val(align.as_slice()))?;
        Ok(Self { columns: shown(&all)?, rows, align, _memory: memory })
    }
}

/// The columns without those that only say where the points are.
fn shown(all: &RecordBatch) -> Result<RecordBatch> {
    let inner = [SERIES, FIRST_ROW, POINTS, ALIGN_ROW, ALIGN_POINTS];
    let schema = all.schema();
    let fields = schema.fields().iter().zip(all.columns());
    let (fields, columns): (Vec<_>, Vec<_>) = fields
        .filter(|(field, _)| !inner.contains(&field.name().as_str()))
        .map(|(field, column)| (Arc::clone(field), Arc::clone(column)))
        .unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(all.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}

/// The rows of a series of this ordinal; an error if its segment has no such rows.
fn place(snapshot: &Snapshot, table: Table, series: i64, first: i64, points: i64) -> Result<SeriesRows> {
    let segment = SegmentId::of_ordinal(series);
    let files = &snapshot.table(table).files;
    let found = files.binary_search_by_key(&segment, |file| file.segment());
    let (Ok(start), Ok(rows)) = (u64::try_from(first), u64::try_from(points)) else {
        return Err(damaged(table, format!("series {series} begins at row {first} and has {points} rows")));
    };
    let Some((file, data)) = found.ok().and_then(|index| Some((index, files.get(index)?))) else {
        // Without points there need not be a file of them.
        return match points {
            0 => Ok(SeriesRows { file: 0, start: 0, rows: 0 }),
            _ => Err(damaged(table, format!("segment {segment} has series with points and no file of them"))),
        };
    };
    if start.checked_add(rows).is_none_or(|end| end > data.rows) {
        let reason = format!("series {series} ends at row {start} + {rows} of {}", data.rows);
        return Err(lakeql_lake::Error::Damaged { path: data.location.to_string(), reason }.into());
    }
    Ok(SeriesRows { file, start, rows })
}

/// The lake contradicts itself.
pub(super) fn damaged(table: Table, reason: String) -> Error {
    lakeql_lake::Error::Damaged { path: table.name().to_owned(), reason }.into()
}

/// Views that came from many batches refer to the texts of all of them: every later copy would carry them along.
fn compact(column: ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        _ => column,
    }
}

fn by_name<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    let internal = || DataFusionError::Internal(format!("the matched series have no column {name}")).into();
    batch.column_by_name(name).ok_or_else(internal)
}

fn ints<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int64Array> {
    let internal = || DataFusionError::Internal(format!("the column {name} of matched series is no integer")).into();
    by_name(batch, name)?.as_primitive_opt::<Int64Type>().ok_or_else(internal)
}
