//! One import from the first line to the commit.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::TryStreamExt;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::xxh3_128;

use super::bad_lines::BadLines;
use super::budget::Budget;
use super::workers::{BadLine as Fault, KnownRuns, Line, ParsedBlock, Plan, start};
use crate::catalog::commit::ImportCommit;
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::paths::PathOwner;
use crate::catalog::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::ingest::segment::{Chunk, HotPaths, NO_PLACE, Target, WrittenSegment, discard, write_segment};
use crate::ingest::{BadLine, ImportOptions, ImportReport, Progress};
use crate::storage::segment::{Digest, SegmentId, Staged};

/// How many bytes of lines may be between the reading thread and the chunk.
const BYTES_UNDER_WAY: usize = 48 << 20;

/// Imports the runs in `files`, read in their order, and commits them as one version of the lake.
///
/// Files are run JSONL, plain or packed by gzip or zstd. Nothing is committed when the import fails; with
/// [`ImportOptions::skip_bad`] lines that cannot be imported do not make it fail. `progress` is called now and then
/// from the task that waits for this future.
pub async fn import_aim(
    lake: &Lake,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &dyn Fn(Progress),
) -> Result<ImportReport> {
    let started = Instant::now();
    let mut bytes_total = 0;
    for file in files {
        let metadata = std::fs::metadata(file)
            .map_err(|error| Error::io(format!("the file {} cannot be read", file.display()), error))?;
        bytes_total += metadata.len();
    }
    let snapshot = lake.snapshot(AsOf::Latest).await?;
    let mut known = KnownRuns::new();
    let mut runs = snapshot.known_runs();
    while let Some(run) = runs.try_next().await? {
        if run.key.project.is_none() {
            known.insert(run.key.hash, run.digest);
        }
    }
    drop(runs);
    let mut session = Session::new(lake, files, options, known, hot_paths(&snapshot));
    session.progress.bytes_total = bytes_total;
    let done = session.run(progress).await;
    match done {
        Ok(()) => {
            session.report.seconds = started.elapsed().as_secs_f64();
            Ok(session.report)
        }
        Err(error) => {
            session.discard().await;
            Err(error)
        }
    }
}

/// Where a run of this import is.
#[derive(Debug, Clone, Copy)]
struct Seen {
    digest: Digest,
    chunk: u32,
    block: u32,
    row: u32,
}

/// Wakes the threads when the import ends, also when its future is dropped.
struct Closer(Arc<Budget>);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Session<'a> {
    lake: &'a Lake,
    files: &'a [PathBuf],
    options: &'a ImportOptions,
    known: Arc<KnownRuns>,
    imported_at: i64,
    hot: HotPaths,
    /// The chunk that is being filled and its number.
    chunk: Chunk,
    number: u32,
    /// Every run of this import, by a fingerprint of its hash.
    seen: HashMap<u128, Seen>,
    /// The chunk that is being written.
    pending: Option<(u32, JoinHandle<Result<WrittenSegment>>)>,
    written: BTreeMap<u32, WrittenSegment>,
    /// Runs in chunks before the current one that a later line has replaced.
    late: Vec<Seen>,
    bad: BadLines,
    unknown: BTreeSet<String>,
    progress: Progress,
    report: ImportReport,
}

impl<'a> Session<'a> {
    fn new(lake: &'a Lake, files: &'a [PathBuf], options: &'a ImportOptions, known: KnownRuns, hot: HotPaths) -> Self {
        Session {
            lake,
            files,
            options,
            known: Arc::new(known),
            imported_at: chrono::Utc::now().timestamp_micros(),
            hot,
            chunk: Chunk::default(),
            number: 0,
            seen: HashMap::new(),
            pending: None,
            written: BTreeMap::new(),
            late: Vec::new(),
            bad: BadLines::new(options, files),
            unknown: BTreeSet::new(),
            progress: Progress::default(),
            report: ImportReport::default(),
        }
    }

