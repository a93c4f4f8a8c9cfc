//! One import from the first block to the commit, whatever the source.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::TryStreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::xxh3_128;

use super::bad_rows::BadRows;
use super::block::{Block, Run};
use super::budget::Budget;
use super::segment::{
    Chunk, HotPaths, NO_PLACE, ProjectCounts, Target, WrittenSegment, add_counts, discard, write_segment,
};
use super::{BadRow, ImportOptions, ImportReport, Progress};
use crate::catalog::commit::ImportCommit;
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::paths::PathOwner;
use crate::catalog::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::storage::segment::{Digest, RunKey, SegmentId, Staged};

/// How many bytes of input may be between the reading thread and the chunk.
pub(crate) const BYTES_UNDER_WAY: usize = 48 << 20;

/// What the lake knows of its runs before the import.
pub(crate) type KnownRuns = HashMap<RunKey, Digest>;

/// What became of a piece of the input, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// Row of [`Block::runs`].
    Run(u32),
    /// The lake has the run exactly so.
    Unchanged(RunKey),
    /// Something that cannot be imported.
    Bad(BadRow),
}

/// A block after parsing.
#[derive(Default)]
pub(crate) struct Parsed {
    /// Blocks are numbered without gaps, from 0 for each call of [`Session::take_all`].
    pub(crate) number: u64,
    pub(crate) items: Vec<Item>,
    pub(crate) block: Block,
    /// Names of fields that are not part of the format.
    pub(crate) unknown: BTreeSet<String>,
    /// What the user should be told, the same text once.
    pub(crate) notes: BTreeSet<String>,
    /// What the block took from the budget.
    pub(crate) raw_bytes: usize,
}

/// Where a run of this import is.
#[derive(Debug, Clone, Copy)]
struct Seen {
    digest: Digest,
    chunk: u32,
    block: u32,
    row: u32,
}

/// A running import.
pub(crate) struct Session<'a> {
    started: Instant,
    lake: &'a Lake,
    options: &'a ImportOptions,
    operation: String,
    sources: Vec<String>,
    known: Arc<KnownRuns>,
    imported_at: i64,
    hot: HotPaths,
    /// The chunk that is being filled and its number.
    chunk: Chunk,
    number: u32,
    /// Every run of this import, by a fingerprint of its key.
    seen: HashMap<u128, Seen>,
    /// The chunk that is being written.
    pending: Option<(u32, JoinHandle<Result<WrittenSegment>>)>,
    written: BTreeMap<u32, WrittenSegment>,
    /// Runs in chunks before the current one that a later one has replaced.
    late: Vec<Seen>,
    bad: BadRows,
    unknown: BTreeSet<String>,
    notes: BTreeSet<String>,
    counts: BTreeMap<String, ProjectCounts>,
    bytes_read: Arc<AtomicU64>,
    progress: Progress,
    report: ImportReport,
}

/// Begins an import from `sources`, which `history` will name after `operation`.
pub(crate) async fn begin<'a>(
    lake: &'a Lake,
    options: &'a ImportOptions,
    sources: &[PathBuf],
    operation: &str,
) -> Result<Session<'a>> {
    let started = Instant::now();
    let snapshot = lake.snapshot(AsOf::Latest).await?;
    let mut known = KnownRuns::new();
    let mut runs = snapshot.known_runs();
    while let Some(run) = runs.try_next().await? {
        known.insert(run.key, run.digest);
    }
    drop(runs);
    Ok(Session {
        started,
        lake,
        options,
        operation: operation.to_owned(),
        sources: sources.iter().map(|file| file.display().to_string()).collect(),
        known: Arc::new(known),
        imported_at: chrono::Utc::now().timestamp_micros(),
        hot: hot_paths(&snapshot),
        chunk: Chunk::default(),
        number: 0,
        seen: HashMap::new(),
        pending: None,
        written: BTreeMap::new(),
        late: Vec::new(),
        bad: BadRows::new(options, sources),
        unknown: BTreeSet::new(),
        notes: BTreeSet::new(),
        counts: BTreeMap::new(),
        bytes_read: Arc::default(),
        progress: Progress::default(),
        report: ImportReport::default(),
    })
}

