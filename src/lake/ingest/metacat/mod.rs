//! MetaCat's catalogue: files, datasets and saved queries in the JSON that it prints.
//!
//! Lines are JSON objects, as they are or each behind the mark of a JSON sequence, plain or compressed. What a line holds
//! is seen from its fields: a file has `fid`, a saved query `source`, a dataset neither. Namespaces and users are read
//! over. A file that comes again unchanged changes nothing; one that differs replaces the one with its id.

mod columns;
mod line;
mod segment;
mod small;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Map, Value as Json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::line::{Entry, FileEntry, Keys};
use self::segment::{Draft, WrittenFiles};
use self::small::{Datasets, Queries};
use super::bad_rows::BadRows;
use super::budget::{Budget, Closer};
use super::lines::input::{RawBlock, read_files};
use super::session::BYTES_UNDER_WAY;
use super::{BadRow, ImportOptions, Progress, RowPlace};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::log::Pins;
use crate::catalog::paths::PathOwner;
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::segment::{Digest, SegmentId, ordinal_index};

/// What an import into the file catalogue has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CatalogueReport {
    /// Files the lake did not have.
    pub added: u64,
    /// Files the lake had with other content.
    pub replaced: u64,
    /// Lines with a file that the lake has exactly so.
    pub unchanged: u64,
    /// Lines whose file came again later in the same import.
    pub superseded: u64,
    /// Datasets read.
    pub datasets: u64,
    /// Saved queries read.
    pub queries: u64,
    /// Lines that were left out.
    pub bad: u64,
    /// Bytes read from the files.
    pub bytes_read: u64,
    /// Bytes of the Parquet files written.
    pub bytes_written: u64,
    /// How long it took.
    pub seconds: f64,
    /// The version of the lake afterwards.
    pub version: u64,
    /// The list of left-out lines, if there are any.
    pub bad_report: Option<PathBuf>,
}

/// Imports files of JSON lines, and all such files in folders.
///
/// # Errors
/// A file cannot be read, a line is no entry of a catalogue (unless those are to be left out), or the lake cannot be
/// written.
pub async fn import_metacat(
    lake: &Lake,
    paths: &[PathBuf],
    options: &ImportOptions,
    progress: &dyn Fn(Progress),
) -> Result<CatalogueReport> {
    let started = Instant::now();
    let sources = sources(paths)?;
    lake.ensure_catalogue().await?;
    let head = lake.files_head().await?;
    let mut known = HashMap::new();
    let mut dids = HashMap::new();
    for file in lake.known_files(&head).await? {
        dids.insert(file.did, file.fid.clone());
        known.insert(file.fid, (file.file, file.digest));
    }
    let snapshot = lake.snapshot(AsOf::Latest).await?;
    let hot = snapshot.paths().owned(PathOwner::File).iter().filter(|entry| entry.hot).map(|entry| entry.path.clone());
    let mut import = Import {
        lake,
        hot: hot.collect(),
        head_version: head.version(),
        known,
        dids,
        keys: Keys::default(),
        buffer: vec![],
        buffered: HashMap::new(),
        buffered_bytes: 0,
        written: vec![],
        writing: None,
        again: vec![],
        dead: BTreeMap::new(),
        changed: HashMap::new(),
        datasets: Datasets::new(),
        queries: Queries::new(),
        report: CatalogueReport::default(),
    };
    let mut bad = BadRows::new(options, &sources);
    let bytes_total = sources.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|it| it.len()).sum();
    let bytes_read = Arc::new(AtomicU64::default());
    let budget = Arc::new(Budget::new(BYTES_UNDER_WAY));
    let closer = Closer(Arc::clone(&budget));
    let mut blocks = start(&sources, options, &bytes_read, &budget)
        .map_err(|error| Error::io("threads for the import cannot be started", error))?;
    let mut waiting: BTreeMap<u64, Parsed> = BTreeMap::new();
    let mut next = 0;
    while let Some(parsed) = blocks.recv().await {
        waiting.insert(parsed.number, parsed);
        while let Some(parsed) = waiting.remove(&next) {
            next += 1;
            let (raw_bytes, file) = (parsed.raw_bytes, parsed.file);
            for (line, entry) in parsed.entries {
                let taken = match entry {
                    Ok(entry) => import.take(entry, &parsed.keys),
                    Err(reason) => Err(reason),
                };
                if let Err(reason) = taken {
                    let file = sources.get(file).map(|path| path.display().to_string()).unwrap_or_default();
                    if !options.skip_bad {
                        return Err(Error::Data { file, row: Some(RowPlace::Line(line)), field: None, reason });
                    }
                    bad.add(&BadRow { file, place: Some(RowPlace::Line(line)), field: None, reason })?;
                }
            }
            budget.give(raw_bytes);
            import.buffered_bytes += raw_bytes;
            if import.buffered_bytes >= options.segment_bytes {
                import.flush().await?;
            }
        }
        progress(Progress {
            bytes_read: bytes_read.load(Ordering::Relaxed),
            bytes_total,
            runs: import.report.added + import.report.replaced + import.report.unchanged,
            ..Progress::default()
        });
    }
    drop(closer);
    import.flush().await?;
    import.collect().await?;
    import.report.bad = bad.count;
    import.report.bad_report = bad.finish()?;
    import.report.bytes_read = bytes_read.load(Ordering::Relaxed);
    let names = sources.iter().map(|path| Json::from(path.display().to_string())).collect();
    let mut report = import.commit(names).await?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// A query to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQuery {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The query, in MQL.
    pub source: String,
    /// What it is for.
    pub description: Option<String>,
}

