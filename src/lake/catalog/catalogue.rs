//! How an import into the file catalogue becomes visible: all at once, exactly once.
//!
//! Rows of `file_attributes`, `members` and `provenance` are committed first; they count once `files` has their segment.
//! `files` is committed next, on top of exactly the version that was looked at, so that two imports never bring in the
//! same file twice. A last commit of `runs` names the new versions, and that is when readers see them. Should the last
//! one fail, what was committed appears with the next import, whole.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use deltalake_core::table::state::DeltaTableState;
use futures::TryStreamExt;
use serde_json::{Map, Value};

use super::commit::later;
use super::lake::Lake;
use super::log::{Change, NewFile, Pins, RemovedFile};
use super::snapshot::{DataFile, files};
use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{binaries, ints, open, texts};
use crate::storage::segment::{Digest, FileName, SegmentId, ordinal_index};
use crate::storage::writer::WrittenFile;

/// How often a commit is tried before the writer gives up.
const ATTEMPTS: u32 = 50;

/// A file that the catalogue has.
#[derive(Debug, Clone)]
pub(crate) struct KnownFile {
    pub(crate) fid: String,
    pub(crate) did: String,
    pub(crate) file: i64,
    pub(crate) digest: Digest,
}

/// The stored bytes of a fingerprint, filled up.
fn fingerprint(bytes: &[u8]) -> Digest {
    let mut digest = Digest::default();
    digest.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    digest
}

/// The newest committed state of `files`, whether readers see it already or not.
pub(crate) struct FilesHead {
    state: DeltaTableState,
    pub(crate) live: Vec<DataFile>,
}

impl FilesHead {
    /// Its version.
    pub(crate) fn version(&self) -> u64 {
        self.state.version()
    }
}

impl Lake {
    /// Creates the tables of the file catalogue that are not there.
    pub(crate) async fn ensure_catalogue(&self) -> Result<()> {
        for table in Table::CATALOGUE {
            self.log(table)?.create().await?;
        }
        Ok(())
    }

    /// Looks at `files` as it is now.
    pub(crate) async fn files_head(&self) -> Result<FilesHead> {
        let state = self.log(Table::Files)?.load(None).await?;
        let live = files(self.place(), Table::Files, &state, None)?;
        Ok(FilesHead { state, live })
    }

    /// All files of the catalogue.
    pub(crate) async fn known_files(&self, head: &FilesHead) -> Result<Vec<KnownFile>> {
        let mut known = vec![];
        let columns = ["file", "fid", "namespace", "name", "digest"];
        for file in &head.live {
            let mut stream = open(self.store(), &file.location, file.size, Some(&columns)).await?;
            while let Some(batch) = stream.batches.try_next().await? {
                let (fid, namespace) = (texts(&batch, "fid")?, texts(&batch, "namespace")?);
                let (name, file) = (texts(&batch, "name")?, ints(&batch, "file")?);
                let digest = binaries(&batch, "digest")?;
                for row in 0..batch.num_rows() {
                    known.push(KnownFile {
                        fid: fid.value(row).to_owned(),
                        did: format!("{}:{}", namespace.value(row), name.value(row)),
                        file: file.value(row),
                        digest: fingerprint(digest.value(row)),
                    });
                }
            }
        }
        Ok(known)
    }

    /// Appends new files to a table of the catalogue. Returns its version.
    pub(crate) async fn append_catalogue(&self, table: Table, add: Vec<WrittenFile>) -> Result<Option<(Table, u64)>> {
        if add.is_empty() {
            return Ok(None);
        }
        let log = self.log(table)?;
        let state = log.load(None).await?;
        let add = add.into_iter().map(|file| NewFile { file, dead: vec![] }).collect();
        let version = log.append(&state, Change { add, ..Change::default() }).await?;
        log.checkpoint(version).await;
        Ok(Some((table, version)))
    }

