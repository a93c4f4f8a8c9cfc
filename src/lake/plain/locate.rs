//! Which files a text names: a file, a pattern, a folder, or a URL of one of these.

use super::glob::{self, Segment};
use crate::error::{Error, Result};
use crate::storage::url::Place;
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Ends of the names of Parquet files.
const ENDINGS: [&str; 3] = [".parquet", ".parq", ".pq"];

/// The files that a text names, found but not opened.
#[derive(Clone, Debug)]
pub struct Located {
    /// The text.
    pub from: String,
    /// Where the files are.
    pub store: Arc<dyn ObjectStore>,
    /// The files, sorted by path, at least one.
    pub files: Vec<ObjectMeta>,
    /// The folder below which `key=value` in a path is a column.
    pub base: Path,
}

impl Located {
    /// Finds the files that `from` names.
    ///
    /// * A file is itself, whatever its name ends with.
    /// * A folder is all files in it and below it that end in `.parquet`, `.parq` or `.pq`. Names with a leading `.` or
    ///   `_` are not looked at: writers keep unfinished files and markers there.
    /// * A pattern is what it matches; folders that it matches are folders as above.
    /// * A URL is one of these in a store: `s3: gs: az: abfs: abfss: https: file: memory:`, with credentials from the
    ///   environment. Plain web servers have no folders: there it is a file.
    ///
    /// # Errors
    /// There is no such file, the text cannot be understood, or the store refuses.
    pub async fn find(from: &str) -> Result<Self> {
        let fault = |reason: String| Error::From { from: from.to_owned(), reason };
        if from.trim().is_empty() {
            return Err(fault("it is empty".to_owned()));
        }
        let url = from.contains("://");
        // What follows these characters never reaches the server.
        let web = from.starts_with("http://") || from.starts_with("https://");
        if web && from.contains(['?', '#']) {
            return Err(fault("a URL with `?` or `#` cannot be read: give the address of the file alone".to_owned()));
        }
        // A local file may well have brackets in its name.
        let pattern = glob::is_pattern(from) && (url || !std::path::Path::new(from).exists());
        let (fixed, patterns) = if pattern { split(from).map_err(fault)? } else { (from.to_owned(), vec![]) };
        let place = Place::parse(&fixed).map_err(|error| match error {
            Error::Url { reason, .. } => fault(reason),
            other => other,
        })?;
        Self::find_at(&place, from, &patterns).await
    }

    /// The files in a store: `patterns` below the place's prefix, or the prefix itself if there are none.
    pub(super) async fn find_at(place: &Place, from: &str, patterns: &[String]) -> Result<Self> {
        let (store, prefix) = (Arc::clone(place.store()), place.prefix().clone());
        let seeker = Seeker { store: store.as_ref(), from };
        let mut found = BTreeMap::new();
        let mut base = prefix.clone();
        if patterns.is_empty() {
            match seeker.file(&prefix).await? {
                Some(file) => {
                    base = prefix.parent().unwrap_or_default();
                    found.insert(file.location.clone(), file);
                }
                None => seeker.folder(&prefix, &mut found).await?,
            }
            if found.is_empty() {
                return Err(seeker.nothing(&prefix).await);
            }
        }
        for pattern in patterns {
            let segments = glob::segments(pattern).map_err(|reason| Error::From { from: from.to_owned(), reason })?;
            seeker.walk(prefix.clone(), &segments, &mut found).await?;
        }
        if found.is_empty() {
            return Err(Error::NoFiles { from: from.to_owned(), hint: "no file matches".to_owned() });
        }
        Ok(Self { from: from.to_owned(), store, files: found.into_values().collect(), base })
    }