/// Saves a query under its name, in the place of one that has that name. Returns the new version of the lake.
///
/// # Errors
/// The lake cannot be written.
pub async fn save_query(lake: &Lake, query: SavedQuery) -> Result<u64> {
    lake.ensure_catalogue().await?;
    let key = (query.namespace.clone(), query.name.clone());
    let mut info = Map::new();
    info.insert("operation".to_owned(), Json::from("save"));
    info.insert("query".to_owned(), Json::from(format!("{}:{}", query.namespace, query.name)));
    let entry = line::QueryEntry {
        namespace: query.namespace,
        name: query.name,
        source: query.source,
        creator: None,
        created: Some(chrono::Utc::now().timestamp_micros()),
        description: query.description,
        metadata: "{}".to_owned(),
    };
    let pins = small::merge_queries(lake, &Queries::from([(key, entry)])).await?;
    lake.publish(&pins, &info).await
}

/// The files to read: those named, and those with a fitting ending in the folders named.
fn sources(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    const ENDINGS: [&str; 3] = [".jsonl", ".json", ".json-seq"];
    let fits = |path: &Path| {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
        ENDINGS.iter().any(|ending| name.ends_with(ending))
    };
    let mut sources = vec![];
    for path in paths {
        if !path.is_dir() {
            sources.push(path.clone());
            continue;
        }
        let wrong = |error| Error::io(format!("the folder {} cannot be read", path.display()), error);
        let mut found = vec![];
        for entry in std::fs::read_dir(path).map_err(wrong)? {
            let entry = entry.map_err(wrong)?.path();
            if entry.is_file() && fits(&entry) {
                found.push(entry);
            }
        }
        if found.is_empty() {
            let reason = "the folder has no files ending in .jsonl, .json or .json-seq".to_owned();
            return Err(Error::Data { file: path.display().to_string(), row: None, field: None, reason });
        }
        found.sort();
        sources.extend(found);
    }
    Ok(sources)
}

/// A block after parsing.
struct Parsed {
    number: u64,
    file: usize,
    raw_bytes: usize,
    keys: Keys,
    entries: Vec<(u64, Result<Entry, String>)>,
}

/// Starts the threads: one that reads, others that parse.
fn start(
    sources: &[PathBuf],
    options: &ImportOptions,
    bytes_read: &Arc<AtomicU64>,
    budget: &Arc<Budget>,
) -> std::io::Result<mpsc::Receiver<Parsed>> {
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(2);
    let (raw_sender, raw_receiver) = sync_channel::<RawBlock>(threads);
    let raw = Arc::new(Mutex::new(raw_receiver));
    let (sender, receiver) = mpsc::channel(threads.max(2));
    for _ in 0..threads.max(1) {
        let (raw, sender) = (Arc::clone(&raw), sender.clone());
        std::thread::Builder::new().name("import-parse".to_owned()).spawn(move || {
            while let Some(block) = next(&raw) {
                if sender.blocking_send(parse(block)).is_err() {
                    return;
                }
            }
        })?;
    }
    let (files, bytes_read) = (sources.to_vec(), Arc::clone(bytes_read));
    let (max_line, budget) = (options.max_line_bytes, Arc::clone(budget));
    std::thread::Builder::new().name("import-read".to_owned()).spawn(move || {
        read_files(&files, max_line, &bytes_read, &budget, &raw_sender);
    })?;
    Ok(receiver)
}

