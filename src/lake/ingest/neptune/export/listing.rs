//! A folder of exports: which runs are in it, and which files each of them has.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use object_store::path::Path;

use crate::error::{Error, Result};
use crate::ingest::BadRow;
use crate::storage::url::Place;

/// One file of a run.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(super) location: Path,
    pub(super) size: u64,
}

/// The files of one run, in their order.
#[derive(Debug, Clone)]
pub(crate) struct RunFiles {
    pub(super) parts: Vec<Part>,
    /// The name of the project's folder, under which its files are, too.
    pub(super) project_folder: String,
    /// The name of the run in file names, without the digits behind it.
    pub(super) safe_name: String,
    /// What the exporter keeps apart from runs: `models` and `model_versions`.
    pub(super) registry: Option<&'static str>,
}

/// What is in a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    pub(crate) runs: Vec<RunFiles>,
    /// Files that should not be there, and runs that lack a part.
    pub(crate) bad: Vec<BadRow>,
    /// Runs without their first part, which the exporter writes last.
    pub(crate) unfinished: u64,
    /// Bytes of all parts.
    pub(crate) bytes: u64,
    /// The files of a run that lacks a part: they, too, show that this is an export.
    pub(crate) left_out: Option<RunFiles>,
    /// Whether the folder has the exported files beside the data, and where.
    pub(crate) files: Option<Path>,
}

/// The folders of the model registry.
const REGISTRY: [&str; 2] = ["models", "model_versions"];

/// Lists a folder, or the run that one file belongs to.
pub(crate) async fn list(place: &Place) -> Result<Listing> {
    let mut folder = place.prefix().clone();
    let mut only = None;
    if let Some(name) = folder.filename().filter(|name| name.ends_with(".parquet")).map(str::to_owned) {
        let Some((prefix, _)) = part_of(&name) else { return Ok(foreign(place, &folder)) };
        only = Some(prefix.to_owned());
        folder = parent(&folder);
    }
    let mut objects = Vec::new();
    let mut listed = place.store().list(Some(&folder));
    while let Some(object) = listed.try_next().await.map_err(|error| unreadable(place, error))? {
        let Some(relative) = object.location.prefix_match(&folder) else { continue };
        let relative: Vec<String> = relative.map(|part| part.as_ref().to_owned()).collect();
        objects.push((relative, object.location, object.size));
    }
    drop(listed);
    objects.sort_by(|a, b| a.1.cmp(&b.1));
    // The exporter's own folder: data and files lie side by side, and among the files may be any Parquet.
    let tops: BTreeSet<&str> = objects
        .iter()
        .filter(|(path, ..)| path.len() > 1)
        .filter_map(|(path, ..)| Some(path.first()?.as_str()))
        .collect();
    let both = tops.contains("data") && tops.contains("files");
    let mut listing = Listing { files: both.then(|| folder.clone().join("files")), ..Listing::default() };
    let mut found: BTreeMap<(Path, String), BTreeMap<u32, Part>> = BTreeMap::new();
    for (relative, location, size) in &objects {
        let Some(name) = relative.last().filter(|name| name.ends_with(".parquet")) else { continue };
        if both && relative.first().is_some_and(|top| top == "files") {
            continue;
        }
        match part_of(name) {
            Some((prefix, number)) if only.as_ref().is_none_or(|only| only == prefix && relative.len() == 1) => {
                let part = Part { location: location.clone(), size: *size };
                found.entry((parent(location), prefix.to_owned())).or_default().insert(number, part);
            }
            Some(_) => {}
            None if only.is_some() => {}
            None => listing.bad.extend(foreign(place, location).bad),
        }
    }
    for ((folder, prefix), parts) in found {
        listing.add(place, &folder, &prefix, parts);
    }
    Ok(listing)
}

impl Listing {
    fn add(&mut self, place: &Place, folder: &Path, prefix: &str, parts: BTreeMap<u32, Part>) {
        let name = |path: &Path| path.filename().unwrap_or_default().to_owned();
        let registry = REGISTRY.into_iter().find(|registry| name(folder) == *registry);
        let project_folder = if registry.is_some() { name(&parent(folder)) } else { name(folder) };
        let safe_name = prefix.rsplit_once('-').map_or(prefix, |(name, _)| name).to_owned();
        let missing = (0..).zip(parts.keys()).find_map(|(wanted, number)| (wanted != *number).then_some(wanted));
        let last = parts.keys().last().copied().unwrap_or_default();
        let parts: Vec<Part> = parts.into_values().collect();
        let bytes = parts.iter().map(|part| part.size).sum::<u64>();
        let run = RunFiles { parts, project_folder, safe_name, registry };
        match missing {
            None => {
                self.bytes += bytes;
                self.runs.push(run);
                return;
            }
            Some(0) => self.unfinished += 1,
            Some(missing) => {
                let file = folder.clone().join(format!("{prefix}_part_{missing}.parquet"));
                let reason = format!("the file is missing: the run has parts up to {last}");
                self.bad.push(BadRow { file: show(place, &file), place: None, field: None, reason });
            }
        }
        self.left_out.get_or_insert(run);
    }
}

