//! The importer of Neptune's experiments.
//!
//! It reads the Parquet files that neptune-exporter has written, and the neutral JSON lines of experiments. What both
//! become is the same: runs with the id that answers list as their hash and the project beside it, every attribute under
//! its path (`parameters/lr` is `parameters.lr`), every series under its whole path with the empty context.

mod document;
mod draft;
mod export;
mod neutral;
mod view;
mod zone;

use std::path::PathBuf;
use std::sync::Arc;

use self::export::{Listing, Reading, feed_export, list};
use self::neutral::NeutralLines;
pub use self::view::{Export, PathFilter, View};
pub use self::zone::SeriesZone;
use super::lines::feed;
use super::session::{Session, begin};
use super::{ImportOptions, ImportReport, Progress};
use crate::catalog::lake::Lake;
use crate::error::{Error, Result};
use crate::storage::url::Place;

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
///
/// A path is a folder or URL with files of neptune-exporter, one such file (which stands for its run), or a local file of
/// neutral JSON lines, plain or packed. A run whose files have not changed since they were imported is left alone. Nothing
/// is committed when the import fails; with [`ImportOptions::skip_bad`] files and rows that cannot be read do not make it
/// fail. `progress` is called now and then from the task that waits for this future.
pub async fn import_neptune(
    lake: &Lake,
    paths: &[String],
    options: &NeptuneOptions,
    progress: &dyn Fn(Progress),
) -> Result<ImportReport> {
    // The report of what is left out lies beside the first path: inside of a folder it would look like a part of it.
    let sources: Vec<PathBuf> = paths.iter().map(|path| PathBuf::from(path.trim_end_matches('/'))).collect();
    let mut session = begin(lake, &options.import, &sources, "import neptune").await?;
    let fed = feed_all(&mut session, paths, options, progress).await;
    let mut report = Session::end(session, fed, progress).await?;
    if report.added > 0 && !paths.iter().all(|path| is_lines(path)) {
        report.notes.push(NO_STATE.to_owned());
    }
    Ok(report)
}

async fn feed_all(
    session: &mut Session<'_>,
    paths: &[String],
    options: &NeptuneOptions,
    progress: &dyn Fn(Progress),
) -> Result<()> {
    for path in paths {
        if is_lines(path) {
            let files = [PathBuf::from(path)];
            session.expect_files(&files)?;
            feed(session, &files, Arc::new(NeutralLines), progress).await?;
            continue;
        }
        let (reading, listing) = open_export(path, options, PathFilter::all()).await?;
        tell(session, &listing);
        feed_export(session, reading, listing, progress).await?;
    }
    Ok(())
}

/// Whether a path is a local file that is no Parquet.
fn is_lines(path: &str) -> bool {
    let local = std::path::Path::new(path);
    local.is_file() && local.extension().is_none_or(|extension| extension != "parquet")
}

/// Lists an export.
async fn open_export(path: &str, options: &NeptuneOptions, wanted: PathFilter) -> Result<(Reading, Listing)> {
    let source = Place::parse(path)?;
    let listing = list(&source).await?;
    if listing.runs.is_empty() && listing.bad.is_empty() && listing.unfinished == 0 {
        let reason = "there are no files of neptune-exporter here (RUN_part_0.parquet)".to_owned();
        return Err(Error::Data { file: path.to_owned(), row: None, field: None, reason });
    }
    reading_of(path, source, listing, options, wanted)
}

/// How a listed export is read.
fn reading_of(
    path: &str,
    source: Place,
    listing: Listing,
    options: &NeptuneOptions,
    wanted: PathFilter,
) -> Result<(Reading, Listing)> {
    let files = match (&options.files, &listing.files) {
        (Some(files), _) => Some(Place::parse(files)?),
        (None, Some(beside)) => {
            let shown = format!("{}/files", path.trim_end_matches('/'));
            Some(Place::with_store(Arc::clone(source.store()), beside.clone(), &shown)?)
        }
        (None, None) => None,
    };
    let reading = Reading {
        source,
        files,
        zone: options.series_timezone,
        inherit_points: options.inherit_points,
        wanted: Arc::new(wanted),
        footers: Arc::default(),
    };
    Ok((reading, listing))
}

/// What a user should know once: what an export does not have.
const NO_STATE: &str =
    "exports have no state: runs count as idle, in the older dialect as succeeded, or as failed if sys/failed says so";

/// What an import of an export leaves out.
fn tell(session: &mut Session<'_>, listing: &Listing) {
    match listing.unfinished {
        0 => {}
        1 => session.note("1 run without its first part was left out: it was not exported to the end".to_owned()),
        many => session
            .note(format!("{many} runs without their first part were left out: they were not exported to the end")),
    }
}

#[cfg(test)]
mod tests;
