//! The catalogue of attribute paths: what there is, in which kinds, how often, and where it is fast.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use object_store::ObjectStore;
use object_store::path::Path;

use crate::error::Result;
use crate::storage::reader::{bools, ints, read_small, text_at, texts};

/// What a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathOwner {
    /// Contexts of sequences.
    Context,
    /// Metadata of files.
    File,
    /// Parameters of runs.
    Run,
    /// The path is the name of a sequence and the kind is that of the sequence.
    Series,
}

impl PathOwner {
    /// The text in the column `owner`.
    pub const fn name(self) -> &'static str {
        match self {
            PathOwner::Context => "context",
            PathOwner::File => "file",
            PathOwner::Run => "run",
            PathOwner::Series => "series",
        }
    }

    /// The owner with this name.
    pub fn from_name(name: &str) -> Option<PathOwner> {
        [PathOwner::Context, PathOwner::File, PathOwner::Run, PathOwner::Series]
            .into_iter()
            .find(|owner| owner.name() == name)
    }
}

/// One path in one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathEntry {
    /// What the path belongs to.
    pub owner: PathOwner,
    /// The text of the path, or the name of a sequence.
    pub path: String,
    /// Attribute kind (`int bigint float text bool null dict list`) or kind of the sequence.
    pub kind: String,
    /// Runs or series that have it.
    pub count: u64,
    /// Whether every segment that has it has typed columns for the path.
    pub hot: bool,
    /// One value, shortened.
    pub example: Option<String>,
}

/// The paths of a version of the lake, sorted by owner, path and kind.
#[derive(Debug, Clone, Default)]
pub struct PathCatalog {
    entries: Vec<PathEntry>,
    /// Paths by their owner and lower case; made when it is first asked for.
    lower: OnceLock<HashMap<(PathOwner, String), Vec<String>>>,
}

impl PathCatalog {
    /// Merges the entries of segments: counts add up, a path is hot where it is hot in every segment that has it.
    pub(crate) fn merge<'a>(segments: impl IntoIterator<Item = &'a [PathEntry]>) -> Self {
        let mut merged: BTreeMap<(PathOwner, &str, &str), PathEntry> = BTreeMap::new();
        for entry in segments.into_iter().flatten() {
            let key = (entry.owner, entry.path.as_str(), entry.kind.as_str());
            match merged.get_mut(&key) {
                None => drop(merged.insert(key, entry.clone())),
                Some(known) => {
                    known.count += entry.count;
                    known.hot &= entry.hot;
                    if known.example.is_none() {
                        known.example.clone_from(&entry.example);
                    }
                }
            }
        }
        PathCatalog { entries: merged.into_values().collect(), lower: OnceLock::new() }
    }

    /// All entries.
    pub fn entries(&self) -> &[PathEntry] {
        &self.entries
    }

    /// The entries of one owner.
    pub fn owned(&self, owner: PathOwner) -> &[PathEntry] {
        let start = self.entries.partition_point(|entry| entry.owner < owner);
        let end = self.entries.partition_point(|entry| entry.owner <= owner);
        self.entries.get(start..end).unwrap_or_default()
    }

    /// The entries of one path, one for each kind. Empty when nothing has the path.
    pub fn get(&self, owner: PathOwner, path: &str) -> &[PathEntry] {
        let owned = self.owned(owner);
        let start = owned.partition_point(|entry| entry.path.as_str() < path);
        let end = owned.partition_point(|entry| entry.path.as_str() <= path);
        owned.get(start..end).unwrap_or_default()
    }

    /// Whether typed columns alone say everything about the path: each live segment that has it has its columns.
    pub fn is_hot(&self, owner: PathOwner, path: &str) -> bool {
        let entries = self.get(owner, path);
        !entries.is_empty() && entries.iter().all(|entry| entry.hot)
    }

    /// The entries below a path: `optim` has `optim.lr` and `optim[1]`.
    pub fn below<'a>(&'a self, owner: PathOwner, path: &'a str) -> impl Iterator<Item = &'a PathEntry> {
        let owned = self.owned(owner);
        let start = owned.partition_point(|entry| entry.path.as_str() < path);
        owned
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |entry| entry.path.starts_with(path))
            .filter(move |entry| entry.path.get(path.len()..).is_some_and(|rest| rest.starts_with(['.', '['])))
    }

    /// The distinct paths of one owner in byte order.
    pub fn names(&self, owner: PathOwner) -> impl Iterator<Item = &str> {
        let mut last = None;
        self.owned(owner).iter().filter_map(move |entry| {
            let path = entry.path.as_str();
            (last.replace(path) != Some(path)).then_some(path)
        })
    }

    /// The paths of one owner that differ from `lower` in case only, in byte order. `lower` is in lower case, character by
    /// character.
    pub fn spellings(&self, owner: PathOwner, lower: &str) -> &[String] {
        let known = self.lower.get_or_init(|| {
            let mut known: HashMap<(PathOwner, String), Vec<String>> = HashMap::new();
            for entry in &self.entries {
                let paths = known.entry((entry.owner, lower_case(&entry.path))).or_default();
                // The kinds of one path stand together.
                if paths.last() != Some(&entry.path) {
                    paths.push(entry.path.clone());
                }
            }
            known
        });
        known.get(&(owner, lower.to_owned())).map(Vec::as_slice).unwrap_or_default()
    }

    /// The entries of one owner whose path is wanted.
    pub fn matching<'a>(
        &'a self,
        owner: PathOwner,
        mut wanted: impl FnMut(&str) -> bool + 'a,
    ) -> impl Iterator<Item = &'a PathEntry> {
        self.owned(owner).iter().filter(move |entry| wanted(&entry.path))
    }
}

