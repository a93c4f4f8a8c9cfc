//! Bytes of a file, and what was read of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Cursor};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, GetResultPayload, ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use tokio::runtime::Handle;

use crate::error::Result;

/// A file that single pages are read from, by a thread that may wait.
#[derive(Debug)]
pub(super) struct NodeFile {
    place: At,
    size: u64,
}

#[derive(Debug)]
enum At {
    Local(File),
    Store { store: Arc<dyn ObjectStore>, path: Path, runtime: Handle },
}

impl NodeFile {
    pub(super) async fn open(store: &Arc<dyn ObjectStore>, path: &Path, size: u64) -> Result<Self> {
        // Local files are read as such: a request for a page through the store costs more than the page.
        let head = GetOptions { range: Some((0..4).into()), ..GetOptions::default() };
        let place = match store.get_opts(path, head).await?.payload {
            GetResultPayload::File(file, _) => At::Local(file),
            GetResultPayload::Stream(_) => {
                At::Store { store: Arc::clone(store), path: path.clone(), runtime: Handle::current() }
            }
        };
        Ok(Self { place, size })
    }

    fn read(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match &self.place {
            At::Local(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start)?;
                Ok(bytes.into())
            }
            At::Store { store, path, runtime } => {
                let range = start..start + length as u64;
                Ok(runtime.block_on(store.get_range(path, range))?)
            }
        }
    }
}

/// What has been read of the levels of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelRead {
    /// Bytes.
    pub bytes: u64,
    /// Requests: one for each page, more or less.
    pub requests: u64,
    /// Blocks of rows that were unpacked.
    pub blocks: u64,
    /// Blocks of rows that were in memory.
    pub found: u64,
    /// Row groups that pages were read of.
    pub row_groups: BTreeSet<usize>,
}

/// What a query has read of one tree.
#[derive(Debug, Default)]
pub struct ReadStats(Mutex<Vec<LevelRead>>);

impl ReadStats {
    pub(super) fn note(&self, level: usize, note: impl FnOnce(&mut LevelRead)) {
        let mut levels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() <= level {
            levels.resize(level + 1, LevelRead::default());
        }
        if let Some(level) = levels.get_mut(level) {
            note(level);
        }
    }

    /// What was read of each level, the first one first.
    pub fn levels(&self) -> Vec<LevelRead> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A file with its reading counted.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) file: Arc<NodeFile>,
    pub(super) bytes: Arc<AtomicU64>,
    pub(super) requests: Arc<AtomicU64>,
    /// What has been fetched already, by its place.
    ready: Vec<(u64, Bytes)>,
}

impl Counted {
    pub(super) fn new(file: &Arc<NodeFile>) -> Self {
        Self { file: Arc::clone(file), bytes: Arc::default(), requests: Arc::default(), ready: vec![] }
    }

    /// Fetches these ranges at once where each request for itself would cost a way to a store and back.
    pub(super) fn fetch(&mut self, ranges: &[Range<u64>]) -> Result<(), ParquetError> {
        let At::Store { store, path, runtime } = &self.file.place else { return Ok(()) };
        let found = runtime.block_on(store.get_ranges(path, ranges))?;
        self.requests.fetch_add(ranges.len() as u64, Ordering::Relaxed);
        self.bytes.fetch_add(found.iter().map(|bytes| bytes.len() as u64).sum(), Ordering::Relaxed);
        self.ready = ranges.iter().map(|range| range.start).zip(found).collect();
        Ok(())
    }
}

impl Length for Counted {
    fn len(&self) -> u64 {
        self.file.size
    }
}

impl ChunkReader for Counted {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        // Headers of pages are read so where the page index does not say how long a page is.
        let length = usize::try_from(self.file.size.saturating_sub(start)).unwrap_or(usize::MAX).min(64 << 10);
        self.get_bytes(start, length).map(Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start.saturating_add(length as u64) > self.file.size {
            return Err(ParquetError::External(Box::new(io::Error::from(io::ErrorKind::UnexpectedEof))));
        }
        for (from, bytes) in &self.ready {
            let at = start.checked_sub(*from).and_then(|at| usize::try_from(at).ok());
            if let Some(at) = at.filter(|at| at.saturating_add(length) <= bytes.len()) {
                return Ok(bytes.slice(at..at + length));
            }
        }
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.file.read(start, length)
    }
}
