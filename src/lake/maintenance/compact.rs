//! Merging segments into one, so that queries open few files.
//!
//! Rows keep the order of their tables, rows of dead runs go, runs and series get new numbers, typed columns are chosen
//! anew. The old segments stay readable for whoever still reads an older version, until [`super::vacuum`].

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::ObjectStoreExt;
use serde_json::{Map, Value};

use super::choose::choose;
use super::points::merge_points;
use super::runs::{merge_attributes, merge_runs};
use super::series::merge_series;
use crate::catalog::commit::later;
use crate::catalog::lake::{Lake, Loaded};
use crate::catalog::log::{Change, NewFile, Pins, RemovedFile};
use crate::catalog::paths::{PathCatalog, PathEntry, PathOwner, choose_hot};
use crate::catalog::snapshot::Snapshot;
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::segment::{FileName, SegmentId};
use crate::storage::writer::{TableWriter, WrittenFile};

/// How often a merge is started again because its segments have changed meanwhile.
const ATTEMPTS: u32 = 3;

/// How often the last commit is tried.
const COMMITS: u32 = 50;

/// What a compaction has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CompactReport {
    /// The version of the lake afterwards.
    pub version: u64,
    /// Segments that were merged; none when there was nothing to gain.
    pub merged: usize,
    /// Live segments afterwards.
    pub segments: usize,
    /// Runs in the new segment.
    pub runs: u64,
    /// Rows of replaced runs that are gone for good.
    pub dead_runs: usize,
    /// Bytes of the merged segments.
    pub bytes_before: u64,
    /// Bytes of the new one.
    pub bytes_after: u64,
}

/// One merge.
pub(super) struct Job<'a> {
    lake: &'a Lake,
    pub(super) snapshot: &'a Snapshot,
    /// The new segment.
    pub(super) segment: SegmentId,
    name: FileName,
    pub(super) parts: Vec<Part>,
    /// Paths that get typed columns.
    pub(super) hot_runs: HashSet<String>,
    pub(super) hot_contexts: HashSet<String>,
}

/// An old segment.
pub(super) struct Part {
    pub(super) segment: SegmentId,
    paths: Arc<Vec<PathEntry>>,
}

impl Part {
    /// The paths of parameters of the segment.
    pub(super) fn run_paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().filter(|entry| entry.owner == PathOwner::Run).map(|entry| entry.path.as_str())
    }

    /// The paths of contexts of the segment, as they stand in names of columns.
    pub(super) fn context_paths(&self) -> impl Iterator<Item = String> + '_ {
        let entries = self.paths.iter().filter(|entry| entry.owner == PathOwner::Context);
        entries.map(|entry| format!("context.{}", entry.path))
    }
}

impl Lake {
    /// Merges segments where it pays: all of them in a lake of up to a few gigabytes, the small ones in a larger one.
    pub async fn compact(&self) -> Result<CompactReport> {
        for _ in 0..ATTEMPTS {
            let loaded = self.loaded().await?;
            let chosen = choose(&loaded.snapshot);
            if chosen.is_empty() {
                let (version, segments) = (loaded.snapshot.version(), loaded.snapshot.segments().count());
                return Ok(CompactReport { version, segments, ..CompactReport::default() });
            }
            if let Some(report) = self.merge_segments(&loaded.snapshot, &chosen).await? {
                return Ok(report);
            }
        }
        Err(Error::Conflict { attempts: ATTEMPTS })
    }

    /// Merges some segments. `None` when another writer has changed them meanwhile.
    async fn merge_segments(&self, snapshot: &Snapshot, chosen: &[SegmentId]) -> Result<Option<CompactReport>> {
        let segment = self.claim_segment().await?;
        let mut parts = Vec::new();
        for segment in chosen {
            parts.push(Part { segment: *segment, paths: self.segment_paths(snapshot, *segment).await? });
        }
        let merged = PathCatalog::merge(parts.iter().map(|part| part.paths.as_slice()));
        let old: Vec<_> = snapshot
            .tables()
            .flat_map(|table| table.files.iter().map(|file| (table.table, file)))
            .filter(|(_, file)| chosen.contains(&file.segment()))
            .collect();
        let rows = |wanted| old.iter().filter(|(table, _)| *table == wanted).map(|(_, file)| file.rows).sum();
        let series = merged.owned(PathOwner::Series).iter().map(|entry| entry.count).sum();
        let known = snapshot.paths();
        let job = Job {
            lake: self,
            snapshot,
            segment,
            name: FileName::new(segment, 0),
            parts,
            hot_runs: choose_hot(merged.owned(PathOwner::Run), rows(Table::Runs), |path| {
                known.get(PathOwner::Run, path).iter().any(|entry| entry.hot)
            }),
            hot_contexts: choose_hot(merged.owned(PathOwner::Context), series, |path| {
                known.get(PathOwner::Context, path).iter().any(|entry| entry.hot)
            }),
        };
        let files = match job.write_all(&merged).await {
            Ok(files) => files,
            Err(error) => {
                self.discard(segment).await;
                return Err(self.place().write_error(error));
            }
        };
        let mut report = CompactReport {
            merged: chosen.len(),
            runs: files.iter().filter(|file| file.table == Table::Runs).map(|file| file.rows).sum(),
            dead_runs: chosen.iter().map(|segment| snapshot.dead_in(*segment).len()).sum(),
            bytes_before: old.iter().map(|(_, file)| file.size).sum(),
            bytes_after: files.iter().map(|file| file.size).sum(),
            ..CompactReport::default()
        };
        let removed: Vec<(Table, RemovedFile)> = old
            .iter()
            .map(|(table, file)| (*table, RemovedFile { name: file.name.text.clone(), size: file.size }))
            .collect();
        let Some(done) = self.commit_merge(&files, &removed, &report).await? else {
            self.discard(segment).await;
            return Ok(None);
        };
        report.version = done.snapshot.version();
        report.segments = done.snapshot.segments().count();
        self.remove_merged(&done, removed).await;
        Ok(Some(report))
    }

