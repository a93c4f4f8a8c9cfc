//! The importer of Aim's runs: one JSON object a line, one line a run.
//!
//! The stages, each in a file of its own:
//!
//! | stage | in → out | file |
//! |---|---|---|
//! | read | files → blocks of whole lines | `ingest::lines` |
//! | parse | lines → columns of a block | `run`, `sequence`, `flatten`, `context` over `ingest::lines::json` |
//! | collect | blocks → chunks, runs that come twice sorted out | `ingest::session` |
//! | write | chunk → segment | `ingest::segment` |
//! | commit | segments → a version of the lake | `ingest::session` |
//!
//! A run whose line is in the lake already, byte for byte, is skipped; one that has changed is replaced. When a run
//! comes several times in one import, the last line counts, as it would if the lines were imported one by one.

pub(crate) mod context;
pub(crate) mod flatten;
mod run;
pub(crate) mod sequence;

#[cfg(test)]
mod tests;

pub use context::canonical_context;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::block::Block;
use super::fault::Read;
use super::lines::{LineFormat, feed};
use super::session::{Session, begin};
use super::{ImportOptions, ImportReport, Progress};
use crate::catalog::lake::Lake;
use crate::error::Result;
use crate::storage::segment::{Digest, RunKey};

/// Imports the runs in `files`, read in their order, and commits them as one version of the lake.
///
/// Files are run JSONL, plain or packed by gzip or zstd. Nothing is committed when the import fails; with
/// [`ImportOptions::skip_bad`] lines that cannot be imported do not make it fail. `progress` is called now and then
/// from the task that waits for this future.
pub async fn import_aim(
    lake: &Lake,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &dyn Fn(Progress),
) -> Result<ImportReport> {
    let mut session = begin(lake, options, files, "import aim").await?;
    session.expect_files(files)?;
    let fed = feed(&mut session, files, Arc::new(RunLines), progress).await;
    Session::end(session, fed, progress).await
}

/// Lines of the run export.
struct RunLines;

impl LineFormat for RunLines {
    fn peek(&self, line: &str) -> Read<Option<RunKey>> {
        Ok(run::peek_hash(line)?.map(RunKey::of_hash))
    }

    fn read(&self, line: &str, digest: Digest, block: &mut Block, unknown: &mut BTreeSet<String>) -> Read<()> {
        run::read_run(line, digest, block, unknown)
    }
}
