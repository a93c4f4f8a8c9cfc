//! `points` and `text_points` of merged segments.
//!
//! The points of a series lie together, and the series of one old segment come in the new order as they came in the old
//! one. So nothing is compared row by row: for each series of the new order its rows are the next ones of its file.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::compute::concat_batches;
use futures::TryStreamExt;
use futures::stream::BoxStream;

use super::compact::Job;
use super::series::Moved;
use super::typed::{conform, with_column};
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{ints, open};
use crate::storage::segment::SegmentId;
use crate::storage::writer::WrittenFile;

/// Rows that are collected before they are written.
const BATCH_ROWS: usize = 65_536;

/// The rows of one old file, front to back.
struct Source {
    path: String,
    batches: BoxStream<'static, Result<RecordBatch>>,
    /// What is left of the batch that was read last.
    current: Option<RecordBatch>,
}

impl Source {
    /// The next rows of `series`, as many as the current batch has. `None` when there are no more.
    async fn take(&mut self, series: i64) -> Result<Option<RecordBatch>> {
        loop {
            let Some(batch) = self.current.take() else {
                match self.batches.try_next().await? {
                    Some(batch) => self.current = Some(batch),
                    None => return Ok(None),
                }
                continue;
            };
            let ids = ints(&batch, "series")?.values();
            // Rows before it belong to series of dead runs.
            let start = ids.partition_point(|id| *id < series);
            let end = ids.partition_point(|id| *id <= series);
            let (rows, count) = (batch.num_rows(), end - start);
            if end < rows {
                self.current = Some(batch.slice(end, rows - end));
            }
            if count > 0 {
                return Ok(Some(batch.slice(start, count)));
            }
            if end < rows {
                return Ok(None);
            }
        }
    }
}

/// Writes the points of all series in the new order.
pub(super) async fn merge_points(job: &Job<'_>, table: Table, order: &[Moved]) -> Result<Option<WrittenFile>> {
    let mut sources: BTreeMap<SegmentId, Source> = BTreeMap::new();
    for part in &job.parts {
        if let Some(file) = job.snapshot.table(table).file(part.segment) {
            let input = open(job.snapshot.store(), &file.location, file.size, None).await?;
            let path = file.location.to_string();
            sources.insert(part.segment, Source { path, batches: input.batches, current: None });
        }
    }
    let mut writer = None;
    let mut waiting: Vec<RecordBatch> = Vec::new();
    let mut rows = 0;
    for moved in order.iter().filter(|moved| moved.points > 0) {
        let segment = SegmentId::of_ordinal(moved.old);
        let Some(source) = sources.get_mut(&segment) else {
            return Err(Error::Internal(format!("segment {segment} has series with points and no file of `{table}`")));
        };
        let mut left = moved.points;
        while left > 0 {
            let taken = source.take(moved.old).await?.ok_or_else(|| Error::Damaged {
                path: source.path.clone(),
                reason: format!("series {} has {left} points less than `series` says", moved.old),
            })?;
            left -= taken.num_rows() as i64;
            rows += taken.num_rows();
            let series: ArrayRef = Arc::new(Int64Array::from(vec![moved.new; taken.num_rows()]));
            waiting.push(conform(&with_column(&taken, "series", series)?, table)?);
        }
        if left < 0 {
            let reason = format!("series {} has {} points more than `series` says", moved.old, -left);
            return Err(Error::Damaged { path: source.path.clone(), reason });
        }
        if rows >= BATCH_ROWS {
            job.write(&mut writer, table, &concat_batches(&table.schema(), &waiting)?).await?;
            waiting.clear();
            rows = 0;
        }
    }
    if rows > 0 {
        job.write(&mut writer, table, &concat_batches(&table.schema(), &waiting)?).await?;
    }
    job.finish_some(writer).await
}
