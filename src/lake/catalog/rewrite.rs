//! Taking runs out of a segment: a new file of `runs` without them and a catalogue of paths that no longer counts them.
//!
//! Both get one name of the next generation, which is how a reader knows that they belong together. The rows of the runs
//! in the other tables stay until the lake is compacted; the list of dead runs says which to leave out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use futures::TryStreamExt;
use object_store::path::Path;

use super::context::context_attributes;
use super::lake::Lake;
use super::log::{DEAD_KEY, dead_text};
use super::paths::{PathEntry, PathOwner, read_entries};
use super::snapshot::{DataFile, Snapshot};
use super::tables::Table;
use crate::error::Result;
use crate::storage::reader::{ints, open, texts};
use crate::storage::segment::{FileName, SegmentId, Staged, ordinal_index};
use crate::storage::writer::{TableWriter, WrittenFile};

/// The files that stand for a segment from now on.
pub(super) struct Rewritten {
    pub(super) runs: WrittenFile,
    pub(super) paths: Option<WrittenFile>,
    /// All dead runs of the segment.
    pub(super) dead: Vec<u32>,
}

/// A file of the segment as it is now.
struct Source {
    location: Path,
    size: u64,
}

/// What has to be read of a segment.
struct Sources {
    name: FileName,
    files: BTreeMap<Table, Source>,
    dead_before: Vec<u32>,
}

impl Lake {
    /// Takes runs out of a live segment.
    pub(super) async fn rewrite_live(
        &self,
        snapshot: &Snapshot,
        runs: &DataFile,
        dead: &HashSet<u32>,
    ) -> Result<Rewritten> {
        let segment = runs.segment();
        let files = snapshot
            .tables()
            .filter_map(|table| Some((table.table, table.file(segment)?)))
            .map(|(table, file)| (table, Source { location: file.location.clone(), size: file.size }))
            .collect();
        let name = FileName::new(segment, runs.name.generation + 1);
        self.rewrite(Sources { name, files, dead_before: snapshot.dead_in(segment).to_vec() }, dead).await
    }

    /// Takes runs out of a segment that is not committed yet.
    pub(super) async fn rewrite_staged(&self, staged: &Staged, dead: &HashSet<u32>) -> Result<Rewritten> {
        let files = staged
            .files
            .iter()
            .map(|file| {
                let location = self.folder(file.table).join(file.name.as_str());
                (file.table, Source { location, size: file.size })
            })
            .collect();
        let name = FileName::new(staged.segment, 1);
        self.rewrite(Sources { name, files, dead_before: Vec::new() }, dead).await
    }

    async fn rewrite(&self, sources: Sources, dead: &HashSet<u32>) -> Result<Rewritten> {
        let mut all: Vec<u32> = sources.dead_before.iter().chain(dead).copied().collect();
        all.sort_unstable();
        all.dedup();
        let runs = self.rewrite_runs(&sources, dead, &all).await?;
        let paths = self.rewrite_paths(&sources, dead).await?;
        Ok(Rewritten { runs, paths, dead: all })
    }

    async fn rewrite_runs(&self, sources: &Sources, dead: &HashSet<u32>, all: &[u32]) -> Result<WrittenFile> {
        let source = sources.file(Table::Runs)?;
        let mut stream = open(self.store(), &source.location, source.size, None).await?;
        let metadata = vec![(DEAD_KEY.to_owned(), dead_text(all))];
        let mut writer = self.writer(Table::Runs, &sources.name, Arc::clone(&stream.schema), metadata)?;
        while let Some(batch) = stream.batches.try_next().await? {
            let keep: BooleanArray =
                ints(&batch, "run")?.values().iter().map(|run| Some(!dead.contains(&ordinal_index(*run)))).collect();
            writer.write(&filter_record_batch(&batch, &keep)?).await?;
        }
        writer.finish().await.map_err(|error| self.place().write_error(error))
    }

