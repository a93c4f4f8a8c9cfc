//! Events to parts of trees.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lakeql_rows::error::Problem;
use lakeql_rows::tree::{AttachColumn, Events, Fields, Grower, Plan, Run, Spilled, spill};

use super::parse::parse;
use super::read::{Block, Reading};
use super::source::EventFile;
use super::{Definition, Definitions, EventOptions, MEMORY};
use crate::error::{Error, Result};
use crate::ingest::bad_rows::BadRows;
use crate::ingest::budget::{Budget, Closer};
use crate::ingest::{BadRow, ImportOptions, Progress};

/// Bytes of blocks that are under way between the threads.
const UNDER_WAY: usize = 64 << 20;

/// Buffers of temporary files.
const BUFFER: usize = 1 << 20;

/// Lines of JSON are read by recursion; the depth limit needs far less than this.
const STACK_BYTES: usize = 8 << 20;

/// Nodes of a part, as [`write_tree`](super::write_tree) takes them.
pub(crate) type Part = Box<dyn Run + Send>;

/// What became of the events of some files.
pub(super) struct Growth {
    /// The trees in the order of their definitions.
    pub(super) trees: Vec<GrownTree>,
    pub(super) events: u64,
    pub(super) bytes_read: u64,
    pub(super) spilled: u64,
}

/// A tree in parts.
pub(super) struct GrownTree {
    pub(super) runs: Vec<Part>,
    pub(super) events: u64,
}

/// What is wrong with lines: a list, or the first one.
pub(super) struct Bad {
    skip: bool,
    listed: BadRows,
    first: Option<(u64, BadRow)>,
    failed: Option<std::io::Error>,
}

pub(super) type SharedBad = Arc<Mutex<Bad>>;

pub(super) fn bad_rows(options: &EventOptions, groups: &[Vec<EventFile>]) -> SharedBad {
    let files: Vec<PathBuf> = groups
        .iter()
        .flatten()
        .filter(|file| !file.name.contains("://"))
        .map(|file| file.name.clone().into())
        .collect();
    let report = ImportOptions { bad_report: options.bad_report.clone(), ..ImportOptions::default() };
    let listed = BadRows::new(&report, &files);
    Arc::new(Mutex::new(Bad { skip: options.skip_bad, listed, first: None, failed: None }))
}

/// The number of bad lines and the list of them.
pub(super) fn finish_bad(bad: &SharedBad) -> Result<(u64, Option<PathBuf>)> {
    let mut bad = lock(bad);
    if let Some(error) = bad.failed.take() {
        return Err(Error::io("writing the report of bad lines", error));
    }
    let path = bad.listed.finish().map_err(|error| Error::io("writing the report of bad lines", error))?;
    Ok((bad.listed.count, path))
}

fn lock(bad: &Mutex<Bad>) -> MutexGuard<'_, Bad> {
    bad.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A tree on one thread.
struct Growing {
    name: String,
    plan: Arc<Plan>,
    columns: Arc<[AttachColumn]>,
    grower: Grower,
    spilled: Vec<File>,
    events: u64,
}

impl Growing {
    fn new(definition: &Definition) -> Self {
        let columns = definition.plan.columns().into();
        Self {
            name: definition.name.clone(),
            plan: Arc::clone(&definition.plan),
            columns,
            grower: Grower::new(Arc::clone(&definition.plan)),
            spilled: vec![],
            events: 0,
        }
    }

    fn take(&mut self, events: &Events) -> Result<(), Problem> {
        self.grower.take(events, 0..events.len())
    }

    /// Writes what has grown to a temporary file and starts again with nothing.
    fn spill(&mut self) -> Result<(), Problem> {
        let failed = |error: std::io::Error| Problem::Other(format!("a temporary file cannot be used: {error}"));
        let grown = std::mem::replace(&mut self.grower, Grower::new(Arc::clone(&self.plan)));
        self.events += grown.events();
        let mut file = BufWriter::with_capacity(BUFFER, tempfile::tempfile().map_err(failed)?);
        spill(&mut grown.into_run(), &self.columns, &mut file)?;
        let mut file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.spilled.push(file);
        Ok(())
    }

    fn into_runs(self) -> Result<(Vec<Part>, u64), Problem> {
        let events = self.events + self.grower.events();
        let mut runs: Vec<Part> = vec![];
        for file in self.spilled {
            runs.push(Box::new(Spilled::new(BufReader::with_capacity(BUFFER, file), &self.columns)?));
        }
        if self.grower.nodes() > 1 {
            runs.push(Box::new(self.grower.into_run()));
        }
        Ok((runs, events))
    }
}

/// The trees of one thread.
struct Grove {
    trees: Vec<Growing>,
    memory: usize,
}