impl RunFiles {
    /// The project that the runs of these files belong to: models and their versions are kept apart from runs.
    pub(super) fn project(&self, project: &str) -> String {
        match self.registry {
            None => project.to_owned(),
            Some(registry) => format!("{project}/{registry}"),
        }
    }
}

fn parent(path: &Path) -> Path {
    let parts: Vec<_> = path.parts().collect();
    Path::from_iter(parts.into_iter().rev().skip(1).collect::<Vec<_>>().into_iter().rev())
}

/// The run and the number of a part: `SAN-1-9f64a122e3f44eb4_part_0.parquet`.
fn part_of(name: &str) -> Option<(&str, u32)> {
    let (prefix, number) = name.strip_suffix(".parquet")?.rsplit_once("_part_")?;
    // One number has one name: `_part_01` is no part.
    let parsed: u32 = number.parse().ok()?;
    (parsed.to_string() == number && !prefix.is_empty()).then_some((prefix, parsed))
}

fn foreign(place: &Place, location: &Path) -> Listing {
    let reason = "not a file of neptune-exporter: its names are like RUN_part_0.parquet".to_owned();
    let bad = BadRow { file: show(place, location), place: None, field: None, reason };
    Listing { bad: vec![bad], ..Listing::default() }
}

fn unreadable(place: &Place, error: object_store::Error) -> Error {
    Error::io(format!("the folder {} cannot be read", place.shown()), error)
}

/// A file as the user would name it.
pub(super) fn show(place: &Place, location: &Path) -> String {
    let base = place.shown().trim_end_matches('/');
    match location.prefix_match(place.prefix()) {
        Some(relative) => relative.fold(base.to_owned(), |shown, part| format!("{shown}/{}", part.as_ref())),
        // A sibling of the one file that was named.
        None => match base.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{}", location.filename().unwrap_or_default()),
            None => location.filename().unwrap_or_default().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::{ObjectStore, ObjectStoreExt};

    use super::*;

    async fn listing(prefix: &str, files: &[&str]) -> Listing {
        let store = Arc::new(InMemory::new());
        for file in files {
            store.put(&Path::from(*file), "x".into()).await.unwrap();
        }
        let store: Arc<dyn ObjectStore> = store;
        list(&Place::with_store(store, Path::from(prefix), "in").unwrap()).await.unwrap()
    }

    fn parts(run: &RunFiles) -> Vec<&str> {
        run.parts.iter().map(|part| part.location.filename().unwrap()).collect()
    }

    #[tokio::test]
    async fn parts_are_in_the_order_of_numbers() {
        let mut files: Vec<String> = (0..12).map(|number| format!("d/p-1/R-1-aa_part_{number}.parquet")).collect();
        files.push("d/p-1/R-2-bb_part_1.parquet".to_owned());
        files.push("d/p-1/R-2-bb_part_0.parquet.tmp".to_owned());
        files.push("d/errors.jsonl".to_owned());
        let found = listing("d", &files.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!((found.runs.len(), found.unfinished, found.bad.len(), found.bytes), (1, 1, 0, 12));
        assert_eq!(parts(&found.left_out.unwrap()), ["R-2-bb_part_1.parquet"]);
        assert_eq!(
            parts(&found.runs[0])[9..],
            ["R-1-aa_part_9.parquet", "R-1-aa_part_10.parquet", "R-1-aa_part_11.parquet"]
        );
        assert_eq!((found.runs[0].project_folder.as_str(), found.runs[0].safe_name.as_str()), ("p-1", "R-1"));
    }

    #[tokio::test]
    async fn what_does_not_belong_is_named() {
        let found =
            listing("d", &["d/p/a_part_0.parquet", "d/p/a_part_2.parquet", "d/p/b.parquet", "d/c_part_01.parquet"])
                .await;
        assert!(found.runs.is_empty());
        let bad: Vec<String> = found.bad.iter().map(|bad| format!("{}: {}", bad.file, bad.reason)).collect();
        assert!(bad[0].starts_with("in/c_part_01.parquet: not a file of neptune-exporter"), "{bad:?}");
        assert!(bad[1].starts_with("in/p/b.parquet: not a file of neptune-exporter"), "{bad:?}");
        assert_eq!(bad[2], "in/p/a_part_1.parquet: the file is missing: the run has parts up to 2");
    }

    #[tokio::test]
    async fn the_exporters_own_folder_and_its_registry() {
        let files = ["e/data/p/a-1_part_0.parquet", "e/files/p/a/table.parquet", "e/data/p/models/M-1_part_0.parquet"];
        let found = listing("e", &files).await;
        assert_eq!((found.runs.len(), found.bad.len()), (2, 0));
        assert_eq!(found.files, Some(Path::from("e/files")));
        let registry = found.runs.iter().find(|run| run.registry.is_some()).unwrap();
        assert_eq!((registry.project_folder.as_str(), registry.project("w/p")), ("p", "w/p/models".to_owned()));
        let one = listing("e/data/p/a-1_part_0.parquet", &files).await;
        assert_eq!((one.runs.len(), one.bad.len()), (1, 0));
    }
}
