//! Reads the rows of series piece by piece and says whose each row is.

use super::matched::damaged;
use super::pieces::{Cursor, Owners, Piece, cut};
use super::rows::SeriesRows;
use super::scan::PointFiles;
use super::steps::{Key, Steps};
use super::{Sampling, StepRange};
use crate::{Error, Result};
use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use futures::stream::{BoxStream, StreamExt};
use futures::{TryStreamExt, stream};
use lakeql_lake::Table;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The rows of some series and the scan that reads them.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) rows: Vec<SeriesRows>,
    pub(super) pieces: Vec<Piece>,
    sampling: Sampling,
    pub(super) scan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    table: Table,
}

impl Reading {
    /// Reads these columns of the rows that the sampling leaves of each series. With `whole` each series is in one piece.
    pub(super) fn new(
        files: &PointFiles,
        rows: Vec<SeriesRows>,
        sampling: Sampling,
        whole: bool,
        columns: &[&str],
        context: &Arc<TaskContext>,
    ) -> Result<Self> {
        let pieces = cut(&rows, sampling, whole, files.pages());
        Self::of_pieces(files, rows, pieces, sampling, columns, context)
    }

    /// The same with pieces that are cut already.
    pub(super) fn of_pieces(
        files: &PointFiles,
        rows: Vec<SeriesRows>,
        pieces: Vec<Piece>,
        sampling: Sampling,
        columns: &[&str],
        context: &Arc<TaskContext>,
    ) -> Result<Self> {
        let scan = files.scan(&pieces, columns)?;
        Ok(Self { rows, pieces, sampling, scan, context: Arc::clone(context), table: files.table() })
    }

    /// Hands over the batches of a piece with the rows of them that are wanted.
    pub(super) async fn piece(
        &self,
        index: usize,
        mut visit: impl FnMut(RecordBatch, &Owners) -> Result<()>,
    ) -> Result<()> {
        let Some(piece) = self.pieces.get(index) else { return Ok(()) };
        let mut cursor = Cursor::new(piece, &self.rows, self.sampling);
        let mut owners = Owners::default();
        let mut stream = self.scan.execute(index, Arc::clone(&self.context))?;
        while let Some(batch) = stream.try_next().await? {
            if !cursor.next(batch.num_rows(), &self.rows, &mut owners) {
                return Err(damaged(self.table, "a file has more rows than its footer says".into()));
            }
            if !owners.rows.is_empty() {
                visit(batch, &owners)?;
            }
        }
        if !cursor.is_done() {
            return Err(damaged(self.table, "a file has fewer rows than its footer says".into()));
        }
        Ok(())
    }
}

/// Works on so many pieces side by side, on `threads` threads, and gives the outcomes in the order of the pieces. What is
/// held in memory are the outcomes of as many pieces.
pub(super) fn in_order<T, W, F>(pieces: usize, threads: usize, work: W) -> BoxStream<'static, Result<T>>
where
    T: Send + 'static,
    W: Fn(usize) -> F + Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let tasks = stream::iter(0..pieces).map(move |piece| SpawnedTask::spawn(work(piece)).join_unwind());
    let done = tasks.buffered(threads.max(1));
    done.map(|outcome| outcome.unwrap_or_else(|stopped| Err(stopped_task(stopped.into())))).boxed()
}

fn stopped_task(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    DataFusionError::External(error).into()
}

/// The rows whose steps lie in the range. Steps ascend within a series, so these lie together.
pub(super) async fn in_range(reading: Reading, range: StepRange, threads: usize) -> Result<Vec<SeriesRows>> {
    let (from, to) = range.keys();
    let reading = Arc::new(reading);
    let shared = Arc::clone(&reading);
    let mut counts = in_order(reading.pieces.len(), threads, move |piece| {
        let reading = Arc::clone(&shared);
        async move { count_steps(&reading, piece, from, to).await }
    });
    // For each series the steps before the range and those before its end.
    let mut found: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    while let Some(piece) = counts.try_next().await? {
        for (series, before, until) in piece {
            let entry = found.entry(series).or_default();
            entry.0 += before;
            entry.1 += until;
        }
    }
    let narrow = |(index, series): (usize, &SeriesRows)| {
        let (before, until) =
            u32::try_from(index).ok().and_then(|index| found.get(&index)).copied().unwrap_or_default();
        // An empty range may end before it begins.
        SeriesRows { start: series.start + before, rows: until.saturating_sub(before), ..*series }
    };
    Ok(reading.rows.iter().enumerate().map(narrow).collect())
}

/// For each series of a piece: its steps in the piece below `from`, and those below `to`.
async fn count_steps(reading: &Reading, piece: usize, from: Key, to: Key) -> Result<Vec<(u32, u64, u64)>> {
    let mut counts: Vec<(u32, u64, u64)> = vec![];
    let count = |batch: RecordBatch, owners: &Owners| -> Result<()> {
        let steps = Steps::of(&batch)?;
        for (row, series) in owners.rows.iter().zip(&owners.series) {
            let key = steps.key(*row as usize);
            let (before, until) = (u64::from(key < from), u64::from(key < to));
            match counts.last_mut() {
                Some(last) if last.0 == *series => {
                    last.1 += before;
                    last.2 += until;
                }
                _ => counts.push((*series, before, until)),
            }
        }
        Ok(())
    };
    reading.piece(piece, count).await?;
    Ok(counts)
}