    /// Whether this is a folder that neptune-exporter has written: runs in files `…-<16 hex digits>_part_<n>.parquet`.
    ///
    /// Such a folder is no table of its own: it holds attributes of runs, one a row.
    pub fn is_neptune_export(&self) -> bool {
        let is_part = |file: &ObjectMeta| {
            let name = file.location.filename().and_then(|name| name.strip_suffix(".parquet"));
            let parts = name.and_then(|name| name.rsplit_once("_part_"));
            parts.is_some_and(|(run, part)| {
                let hash = run.rsplit('-').next().unwrap_or_default();
                let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_hash && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        self.files.iter().all(is_part)
    }
}

/// The text before the first name with a pattern in it, and the patterns from there on.
fn split(from: &str) -> Result<(String, Vec<String>), String> {
    let first = from.find(['*', '?', '[', '{']).unwrap_or(from.len());
    let cut = from.get(..first).and_then(|start| start.rfind('/')).map(|slash| slash + 1);
    let (fixed, pattern) = from.split_at(cut.unwrap_or(0));
    let fixed = if fixed.is_empty() { "." } else { fixed };
    Ok((fixed.to_owned(), glob::without_braces(pattern)?))
}

/// Looks for files in a store.
struct Seeker<'a> {
    store: &'a dyn ObjectStore,
    from: &'a str,
}

type Found = BTreeMap<Path, ObjectMeta>;

impl Seeker<'_> {
    fn failed(&self, error: object_store::Error) -> Error {
        match error {
            object_store::Error::NotFound { .. } => {
                Error::NoFiles { from: self.from.to_owned(), hint: "there is no such file or folder".to_owned() }
            }
            other => Error::io(format!("looking for `{}`", self.from), other),
        }
    }

    /// The file of this name. A folder is not a file.
    async fn file(&self, path: &Path) -> Result<Option<ObjectMeta>> {
        if path.parts_count() == 0 {
            return Ok(None);
        }
        match self.store.head(path).await {
            Ok(file) => Ok(Some(file)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// All Parquet files in a folder and below.
    async fn folder(&self, folder: &Path, found: &mut Found) -> Result<()> {
        let depth = folder.parts_count();
        let mut listed = self.store.list(Some(folder));
        while let Some(file) = listed.try_next().await.map_err(|error| self.failed(error))? {
            let mut below = file.location.parts().skip(depth).peekable();
            if below.peek().is_some_and(|name| name.as_ref() == "_delta_log") {
                let reason = "it is a Delta table, whose log says which of its files count: name the files by a pattern \
                              to read them all, or a lake of LakeQL with --lake";
                return Err(Error::From { from: self.from.to_owned(), reason: reason.to_owned() });
            }
            if below.all(|name| !name.as_ref().starts_with(['.', '_'])) && is_parquet(&file.location) {
                found.insert(file.location.clone(), file);
            }
        }
        Ok(())
    }

    /// Follows a pattern from a folder.
    fn walk<'f>(&'f self, at: Path, segments: &'f [Segment], found: &'f mut Found) -> BoxFuture<'f, Result<()>> {
        async move {
            let Some((first, rest)) = segments.split_first() else { return Ok(()) };
            if let Segment::Literal(name) = first {
                let path = Path::parse(format!("{at}/{name}"))
                    .map_err(|error| Error::From { from: self.from.to_owned(), reason: error.to_string() })?;
                if !rest.is_empty() {
                    return self.walk(path, rest, found).await;
                }
                return match self.file(&path).await? {
                    Some(file) => {
                        found.insert(file.location.clone(), file);
                        Ok(())
                    }
                    None => self.folder(&path, found).await,
                };
            }
            let listed = self.store.list_with_delimiter(Some(&at)).await;
            let listed = match listed {
                Ok(listed) => listed,
                // A pattern does not match where there is no folder.
                Err(object_store::Error::NotFound { .. }) => return Ok(()),
                Err(error) => return Err(self.failed(error)),
            };
            match first {
                Segment::Literal(_) => {}
                Segment::Folders => {
                    match rest {
                        [] => self.folder(&at, found).await?,
                        _ => self.walk(at, rest, found).await?,
                    }
                    for folder in listed.common_prefixes {
                        if !is_hidden(&folder) {
                            self.walk(folder, segments, found).await?;
                        }
                    }
                }
                Segment::Names(regex) => {
                    let matches = |path: &Path| path.filename().is_some_and(|name| regex.is_match(name));
                    if rest.is_empty() {
                        let files = listed.objects.into_iter().filter(|file| matches(&file.location));
                        found.extend(files.map(|file| (file.location.clone(), file)));
                    }
                    for folder in listed.common_prefixes.into_iter().filter(matches) {
                        match rest {
                            [] if is_hidden(&folder) => {}
                            [] => self.folder(&folder, found).await?,
                            _ => self.walk(folder, rest, found).await?,
                        }
                    }
                }
            }
            Ok(())
        }
        .boxed()
    }

    /// Why there is nothing at a path that is no pattern.
    async fn nothing(&self, path: &Path) -> Error {
        let listed = self.store.list_with_delimiter(Some(path)).await;
        let is_folder = listed.is_ok_and(|listed| !listed.objects.is_empty() || !listed.common_prefixes.is_empty());
        let hint = match is_folder {
            true => "the folder has no files that end in .parquet; name others by a pattern",
            false => "there is no such file or folder",
        };
        Error::NoFiles { from: self.from.to_owned(), hint: hint.to_owned() }
    }
}

/// Writers keep unfinished files and markers under such names.
fn is_hidden(path: &Path) -> bool {
    path.filename().is_some_and(|name| name.starts_with(['.', '_']))
}

fn is_parquet(path: &Path) -> bool {
    let name = path.filename().unwrap_or_default().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}