    async fn rewrite_paths(&self, sources: &Sources, dead: &HashSet<u32>) -> Result<Option<WrittenFile>> {
        let Some(source) = sources.files.get(&Table::Paths) else { return Ok(None) };
        let mut entries = read_entries(self.store(), &source.location).await?;
        let gone = self.count_paths(sources, dead).await?;
        for entry in &mut entries {
            let key = (entry.owner, entry.path.clone(), entry.kind.clone());
            entry.count = entry.count.saturating_sub(gone.get(&key).copied().unwrap_or_default());
        }
        entries.retain(|entry| entry.count > 0);
        self.write_paths(&sources.name, &entries).await
    }

    /// How often runs of a segment use each path.
    async fn count_paths(
        &self,
        sources: &Sources,
        dead: &HashSet<u32>,
    ) -> Result<HashMap<(PathOwner, String, String), u64>> {
        let mut counts: HashMap<(PathOwner, String, String), u64> = HashMap::new();
        let mut count = |owner, path: &str, kind: &str| {
            *counts.entry((owner, path.to_owned(), kind.to_owned())).or_default() += 1;
        };
        if let Some(source) = sources.files.get(&Table::Attributes) {
            let columns = ["path", "run", "kind"];
            let mut stream = open(self.store(), &source.location, source.size, Some(&columns)).await?;
            while let Some(batch) = stream.batches.try_next().await? {
                let (path, run, kind) = (texts(&batch, "path")?, ints(&batch, "run")?, texts(&batch, "kind")?);
                for row in rows_of(run, dead) {
                    count(PathOwner::Run, path.value(row), kind.value(row));
                }
            }
        }
        if let Some(source) = sources.files.get(&Table::Series) {
            let columns = ["run", "name", "context", "kind"];
            let mut stream = open(self.store(), &source.location, source.size, Some(&columns)).await?;
            while let Some(batch) = stream.batches.try_next().await? {
                let (name, context) = (texts(&batch, "name")?, texts(&batch, "context")?);
                let (run, kind) = (ints(&batch, "run")?, texts(&batch, "kind")?);
                for row in rows_of(run, dead) {
                    count(PathOwner::Series, name.value(row), kind.value(row));
                    for (path, value) in context_attributes(context.value(row))? {
                        count(PathOwner::Context, &path, value.kind());
                    }
                }
            }
        }
        Ok(counts)
    }

    /// Writes the catalogue of paths of a segment; no file when there are no paths.
    pub(crate) async fn write_paths(&self, name: &FileName, entries: &[PathEntry]) -> Result<Option<WrittenFile>> {
        if entries.is_empty() {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(entries.iter().map(|entry| entry.owner.name()))),
            Arc::new(StringArray::from_iter_values(entries.iter().map(|entry| &entry.path))),
            Arc::new(StringArray::from_iter_values(entries.iter().map(|entry| &entry.kind))),
            Arc::new(Int64Array::from_iter_values(entries.iter().map(|entry| entry.count as i64))),
            Arc::new(BooleanArray::from_iter(entries.iter().map(|entry| Some(entry.hot)))),
            Arc::new(StringArray::from_iter(entries.iter().map(|entry| entry.example.as_deref()))),
        ];
        let batch = RecordBatch::try_new(Table::Paths.schema(), columns)?;
        let mut writer = self.writer(Table::Paths, name, batch.schema(), Vec::new())?;
        writer.write(&batch).await?;
        writer.finish().await.map(Some).map_err(|error| self.place().write_error(error))
    }

    /// Starts a file of the lake.
    pub(crate) fn writer(
        &self,
        table: Table,
        name: &FileName,
        schema: arrow::datatypes::SchemaRef,
        metadata: Vec<(String, String)>,
    ) -> Result<TableWriter> {
        TableWriter::new(Arc::clone(self.store()), &self.folder(table), &name.text, table, schema, metadata)
    }
}

impl Sources {
    fn file(&self, table: Table) -> Result<&Source> {
        let segment: SegmentId = self.name.segment;
        self.files
            .get(&table)
            .ok_or_else(|| crate::error::Error::Internal(format!("segment {segment} has no file of `{table}`")))
    }
}

/// The rows of a batch that belong to dead runs.
fn rows_of<'a>(run: &'a Int64Array, dead: &'a HashSet<u32>) -> impl Iterator<Item = usize> + 'a {
    run.values().iter().enumerate().filter_map(|(row, run)| dead.contains(&ordinal_index(*run)).then_some(row))
}
