//! An export asked as it is: the attributes that a question names, read into a lake in memory.

use std::collections::BTreeSet;
use std::ops::Bound::{Included, Unbounded};
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;

use super::export::{Listing, Reading, feed_export, list, looks_exported};
use super::{NeptuneOptions, reading_of};
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

/// Which attributes are read. Paths are written as Neptune writes them (`metrics/loss`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFilter {
    all: bool,
    exact: BTreeSet<String>,
    /// In lower case.
    folded: BTreeSet<String>,
    trees: BTreeSet<String>,
}

impl PathFilter {
    /// All attributes.
    pub fn all() -> Self {
        PathFilter { all: true, exact: BTreeSet::new(), folded: BTreeSet::new(), trees: BTreeSet::new() }
    }

    /// No attributes but those that the columns of `runs` are made of.
    pub fn none() -> Self {
        let exact = SYSTEM.iter().map(|path| (*path).to_owned()).collect();
        PathFilter { all: false, exact, ..PathFilter::all() }
    }

    /// Attributes and series with these paths.
    pub fn only(paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut filter = PathFilter::none();
        paths.into_iter().for_each(|path| filter.add(path));
        filter
    }

    /// Adds an attribute or series.
    pub fn add(&mut self, path: impl Into<String>) {
        self.exact.insert(path.into());
    }

    /// Adds attributes and series whose path differs from this one in case at most.
    pub fn add_any_case(&mut self, path: &str) {
        self.folded.insert(fold(path));
    }

    /// Adds an attribute, those below it, and those it would be a part of: for languages that look into values.
    pub fn add_tree(&mut self, path: impl Into<String>) {
        self.trees.insert(path.into());
    }

    /// Adds all attributes.
    pub fn add_all(&mut self) {
        self.all = true;
    }

    /// Whether all that another filter wants is wanted.
    pub fn covers(&self, other: &PathFilter) -> bool {
        let parts = [(&self.exact, &other.exact), (&self.folded, &other.folded), (&self.trees, &other.trees)];
        self.all || (!other.all && parts.iter().all(|(own, other)| own.is_superset(other)))
    }

    /// Whether nothing is left out.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    /// Whether an attribute is read.
    pub(super) fn wants(&self, path: &str) -> bool {
        self.all
            || self.exact.contains(path)
            || (!self.folded.is_empty() && self.folded.contains(&fold(path)))
            || self.trees.iter().any(|tree| is_within(path, tree) || is_within(tree, path))
    }

    /// Whether there may be a wanted path between two paths.
    pub(super) fn may_be_within(&self, least: &str, greatest: &str) -> bool {
        let inside = |path: &str| least <= path && path <= greatest;
        if self.all || self.exact.range::<str, _>((Included(least), Unbounded)).next().is_some_and(|path| inside(path))
        {
            return true;
        }
        // All paths between the two begin alike.
        let same = least.char_indices().zip(greatest.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        let common = least.get(..same.unwrap_or(least.len().min(greatest.len()))).unwrap_or_default();
        let folded = fold(common);
        self.folded.iter().any(|path| path.starts_with(&folded))
            || self.trees.iter().any(|tree| {
                let below = format!("{tree}/");
                below.starts_with(common) || common.starts_with(&below)
            })
    }
}

/// Whether a path is another one or lies below it.
fn is_within(path: &str, group: &str) -> bool {
    path.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Lower case, character by character.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
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
    /// The export at a local path or URL: Parquet files that are named as the exporter names them and have its columns.
    /// `None` if there is something else, or nothing.
    pub async fn find(path: &str, options: &NeptuneOptions) -> Result<Option<Export>> {
        // What cannot be listed is for others to understand, a pattern for example.
        let Ok(place) = Place::parse(path) else { return Ok(None) };
        let Ok(listing) = list(&place).await else { return Ok(None) };
        let Some(run) = listing.runs.first().or(listing.left_out.as_ref()) else { return Ok(None) };
        if !looks_exported(&place, run).await {
            return Ok(None);
        }
        let (reading, listing) = reading_of(path, place, listing, options, PathFilter::all())?;
        Ok(Some(Export { reading, listing, options: options.clone() }))
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

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Export").field(&self.reading.source.shown()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_paths_and_where_they_may_be() {
        let mut filter = PathFilter::only(["metrics/loss"]);
        filter.add_any_case("Parameters/LR");
        filter.add_tree("config/optim");
        for (path, wanted) in [
            ("metrics/loss", true),
            ("metrics/Loss", false),
            ("parameters/lr", true),
            ("PARAMETERS/Lr", true),
            ("config/optim", true),
            ("config/optim/lr", true),
            ("config", true),
            ("config/optimizer", false),
            ("sys/name", true),
            ("sys/owner", false),
        ] {
            assert_eq!(filter.wants(path), wanted, "{path}");
            if wanted {
                assert!(filter.may_be_within(path, path), "{path}");
                assert!(filter.may_be_within("!", "~"), "{path}");
            }
        }
        for (least, greatest, may) in [
            ("metrics/a", "metrics/k", false),
            ("metrics/a", "metrics/m", true),
            ("metrics/m", "metrics/z", false),
            ("parameters/a", "parameters/b", true),
            ("logs/a", "logs/z", false),
            ("config/a", "config/z", true),
            ("config/optim/a", "config/optim/b", true),
            ("config/p/a", "config/p/b", false),
            ("sys/n", "sys/o", true),
        ] {
            assert_eq!(filter.may_be_within(least, greatest), may, "{least} {greatest}");
        }
        assert!(PathFilter::all().covers(&filter) && filter.covers(&PathFilter::none()));
        assert!(!filter.covers(&PathFilter::only(["x"])) && !filter.covers(&PathFilter::all()));
    }
}
