//! `runs` and `attributes` of merged segments, and the new numbers of the runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use futures::{StreamExt, TryStreamExt};

use super::compact::{Job, Part};
use super::merge::merge;
use super::typed::{Columns, Sparse, columns_of, conform, schema_with, widen, with_column};
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{ints, open};
use crate::storage::segment::{SegmentId, ordinal_index};
use crate::storage::writer::WrittenFile;

/// Old runs to new ones.
#[derive(Debug, Default)]
pub(super) struct RunMap {
    /// For each segment the new ordinal of every old position; [`GONE`] where there is no run any more.
    segments: HashMap<SegmentId, Vec<i64>>,
}

const GONE: i64 = -1;

impl RunMap {
    /// The new ordinal of a run.
    fn get(&self, old: i64) -> Option<i64> {
        let new = self.segments.get(&SegmentId::of_ordinal(old))?.get(ordinal_index(old) as usize)?;
        (*new != GONE).then_some(*new)
    }

    fn set(&mut self, old: i64, new: i64) {
        let runs = self.segments.entry(SegmentId::of_ordinal(old)).or_default();
        let index = ordinal_index(old) as usize;
        if runs.len() <= index {
            runs.resize(index + 1, GONE);
        }
        if let Some(slot) = runs.get_mut(index) {
            *slot = new;
        }
    }

    /// Renumbers the column `run` and leaves out the rows of runs that are gone. The order of the rows of one segment
    /// does not change, because new numbers rise with the old ones.
    pub(super) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let new: Vec<Option<i64>> = ints(batch, "run")?.values().iter().map(|run| self.get(*run)).collect();
        let runs: ArrayRef = Arc::new(Int64Array::from_iter_values(new.iter().map(|run| run.unwrap_or_default())));
        let batch = with_column(batch, "run", runs)?;
        if new.iter().all(Option::is_some) {
            return Ok(batch);
        }
        let keep: BooleanArray = new.iter().map(|run| Some(run.is_some())).collect();
        Ok(filter_record_batch(&batch, &keep)?)
    }
}

/// Merges `runs`.
pub(super) async fn merge_runs(job: &Job<'_>) -> Result<(WrittenFile, RunMap)> {
    let hot = |path: &str| job.hot_runs.contains(path);
    let mut columns = Columns::new();
    let mut inputs = Vec::new();
    for part in &job.parts {
        let Some(file) = job.snapshot.table(Table::Runs).file(part.segment) else { continue };
        let input = open(job.snapshot.store(), &file.location, file.size, None).await?;
        let typed = columns_of(&input.schema, hot);
        let sparse = sparse(job, part, &typed).await?;
        columns.extend(sparse.columns());
        columns.extend(typed);
        inputs.push((input, sparse));
    }
    let schema = schema_with(Table::Runs, &columns);
    let streams = inputs
        .into_iter()
        .map(|(input, sparse)| {
            let schema = Arc::clone(&schema);
            let widened = input.batches.map(move |batch| {
                let batch = batch?;
                let runs = ints(&batch, "run")?;
                widen(&batch, &schema, |path, column_type| sparse.column(path, column_type, runs))
            });
            widened.boxed()
        })
        .collect();
    let mut merged = merge(Table::Runs, Arc::clone(&schema), streams)?;
    let mut writer = job.writer(Table::Runs, schema)?;
    let mut map = RunMap::default();
    let mut next = 0u32;
    while let Some(batch) = merged.try_next().await? {
        let mut new = Vec::with_capacity(batch.num_rows());
        for old in ints(&batch, "run")?.values() {
            let run = job.segment.ordinal(next);
            map.set(*old, run);
            new.push(run);
            next = next.checked_add(1).ok_or_else(|| Error::Internal("too many runs for one segment".to_owned()))?;
        }
        writer.write(&with_column(&batch, "run", Arc::new(Int64Array::from(new)))?).await?;
    }
    Ok((job.finish(writer).await?, map))
}

/// The values of hot paths that have no columns in a segment.
async fn sparse(job: &Job<'_>, part: &Part, typed: &Columns) -> Result<Sparse> {
    let known: HashSet<&str> = typed.iter().map(|(path, _)| path.as_str()).collect();
    let wanted: HashSet<&str> =
        part.run_paths().filter(|path| job.hot_runs.contains(*path) && !known.contains(path)).collect();
    match job.snapshot.table(Table::Attributes).file(part.segment) {
        Some(file) => Sparse::read(job.snapshot, file, &wanted).await,
        None => Ok(Sparse::default()),
    }
}

/// Merges `attributes`.
pub(super) async fn merge_attributes(job: &Job<'_>, map: &Arc<RunMap>) -> Result<Option<WrittenFile>> {
    let mut streams = Vec::new();
    for part in &job.parts {
        let Some(file) = job.snapshot.table(Table::Attributes).file(part.segment) else { continue };
        let input = open(job.snapshot.store(), &file.location, file.size, None).await?;
        let map = Arc::clone(map);
        streams.push(input.batches.map(move |batch| map.apply(&conform(&batch?, Table::Attributes)?)).boxed());
    }
    let schema = Table::Attributes.schema();
    let mut merged = merge(Table::Attributes, Arc::clone(&schema), streams)?;
    let mut writer = None;
    while let Some(batch) = merged.try_next().await? {
        job.write(&mut writer, Table::Attributes, &batch).await?;
    }
    job.finish_some(writer).await
}