fn lower_case(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().flat_map(char::to_lowercase).collect() }
}

/// At most this many paths have typed columns in a segment.
const MAX_HOT_PATHS: usize = 200;

/// Longest path that gets a typed column, in bytes: the name of the column stands in every version's schema and footer.
pub(crate) const LONGEST_HOT_PATH: usize = 256;

/// A path is frequent when one owner of this many has it.
const FREQUENT: u64 = 20;

/// The paths among `entries` (of one kind of owner, sorted by path) that get typed columns when there are `owners` of
/// them. Paths for which `known` is true come first, then the most frequent.
pub(crate) fn choose_hot(entries: &[PathEntry], owners: u64, known: impl Fn(&str) -> bool) -> HashSet<String> {
    let mut counts: Vec<(bool, u64, &str)> = entries
        .chunk_by(|a, b| a.path == b.path)
        .filter_map(|kinds| {
            let path = kinds.first()?.path.as_str();
            let count = kinds.iter().map(|entry| entry.count).sum();
            Some((known(path), count, path))
        })
        .filter(|(_, count, path)| *count > 0 && count * FREQUENT >= owners && path.len() <= LONGEST_HOT_PATH)
        .collect();
    counts.sort_unstable_by_key(|(known, count, path)| (!known, std::cmp::Reverse(*count), *path));
    counts.into_iter().take(MAX_HOT_PATHS).map(|(_, _, path)| path.to_owned()).collect()
}

/// Reads the `paths` file of a segment.
pub(crate) async fn read_entries(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Vec<PathEntry>> {
    let mut entries = Vec::new();
    for batch in read_small(store, path).await? {
        let (owner, path, kind) = (texts(&batch, "owner")?, texts(&batch, "path")?, texts(&batch, "kind")?);
        let (count, hot, example) = (ints(&batch, "count")?, bools(&batch, "hot")?, texts(&batch, "example")?);
        for row in 0..batch.num_rows() {
            // An owner that this version does not know does not matter to it.
            let Some(owner) = PathOwner::from_name(owner.value(row)) else { continue };
            entries.push(PathEntry {
                owner,
                path: path.value(row).to_owned(),
                kind: kind.value(row).to_owned(),
                count: u64::try_from(count.value(row)).unwrap_or_default(),
                hot: hot.value(row),
                example: text_at(example, row).map(str::to_owned),
            });
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(owner: PathOwner, path: &str, kind: &str, count: u64, hot: bool) -> PathEntry {
        PathEntry { owner, path: path.into(), kind: kind.into(), count, hot, example: None }
    }

    #[test]
    fn segments_are_merged() {
        let first = [
            entry(PathOwner::Run, "lr", "float", 3, true),
            entry(PathOwner::Run, "optim", "dict", 3, false),
            entry(PathOwner::Run, "optim.lr", "float", 3, true),
            entry(PathOwner::Series, "loss", "metric", 7, false),
        ];
        let second = [entry(PathOwner::Run, "lr", "float", 2, true), entry(PathOwner::Run, "lr", "int", 1, false)];
        let catalog = PathCatalog::merge([&first[..], &second[..]]);
        assert_eq!(catalog.get(PathOwner::Run, "lr").iter().map(|it| it.count).collect::<Vec<_>>(), [5, 1]);
        assert!(!catalog.is_hot(PathOwner::Run, "lr"));
        assert!(catalog.is_hot(PathOwner::Run, "optim.lr"));
        assert!(!catalog.is_hot(PathOwner::Run, "missing"));
        assert_eq!(catalog.names(PathOwner::Run).collect::<Vec<_>>(), ["lr", "optim", "optim.lr"]);
        assert_eq!(catalog.below(PathOwner::Run, "optim").count(), 1);
        assert_eq!(catalog.matching(PathOwner::Series, |name| name.contains("os")).count(), 1);
        assert!(catalog.get(PathOwner::Context, "lr").is_empty());
    }

    #[test]
    fn paths_are_found_whatever_their_case() {
        let entries = [
            entry(PathOwner::Run, "Größe", "int", 1, true),
            entry(PathOwner::Run, "GRÖSSE", "int", 1, true),
            entry(PathOwner::Run, "LR", "float", 1, true),
            entry(PathOwner::Run, "LR", "int", 1, true),
            entry(PathOwner::Run, "lr", "float", 1, true),
            entry(PathOwner::Series, "Lr", "metric", 1, true),
        ];
        let catalog = PathCatalog::merge([&entries[..]]);
        assert_eq!(catalog.spellings(PathOwner::Run, "lr"), ["LR", "lr"]);
        assert_eq!(catalog.spellings(PathOwner::Run, "grösse"), ["GRÖSSE"]);
        assert_eq!(catalog.spellings(PathOwner::Series, "lr"), ["Lr"]);
        assert!(catalog.spellings(PathOwner::Series, "LR").is_empty());
    }
}