impl Grove {
    fn take(&mut self, events: &Events) -> Result<(), Problem> {
        self.trees.iter_mut().try_for_each(|tree| tree.take(events))?;
        while self.trees.iter().map(|tree| tree.grower.size()).sum::<usize>() > self.memory {
            self.trees.iter_mut().for_each(|tree| tree.grower.look());
            if self.trees.iter().map(|tree| tree.grower.size()).sum::<usize>() <= self.memory / 10 * 9 {
                return Ok(());
            }
            let can = |tree: &&mut Growing| tree.plan.mergeable().is_ok() && tree.grower.nodes() > 1;
            match self.trees.iter_mut().filter(can).max_by_key(|tree| tree.grower.size()) {
                Some(largest) => largest.spill()?,
                None => {
                    let tree = self.trees.iter().max_by_key(|tree| tree.grower.size());
                    let (name, reason) =
                        tree.map(|tree| (tree.name.as_str(), tree.plan.mergeable().err())).unwrap_or_default();
                    let reason = reason.unwrap_or_default();
                    return Err(Problem::Limit(format!(
                        "the tree `{name}` takes more than {} bytes of memory and cannot be built in parts: {reason}; \
                         raise --memory",
                        self.memory
                    )));
                }
            }
        }
        Ok(())
    }
}

/// What the threads share.
struct Shared {
    files: Arc<[EventFile]>,
    fields: Fields,
    bad: SharedBad,
    stop: Arc<AtomicBool>,
    budget: Arc<Budget>,
    events: AtomicU64,
    failed: Mutex<Option<Problem>>,
}

impl Shared {
    fn fail(&self, problem: Problem) {
        self.stop.store(true, Ordering::Relaxed);
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
    }

    /// Notes what is wrong in a block.
    fn note(&self, number: u64, rows: Vec<BadRow>) {
        if rows.is_empty() {
            return;
        }
        let mut bad = lock(&self.bad);
        if bad.skip {
            for row in rows {
                if let Err(error) = bad.listed.add(&row) {
                    bad.failed.get_or_insert(error);
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
            return;
        }
        self.stop.store(true, Ordering::Relaxed);
        if bad.first.as_ref().is_none_or(|(first, _)| number < *first) {
            bad.first = rows.into_iter().next().map(|row| (number, row));
        }
    }

    /// Parses the blocks of a thread. Parts of trees grow here, whole blocks are handed on.
    fn work(&self, blocks: &Receiver<Block>, grove: &mut Grove, on: Option<&SyncSender<(u64, Events, usize)>>) {
        while let Ok(block) = blocks.recv() {
            let (number, bytes) = (block.number(), block.bytes());
            let file = match &block {
                Block::Lines(block) => block.file,
                Block::Rows { file, .. } => *file,
            };
            let name = self.files.get(file).map_or("", |file| file.name.as_str());
            let parsed = parse(block, name, &self.fields);
            self.note(number, parsed.bad);
            self.events.fetch_add(parsed.events.len() as u64, Ordering::Relaxed);
            if let Err(problem) = grove.take(&parsed.events) {
                self.fail(problem);
            }
            match on {
                // Nobody receives any more once something has failed.
                Some(on) => drop(on.send((number, parsed.events, bytes))),
                None => self.budget.give(bytes),
            }
        }
    }

    /// Takes blocks in their order.
    fn work_in_order(&self, blocks: &Receiver<(u64, Events, usize)>, grove: &mut Grove) {
        let (mut waiting, mut next) = (BTreeMap::new(), 0);
        while let Ok((number, events, bytes)) = blocks.recv() {
            waiting.insert(number, (events, bytes));
            while let Some((events, bytes)) = waiting.remove(&next) {
                next += 1;
                if let Err(problem) = grove.take(&events) {
                    self.fail(problem);
                }
                self.budget.give(bytes);
            }
        }
    }
}

/// Ends the threads, also when the import is given up.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Grows trees of the events in some files.
pub(super) async fn grow(
    definitions: &Definitions,
    files: &[EventFile],
    options: &EventOptions,
    bad: &SharedBad,
    progress: &dyn Fn(Progress),
) -> Result<Growth> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = options.threads.unwrap_or(cores).clamp(1, 64);
    let shared = Arc::new(Shared {
        files: files.into(),
        fields: definitions.fields.clone(),
        bad: Arc::clone(bad),
        stop: Arc::default(),
        budget: Arc::new(Budget::new(UNDER_WAY)),
        events: AtomicU64::new(0),
        failed: Mutex::default(),
    });
    let (ordered, free): (Vec<&Definition>, Vec<&Definition>) =
        definitions.trees.iter().partition(|tree| tree.plan.is_ordered());
    let groves = if ordered.is_empty() { 0 } else { 1 } + if free.is_empty() { 0 } else { threads };
    let memory = options.memory.unwrap_or(MEMORY) / groves.max(1);
    let grove = |trees: &[&Definition]| Grove { trees: trees.iter().map(|it| Growing::new(it)).collect(), memory };

    let bytes_read = Arc::<AtomicU64>::default();
    let stop = Stop(Arc::clone(&shared.stop));
    let closer = Closer(Arc::clone(&shared.budget));
    let (done, mut finished) = tokio::sync::mpsc::unbounded_channel();
    let start = |name: String, work: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new()
            .name(name)
            .stack_size(STACK_BYTES)
            .spawn(work)
            .map_err(|error| Error::io("threads for the import cannot be started", error))
    };
    let in_order = if ordered.is_empty() {
        None
    } else {
        let (sender, receiver) = sync_channel(threads * 2);
        let (shared, done, mut grove) = (Arc::clone(&shared), done.clone(), grove(&ordered));
        let work = move || {
            shared.work_in_order(&receiver, &mut grove);
            drop(done.send((usize::MAX, grove)));
        };
        start("import-grow".to_owned(), Box::new(work))?;
        Some(sender)
    };
    let mut to = vec![];
    for number in 0..threads {
        let (sender, receiver) = sync_channel(2);
        to.push(sender);
        let (shared, done, on, mut grove) = (Arc::clone(&shared), done.clone(), in_order.clone(), grove(&free));
        let work = move || {
            shared.work(&receiver, &mut grove, on.as_ref());
            drop(done.send((number, grove)));
        };
        start(format!("import-parse-{number}"), Box::new(work))?;
    }
    drop((in_order, done));
    let reading = Reading {
        files: Arc::clone(&shared.files),
        fields: definitions.fields.names().to_vec(),
        bytes_read: Arc::clone(&bytes_read),
        budget: Arc::clone(&shared.budget),
        stop: Arc::clone(&shared.stop),
        runtime: tokio::runtime::Handle::current(),
        to,
    };
    start("import-read".to_owned(), Box::new(move || reading.run()))?;

