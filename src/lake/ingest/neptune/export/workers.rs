//! The threads of an import of an export: one has files fetched, the others read them.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{StreamExt, stream};
use object_store::ObjectStoreExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use xxhash_rust::xxh3::xxh3_128;

use super::Reading;
use super::artifact::{NoHash, artifact_hash};
use super::columns::Columns;
use super::fetch::Pieces;
use super::lineage::Lineage;
use super::listing::{Listing, Part, RunFiles, show};
use super::part::{Opened, PartFault, footer_of};
use super::run::{Collected, Taking};
use crate::catalog::kind::AttributeKind;
use crate::error::{Error, Result};
use crate::ingest::budget::{Budget, Closer};
use crate::ingest::neptune::draft::Draft;
use crate::ingest::session::{BYTES_UNDER_WAY, Item, Parsed, Session};
use crate::ingest::{BadRow, Progress, RowPlace};
use crate::storage::segment::{Digest, RunKey};

/// Runs are handed out in groups of about so many bytes.
const GROUP_BYTES: u64 = 2 << 20;

/// And of at most so many runs.
const GROUP_RUNS: usize = 128;

/// So many files of a group are fetched at a time.
const FETCHES: usize = 16;

/// Of files larger than this only the needed pieces are fetched, when not everything is needed.
const WHOLE_BYTES: u64 = 1 << 20;

/// Nested values are read by recursion of the Parquet reader.
const STACK_BYTES: usize = 8 << 20;

/// Reads all runs of a listing into a session.
pub(crate) async fn feed_export(
    session: &mut Session<'_>,
    reading: Reading,
    listing: Listing,
    progress: &dyn Fn(Progress),
) -> Result<()> {
    session.expect_bytes(listing.bytes);
    for bad in listing.bad {
        session.bad(bad)?;
    }
    let budget = Arc::new(Budget::new(BYTES_UNDER_WAY));
    let closer = Closer(Arc::clone(&budget));
    let known = session.known().iter().map(|(key, digest)| (*digest, key.clone())).collect();
    let shared = Arc::new(Shared {
        lineage: if reading.inherit_points { Lineage::new(&listing.runs) } else { Lineage::default() },
        runs: listing.runs,
        settings: reading.settings(),
        reading,
        known,
        bytes_read: session.bytes_read(),
        handle: Handle::current(),
    });
    let blocks = start(&shared, session.threads(), Arc::clone(&budget))
        .map_err(|error| Error::io("threads for the import cannot be started", error))?;
    let done = session.take_all(blocks, &budget, progress).await;
    drop(closer);
    done
}

/// What all threads know.
struct Shared {
    runs: Vec<RunFiles>,
    lineage: Lineage,
    reading: Reading,
    settings: String,
    /// The runs that the lake has, by the fingerprint of their files.
    known: std::collections::HashMap<Digest, RunKey>,
    bytes_read: Arc<AtomicU64>,
    handle: Handle,
}

/// A group of runs whose first parts are on their way.
struct Group {
    number: u64,
    runs: Range<usize>,
    /// What the group took from the budget.
    bytes: usize,
    first_parts: JoinHandle<Vec<Fetched>>,
}

type Fetched = Result<Bytes, object_store::Error>;

