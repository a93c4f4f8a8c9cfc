//! Which runs the lake has: what an importer asks before it writes.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use super::snapshot::{DataFile, Snapshot};
use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{binaries, ints, open, texts};
use crate::storage::segment::Digest;

/// A run of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// The run's hash.
    pub hash: String,
    /// Fingerprint of everything that was imported of it.
    pub digest: Digest,
    /// Its ordinal.
    pub run: i64,
}

impl Snapshot {
    /// All runs of this version, segment by segment. Only three columns are read.
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
        Ok(open(self.store(), &file.location, file.size, Some(&["run", "hash", "digest"])).await?.batches)
    }

    /// Those runs of `files` that are asked for by hash.
    pub(crate) async fn find_runs(
        &self,
        files: &[DataFile],
        wanted: impl Fn(&str) -> bool,
    ) -> Result<HashMap<String, KnownRun>> {
        let mut found = HashMap::new();
        for file in files {
            let mut batches = self.runs_of(file).await?;
            while let Some(batch) = batches.try_next().await? {
                let runs = rows(&batch)?.into_iter().filter(|run| wanted(&run.hash));
                found.extend(runs.map(|run| (run.hash.clone(), run)));
            }
        }
        Ok(found)
    }
}

fn rows(batch: &RecordBatch) -> Result<Vec<KnownRun>> {
    let (run, hash, digest) = (ints(batch, "run")?, texts(batch, "hash")?, binaries(batch, "digest")?);
    (0..batch.num_rows())
        .map(|row| {
            let digest = Digest::try_from(digest.value(row))
                .map_err(|_| Error::Internal("a digest in the lake has another length".to_owned()))?;
            Ok(KnownRun { hash: hash.value(row).to_owned(), digest, run: run.value(row) })
        })
        .collect()
}
