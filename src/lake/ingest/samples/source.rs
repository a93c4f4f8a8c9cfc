//! Which data sets and files there are.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::schema::{Discovery, SampleSchema};
use super::{fault, json, parquet, tar};
use crate::error::{Error, Result};
use crate::storage::anywhere::{is_url, list, local, size};

/// Lines of each file that are looked at to find properties.
const LOOKED_AT: u64 = 1_000;

/// Files that are looked at to find properties.
const FILES_LOOKED_AT: usize = 20;

/// What an import reads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleSource {
    /// Collections with their data sets, in the order in which they get their numbers.
    pub(super) collections: Vec<(String, Vec<DatasetSource>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct DatasetSource {
    pub(super) name: String,
    /// The number it is to have.
    pub(super) id: Option<u32>,
    pub(super) location: PathBuf,
    pub(super) schema: SampleSchema,
    /// In the order in which they get their numbers.
    pub(super) files: Vec<FileSource>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct FileSource {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) id: Option<u32>,
    /// How many samples there must be.
    pub(super) rows: Option<u64>,
}

#[derive(Deserialize)]
struct WrittenDataset {
    name: String,
    dir: String,
    #[serde(default)]
    dataset_id: Option<u32>,
    files: Vec<WrittenFile>,
    #[serde(default)]
    properties: Option<Value>,
}

#[derive(Deserialize)]
struct WrittenFile {
    file: String,
    #[serde(default)]
    file_id: Option<u32>,
    #[serde(default)]
    rows: Option<u64>,
}

/// A catalogue of collections. Folders in it are relative to its own; properties are in the member `meta` of a line.
///
/// # Errors
/// It cannot be read, or something in it is wrong.
pub fn source_of_catalog(path: &Path) -> Result<SampleSource> {
    let name = path.display().to_string();
    let wrong = |field: &str, reason: String| fault(&name, None, Some(field), reason);
    let text = std::fs::read_to_string(path)
        .map_err(|error| fault(&name, None, None, format!("the file cannot be read: {error}")))?;
    let root: serde_json::Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| fault(&name, None, None, format!("not a catalogue of collections: {error}")))?;
    let base = path.parent().unwrap_or(Path::new(""));
    let mut source = SampleSource::default();
    for (collection, value) in root {
        let of_collection = value.get("properties").unwrap_or(&Value::Null);
        let datasets = value.get("datasets").cloned().unwrap_or(Value::Null);
        let datasets: Vec<WrittenDataset> = serde_json::from_value(datasets)
            .map_err(|error| wrong(&format!("{collection}.datasets"), error.to_string()))?;
        let mut found: Vec<DatasetSource> = vec![];
        for dataset in datasets {
            if found.iter().any(|known| known.name == dataset.name) {
                return Err(wrong(&collection, format!("there are two data sets `{}`", dataset.name)));
            }
            let properties = dataset.properties.as_ref().unwrap_or(of_collection);
            let location =
                if is_url(&dataset.dir) { PathBuf::from(&dataset.dir) } else { absolute(&base.join(&dataset.dir)) };
            let files = dataset.files.into_iter().map(|file| FileSource {
                path: location.join(&file.file),
                name: file.file,
                id: file.file_id,
                rows: file.rows,
            });
            found.push(DatasetSource {
                name: dataset.name,
                id: dataset.dataset_id,
                files: files.collect(),
                schema: SampleSchema::of_json(properties, &name, Some("meta"))?,
                location,
            });
        }
        source.collections.push((collection, found));
    }
    Ok(source)
}

/// One data set of the files of a folder, or of those that a pattern with `*` and `?` names, in the order of their paths;
/// also by URL.
///
/// `name` is the name of the data set, by default that of the folder.
///
/// # Errors
/// There is no such file.
pub fn source_of_files(
    pattern: &str,
    collection: &str,
    name: Option<&str>,
    schema: SampleSchema,
) -> Result<SampleSource> {
    let (location, files) = listed(pattern)?;
    let own = location.file_name().map_or_else(|| collection.to_owned(), |name| name.to_string_lossy().into_owned());
    let files = files.into_iter().map(|(name, path)| FileSource { name, path, id: None, rows: None });
    let name = name.map_or(own, str::to_owned);
    let dataset = DatasetSource { name, id: None, files: files.collect(), schema, location };
    Ok(SampleSource { collections: vec![(collection.to_owned(), vec![dataset])] })
}

/// The properties that the first samples of the files have.
///
/// # Errors
/// A file cannot be read.
pub fn discover(pattern: &str) -> Result<SampleSchema> {
    let mut discovery = Discovery::default();
    let (_, files) = listed(pattern)?;
    let mut columns_known = false;
    for (name, path) in files.iter().take(FILES_LOOKED_AT) {
        if tar::is_tar(path) {
            tar::discover(path, name, LOOKED_AT, &mut discovery)?;
        } else if !parquet::is_parquet(path) {
            json::discover(path, name, LOOKED_AT, &mut discovery)?;
        } else if !std::mem::replace(&mut columns_known, true) {
            parquet::discover(path, name, &mut discovery)?;
        }
    }
    Ok(discovery.schema())
}