    /// Commits the new segment and takes the old ones away, if they are still what was merged.
    async fn commit_merge(
        &self,
        files: &[WrittenFile],
        removed: &[(Table, RemovedFile)],
        report: &CompactReport,
    ) -> Result<Option<Arc<Loaded>>> {
        let add = |wanted: Table| -> Vec<NewFile> {
            let files = files.iter().filter(|file| file.table == wanted);
            files.map(|file| NewFile { file: file.clone(), dead: Vec::new() }).collect()
        };
        let loaded = self.loaded().await?;
        let mut own = Pins::new();
        for table in Table::COMMIT_ORDER.into_iter().filter(|table| *table != Table::Runs) {
            own.extend(self.append_files(&loaded, table, add(table)).await?);
        }
        let remove: Vec<RemovedFile> =
            removed.iter().filter(|(table, _)| *table == Table::Runs).map(|(_, file)| file.clone()).collect();
        let Some(new) = add(Table::Runs).pop().map(|new| new.file.name) else { return Ok(None) };
        for _ in 0..COMMITS {
            let loaded = self.loaded().await?;
            let live: HashSet<&str> =
                loaded.snapshot.table(Table::Runs).files.iter().map(|file| file.name.text.as_str()).collect();
            if live.contains(new.as_str()) {
                return Ok(Some(loaded));
            }
            if !remove.iter().all(|file| live.contains(file.name.as_str())) {
                return Ok(None);
            }
            let change = Change {
                add: add(Table::Runs),
                remove: remove.clone(),
                pins: Some(later(&loaded.pins, &own)),
                info: info(report),
            };
            match self.commit_runs(&loaded, change).await {
                Ok(_) => return self.loaded().await.map(Some),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict { attempts: COMMITS })
    }

    /// Removes the merged files from the logs of the other tables, for the sake of other readers of the tables. Nobody who
    /// comes through `runs` sees the files any more, so what fails here is left to `vacuum`.
    async fn remove_merged(&self, loaded: &Loaded, removed: Vec<(Table, RemovedFile)>) {
        for table in Table::COMMIT_ORDER.into_iter().filter(|table| *table != Table::Runs) {
            let remove: Vec<RemovedFile> =
                removed.iter().filter(|(of, _)| *of == table).map(|(_, file)| file.clone()).collect();
            if remove.is_empty() {
                continue;
            }
            if let (Ok(log), Some(state)) = (self.log(table), loaded.states.get(&table))
                && let Ok(version) = log.append(state, Change { remove, ..Change::default() }).await
            {
                log.checkpoint(version).await;
            }
        }
    }

    /// Deletes what has been written of a segment that will not be committed.
    async fn discard(&self, segment: SegmentId) {
        for table in Table::ALL {
            let folder = self.folder(table);
            let prefix = format!("{segment}-");
            let mut listed = self.store().list(Some(&folder));
            while let Ok(Some(object)) = futures::TryStreamExt::try_next(&mut listed).await {
                if object.location.filename().is_some_and(|name| name.starts_with(&prefix)) {
                    // What is left is an orphan for `vacuum`.
                    let _ = self.store().delete(&object.location).await;
                }
            }
        }
    }
}

fn info(report: &CompactReport) -> Map<String, Value> {
    Map::from_iter([
        ("operation".to_owned(), Value::from("compact")),
        ("segments_merged".to_owned(), report.merged.into()),
        ("bytes_before".to_owned(), report.bytes_before.into()),
        ("bytes_after".to_owned(), report.bytes_after.into()),
    ])
}

impl Job<'_> {
    /// Writes all tables of the new segment.
    async fn write_all(&self, paths: &PathCatalog) -> Result<Vec<WrittenFile>> {
        let (runs, map) = merge_runs(self).await?;
        let map = Arc::new(map);
        let mut files = vec![runs];
        files.extend(merge_attributes(self, &map).await?);
        let (series, order) = merge_series(self, &map).await?;
        files.extend(series);
        files.extend(merge_points(self, Table::Points, &order.points).await?);
        files.extend(merge_points(self, Table::TextPoints, &order.text_points).await?);
        let entries: Vec<PathEntry> = paths
            .entries()
            .iter()
            .map(|entry| {
                let hot = match entry.owner {
                    PathOwner::Run => self.hot_runs.contains(&entry.path),
                    PathOwner::Context => self.hot_contexts.contains(&entry.path),
                    PathOwner::Series | PathOwner::File => false,
                };
                PathEntry { hot, ..entry.clone() }
            })
            .collect();
        files.extend(self.lake.write_paths(&self.name, &entries).await?);
        Ok(files)
    }

    pub(super) fn writer(&self, table: Table, schema: SchemaRef) -> Result<TableWriter> {
        self.lake.writer(table, &self.name, schema, Vec::new())
    }

    /// Writes a batch to a file that is started with the first one.
    pub(super) async fn write(
        &self,
        writer: &mut Option<TableWriter>,
        table: Table,
        batch: &RecordBatch,
    ) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let writer = match writer {
            Some(writer) => writer,
            None => writer.insert(self.writer(table, batch.schema())?),
        };
        writer.write(batch).await
    }

    pub(super) async fn finish(&self, writer: TableWriter) -> Result<WrittenFile> {
        writer.finish().await
    }

    pub(super) async fn finish_some(&self, writer: Option<TableWriter>) -> Result<Option<WrittenFile>> {
        match writer {
            Some(writer) => self.finish(writer).await.map(Some),
            None => Ok(None),
        }
    }
}