    async fn run(&mut self, progress: &dyn Fn(Progress)) -> Result<()> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let budget = Arc::new(Budget::new(BYTES_UNDER_WAY));
        let closer = Closer(Arc::clone(&budget));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut blocks = start(Plan {
            files: self.files.to_vec(),
            threads: self.options.threads.unwrap_or(cores).max(1),
            max_line_bytes: self.options.max_line_bytes,
            known: Arc::clone(&self.known),
            bytes_read: Arc::clone(&bytes_read),
            budget: Arc::clone(&budget),
        })
        .map_err(|error| Error::io("threads for the import cannot be started", error))?;
        // Blocks are finished in any order and taken in theirs.
        let mut waiting: BTreeMap<u64, ParsedBlock> = BTreeMap::new();
        let mut next = 0;
        while let Some(block) = blocks.recv().await {
            waiting.insert(block.number, block);
            while let Some(block) = waiting.remove(&next) {
                next += 1;
                let bytes = block.raw_bytes;
                self.take(block)?;
                if self.chunk.bytes() >= self.options.segment_bytes {
                    self.flush().await?;
                }
                budget.give(bytes);
                self.progress.bytes_read = bytes_read.load(Ordering::Relaxed);
                progress(self.progress);
            }
        }
        drop(closer);
        if !waiting.is_empty() {
            return Err(Error::Internal("a thread of the import has ended early".into()));
        }
        self.progress.finishing = true;
        progress(self.progress);
        self.flush().await?;
        self.collect().await?;
        self.report.bytes_read = self.progress.bytes_read;
        self.finish().await
    }

    /// Adds a block to the chunk.
    fn take(&mut self, parsed: ParsedBlock) -> Result<()> {
        let mut dropped = Vec::new();
        let block = self.chunk.blocks() as u32;
        for line in parsed.lines {
            match line {
                Line::Run(row) => {
                    let Some(run) = parsed.block.runs.get(row as usize) else { continue };
                    let key = xxh3_128(parsed.block.text(run.hash).as_bytes());
                    let now = Seen { digest: run.digest, chunk: self.number, block, row };
                    self.progress.runs += 1;
                    match self.seen.insert(key, now) {
                        Some(before) if before.digest == now.digest => {
                            self.seen.insert(key, before);
                            self.report.superseded += 1;
                            dropped.push(now);
                        }
                        Some(before) => {
                            self.report.superseded += 1;
                            dropped.push(before);
                        }
                        None => {}
                    }
                }
                Line::Unchanged(hash) => {
                    self.progress.runs += 1;
                    self.report.unchanged += 1;
                    // An earlier line would have changed the run, this one changes it back.
                    if let Some(before) = self.seen.remove(&xxh3_128(hash.as_bytes())) {
                        self.report.superseded += 1;
                        dropped.push(before);
                    }
                }
                Line::Bad(fault) => self.bad_line(parsed.file, fault)?,
            }
        }
        self.progress.points += parsed.block.values.len() as u64;
        self.unknown.extend(parsed.unknown);
        self.chunk.add(parsed.block);
        for seen in dropped {
            if seen.chunk == self.number {
                self.chunk.drop_run(seen.block as usize, seen.row);
            } else {
                self.late.push(seen);
            }
        }
        Ok(())
    }

    fn bad_line(&mut self, file: usize, fault: Fault) -> Result<()> {
        let file = self.files.get(file).cloned().unwrap_or_default();
        let Fault { line, field, reason } = fault;
        if !self.options.skip_bad {
            return Err(Error::Data { file: file.display().to_string(), row: Some(line), field, reason });
        }
        self.progress.bad += 1;
        self.bad.add(&BadLine { file, line, field, reason }).map_err(|error| self.report_fault(error))
    }

    fn report_fault(&self, error: std::io::Error) -> Error {
        Error::io(format!("the report {} cannot be written", self.bad.path().display()), error)
    }

    fn target(&self, segment: SegmentId) -> Target {
        let lake = self.lake.clone();
        Target {
            store: Arc::clone(self.lake.store()),
            folder: Arc::new(move |table| lake.folder(table)),
            segment,
            imported_at: self.imported_at,
            hot: self.hot.clone(),
        }
    }

    /// Hands the chunk to a thread that writes it. One chunk is written while the next one is filled.
    async fn flush(&mut self) -> Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        let number = self.number;
        self.number += 1;
        if chunk.runs() == 0 {
            return Ok(());
        }
        self.collect().await?;
        let target = self.target(self.lake.claim_segment().await?);
        let handle = Handle::current();
        let writing = tokio::task::spawn_blocking(move || write_segment(chunk, &target, &handle));
        self.pending = Some((number, writing));
        Ok(())
    }

    /// Waits for the chunk that is being written.
    async fn collect(&mut self) -> Result<()> {
        let Some((number, writing)) = self.pending.take() else { return Ok(()) };
        let segment =
            writing.await.map_err(|_| Error::Internal("the thread that writes a segment has ended".into()))??;
        self.hot.extend(&segment.hot);
        self.report.series += segment.series;
        self.report.points += segment.points;
        self.report.bytes_written += segment.bytes;
        self.written.insert(number, segment);
        Ok(())
    }

    /// Marks the runs that were replaced after their segment was written, and commits.
    async fn finish(&mut self) -> Result<()> {
        self.report.bad = self.bad.count;
        self.report.bad_report = self.bad.finish().map_err(|error| self.report_fault(error))?;
        self.report.unknown_fields = std::mem::take(&mut self.unknown).into_iter().take(20).collect();
        for seen in std::mem::take(&mut self.late) {
            let Some(segment) = self.written.get_mut(&seen.chunk) else { continue };
            let places = segment.places.get(seen.block as usize);
            match places.and_then(|places| places.get(seen.row as usize)) {
                Some(place) if *place != NO_PLACE => segment.staged.dropped.push(*place),
                _ => {}
            }
        }
        // From here on the log may name the files, so they are not deleted any more when something fails.
        let mut staged: Vec<Staged> =
            std::mem::take(&mut self.written).into_values().map(|segment| segment.staged).collect();
        for segment in &mut staged {
            segment.dropped.sort_unstable();
            segment.dropped.dedup();
        }
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        let details = serde_json::Map::from_iter([("files".to_owned(), names.into())]);
        let operation = "import aim".to_owned();
        let outcome = self.lake.commit_import(ImportCommit { staged, operation, details }).await?;
        self.report.added = outcome.added;
        self.report.replaced = outcome.replaced;
        self.report.unchanged += outcome.unchanged;
        self.report.version = outcome.version;
        Ok(())
    }

    /// Deletes what has been written for an import that fails.
    async fn discard(&mut self) {
        // Its own error was met already or does not matter any more.
        let _ = self.collect().await;
        for segment in std::mem::take(&mut self.written).into_values() {
            discard(&self.target(segment.staged.segment), &segment.staged.files).await;
        }
    }
}

/// The paths that have typed columns in the lake.
fn hot_paths(snapshot: &Snapshot) -> HotPaths {
    let hot = |owner: PathOwner| {
        let entries = snapshot.paths().owned(owner).iter();
        entries.filter(|entry| entry.hot).map(|entry| entry.path.clone()).collect()
    };
    HotPaths { runs: hot(PathOwner::Run), contexts: hot(PathOwner::Context) }
}
