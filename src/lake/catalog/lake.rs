//! A lake: opening, creating, and its versions.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use deltalake_core::table::state::DeltaTableState;
use futures::future::{join, join_all, try_join_all};
use object_store::path::Path;
use object_store::{ObjectStore, PutMode, PutOptions, PutPayload};
use tokio::sync::Mutex;

use super::log::{Entry, FORMAT, Pins, TableLog};
use super::paths::{PathCatalog, PathEntry, read_entries};
use super::snapshot::Snapshot;
use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::segment::{FileName, SegmentId};
use crate::storage::url::Place;

/// Which version of a lake to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AsOf {
    /// The newest.
    #[default]
    Latest,
    /// This one.
    Version(u64),
    /// The newest that is not younger than this.
    Time(DateTime<Utc>),
}

/// Older versions that are kept in memory.
const OLD_SNAPSHOTS: usize = 4;

/// A lake. Clones share one cache.
#[derive(Clone)]
pub struct Lake {
    inner: Arc<Inner>,
}

struct Inner {
    place: Place,
    logs: BTreeMap<Table, TableLog>,
    latest: Mutex<Option<Arc<Loaded>>>,
    older: Mutex<Vec<Arc<Snapshot>>>,
    /// The catalogues of paths by file name; files never change.
    entries: Mutex<HashMap<String, Arc<Vec<PathEntry>>>>,
}

/// The states of the tables at one version of the lake.
pub(crate) type States = BTreeMap<Table, DeltaTableState>;

/// The newest version with what a commit on top of it needs.
pub(crate) struct Loaded {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) states: States,
    pub(crate) pins: Pins,
}

impl fmt::Debug for Lake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lake").field(&self.inner.place.shown()).finish()
    }
}

impl Lake {
    /// Opens the lake at a local path or URL and reads its newest version.
    pub async fn open(url: &str) -> Result<Lake> {
        let lake = Lake::at(Place::parse(url)?)?;
        lake.loaded().await?;
        Ok(lake)
    }

    /// Opens the lake, or makes an empty one where there is none.
    pub async fn open_or_create(url: &str) -> Result<Lake> {
        let lake = Lake::at(Place::parse(url)?)?;
        lake.ensure().await?;
        Ok(lake)
    }

    /// A lake in a store that the caller has made, created if it is not there.
    pub async fn with_store(store: Arc<dyn ObjectStore>, prefix: Path) -> Result<Lake> {
        let shown = format!("store:/{prefix}");
        let lake = Lake::at(Place::with_store(store, prefix, &shown)?)?;
        lake.ensure().await?;
        Ok(lake)
    }

    fn at(place: Place) -> Result<Lake> {
        let mut logs = BTreeMap::new();
        for table in Table::every() {
            logs.insert(table, TableLog::new(&place, table)?);
        }
        let inner = Inner { place, logs, latest: Mutex::default(), older: Mutex::default(), entries: Mutex::default() };
        Ok(Lake { inner: Arc::new(inner) })
    }

    /// Creates the tables unless there is a lake. `runs` comes last: a lake is there when `runs` is.
    async fn ensure(&self) -> Result<()> {
        match self.loaded().await {
            Err(Error::NotFound { .. }) => {}
            other => return other.map(drop),
        }
        self.inner.place.prepare()?;
        for table in Table::COMMIT_ORDER {
            self.log(table)?.create().await?;
        }
        self.loaded().await.map(drop)
    }

    /// Where the lake is, as messages show it.
    pub fn url(&self) -> &str {
        self.inner.place.shown()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.inner.place
    }

