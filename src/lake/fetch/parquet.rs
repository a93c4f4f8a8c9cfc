//! Parquet: of the row groups with wanted samples the pages with them, of the columns that are wanted.

use arrow::json::writer::{LineDelimited, WriterBuilder};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::PageIndexPolicy;

use super::{Known, Samples};
use crate::error::{Error, Result};
use crate::ingest::samples::parquet::footer_checksum;
use crate::storage::anywhere::AnyFile;

/// Rows of one batch.
const BATCH_ROWS: usize = 1_024;

/// A Parquet file.
pub(super) struct ParquetFile {
    pub(super) known: Known,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    pub(super) fn open(known: Known) -> Result<Self> {
        let footer = footer_checksum(&known.path).map_err(|error| known.unreadable(&error))?;
        if known.blocks.first().is_some_and(|block| block.checksum != footer) {
            return Err(known.changed("its footer is another"));
        }
        let file = AnyFile::open(&known.path).map_err(|error| known.unreadable(&error))?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(|error| damaged(&known, &error))?;
        Ok(Self { known, metadata })
    }

    pub(super) fn read(&mut self, ranges: &[(u64, u64)], columns: Option<&[String]>) -> Result<Vec<Samples>> {
        let wanted = union(ranges);
        let Some((first, last)) = wanted.first().zip(wanted.last()).map(|(first, last)| (first.0, last.1)) else {
            return Ok(vec![vec![]; ranges.len()]);
        };
        // Only the row groups that have some of them.
        let touched = |group: &(usize, u64, u64)| {
            wanted.iter().any(|(start, end)| *start < group.2 && group.1 < *end) && group.1 < last && first < group.2
        };
        let groups: Vec<_> = self.groups().into_iter().filter(touched).collect();
        let file = AnyFile::open(&self.known.path).map_err(|error| self.known.unreadable(&error))?;
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        if let Some(columns) = columns {
            let fields = builder.schema().fields().iter().enumerate();
            let roots = fields.filter(|(_, field)| columns.contains(field.name())).map(|(index, _)| index);
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots.collect::<Vec<_>>());
            builder = builder.with_projection(mask);
        }
        let selection = selection(&groups, &wanted);
        let reader = builder
            .with_row_groups(groups.iter().map(|group| group.0).collect())
            .with_row_selection(selection)
            .with_batch_size(BATCH_ROWS)
            .build();
        let mut lines: Vec<String> = vec![];
        for batch in reader.map_err(|error| damaged(&self.known, &error))? {
            let batch = batch.map_err(|error| damaged(&self.known, &error))?;
            let mut bytes = vec![];
            let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut bytes);
            writer.write(&batch).and_then(|()| writer.finish()).map_err(|error| damaged(&self.known, &error))?;
            let before = lines.len();
            lines.extend(String::from_utf8_lossy(&bytes).lines().map(str::to_owned));
            // Without columns there is nothing to write.
            lines.resize(before + batch.num_rows(), "{}".to_owned());
        }
        // Positions of samples among those that were read.
        let mut lists = vec![];
        for (start, end) in ranges {
            let before: u64 = wanted.iter().map(|(from, to)| (*to).min(*start).saturating_sub(*from)).sum();
            let from = usize::try_from(before).unwrap_or(usize::MAX);
            let to = from.saturating_add(usize::try_from(end - start).unwrap_or(usize::MAX));
            match lines.get(from..to) {
                Some(list) => lists.push(list.to_vec()),
                None => return Err(self.known.changed("it has fewer rows")),
            }
        }
        Ok(lists)
    }

    /// Row groups: number, first row, one past the last.
    fn groups(&self) -> Vec<(usize, u64, u64)> {
        let mut first = 0;
        let groups = self.metadata.metadata().row_groups().iter().enumerate();
        groups
            .map(|(number, group)| {
                let rows = u64::try_from(group.num_rows()).unwrap_or_default();
                first += rows;
                (number, first - rows, first)
            })
            .collect()
    }
}

fn damaged(known: &Known, error: &dyn std::fmt::Display) -> Error {
    let reason = format!("the file is damaged: {error}");
    Error::Data { file: known.name.clone(), row: None, field: None, reason }
}

/// Ascending ranges joined where they overlap or touch.
fn union(ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut joined: Vec<(u64, u64)> = vec![];
    for (start, end) in ranges.iter().filter(|(start, end)| start < end) {
        match joined.last_mut() {
            Some(last) if *start <= last.1 => last.1 = last.1.max(*end),
            _ => joined.push((*start, *end)),
        }
    }
    joined
}

/// The wanted rows among those of the groups.
fn selection(groups: &[(usize, u64, u64)], wanted: &[(u64, u64)]) -> RowSelection {
    let size = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    let mut selectors = vec![];
    for (_, first, last) in groups {
        let mut at = *first;
        for (start, end) in wanted.iter().filter(|(start, end)| start < last && first < end) {
            let (start, end) = (*start.max(first), *end.min(last));
            if start > at {
                selectors.push(RowSelector::skip(size(start - at)));
            }
            selectors.push(RowSelector::select(size(end - start)));
            at = end;
        }
        if *last > at {
            selectors.push(RowSelector::skip(size(last - at)));
        }
    }
    selectors.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_in_their_groups() {
        assert_eq!(union(&[(0, 2), (2, 5), (4, 4), (7, 9), (8, 12)]), [(0, 5), (7, 12)]);
        let groups = [(0, 0, 6), (2, 10, 14)];
        let found: Vec<RowSelector> = selection(&groups, &[(0, 2), (4, 11), (13, 14)]).into();
        let (skip, select) = (RowSelector::skip, RowSelector::select);
        assert_eq!(found, [select(2), skip(2), select(3), skip(2), select(1)]);
    }
}
