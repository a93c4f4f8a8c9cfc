//! Which runs the lake has: what an importer asks before it writes.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use super::snapshot::{DataFile, Snapshot};
use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{binaries, ints, open, text_at, texts};
use crate::storage::segment::{Digest, RunKey};

/// A run of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// Which run.
    pub key: RunKey,
    /// Fingerprint of everything that was imported of it.
    pub digest: Digest,
    /// Its ordinal.
    pub run: i64,
}

impl Snapshot {
    /// All runs of this version, segment by segment. Only four columns are read.
    pub fn known_runs(&self) -> BoxStream<'_, Result<KnownRun>> {
        stream::iter(&self.table(Table::Runs).files)
            .then(|file| self.runs_of(file))
            .map_ok(|batches| batches.map(|batch| batch.and_then(|batch| rows(&batch))))
            .try_flatten()
            .map_ok(|rows| stream::iter(rows.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    async fn runs_of(&self, file: &DataFile) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        Ok(open(self.store(), &file.location, file.size, Some(&["run", "hash", "project", "digest"])).await?.batches)
    }

    /// Those runs of `files` that are asked for.
    pub(crate) async fn find_runs(
        &self,
        files: &[DataFile],
        wanted: impl Fn(&RunKey) -> bool,
    ) -> Result<HashMap<RunKey, KnownRun>> {
        let mut found = HashMap::new();
        for file in files {
            let mut batches = self.runs_of(file).await?;
            while let Some(batch) = batches.try_next().await? {
                let runs = rows(&batch)?.into_iter().filter(|run| wanted(&run.key));
                found.extend(runs.map(|run| (run.key.clone(), run)));
            }
        }
        Ok(found)
    }
}

fn rows(batch: &RecordBatch) -> Result<Vec<KnownRun>> {
    let (run, hash, digest) = (ints(batch, "run")?, texts(batch, "hash")?, binaries(batch, "digest")?);
    // Files of older versions have no projects.
    let project = texts(batch, "project").ok();
    (0..batch.num_rows())
        .map(|row| {
            let digest = Digest::try_from(digest.value(row))
                .map_err(|_| Error::Internal("a digest in the lake has another length".to_owned()))?;
            let project = project.and_then(|project| text_at(project, row)).map(str::to_owned);
            Ok(KnownRun { key: RunKey { project, hash: hash.value(row).to_owned() }, digest, run: run.value(row) })
        })
        .collect()
}
