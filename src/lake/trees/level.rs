//! The rows of one level: blocks of columns, and the place of a name among siblings.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use lakeql_rows::error::Problem;
use object_store::ObjectStore;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::file::{Counted, NodeFile, ReadStats};
use crate::catalog::snapshot::DataFile;
use crate::catalog::tables::Table;
use crate::catalog::trees::level_column;
use crate::error::{Error, Result};
use crate::storage::reader::ObjectReader;
use crate::storage::writer::page_rows;

/// Rows of states in bytes that are unpacked together.
const STATE_ROWS: u64 = 64;

/// Bytes of unpacked blocks that a level keeps.
const KEPT_BYTES: usize = 32 << 20;

/// A page of the column of names.
#[derive(Debug)]
struct Page {
    rows: Range<u64>,
    /// Not after the first name.
    least: Vec<u8>,
    /// Not before the last name; none if that is not known.
    greatest: Option<Vec<u8>>,
}

/// One level of a tree.
#[derive(Debug)]
pub(super) struct Level {
    /// From 0.
    number: usize,
    file: Arc<NodeFile>,
    footer: ArrowReaderMetadata,
    /// The row groups.
    groups: Vec<Range<u64>>,
    pages: Vec<Page>,
    names: String,
    kept: Mutex<Kept>,
}

/// Blocks by columns and place.
#[derive(Debug, Default)]
struct Kept {
    blocks: HashMap<(Part, u64), RecordBatch>,
    bytes: usize,
}

/// Columns that are read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Names,
    /// Hits, children, first child.
    Counts,
    /// The columns of an attachment, by the first of them.
    State(usize),
}

/// Rows of some columns.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) rows: RecordBatch,
    /// The first row.
    pub(super) start: u64,
}

impl Block {
    fn index(&self, row: u64) -> Option<usize> {
        usize::try_from(row.checked_sub(self.start)?).ok().filter(|index| *index < self.rows.num_rows())
    }

    pub(super) fn end(&self) -> u64 {
        self.start + self.rows.num_rows() as u64
    }

    pub(super) fn names(&self) -> Option<&StringArray> {
        self.rows.columns().first()?.as_string_opt()
    }

    pub(super) fn name(&self, row: u64) -> Option<&str> {
        Some(self.names()?.value(self.index(row)?))
    }

    pub(super) fn ints(&self, column: usize) -> Option<&Int64Array> {
        self.rows.columns().get(column)?.as_primitive_opt::<Int64Type>()
    }

    pub(super) fn int(&self, column: usize, row: u64) -> Option<i64> {
        let (ints, index) = (self.ints(column)?, self.index(row)?);
        ints.is_valid(index).then(|| ints.value(index))
    }

    pub(super) fn float(&self, column: usize, row: u64) -> Option<f64> {
        let floats: &Float64Array = self.rows.columns().get(column)?.as_primitive_opt::<Float64Type>()?;
        let index = self.index(row)?;
        floats.is_valid(index).then(|| floats.value(index))
    }

    pub(super) fn bytes(&self, column: usize, row: u64) -> Option<&[u8]> {
        let bytes: &BinaryArray = self.rows.columns().get(column)?.as_binary_opt::<i32>()?;
        let index = self.index(row)?;
        bytes.is_valid(index).then(|| bytes.value(index))
    }
}