    let total = files.iter().map(|file| file.object.size).sum();
    let mut grown: BTreeMap<usize, Grove> = BTreeMap::new();
    loop {
        let now = |finishing| Progress {
            bytes_read: bytes_read.load(Ordering::Relaxed),
            bytes_total: total,
            runs: shared.events.load(Ordering::Relaxed),
            points: 0,
            bad: 0,
            finishing,
        };
        match tokio::time::timeout(Duration::from_millis(100), finished.recv()).await {
            Err(_) => progress(now(false)),
            Ok(Some((number, grove))) => drop(grown.insert(number, grove)),
            Ok(None) => {
                progress(now(true));
                break;
            }
        }
    }
    drop((stop, closer));
    if let Some((_, bad)) = lock(bad).first.take() {
        return Err(Error::Data { file: bad.file, row: bad.place, field: bad.field, reason: bad.reason });
    }
    if let Some(problem) = shared.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(problem_error(problem));
    }
    let wanted: Vec<String> = definitions.trees.iter().map(|tree| tree.name.clone()).collect();
    let united = tokio::task::spawn_blocking(move || unite(grown, &wanted)).await;
    let (trees, spilled) = united.map_err(|error| Error::Internal(error.to_string()))?.map_err(problem_error)?;
    let events = shared.events.load(Ordering::Relaxed);
    Ok(Growth { trees, events, bytes_read: bytes_read.load(Ordering::Relaxed), spilled })
}

/// The parts of each tree, in the order of the threads.
fn unite(grown: BTreeMap<usize, Grove>, wanted: &[String]) -> Result<(Vec<GrownTree>, u64), Problem> {
    let trees: Vec<Growing> = grown.into_values().flat_map(|grove| grove.trees).collect();
    let spilled = trees.iter().map(|tree| tree.spilled.len() as u64).sum();
    // Each part is put in order for itself.
    let names: Vec<String> = trees.iter().map(|tree| tree.name.clone()).collect();
    let parts: Vec<Result<(Vec<Part>, u64), Problem>> = std::thread::scope(|scope| {
        let threads: Vec<_> = trees.into_iter().map(|tree| scope.spawn(move || tree.into_runs())).collect();
        let failed = || Err(Problem::Other("a thread of the import has failed".to_owned()));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| failed())).collect()
    });
    let mut by_name: BTreeMap<String, GrownTree> = BTreeMap::new();
    for (name, part) in names.into_iter().zip(parts) {
        let (runs, events) = part?;
        let tree = by_name.entry(name).or_insert_with(|| GrownTree { runs: vec![], events: 0 });
        tree.runs.extend(runs);
        tree.events += events;
    }
    let tree = |name: &String| by_name.remove(name).unwrap_or(GrownTree { runs: vec![], events: 0 });
    Ok((wanted.iter().map(tree).collect(), spilled))
}

/// A failure of a tree as one of the lake.
pub(crate) fn problem_error(problem: Problem) -> Error {
    Error::Tree(problem)
}
