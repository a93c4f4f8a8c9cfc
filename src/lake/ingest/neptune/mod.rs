//! The importer of Neptune's experiments.
//!
//! It reads the Parquet files that neptune-exporter has written, and the neutral JSON lines of experiments. What both
//! become is the same: runs with the id that answers list as their hash and the project beside it, every attribute under
//! its path (`parameters/lr` is `parameters.lr`), every series under its whole path with the empty context.

mod document;
mod draft;
mod neutral;
mod zone;

use std::path::PathBuf;
use std::sync::Arc;

use self::neutral::NeutralLines;
pub use self::zone::SeriesZone;
use super::lines::feed;
use super::session::{Session, begin};
use super::{ImportOptions, ImportReport, Progress};
use crate::catalog::lake::Lake;
use crate::error::Result;

/// Settings of an import.
#[derive(Debug, Clone, Default)]
pub struct NeptuneOptions {
    /// What all imports have.
    pub import: ImportOptions,
    /// The zone of the times of points, which an export of Neptune 2.x has as local times. By default they are UTC.
    pub series_timezone: Option<SeriesZone>,
    /// Give forked runs the points of their parents up to the fork.
    pub inherit_points: bool,
    /// The folder or URL with the exported files, for the hashes of artifacts.
    pub files: Option<String>,
}

/// Imports experiments and commits them as one version of the lake.
pub async fn import_neptune(
    lake: &Lake,
    paths: &[String],
    options: &NeptuneOptions,
    progress: &dyn Fn(Progress),
) -> Result<ImportReport> {
    let files: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let mut session = begin(lake, &options.import, &files, "import neptune").await?;
    session.expect_files(&files)?;
    let fed = feed(&mut session, &files, Arc::new(NeutralLines), progress).await;
    Session::end(session, fed, progress).await
}

#[cfg(test)]
mod tests;