impl Level {
    /// Opens a level, from 1.
    pub(super) async fn open(store: &Arc<dyn ObjectStore>, file: &DataFile, level: usize) -> Result<Self> {
        let damaged = |reason: &str| Error::Damaged { path: file.location.to_string(), reason: reason.to_owned() };
        let mut reader = ObjectReader::new(store, &file.location, file.size);
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let metadata = reader.get_metadata(Some(&options)).await?;
        let names = level_column(level);
        let column = metadata.file_metadata().schema_descr().columns().iter().position(|it| it.name() == names);
        let column = column.ok_or_else(|| damaged("the column of names is missing"))?;
        let (mut groups, mut pages, mut start) = (vec![], vec![], 0_u64);
        for (index, group) in metadata.row_groups().iter().enumerate() {
            let end = start + u64::try_from(group.num_rows()).unwrap_or_default();
            let offsets = metadata.offset_index().and_then(|it| it.get(index)?.get(column));
            let bounds = metadata.column_index().and_then(|it| it.get(index)?.get(column));
            let (Some(offsets), Some(ColumnIndexMetaData::BYTE_ARRAY(bounds))) = (offsets, bounds) else {
                return Err(damaged("the page index is missing"));
            };
            let places = offsets.page_locations();
            for (number, place) in places.iter().enumerate() {
                let first = |at: i64| start + u64::try_from(at).unwrap_or_default();
                let to = places.get(number + 1).map_or(end, |next| first(next.first_row_index));
                pages.push(Page {
                    rows: first(place.first_row_index)..to,
                    least: bounds.min_value(number).unwrap_or_default().to_vec(),
                    greatest: bounds.max_value(number).map(<[u8]>::to_vec),
                });
            }
            groups.push(start..end);
            start = end;
        }
        let footer = ArrowReaderMetadata::try_new(metadata, options)?;
        let file = Arc::new(NodeFile::open(store, &file.location, file.size).await?);
        Ok(Self { number: level - 1, file, footer, groups, pages, names, kept: Mutex::default() })
    }

    /// How many nodes there are.
    pub(super) fn rows(&self) -> u64 {
        self.groups.last().map_or(0, |group| group.end)
    }

