//! The files of neptune-exporter.
//!
//! | stage | in → out | file |
//! |---|---|---|
//! | list | a folder → the parts of every run | `listing` |
//! | fetch | parts → bytes, several files at a time, bounded | `workers` |
//! | open | bytes → the row groups and columns that matter | `part` |
//! | read | record batches → series and attributes | `run`, `columns` |
//! | derive | forks, artifacts, what an export leaves out | `lineage`, `artifact`, `run` |
//!
//! One run is read at a time by each thread, so memory does not depend on the number of runs.

mod artifact;
mod columns;
mod fetch;
mod lineage;
mod listing;
mod part;
mod run;
mod workers;

use std::sync::Arc;

use super::SeriesZone;
use super::view::PathFilter;
use crate::storage::url::Place;

pub(super) use self::fetch::Footers;
pub(super) use self::listing::{Listing, list};
pub(super) use self::workers::feed_export;

/// Whether the first file of a run has the columns of the exporter. What cannot be read is taken for a damaged export.
pub(super) async fn looks_exported(source: &Place, run: &listing::RunFiles) -> bool {
    let Some(part) = run.parts.first() else { return false };
    match Footers::default().get(source.store(), part).await {
        Ok(footer) => part::Opened::new(footer, &PathFilter::none()).is_ok(),
        Err(_) => true,
    }
}

/// How runs are read.
#[derive(Clone)]
pub(super) struct Reading {
    /// Where the parts are.
    pub(super) source: Place,
    /// Where the files are whose hashes are wanted.
    pub(super) files: Option<Place>,
    pub(super) zone: Option<SeriesZone>,
    pub(super) inherit_points: bool,
    /// Which attributes are read.
    pub(super) wanted: Arc<PathFilter>,
    /// The footers of large files, for those who read only pieces of them.
    pub(super) footers: Arc<Footers>,
}

impl Reading {
    /// What of the settings changes the rows, for the fingerprint of a run.
    fn settings(&self) -> String {
        format!(
            "1 {} {} {}",
            self.zone.map(|zone| zone.name()).unwrap_or_default(),
            self.inherit_points,
            self.files.is_some()
        )
    }
}
