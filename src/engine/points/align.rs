//! Another metric's values in place of steps.

use super::Sampling;
use super::pieces::{Owners, Piece};
use super::reading::Reading;
use super::rows::{GAP, SeriesRows};
use super::scan::PointFiles;
use super::steps::{Key, Steps, floats};
use crate::Result;
use arrow::array::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use std::ops::Range;
use std::sync::Arc;

/// The series that others are aligned by, piece by piece of those.
#[derive(Debug)]
pub(super) struct Aligned {
    reading: Reading,
    /// For each piece of the others its own, if it has any, and which of the aligning series each of its series has.
    pieces: Vec<(Option<usize>, Vec<Option<u32>>)>,
}

/// The values of the aligning series of one piece.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Position of the first series of the piece.
    first: usize,
    /// For each series of the piece its place in `points`.
    series: Vec<Option<u32>>,
    /// Position of the first aligning series.
    base: usize,
    /// Steps and values of each aligning series, by step.
    points: Vec<Vec<(Key, f64)>>,
}

impl Aligned {
    /// `rows` has the aligning series of every series that the pieces speak of. No series goes through two pieces.
    pub(super) fn new(
        files: &PointFiles,
        pieces: &[Piece],
        rows: &[Option<SeriesRows>],
        columns: &[&str],
        context: &Arc<TaskContext>,
    ) -> Result<Self> {
        let (mut all, mut own, mut of) = (vec![], vec![], Vec::with_capacity(pieces.len()));
        for piece in pieces {
            let wanted = rows.get(piece.series.clone()).unwrap_or_default();
            let mut found: Vec<SeriesRows> = wanted.iter().flatten().filter(|rows| rows.rows > 0).copied().collect();
            found.sort_unstable_by_key(|rows| (rows.file, rows.start));
            found.dedup();
            let base = all.len();
            let place = |rows: &SeriesRows| {
                let at = found.binary_search_by_key(&(rows.file, rows.start), |rows| (rows.file, rows.start)).ok()?;
                u32::try_from(at).ok()
            };
            let series = wanted.iter().map(|rows| rows.as_ref().filter(|rows| rows.rows > 0).and_then(place)).collect();
            of.push(((!found.is_empty()).then_some(own.len()), series));
            if let Some(first) = found.first() {
                own.push(Piece { file: first.file, ranges: joined(&found), series: base..base + found.len() });
            }
            all.extend(found);
        }
        let reading = Reading::of_pieces(files, all, own, Sampling::All, columns, context)?;
        Ok(Self { reading, pieces: of })
    }

    /// The scan of the aligning series.
    pub(super) fn scan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.reading.scan
    }

    /// Reads the aligning series of a piece, whose series these are.
    pub(super) async fn values(&self, piece: usize, series: &Range<usize>) -> Result<Values> {
        let Some((own, places)) = self.pieces.get(piece) else { return Ok(Values::default()) };
        let mut values = Values { first: series.start, series: places.clone(), ..Values::default() };
        let Some((own, found)) = own.and_then(|own| Some((own, self.reading.pieces.get(own)?))) else {
            return Ok(values);
        };
        values.base = found.series.start;
        values.points.resize(found.series.len(), vec![]);
        let base = values.base;
        let points = &mut values.points;
        let collect = |batch: RecordBatch, owners: &Owners| -> Result<()> {
            let (steps, numbers) = (Steps::of(&batch)?, floats(&batch, "value")?.values());
            for (row, series) in owners.rows.iter().zip(&owners.series) {
                let row = *row as usize;
                if let (Some(points), Some(value)) = (points.get_mut(*series as usize - base), numbers.get(row)) {
                    points.push((steps.key(row), *value));
                }
            }
            Ok(())
        };
        self.reading.piece(own, collect).await?;
        Ok(values)
    }
}

impl Values {
    /// The value at a step of a series; the last one if the step was tracked repeatedly.
    pub(super) fn at(&self, series: u32, step: Key) -> Option<f64> {
        let place = self.series.get((series as usize).checked_sub(self.first)?).copied().flatten()?;
        let points = self.points.get(place as usize)?;
        let behind = points.partition_point(|(key, _)| *key <= step);
        let (key, value) = points.get(behind.checked_sub(1)?)?;
        (*key == step).then_some(*value)
    }
}

/// The rows of series that ascend, those that lie close together as one range.
fn joined(series: &[SeriesRows]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = vec![];
    for rows in series {
        let range = rows.start..rows.start + rows.rows;
        match ranges.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
            Some(_) | None => ranges.push(range),
        }
    }
    ranges
}