    /// The store with the files of the lake.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        self.inner.place.store()
    }

    /// The number of the newest version.
    pub async fn version(&self) -> Result<u64> {
        Ok(self.loaded().await?.snapshot.version())
    }

    /// The folder of a table in the store.
    pub fn folder(&self, table: Table) -> Path {
        self.inner.place.path(table.name())
    }

    pub(crate) fn log(&self, table: Table) -> Result<&TableLog> {
        self.inner.logs.get(&table).ok_or_else(|| Error::Internal(format!("no log for `{table}`")))
    }

    /// A version of the lake. The newest is checked for with one small request and kept in memory.
    pub async fn snapshot(&self, as_of: AsOf) -> Result<Arc<Snapshot>> {
        let latest = self.loaded().await?;
        let newest = latest.snapshot.version();
        let version = match as_of {
            AsOf::Latest => newest,
            AsOf::Version(version) if version <= newest => version,
            AsOf::Version(version) => return Err(self.no_version(version.to_string(), &latest.snapshot)),
            AsOf::Time(time) => match self.version_at(newest, time).await? {
                Some(version) => version,
                None => {
                    let wanted = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
                    return Err(self.no_version(wanted, &latest.snapshot));
                }
            },
        };
        if version == newest {
            return Ok(Arc::clone(&latest.snapshot));
        }
        if let Some(known) = self.inner.older.lock().await.iter().find(|it| it.version() == version) {
            return Ok(Arc::clone(known));
        }
        let runs = self.log(Table::Runs)?.load(Some(version)).await?;
        let loaded = self.complete(runs, &States::new()).await?;
        let mut older = self.inner.older.lock().await;
        if older.len() >= OLD_SNAPSHOTS {
            older.remove(0);
        }
        older.push(Arc::clone(&loaded.snapshot));
        Ok(loaded.snapshot)
    }

    fn no_version(&self, wanted: String, newest: &Snapshot) -> Error {
        let time = newest.time().to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let hint = format!("versions are 0 to {}, the newest is of {time}; `history` lists them", newest.version());
        Error::NoSuchVersion { url: self.url().to_owned(), wanted, hint }
    }

    /// The newest version not younger than `time`. Commit times rise with versions, so few entries are read.
    async fn version_at(&self, newest: u64, time: DateTime<Utc>) -> Result<Option<u64>> {
        let log = self.log(Table::Runs)?;
        let (mut low, mut high) = (0, newest + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if log.entry(middle).await?.time <= time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.checked_sub(1))
    }

    /// The newest version, from memory if nobody has written since.
    pub(crate) async fn loaded(&self) -> Result<Arc<Loaded>> {
        let mut latest = self.inner.latest.lock().await;
        let log = self.log(Table::Runs)?;
        let loaded = match latest.as_ref() {
            None => {
                // The newest states of the other tables are almost always the ones that `runs` names.
                let others = Table::ALL.into_iter().filter(|table| *table != Table::Runs);
                let others =
                    others.map(|table| async move { Some((table, self.log(table).ok()?.load(None).await.ok()?)) });
                let (runs, others) = join(log.load(None), join_all(others)).await;
                self.complete(runs?, &others.into_iter().flatten().collect()).await?
            }
            Some(known) if !log.has(known.snapshot.version() + 1).await? => return Ok(Arc::clone(known)),
            Some(known) => {
                let runs = match known.states.get(&Table::Runs) {
                    Some(state) => log.advance(state, None).await?,
                    None => log.load(None).await?,
                };
                self.complete(runs, &known.states).await?
            }
        };
        let loaded = Arc::new(loaded);
        *latest = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Loads what a version of `runs` points to, as far as it is not `known`.
    async fn complete(&self, runs: DeltaTableState, known: &States) -> Result<Loaded> {
        let entry = self.pinning_entry(runs.version()).await?;
        let load = |table: Table, version: u64| async move {
            let log = self.log(table)?;
            let state = match known.get(&table) {
                Some(state) if state.version() == version => state.clone(),
                Some(state) if state.version() < version => log.advance(state, Some(version)).await?,
                _ => log.load(Some(version)).await?,
            };
            Ok::<_, Error>((table, state))
        };
        let others = try_join_all(entry.pins.iter().map(|(table, version)| load(*table, *version))).await?;
        let version = runs.version();
        let mut states: States = others.into_iter().collect();
        states.insert(Table::Runs, runs);
        let snapshot = Snapshot::build(&self.inner.place, version, entry.time, &states)?;
        let paths = self.read_paths(&snapshot).await?;
        // The cell of a snapshot that has just been made is empty.
        drop(snapshot.paths.set(Arc::new(paths)));
        Ok(Loaded { snapshot: Arc::new(snapshot), states, pins: entry.pins })
    }

    /// The entry of a version with the versions of the other tables, and the check of the format.
    async fn pinning_entry(&self, version: u64) -> Result<Entry> {
        let log = self.log(Table::Runs)?;
        let entry = log.entry(version).await?;
        let mut pinning = entry.clone();
        // Every commit of ours names all versions. Another tool may have written to `runs` since: its commit changes
        // no other table.
        while pinning.pins.is_empty() && pinning.version > 0 {
            pinning = log.entry(pinning.version - 1).await?;
        }
        match pinning.format {
            Some(format) if format > FORMAT => Err(Error::NewerFormat {
                url: self.url().to_owned(),
                reason: format!("format {format}, this one reads up to {FORMAT}"),
            }),
            None => Err(Error::NotFound { url: self.url().to_owned() }),
            Some(_) => Ok(Entry { pins: pinning.pins, ..entry }),
        }
    }

    async fn read_paths(&self, snapshot: &Snapshot) -> Result<PathCatalog> {
        let files = &snapshot.table(Table::Paths).files;
        let mut known = self.inner.entries.lock().await;
        let missing: Vec<_> = files.iter().filter(|file| !known.contains_key(&file.name.text)).collect();
        let read = missing.into_iter().map(|file| async move {
            let entries = read_entries(self.store(), &file.location).await?;
            Ok::<_, Error>((file.name.text.clone(), Arc::new(entries)))
        });
        known.extend(try_join_all(read).await?);
        let segments = files.iter().filter_map(|file| known.get(&file.name.text)).map(|entries| entries.as_slice());
        Ok(PathCatalog::merge(segments))
    }

    /// The path entries of one segment.
    pub(crate) async fn segment_paths(&self, snapshot: &Snapshot, segment: SegmentId) -> Result<Arc<Vec<PathEntry>>> {
        let Some(file) = snapshot.table(Table::Paths).file(segment) else { return Ok(Arc::default()) };
        if let Some(known) = self.inner.entries.lock().await.get(&file.name.text) {
            return Ok(Arc::clone(known));
        }
        read_entries(self.store(), &file.location).await.map(Arc::new)
    }

    /// Takes a segment number that nobody else has or will get.
    ///
    /// The numbers are names of empty objects that are only ever created, which every store does atomically.
    pub async fn claim_segment(&self) -> Result<SegmentId> {
        let newest = self.loaded().await?.snapshot.segments().last().unwrap_or_default();
        let claims = self.place().path(CLAIMS);
        let mut next = newest.0 + 1;
        let offset = claims.clone().join(newest.to_string());
        let mut listed = self.store().list_with_offset(Some(&claims), &offset);
        while let Some(claim) = futures::TryStreamExt::try_next(&mut listed).await? {
            let number = claim.location.filename().and_then(|name| name.parse::<u64>().ok());
            next = next.max(number.map_or(next, |number| number + 1));
        }
        loop {
            let segment = SegmentId(next);
            if segment > SegmentId::MAX {
                return Err(Error::Internal("the lake has no segment numbers left".to_owned()));
            }
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let claim = claims.clone().join(segment.to_string());
            match self.store().put_opts(&claim, PutPayload::new(), options).await {
                Ok(_) => return Ok(segment),
                Err(object_store::Error::AlreadyExists { .. }) => next += 1,
                Err(error) => return Err(self.place().write_error(error.into())),
            }
        }
    }

    /// A new name for a file of an import.
    pub fn file_name(&self, segment: SegmentId) -> String {
        FileName::new(segment, 0).text
    }
}

/// The folder with one empty object for each segment number that has been taken.
pub(crate) const CLAIMS: &str = "_lakeql/segments";
