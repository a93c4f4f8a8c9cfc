//! An export asked as it is: the attributes that a question names, read into a lake in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;

use super::export::{Listing, Reading, feed_export, list};
use super::{NeptuneOptions, open_export};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::snapshot::Snapshot;
use crate::error::Result;
use crate::ingest::session::{Session, begin};
use crate::storage::url::Place;

/// What the columns of `runs` are filled from; these attributes are always read.
const SYSTEM: [&str; 13] = [
    "sys/archived",
    "sys/creation_time",
    "sys/description",
    // Whether the state of a run is failed, and where its points come from.
    "sys/failed",
    "sys/forking/parent",
    "sys/forking/step",
    "sys/modification_time",
    "sys/name",
    "sys/ping_time",
    "sys/running_time",
    "sys/running_time_seconds",
    "sys/tags",
    "sys/trashed",
];

/// Which attributes are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathFilter {
    /// The paths as Neptune writes them (`metrics/loss`); `None` for all.
    only: Option<BTreeSet<String>>,
}

impl PathFilter {
    /// All attributes.
    pub fn all() -> Self {
        PathFilter::default()
    }

    /// Attributes and series with these paths, as Neptune writes them, and what the columns of `runs` are made of.
    pub fn only(paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let paths = paths.into_iter().map(Into::into);
        PathFilter { only: Some(paths.chain(SYSTEM.map(str::to_owned)).collect()) }
    }

    /// Whether nothing is left out.
    pub(super) fn is_all(&self) -> bool {
        self.only.is_none()
    }

    /// Whether an attribute is read.
    pub(super) fn wants(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(path))
    }

    /// Whether there may be a wanted path between two paths.
    pub(super) fn may_be_within(&self, least: &str, greatest: &str) -> bool {
        self.only.as_ref().is_none_or(|only| {
            least <= greatest
                && only
                    .range::<str, _>((std::ops::Bound::Included(least), std::ops::Bound::Included(greatest)))
                    .next()
                    .is_some()
        })
    }
}

/// An export that is asked without being imported.
///
/// The folder is listed once, when it is opened; footers of large files are kept for the next question.
pub struct Export {
    reading: Reading,
    listing: Listing,
    options: NeptuneOptions,
}

/// The answerable part of an export.
#[derive(Debug, Clone)]
pub struct View {
    /// A lake in memory with the wanted attributes and series of all runs.
    pub snapshot: Arc<Snapshot>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Bytes read of the files.
    pub bytes_read: u64,
}

impl Export {
    /// Whether there is an export at a local path or URL: Parquet files that are named as the exporter names them.
    pub async fn is_at(path: &str) -> bool {
        let Ok(place) = Place::parse(path) else { return false };
        list(&place).await.is_ok_and(|listing| !listing.runs.is_empty())
    }

    /// Opens the export at a local path or URL.
    ///
    /// # Errors
    /// There is none.
    pub async fn open(path: &str, options: &NeptuneOptions) -> Result<Export> {
        let (reading, listing) = open_export(path, options, PathFilter::all()).await?;
        Ok(Export { reading, listing, options: options.clone() })
    }

    /// Reads the wanted attributes of all runs. Of small files that takes one request each, many at a time; of large ones
    /// only the row groups and columns that can have wanted attributes are fetched. The answers are those of an import,
    /// as far as only wanted paths are asked for.
    ///
    /// # Errors
    /// A file is damaged or foreign, unless bad files are to be skipped.
    pub async fn view(&self, wanted: &PathFilter) -> Result<View> {
        let lake = Lake::with_store(Arc::new(InMemory::new()), Path::from("view")).await?;
        let reading = Reading { wanted: Arc::new(wanted.clone()), ..self.reading.clone() };
        let mut session = begin(&lake, &self.options.import, &[], "view").await?;
        super::tell(&mut session, &self.listing);
        let fed = feed_export(&mut session, reading, self.listing.clone(), &|_| {}).await;
        let report = Session::end(session, fed, &|_| {}).await?;
        let snapshot = lake.snapshot(AsOf::Latest).await?;
        Ok(View { snapshot, notes: report.notes, bytes_read: report.bytes_read })
    }
}
