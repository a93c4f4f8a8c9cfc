//! Files to blocks of lines and batches of rows, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use super::source::{EventFile, Opened, open};
use crate::error::{Error, Result};
use crate::ingest::budget::Budget;
use crate::ingest::lines::input::{RawBlock, Splitter};
use crate::storage::reader;

/// Longest line.
const MOST_LINE_BYTES: usize = 64 << 20;

/// A part of a file.
pub(super) enum Block {
    /// Whole lines.
    Lines(RawBlock),
    /// Rows of a table.
    Rows {
        /// Blocks are numbered over all files.
        number: u64,
        /// Position in the list of files.
        file: usize,
        rows: RecordBatch,
        /// What the file did not give after these rows, and the rows before it.
        fault: Option<(u64, String)>,
    },
}

impl Block {
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Lines(block) => block.number,
            Self::Rows { number, .. } => *number,
        }
    }

    /// Bytes that were taken from the budget.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Lines(block) => block.bytes.len(),
            Self::Rows { rows, .. } => rows.get_array_memory_size(),
        }
    }
}

/// What a reading thread needs.
pub(super) struct Reading {
    pub(super) files: Arc<[EventFile]>,
    /// Names of the fields that are read.
    pub(super) fields: Vec<String>,
    pub(super) bytes_read: Arc<AtomicU64>,
    pub(super) budget: Arc<Budget>,
    /// Becomes true when nobody wants any more.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) runtime: Handle,
    /// The threads that blocks are dealt out to, by their numbers.
    pub(super) to: Vec<SyncSender<Block>>,
}

impl Reading {
    /// Reads all files in their order. Returns when all is read or nobody receives any more.
    pub(super) fn run(self) {
        let mut number = 0;
        for (index, file) in self.files.iter().enumerate() {
            let going = match open(file, &self.bytes_read, &self.runtime) {
                Ok(Opened::Table) => self.table(index, file, &mut number),
                Ok(Opened::Lines(source)) => self.lines(index, Ok(source), &mut number),
                Err(error) => self.lines(index, Err(error), &mut number),
            };
            if !going {
                return;
            }
        }
    }

    fn send(&self, block: Block) -> bool {
        let count = self.to.len().max(1) as u64;
        let thread = usize::try_from(block.number() % count).ok().and_then(|index| self.to.get(index));
        !self.stop.load(Ordering::Relaxed) && thread.is_some_and(|thread| thread.send(block).is_ok())
    }

    fn lines(
        &self,
        file: usize,
        source: std::io::Result<crate::ingest::lines::input::Source>,
        number: &mut u64,
    ) -> bool {
        let mut blocks = |block| self.send(Block::Lines(block));
        let mut splitter = Splitter {
            file,
            next_line: 1,
            number,
            max_line_bytes: MOST_LINE_BYTES,
            budget: &self.budget,
            empty: None,
            blocks: &mut blocks,
        };
        splitter.split(source)
    }

    fn table(&self, index: usize, file: &EventFile, number: &mut u64) -> bool {
        let mut seen = 0_u64;
        let mut next = |rows: RecordBatch, fault: Option<(u64, String)>| {
            let block = Block::Rows { number: *number, file: index, rows, fault };
            *number += 1;
            self.budget.take(block.bytes()) && self.send(block)
        };
        let mut all = async || -> Result<bool> {
            let columns: Vec<&str> = self.fields.iter().map(String::as_str).collect();
            let opened = reader::open(&file.store, &file.object.location, file.object.size, Some(&columns)).await?;
            let mut batches = opened.batches;
            while let Some(rows) = batches.try_next().await? {
                seen += rows.num_rows() as u64;
                let bytes = rows.get_array_memory_size() as u64;
                self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
                if !next(rows, None) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        match self.runtime.block_on(all()) {
            Ok(going) => going,
            Err(error) => {
                let reason = match error {
                    Error::Parquet(error) => format!("the Parquet file cannot be read: {error}"),
                    other => other.to_string(),
                };
                let none = RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
                next(none, Some((seen, reason)))
            }
        }
    }
}