fn absolute(path: &Path) -> PathBuf {
    if path.to_str().is_some_and(is_url) {
        return path.to_owned();
    }
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// How names of files of samples end, perhaps with one of [`PACKED`] behind it.
const ENDINGS: [&str; 4] = [".jsonl", ".ndjson", ".json", ".tar"];

const PACKED: [&str; 4] = [".gz", ".zst", ".xz", ".bz2"];

fn is_samples(name: &str) -> bool {
    let name = name.to_lowercase();
    let bare = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    ENDINGS.iter().any(|ending| bare.ends_with(ending)) || name.ends_with(".parquet") || name.ends_with(".tgz")
}

const NO_SAMPLES: &str = "there is no file of samples: JSON lines (plain, gz, zst, xz, bz2), Parquet and tars are read";

/// The folder, and the files with their paths below it, sorted.
fn listed(pattern: &str) -> Result<(PathBuf, Vec<(String, PathBuf)>)> {
    let none = |reason: &str| Err(fault(pattern, None, None, reason));
    if is_url(pattern) {
        return listed_at(pattern);
    }
    let from = local(pattern).map(|path| path.to_string_lossy().into_owned());
    let pattern = from.as_deref().unwrap_or(pattern);
    let (folder, wanted) = if pattern.contains(['*', '?']) {
        // The folder is what stands before the first part with a wildcard.
        let path = Path::new(pattern);
        let fixed: PathBuf =
            path.components().take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?'])).collect();
        let rest: Vec<String> = path
            .components()
            .skip(fixed.components().count())
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        (if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed }, Some(rest.join("/")))
    } else {
        (PathBuf::from(pattern), None)
    };
    let folder = absolute(&folder);
    if folder.is_file() {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let parent = folder.parent().unwrap_or(Path::new("")).to_owned();
        return Ok((parent, vec![(name, folder)]));
    }
    if !folder.is_dir() {
        return none("there is no such file or folder");
    }
    let mut files = vec![];
    walk(&folder, "", &mut files)?;
    files.retain(|(name, _)| match &wanted {
        Some(wanted) => matches(name.as_bytes(), wanted.as_bytes()),
        None => is_samples(name),
    });
    files.sort();
    if files.is_empty() {
        return none(NO_SAMPLES);
    }
    Ok((folder, files))
}

/// The same of a URL: of a file, of a folder, or with a pattern. Plain web servers have no folders.
fn listed_at(url: &str) -> Result<(PathBuf, Vec<(String, PathBuf)>)> {
    let none = |reason: &str| Err(fault(url, None, None, reason));
    let unreadable = |error: std::io::Error| fault(url, None, None, format!("it cannot be read: {error}"));
    let web = url.starts_with("http://") || url.starts_with("https://");
    if web && url.contains(['?', '#']) {
        return none("a URL with `?` or `#` cannot be read: give the address of the file alone");
    }
    let wildcard = url.find(['*', '?']);
    let cut =
        url.get(..wildcard.unwrap_or(url.len())).and_then(|fixed| fixed.rfind('/')).map_or(url.len(), |at| at + 1);
    if wildcard.is_none() {
        match size(Path::new(url)) {
            Ok(_) => {
                let (folder, name) = url.split_at(cut);
                return Ok((PathBuf::from(folder), vec![(name.to_owned(), PathBuf::from(url))]));
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unreadable(error)),
            Err(_) if web => return none("there is no such file"),
            Err(_) => {}
        }
    }
    let (folder, wanted) = match wildcard {
        Some(_) => url.split_at(cut),
        None => (url, ""),
    };
    let folder = format!("{}/", folder.trim_end_matches('/'));
    let mut files = list(&folder).map_err(unreadable)?;
    files.retain(|name| match wanted {
        "" => is_samples(name) && !name.split('/').any(|part| part.starts_with('.')),
        wanted => matches(name.as_bytes(), wanted.as_bytes()),
    });
    files.sort();
    if files.is_empty() {
        return none(NO_SAMPLES);
    }
    let files = files.into_iter().map(|name| (name.clone(), PathBuf::from(format!("{folder}{name}"))));
    Ok((PathBuf::from(&folder), files.collect()))
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let unreadable = |error: std::io::Error| Error::io(format!("reading the folder {}", folder.display()), error);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            files.push((format!("{prefix}{name}"), path));
        }
    }
    Ok(())
}

/// `*` is anything but a slash, `**` anything, `?` one byte but a slash.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => {
            // `**/` may also be nothing.
            let below = rest.strip_prefix(b"/").is_some_and(|rest| matches(text, rest));
            below || (0..=text.len()).any(|at| text.get(at..).is_some_and(|text| matches(text, rest)))
        }
        [b'*', rest @ ..] => {
            let slash = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=slash).any(|at| text.get(at..).is_some_and(|text| matches(text, rest)))
        }
        [b'?', rest @ ..] => matches!(text, [first, text @ ..] if *first != b'/' && matches(text, rest)),
        [first, rest @ ..] => matches!(text, [found, text @ ..] if found == first && matches(text, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, yes) in [
            ("a.jsonl", "*.jsonl", true),
            ("x/a.jsonl", "*.jsonl", false),
            ("x/a.jsonl", "**/*.jsonl", true),
            ("a.jsonl", "**/*.jsonl", true),
            ("a-1.parquet", "a-?.parquet", true),
            ("a-12.parquet", "a-?.parquet", false),
        ] {
            assert_eq!(matches(text.as_bytes(), pattern.as_bytes()), yes, "{text} {pattern}");
        }
    }
}