    /// The place of a column in the file.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.footer.schema().index_of(name).ok()
    }

    /// The block of rows that a row is in.
    pub(super) fn block(&self, part: Part, row: u64, stats: &ReadStats) -> Result<Block, Problem> {
        let group = self.groups.partition_point(|group| group.end <= row);
        let Some(rows) = self.groups.get(group).filter(|rows| rows.contains(&row)) else {
            return Err(Problem::Read(format!("level {} has no row {row}: the tree is damaged", self.number + 1)));
        };
        let size = self.block_rows(part);
        let start = rows.start + (row - rows.start) / size * size;
        let kept = |kept: &Mutex<Kept>| {
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.blocks.get(&(part, start)).cloned()
        };
        if let Some(rows) = kept(&self.kept) {
            stats.note(self.number, |read| read.found += 1);
            return Ok(Block { rows, start });
        }
        let found = self.read(part, group, start..(start + size).min(rows.end), stats)?;
        let bytes = found.get_array_memory_size();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + bytes > KEPT_BYTES {
            *kept = Kept::default();
        }
        kept.bytes += bytes;
        kept.blocks.insert((part, start), found.clone());
        Ok(Block { rows: found, start })
    }

    /// Rows of a block: states in bytes may be large, and are asked for one by one.
    fn block_rows(&self, part: Part) -> u64 {
        match part {
            Part::State(first) if self.is_bytes(first) => STATE_ROWS,
            Part::Names | Part::Counts | Part::State(_) => page_rows(Table::Nodes) as u64,
        }
    }

    fn is_bytes(&self, column: usize) -> bool {
        let field = self.footer.schema().fields().get(column);
        field.is_some_and(|field| field.data_type() == &DataType::Binary)
    }

    /// The columns of a part, by their places in the file.
    fn columns(&self, part: Part) -> Vec<usize> {
        let named = |name: &str| self.column(name);
        match part {
            Part::Names => named(&self.names).into_iter().collect(),
            Part::Counts => ["hits", "children", "first_child"].into_iter().filter_map(named).collect(),
            Part::State(first) if self.is_bytes(first) => vec![first],
            Part::State(first) => vec![first, first + 1],
        }
    }

    /// The bytes of the pages that these rows of a row group are in.
    fn pages_of(&self, part: Part, group: usize, rows: &Range<u64>) -> Vec<Range<u64>> {
        let first = self.groups.get(group).map_or(0, |group| group.start);
        let index = self.footer.metadata().offset_index().and_then(|groups| groups.get(group));
        let mut ranges = vec![];
        for column in self.columns(part) {
            let pages = index.and_then(|columns| columns.get(column)).map(|pages| pages.page_locations().as_slice());
            let pages = pages.unwrap_or_default();
            for (number, page) in pages.iter().enumerate() {
                let start = |row: i64| first + u64::try_from(row).unwrap_or_default();
                let next = pages.get(number + 1).map_or(u64::MAX, |next| start(next.first_row_index));
                let offset = u64::try_from(page.offset).unwrap_or_default();
                let length = u64::try_from(page.compressed_page_size).unwrap_or_default();
                if start(page.first_row_index) < rows.end && next > rows.start {
                    ranges.push(offset..offset + length);
                }
            }
        }
        ranges
    }

    fn read(&self, part: Part, group: usize, rows: Range<u64>, stats: &ReadStats) -> Result<RecordBatch, Problem> {
        let failed = |error: parquet::errors::ParquetError| Problem::Read(format!("a tree cannot be read: {error}"));
        let mut reader = Counted::new(&self.file);
        reader.fetch(&self.pages_of(part, group, &rows)).map_err(failed)?;
        let (bytes, requests) = (Arc::clone(&reader.bytes), Arc::clone(&reader.requests));
        let first = self.groups.get(group).map_or(0, |group| group.start);
        let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let selectors = [(rows.start - first, true), (rows.end - rows.start, false)];
        let selection: RowSelection = selectors
            .into_iter()
            .filter(|(rows, _)| *rows > 0)
            .map(|(rows, skip)| if skip { RowSelector::skip(count(rows)) } else { RowSelector::select(count(rows)) })
            .collect::<Vec<_>>()
            .into();
        let mask = ProjectionMask::roots(self.footer.parquet_schema(), self.columns(part));
        let mut batches = ParquetRecordBatchReaderBuilder::new_with_metadata(reader, self.footer.clone())
            .with_row_groups(vec![group])
            .with_row_selection(selection)
            .with_projection(mask)
            .with_batch_size(count(rows.end - rows.start).max(1))
            .build()
            .map_err(failed)?;
        let batch = match batches.next() {
            Some(Ok(batch)) if batch.num_rows() as u64 == rows.end - rows.start => batch,
            Some(Err(error)) => return Err(Problem::Read(format!("a tree cannot be read: {error}"))),
            Some(Ok(_)) | None => return Err(Problem::Read("a tree is damaged: rows are missing".to_owned())),
        };
        stats.note(self.number, |read| {
            read.bytes += bytes.load(Ordering::Relaxed);
            read.requests += requests.load(Ordering::Relaxed);
            read.blocks += 1;
            read.row_groups.insert(group);
        });
        Ok(batch)
    }

    /// The first of these rows, which are siblings, whose name is not before this one.
    pub(super) fn place(&self, rows: Range<u64>, name: &str, stats: &ReadStats) -> Result<u64, Problem> {
        let (mut low, mut high) = (rows.start, rows.end);
        // Pages that are all of these siblings rise as the names do.
        let first = self.pages.partition_point(|page| page.rows.start < rows.start);
        let last = self.pages.partition_point(|page| page.rows.end <= rows.end);
        if let Some(inside) = self.pages.get(first..last.max(first)) {
            let before = |page: &Page| page.greatest.as_ref().is_some_and(|last| last.as_slice() < name.as_bytes());
            let done = inside.partition_point(before);
            if let Some(page) = done.checked_sub(1).and_then(|index| inside.get(index)) {
                low = low.max(page.rows.end);
            }
            let not_after = inside.partition_point(|page| page.least.as_slice() < name.as_bytes());
            if let Some(page) = inside.get(not_after) {
                high = high.min(page.rows.start.max(low));
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            let block = self.block(Part::Names, middle, stats)?;
            // The whole block decides as far as it reaches.
            let from = block.start.max(low);
            let to = block.end().min(high);
            let (mut left, mut right) = (from, to);
            while left < right {
                let probe = left + (right - left) / 2;
                if block.name(probe).is_some_and(|found| found < name) {
                    left = probe + 1;
                } else {
                    right = probe;
                }
            }
            if left == from && from > low {
                high = from;
            } else if left == to && to < high {
                low = to;
            } else {
                return Ok(left);
            }
        }
        Ok(low)
    }
}