impl Session<'_> {
    /// Commits what was taken, or gives it up if that failed.
    pub(crate) async fn end(mut self, taken: Result<()>, progress: &dyn Fn(Progress)) -> Result<ImportReport> {
        let done = match taken {
            Ok(()) => self.finish(progress).await,
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => {
                self.report.seconds = self.started.elapsed().as_secs_f64();
                Ok(self.report)
            }
            Err(error) => {
                self.discard().await;
                Err(error)
            }
        }
    }

    /// The settings of the import.
    pub(crate) fn options(&self) -> &ImportOptions {
        self.options
    }

    /// How many threads parse.
    pub(crate) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.options.threads.unwrap_or(cores).max(1)
    }

    /// The runs that the lake had before.
    pub(crate) fn known(&self) -> Arc<KnownRuns> {
        Arc::clone(&self.known)
    }

    /// Counts the bytes that are read, for the progress.
    pub(crate) fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// Says how much there is to read.
    pub(crate) fn expect_bytes(&mut self, bytes: u64) {
        self.progress.bytes_total += bytes;
    }

    /// The same for local files.
    pub(crate) fn expect_files(&mut self, files: &[PathBuf]) -> Result<()> {
        for file in files {
            let metadata = std::fs::metadata(file)
                .map_err(|error| Error::io(format!("the file {} cannot be read", file.display()), error))?;
            self.expect_bytes(metadata.len());
        }
        Ok(())
    }

    /// Remembers something to tell the user.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.insert(note);
    }

    /// Takes all blocks, in the order of their numbers; they come in any.
    pub(crate) async fn take_all(
        &mut self,
        mut blocks: Receiver<Parsed>,
        budget: &Budget,
        progress: &dyn Fn(Progress),
    ) -> Result<()> {
        let mut waiting: BTreeMap<u64, Parsed> = BTreeMap::new();
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
                self.progress.bytes_read = self.bytes_read.load(Ordering::Relaxed);
                progress(self.progress);
            }
        }
        if !waiting.is_empty() {
            return Err(Error::Internal("a thread of the import has ended early".into()));
        }
        Ok(())
    }

    /// Adds a block to the chunk.
    fn take(&mut self, parsed: Parsed) -> Result<()> {
        let mut dropped = Vec::new();
        let block = self.chunk.blocks() as u32;
        for item in parsed.items {
            match item {
                Item::Run(row) => {
                    let Some(run) = parsed.block.runs.get(row as usize) else { continue };
                    let key = fingerprint(&key_of(&parsed.block, run));
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
                Item::Unchanged(key) => {
                    self.progress.runs += 1;
                    self.report.unchanged += 1;
                    // An earlier one would have changed the run, this one changes it back.
                    if let Some(before) = self.seen.remove(&fingerprint(&key)) {
                        self.report.superseded += 1;
                        dropped.push(before);
                    }
                }
                Item::Bad(bad) => self.bad(bad)?,
            }
        }
        self.progress.points += (parsed.block.values.len() + parsed.block.text_points.len()) as u64;
        self.unknown.extend(parsed.unknown);
        self.notes.extend(parsed.notes);
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

    /// Lists something that cannot be imported, or gives up.
    pub(crate) fn bad(&mut self, bad: BadRow) -> Result<()> {
        if !self.options.skip_bad {
            let BadRow { file, place, field, reason } = bad;
            return Err(Error::Data { file, row: place, field, reason });
        }
        self.progress.bad += 1;
        self.bad.add(&bad).map_err(|error| self.report_fault(error))
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
        add_counts(&mut self.counts, &segment.counts);
        self.written.insert(number, segment);
        Ok(())
    }

    /// Writes what is left, marks the runs that were replaced after their segment was written, and commits.
    async fn finish(&mut self, progress: &dyn Fn(Progress)) -> Result<()> {
        self.progress.bytes_read = self.bytes_read.load(Ordering::Relaxed);
        self.progress.finishing = true;
        progress(self.progress);
        self.flush().await?;
        self.collect().await?;
        self.report.bytes_read = self.progress.bytes_read;
        self.report.bad = self.bad.count;
        self.report.bad_report = self.bad.finish().map_err(|error| self.report_fault(error))?;
        self.report.unknown_fields = std::mem::take(&mut self.unknown).into_iter().take(20).collect();
        self.report.notes = std::mem::take(&mut self.notes).into_iter().collect();
        self.report.projects = std::mem::take(&mut self.counts).into_values().collect();
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
        let details = serde_json::Map::from_iter([("files".to_owned(), self.sources.clone().into())]);
        let operation = self.operation.clone();
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

/// The key of a run of a block.
pub(crate) fn key_of(block: &Block, run: &Run) -> RunKey {
    RunKey { project: run.project.map(|project| block.text(project).to_owned()), hash: block.text(run.hash).to_owned() }
}

fn fingerprint(key: &RunKey) -> u128 {
    match &key.project {
        None => xxh3_128(key.hash.as_bytes()),
        // The length keeps project and hash apart.
        Some(project) => xxh3_128(format!("{} {project}{}", project.len(), key.hash).as_bytes()),
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