fn next(raw: &Mutex<Receiver<RawBlock>>) -> Option<RawBlock> {
    raw.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv().ok()
}

fn parse(raw: RawBlock) -> Parsed {
    let mut parsed = Parsed {
        number: raw.number,
        file: raw.file,
        raw_bytes: raw.bytes.len(),
        keys: Keys::default(),
        entries: vec![],
    };
    let mut number = raw.first_line;
    let bytes = raw.bytes.strip_suffix(b"\n").unwrap_or(&raw.bytes);
    for line in bytes.split(|byte| *byte == b'\n') {
        let entry = match std::str::from_utf8(line) {
            Ok(text) if text.trim_matches(['\u{1e}', ' ', '\t', '\r']).is_empty() => None,
            Ok(text) => Some(line::read(text, &mut parsed.keys)),
            Err(error) => Some(Err(format!("not valid UTF-8 at byte {}", error.valid_up_to() + 1))),
        };
        parsed.entries.extend(entry.map(|entry| (number, entry)));
        number += 1;
    }
    parsed.entries.extend(raw.fault.map(|reason| (number, Err(reason))));
    parsed
}

/// A running import.
struct Import<'a> {
    lake: &'a Lake,
    /// Keys with typed columns in the lake.
    hot: HashSet<String>,
    head_version: u64,
    /// Files of the lake by id.
    known: HashMap<String, (i64, Digest)>,
    /// Ids by `namespace:name`, of the lake and of this import.
    dids: HashMap<String, String>,
    keys: Keys,
    buffer: Vec<FileEntry>,
    /// Places in the buffer by id.
    buffered: HashMap<String, usize>,
    buffered_bytes: usize,
    written: Vec<WrittenFiles>,
    /// A segment that is being written while the next one is read.
    writing: Option<JoinHandle<Result<WrittenFiles>>>,
    /// Files that have come again while their segment was being written.
    again: Vec<String>,
    /// Files of written segments that have come again.
    dead: BTreeMap<SegmentId, HashSet<u32>>,
    /// Fingerprints of what this import has brought, by id.
    changed: HashMap<String, Digest>,
    datasets: Datasets,
    queries: Queries,
    report: CatalogueReport,
}

