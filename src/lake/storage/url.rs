//! Where a lake is: the text a user gives becomes a store and a prefix in it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use crate::error::{Error, Result};

/// Environment variables with these beginnings are handed to the object stores, which know their names.
const CREDENTIAL_VARIABLES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// The place of a lake: a store, a prefix in it, and the text to show.
#[derive(Clone)]
pub struct Place {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The prefix as a URL that the log reader resolves to the same prefix in the same store.
    url: Url,
    shown: String,
    /// The folder, when it is a local one.
    folder: Option<PathBuf>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.shown).finish()
    }
}

impl Place {
    /// Understands a local path or a URL: `file: s3: gs: az: abfs: abfss: https: http: memory:`.
    ///
    /// Credentials, endpoint and region come from the environment, under the names that the tools of the respective
    /// provider use: `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME`, …
    pub fn parse(text: &str) -> Result<Place> {
        let fault = |reason: String| Error::Url { url: text.to_owned(), reason };
        if text.is_empty() {
            return Err(fault("it is empty".to_owned()));
        }
        let url = match Url::parse(text) {
            // A single letter is a drive, not a scheme.
            Ok(url) if url.scheme().len() > 1 && text.contains(":/") => url,
            _ => return Place::local(PathBuf::from(text), text),
        };
        if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| fault("it is not a local path".to_owned()))?;
            return Place::local(path, text);
        }
        let options = std::env::vars().filter(|(name, _)| CREDENTIAL_VARIABLES.iter().any(|it| name.starts_with(it)));
        // Whoever writes `http:` has chosen it.
        let plain = (url.scheme() == "http").then(|| ("allow_http".to_owned(), "true".to_owned()));
        let options = options.chain(plain);
        let (store, prefix) = object_store::parse_url_opts(&url, options).map_err(|error| fault(error.to_string()))?;
        Place::with_store(Arc::from(store), prefix, text)
    }

    /// A prefix of any store. `shown` is what messages call it.
    pub fn with_store(store: Arc<dyn ObjectStore>, prefix: Path, shown: &str) -> Result<Place> {
        let fault = |reason: &str| Error::Url { url: shown.to_owned(), reason: reason.to_owned() };
        let mut url = Url::parse("lake:///").map_err(|_| fault("not a prefix"))?;
        url.path_segments_mut()
            .map_err(|()| fault("not a prefix"))?
            .pop_if_empty()
            .extend(prefix.parts().map(|part| part.as_ref().to_owned()))
            .push("");
        Ok(Place { store, prefix, url, shown: shown.to_owned(), folder: None })
    }

    fn local(path: PathBuf, text: &str) -> Result<Place> {
        let fault = |reason: String| Error::Url { url: text.to_owned(), reason };
        let absolute = std::path::absolute(&path).map_err(|error| fault(error.to_string()))?;
        // `lake/../other` would not be the same place in a store.
        let folder = std::fs::canonicalize(&absolute).unwrap_or(absolute);
        let prefix = Path::from_absolute_path(&folder).map_err(|error| fault(error.to_string()))?;
        let url = Url::from_directory_path(&folder).map_err(|()| fault("it is not an absolute path".to_owned()))?;
        let store = Arc::new(LocalFileSystem::new());
        Ok(Place { store, prefix, url, shown: text.to_owned(), folder: Some(folder) })
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The prefix of the lake in the store.
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The path of something in the lake.
    pub fn path(&self, relative: &str) -> Path {
        relative.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// The URL of a folder of the lake.
    pub(crate) fn folder_url(&self, folder: &str) -> Result<Url> {
        self.url.join(&format!("{folder}/")).map_err(|error| Error::Internal(error.to_string()))
    }

    /// The text that messages show.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Creates the folder of a local lake.
    pub(crate) fn prepare(&self) -> Result<()> {
        match &self.folder {
            None => Ok(()),
            Some(folder) => std::fs::create_dir_all(folder).map_err(|error| match denied(&error) {
                true => Error::ReadOnly { url: self.shown.clone(), reason: error.to_string() },
                false => Error::io(format!("creating the folder {}", folder.display()), error),
            }),
        }
    }

    /// Turns the error of a write into [`Error::ReadOnly`] if that is what it says.
    pub(crate) fn write_error(&self, error: Error) -> Error {
        if let Error::ReadOnly { .. } = error {
            return error;
        }
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            let refused = match (current.downcast_ref::<std::io::Error>(), current.downcast_ref()) {
                (Some(io), _) => denied(io),
                (_, Some(store)) => matches!(
                    store,
                    object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
                ),
                _ => false,
            };
            if refused {
                return Error::ReadOnly { url: self.shown.clone(), reason: current.to_string() };
            }
            cause = current.source();
        }
        error
    }
}

fn denied(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_writes_say_that_the_lake_is_read_only() {
        let place = Place::parse("memory:///lake").unwrap();
        let refused = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
        let refused = object_store::Error::Generic { store: "test", source: Box::new(refused) };
        assert!(matches!(place.write_error(refused.into()), Error::ReadOnly { .. }));
        let denied = object_store::Error::PermissionDenied { path: "x".into(), source: "no".into() };
        assert!(matches!(place.write_error(denied.into()), Error::ReadOnly { .. }));
        assert!(matches!(place.write_error(Error::Internal("x".into())), Error::Internal(_)));
    }

    #[test]
    fn texts_become_places() {
        let place = Place::parse("some/lake").unwrap();
        assert!(place.prefix().as_ref().ends_with("some/lake"));
        assert!(place.url.as_str().starts_with("file:///") && place.url.path().ends_with("/some/lake/"));
        assert_eq!(place.path("runs/x").as_ref(), format!("{}/runs/x", place.prefix()));

        let place = Place::parse("file:///lakes/a%20b").unwrap();
        assert_eq!(place.prefix().as_ref(), "lakes/a b");
        assert_eq!(place.folder_url("runs").unwrap().as_str(), "file:///lakes/a%20b/runs/");

        let place = Place::parse("memory:///lake one").unwrap();
        assert_eq!(place.prefix().as_ref(), "lake one");
        assert_eq!(place.folder_url("runs").unwrap().path(), "/lake%20one/runs/");

        let place = Place::parse("s3://bucket/deep/lake/").unwrap();
        assert_eq!(place.prefix().as_ref(), "deep/lake");
        assert_eq!(place.folder_url("runs").unwrap().path(), "/deep/lake/runs/");

        assert!(matches!(Place::parse("ftp://host/x"), Err(Error::Url { .. })));
        assert!(matches!(Place::parse(""), Err(Error::Url { .. })));
    }
}