    /// Commits `files`: new segments come in, files (by ordinals) go out. Nothing is done and `None` returned if others
    /// have written since `head`.
    pub(crate) async fn commit_files(
        &self,
        head: &FilesHead,
        new: &[WrittenFile],
        dead: &BTreeMap<SegmentId, HashSet<u32>>,
    ) -> Result<Option<u64>> {
        let mut change = Change::default();
        for file in new {
            let name = FileName::parse(&file.name).ok_or_else(|| Error::Internal(format!("a file {}", file.name)))?;
            match dead.get(&name.segment) {
                None => change.add.push(NewFile { file: file.clone(), dead: vec![] }),
                Some(dead) if dead.len() as u64 >= file.rows => {}
                Some(dead) => {
                    let location = self.folder(Table::Files).join(file.name.as_str());
                    let file = self.without_files(&name, &location, file.size, dead).await?;
                    change.add.push(NewFile { file, dead: vec![] });
                }
            }
        }
        for file in &head.live {
            let Some(dead) = dead.get(&file.segment()) else { continue };
            change.remove.push(RemovedFile { name: file.name.text.clone(), size: file.size });
            if (dead.len() as u64) < file.rows {
                let file = self.without_files(&file.name, &file.location, file.size, dead).await?;
                change.add.push(NewFile { file, dead: vec![] });
            }
        }
        let log = self.log(Table::Files)?;
        match log.commit(&head.state, change, false).await {
            Ok(version) => {
                log.checkpoint(version).await;
                Ok(Some(version))
            }
            Err(Error::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A copy of a file of `files` without some of its rows.
    async fn without_files(
        &self,
        name: &FileName,
        location: &object_store::path::Path,
        size: u64,
        dead: &HashSet<u32>,
    ) -> Result<WrittenFile> {
        let mut stream = open(self.store(), location, size, None).await?;
        let name = FileName::new(name.segment, name.generation + 1);
        let mut writer = self.writer(Table::Files, &name, Arc::clone(&stream.schema), vec![])?;
        while let Some(batch) = stream.batches.try_next().await? {
            let files = ints(&batch, "file")?;
            let keep: BooleanArray =
                files.values().iter().map(|file| Some(!dead.contains(&ordinal_index(*file)))).collect();
            writer.write(&filter_record_batch(&batch, &keep)?).await?;
        }
        writer.finish().await.map_err(|error| self.place().write_error(error))
    }

    /// Replaces a small table: `merge` makes the new rows (in the order of the table) out of those that it has.
    pub(crate) async fn replace_table(
        &self,
        table: Table,
        merge: impl Fn(Vec<RecordBatch>) -> Result<RecordBatch>,
    ) -> Result<(Table, u64)> {
        let log = self.log(table)?;
        for _ in 0..ATTEMPTS {
            let state = log.load(None).await?;
            let mut rows = vec![];
            let mut change = Change::default();
            for file in files(self.place(), table, &state, None)? {
                let mut stream = open(self.store(), &file.location, file.size, None).await?;
                while let Some(batch) = stream.batches.try_next().await? {
                    rows.push(batch);
                }
                change.remove.push(RemovedFile { name: file.name.text, size: file.size });
            }
            let batch = merge(rows)?;
            let name = FileName::new(self.claim_segment().await?, 0);
            let mut writer = self.writer(table, &name, batch.schema(), vec![])?;
            writer.write(&batch).await?;
            let file = writer.finish().await.map_err(|error| self.place().write_error(error))?;
            change.add.push(NewFile { file, dead: vec![] });
            match log.commit(&state, change, false).await {
                Ok(version) => {
                    log.checkpoint(version).await;
                    return Ok((table, version));
                }
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict { attempts: ATTEMPTS })
    }

    /// The commit that lets readers see the versions `own` of the catalogue's tables.
    pub(crate) async fn publish(&self, own: &Pins, info: &Map<String, Value>) -> Result<u64> {
        for _ in 0..ATTEMPTS {
            let loaded = self.loaded().await?;
            let mut pins = later(&loaded.pins, own);
            for table in Table::CATALOGUE {
                // A table that was never written to is at its creation.
                pins.entry(table).or_default();
            }
            let change = Change { pins: Some(pins), info: info.clone(), ..Change::default() };
            match self.commit_runs(&loaded, change).await {
                Ok(version) => return Ok(version),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict { attempts: ATTEMPTS })
    }
}