impl Import<'_> {
    fn take(&mut self, entry: Entry, keys: &Keys) -> Result<(), String> {
        match entry {
            Entry::File(file) => self.take_file(*file, keys),
            Entry::Dataset(entry) => {
                self.report.datasets += 1;
                self.datasets.insert((entry.namespace.clone(), entry.name.clone()), *entry);
                Ok(())
            }
            Entry::Query(entry) => {
                self.report.queries += 1;
                self.queries.insert((entry.namespace.clone(), entry.name.clone()), *entry);
                Ok(())
            }
            Entry::Other => Ok(()),
        }
    }

    fn take_file(&mut self, mut file: FileEntry, keys: &Keys) -> Result<(), String> {
        let did = format!("{}:{}", file.namespace, file.name);
        if let Some(owner) = self.dids.get(&did).filter(|owner| **owner != file.fid) {
            return Err(format!("{did} is the name of two files, {owner} and {}", file.fid));
        }
        let current = self.changed.get(&file.fid).or_else(|| self.known.get(&file.fid).map(|(_, digest)| digest));
        if current == Some(&file.digest) {
            self.report.unchanged += 1;
            return Ok(());
        }
        for (key, _) in &mut file.values {
            let name = keys.names.get(*key as usize).ok_or("an unknown key")?;
            *key = self.keys.number(name);
        }
        let before = self.changed.insert(file.fid.clone(), file.digest);
        let again = before.is_some();
        match before {
            Some(_) => self.report.superseded += 1,
            None if self.known.contains_key(&file.fid) => self.report.replaced += 1,
            None => self.report.added += 1,
        }
        self.dids.insert(did, file.fid.clone());
        if let Some(old) = self.buffered.get(&file.fid).and_then(|place| self.buffer.get_mut(*place)) {
            *old = file;
            return Ok(());
        }
        if again {
            for written in &self.written {
                if let Some(place) = written.places.get(&file.fid) {
                    self.dead.entry(written.segment).or_default().insert(*place);
                }
            }
            if self.writing.is_some() {
                self.again.push(file.fid.clone());
            }
        }
        self.buffered.insert(file.fid.clone(), self.buffer.len());
        self.buffer.push(file);
        Ok(())
    }

    /// Hands what is buffered to a thread that writes it as a segment.
    async fn flush(&mut self) -> Result<()> {
        self.buffered_bytes = 0;
        self.buffered.clear();
        let mut files = std::mem::take(&mut self.buffer);
        if files.is_empty() {
            return Ok(());
        }
        self.collect().await?;
        // A parent by its name becomes one by its id, if it is known by now.
        for parent in files.iter_mut().flat_map(|file| &mut file.parents).filter(|parent| parent.contains(':')) {
            if let Some(fid) = self.dids.get(parent.as_str()) {
                parent.clone_from(fid);
            }
        }
        let segment = self.lake.claim_segment().await?;
        let draft = Draft { segment, files, keys: self.keys.names.clone(), hot: self.hot.clone() };
        let (lake, handle) = (self.lake.clone(), Handle::current());
        self.writing = Some(tokio::task::spawn_blocking(move || segment::write(&lake, draft, &handle)));
        Ok(())
    }

    /// Waits for the segment that is being written.
    async fn collect(&mut self) -> Result<()> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let ended = |_| Error::Internal("the thread that writes a segment has ended".to_owned());
        let written = writing.await.map_err(ended)??;
        for fid in std::mem::take(&mut self.again) {
            if let Some(place) = written.places.get(&fid) {
                self.dead.entry(written.segment).or_default().insert(*place);
            }
        }
        let bytes = written.others.iter().map(|file| file.size).sum::<u64>() + written.files.size;
        self.report.bytes_written += bytes;
        // A key is either frequent in all segments of an import or in none, as far as that goes.
        self.hot.extend(written.hot.iter().cloned());
        self.written.push(written);
        Ok(())
    }

    /// Makes everything visible.
    async fn commit(mut self, sources: Vec<Json>) -> Result<CatalogueReport> {
        if self.written.is_empty() && self.datasets.is_empty() && self.queries.is_empty() {
            self.report.version = self.lake.version().await?;
            return Ok(self.report);
        }
        let mut own = Pins::new();
        for table in [Table::FileAttributes, Table::Members, Table::Provenance, Table::Paths] {
            let all = self.written.iter().flat_map(|written| &written.others);
            let add = all.filter(|file| file.table == table).cloned().collect();
            own.extend(self.lake.append_catalogue(table, add).await?);
        }
        if !self.datasets.is_empty() {
            own.extend(small::merge_datasets(self.lake, &self.datasets).await?);
        }
        if !self.queries.is_empty() {
            own.extend(small::merge_queries(self.lake, &self.queries).await?);
        }
        own.extend(self.commit_files().await?.map(|version| (Table::Files, version)));
        let mut info = Map::new();
        for (key, value) in [
            ("operation", Json::from("import metacat")),
            ("sources", Json::from(sources)),
            ("files_added", self.report.added.into()),
            ("files_replaced", self.report.replaced.into()),
            ("datasets", self.report.datasets.into()),
            ("queries", self.report.queries.into()),
            ("bytes", self.report.bytes_written.into()),
        ] {
            info.insert(key.to_owned(), value);
        }
        self.report.version = self.lake.publish(&own, &info).await?;
        Ok(self.report)
    }

    async fn commit_files(&mut self) -> Result<Option<u64>> {
        if self.written.is_empty() {
            return Ok(None);
        }
        let new: Vec<_> = self.written.iter().map(|written| written.files.clone()).collect();
        loop {
            let head = self.lake.files_head().await?;
            if head.version() != self.head_version {
                // Another import has been faster: what it has brought may be what this one replaces.
                self.known =
                    self.lake.known_files(&head).await?.into_iter().map(|it| (it.fid, (it.file, it.digest))).collect();
                self.head_version = head.version();
            }
            let mut dead = self.dead.clone();
            for fid in self.changed.keys() {
                if let Some((file, _)) = self.known.get(fid) {
                    dead.entry(SegmentId::of_ordinal(*file)).or_default().insert(ordinal_index(*file));
                }
            }
            if let Some(version) = self.lake.commit_files(&head, &new, &dead).await? {
                return Ok(Some(version));
            }
        }
    }
}