fn start(shared: &Arc<Shared>, threads: usize, budget: Arc<Budget>) -> std::io::Result<mpsc::Receiver<Parsed>> {
    let (group_sender, group_receiver) = sync_channel::<Group>(threads * 2);
    let (sender, receiver) = mpsc::channel(threads * 2);
    let group_receiver = Arc::new(Mutex::new(group_receiver));
    for number in 0..threads {
        let (groups, sender, shared) = (Arc::clone(&group_receiver), sender.clone(), Arc::clone(shared));
        let name = format!("import-parse-{number}");
        std::thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(move || {
            while let Some(group) = next(&groups) {
                if sender.blocking_send(shared.read_group(group)).is_err() {
                    return;
                }
            }
        })?;
    }
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("import-fetch".to_owned()).spawn(move || {
        for (number, runs) in (0..).zip(shared.groups()) {
            let bytes = shared.group_bytes(&runs);
            if !budget.take(bytes) {
                return;
            }
            let first_parts = shared.handle.spawn(fetch_first(Arc::clone(&shared), runs.clone()));
            if group_sender.send(Group { number, runs, bytes, first_parts }).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

fn next(groups: &Mutex<Receiver<Group>>) -> Option<Group> {
    groups.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv().ok()
}

/// The first part of every run of a group, as far as it is read as a whole.
async fn fetch_first(shared: Arc<Shared>, runs: Range<usize>) -> Vec<Fetched> {
    let fetches = runs.map(|run| {
        let part = shared.runs.get(run).and_then(|run| run.parts.first()).cloned();
        let shared = Arc::clone(&shared);
        async move {
            match part {
                Some(part) if shared.whole(&part) => shared.fetch(&part).await,
                _ => Ok(Bytes::new()),
            }
        }
    });
    stream::iter(fetches).buffered(FETCHES).collect().await
}

/// What is wrong with a run: with one of its files.
struct RunFault {
    file: String,
    fault: PartFault,
}

impl Shared {
    /// Consecutive runs in groups.
    fn groups(&self) -> Vec<Range<usize>> {
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut bytes = 0;
        for (index, run) in self.runs.iter().enumerate() {
            let own: u64 = run.parts.iter().map(|part| part.size).sum();
            match groups.last_mut() {
                Some(last) if bytes + own <= GROUP_BYTES && last.len() < GROUP_RUNS => {
                    last.end = index + 1;
                    bytes += own;
                }
                _ => {
                    groups.push(index..index + 1);
                    bytes = own;
                }
            }
        }
        groups
    }

    /// How much of a group is in memory at a time: of a run in many parts two of them.
    fn group_bytes(&self, runs: &Range<usize>) -> usize {
        let runs = self.runs.get(runs.clone()).unwrap_or_default();
        let bytes: u64 = runs.iter().flat_map(|run| run.parts.iter().take(2)).map(|part| part.size).sum();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Whether a part is fetched as a whole.
    fn whole(&self, part: &Part) -> bool {
        self.reading.wanted.is_all() || part.size <= WHOLE_BYTES
    }

    async fn fetch(&self, part: &Part) -> Fetched {
        let bytes = self.reading.source.store().get(&part.location).await?.bytes().await?;
        self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    /// Reads the runs of a group.
    fn read_group(&self, group: Group) -> Parsed {
        let mut parsed = Parsed { number: group.number, raw_bytes: group.bytes, ..Parsed::default() };
        let lost = |error: tokio::task::JoinError| {
            let fetched = |_| Err(object_store::Error::Generic { store: "fetch", source: error.to_string().into() });
            group.runs.clone().map(fetched).collect()
        };
        let first_parts: Vec<Fetched> = self.handle.block_on(group.first_parts).unwrap_or_else(lost);
        for (run, first) in group.runs.zip(first_parts) {
            let Some(run) = self.runs.get(run) else { continue };
            let mark = parsed.block.mark();
            match self.read_run(run, first, &mut parsed) {
                Ok(item) => parsed.items.push(item),
                Err(RunFault { file, fault }) => {
                    parsed.block.rewind(&mark);
                    let bad = BadRow { file, place: None, field: fault.field, reason: fault.reason };
                    parsed.items.push(Item::Bad(bad));
                }
            }
        }
        parsed.block.shrink();
        parsed
    }

    /// Reads one run.
    fn read_run(&self, run: &RunFiles, first: Fetched, parsed: &mut Parsed) -> Result<Item, RunFault> {
        let mut first = Some(first);
        // With inherited points a run depends on more than its own files.
        if !self.known.is_empty() && !self.reading.inherit_points && self.reading.wanted.is_all() {
            let mut kept = None;
            let digest = self.digest_of(run, first.take(), &mut kept)?;
            if let Some(key) = self.known.get(&digest) {
                return Ok(Item::Unchanged(key.clone()));
            }
            first = kept;
        }
        let shown = |part: &Part| show(&self.reading.source, &part.location);
        let in_first = |reason: &str| RunFault {
            file: run.parts.first().map(shown).unwrap_or_default(),
            fault: PartFault::new(reason),
        };
        let mut draft = Draft::new(&mut parsed.block).map_err(|fault| in_first(fault.reason()))?;
        let mut digest = Fingerprint::new(&self.settings);
        let taking = Taking { wanted: &self.reading.wanted, attributes: true };
        let mut collected = self.collect(run, first, taking, &mut draft, &mut digest, &mut parsed.items)?;
        if self.reading.inherit_points {
            self.inherit(run, &mut collected, &mut draft, &mut digest, parsed_notes(&mut parsed.notes))?;
        }
        let key = collected.take_key(|project| run.project(project));
        let Some(key) = key else { return Err(in_first("the file has no rows, so it does not say which run it is")) };
        for (path, list) in std::mem::take(&mut collected.artifacts) {
            let hash = match &self.reading.files {
                None => None,
                Some(files) => match artifact_hash(files, &run.project_folder, &list, &self.handle) {
                    Ok(hash) => Some(hash),
                    Err(NoHash::Missing) => {
                        let file = format!("{}/{}/{list}", files.shown().trim_end_matches('/'), run.project_folder);
                        parsed.notes.insert(format!("an artifact has no hash because {file} is missing"));
                        None
                    }
                    Err(NoHash::Wrong(reason)) => return Err(in_first(&format!("attribute {path}: {reason}"))),
                },
            };
            draft.named(&path, AttributeKind::Artifact, hash.as_deref()).map_err(|fault| in_first(fault.reason()))?;
        }
        collected.finish(self.reading.zone, &mut draft).map_err(|fault| in_first(fault.reason()))?;
        draft.finish(&key, digest.finish()).map_err(|fault| in_first(fault.reason()))?;
        Ok(Item::Run(parsed.block.runs.len() as u32 - 1))
    }

    /// The fingerprint of the files of a run; a small first part is kept.
    fn digest_of(
        &self,
        run: &RunFiles,
        mut first: Option<Fetched>,
        kept: &mut Option<Fetched>,
    ) -> Result<Digest, RunFault> {
        let mut digest = Fingerprint::new(&self.settings);
        for part in &run.parts {
            let bytes = self.bytes_of(part, first.take())?;
            digest.add(&bytes);
            if kept.is_none() {
                *kept = Some(Ok(bytes));
            }
        }
        Ok(digest.finish())
    }

    /// The bytes of a part that is read as a whole.
    fn bytes_of(&self, part: &Part, fetched: Option<Fetched>) -> Result<Bytes, RunFault> {
        let fetched = fetched.unwrap_or_else(|| self.handle.block_on(self.fetch(part)));
        fetched.map_err(|error| self.part_fault(part, PartFault::new(format!("the file cannot be read: {error}"))))
    }

    fn part_fault(&self, part: &Part, fault: PartFault) -> RunFault {
        RunFault { file: show(&self.reading.source, &part.location), fault }
    }

    /// Reads all parts of a run.
    fn collect(
        &self,
        run: &RunFiles,
        mut first: Option<Fetched>,
        taking: Taking<'_>,
        draft: &mut Draft<'_>,
        digest: &mut Fingerprint,
        items: &mut Vec<Item>,
    ) -> Result<Collected, RunFault> {
        let mut collected = Collected::default();
        for part in &run.parts {
            let fail = |fault| self.part_fault(part, fault);
            let (opened, pieces) = if self.whole(part) {
                let bytes = self.bytes_of(part, first.take())?;
                // Nobody compares what was read for one question.
                digest.add(if taking.wanted.is_all() { &bytes } else { part.location.as_ref().as_bytes() });
                let pieces = Pieces::whole(bytes);
                let footer = footer_of(&pieces).map_err(fail)?;
                (Opened::new(footer, taking.wanted).map_err(fail)?, pieces)
            } else {
                digest.add(part.location.as_ref().as_bytes());
                self.handle.block_on(self.open_pieces(part, taking)).map_err(fail)?
            };
            opened
                .read(&pieces, |batch, first_row| collected.add(&Columns::new(&batch)?, first_row, taking, draft))
                .map_err(fail)?;
            let file = show(&self.reading.source, &part.location);
            items.extend(collected.bad.drain(..).map(|bad| {
                let (place, field) = (Some(RowPlace::Row(bad.row)), Some(bad.field.to_owned()));
                Item::Bad(BadRow { file: file.clone(), place, field, reason: bad.reason })
            }));
        }
        Ok(collected)
    }

    /// Opens a large file of which little is needed.
    async fn open_pieces(&self, part: &Part, taking: Taking<'_>) -> Result<(Opened, Pieces), PartFault> {
        let store = self.reading.source.store();
        let footer = self.reading.footers.get(store, part).await?;
        let opened = Opened::new(footer, taking.wanted)?;
        let ranges = opened.ranges();
        self.bytes_read.fetch_add(ranges.iter().map(|range| range.end - range.start).sum(), Ordering::Relaxed);
        let pieces = Pieces::load(store, part, &ranges).await;
        Ok((opened, pieces.map_err(|error| PartFault::new(format!("the file cannot be read: {error}")))?))
    }

    /// Adds the points of the runs that a run was forked from.
    fn inherit(
        &self,
        run: &RunFiles,
        collected: &mut Collected,
        draft: &mut Draft<'_>,
        digest: &mut Fingerprint,
        mut note: impl FnMut(String),
    ) -> Result<(), RunFault> {
        let taking = Taking { wanted: &self.reading.wanted, attributes: false };
        let mut seen: HashSet<String> = collected.key.iter().map(|key| key.hash.clone()).collect();
        let mut last_step = i64::MAX;
        let (mut parent, mut fork_step) = (collected.parent.take(), collected.fork_step);
        while let Some(id) = parent.take() {
            if !seen.insert(id.clone()) {
                note(format!("the run {id} is forked from itself: points are inherited once"));
                break;
            }
            let Some(step) = fork_step else {
                note(format!("it is not known at which step a run was forked from {id}: its points are not inherited"));
                break;
            };
            last_step = last_step.min(step);
            let Some(found) = self.find(run, &id, taking, draft, digest)? else {
                note(format!("the run {id} is not in the export: its forks have no points of it"));
                break;
            };
            collected.inherit(&found, last_step);
            (parent, fork_step) = (found.parent.clone(), found.fork_step);
        }
        Ok(())
    }

    /// Reads the series of a run by its id.
    fn find(
        &self,
        child: &RunFiles,
        id: &str,
        taking: Taking<'_>,
        draft: &mut Draft<'_>,
        digest: &mut Fingerprint,
    ) -> Result<Option<Collected>, RunFault> {
        for candidate in self.lineage.candidates(child, id) {
            let Some(run) = self.runs.get(*candidate) else { continue };
            // Its own faults are reported with itself.
            let mut items = Vec::new();
            let found = self.collect(run, None, taking, draft, digest, &mut items)?;
            if found.key.as_ref().is_some_and(|key| key.hash == id) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn parsed_notes(notes: &mut std::collections::BTreeSet<String>) -> impl FnMut(String) {
    |note| {
        notes.insert(note);
    }
}

/// The fingerprint of all that a run is read from.
struct Fingerprint(Vec<u8>);

impl Fingerprint {
    fn new(settings: &str) -> Self {
        Fingerprint(settings.as_bytes().to_vec())
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.extend(xxh3_128(bytes).to_be_bytes());
    }

    fn finish(self) -> Digest {
        xxh3_128(&self.0).to_be_bytes()
    }
}
