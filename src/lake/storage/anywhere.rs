//! Files that are read from any place in them, on disk or at a URL, by code that waits.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};

use bytes::{Buf, Bytes};
use object_store::path::Path as Location;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::url::Place;

/// What is asked of a store at first, and after each jump. It doubles as long as reading goes on where it has stopped.
const LEAST_BYTES: u64 = 4 << 10;

/// Most that is asked of a store at once, unless somebody wants more than that.
const MOST_BYTES: u64 = 8 << 20;

/// Whether a path is a URL of a store. Local files may be given as URLs too; these are paths.
pub(crate) fn is_url(path: &str) -> bool {
    path.contains("://") && local(path).is_none()
}

/// The path that a `file:` URL stands for.
pub(crate) fn local(path: &str) -> Option<PathBuf> {
    Url::parse(path).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}

/// How large a file is.
pub(crate) fn size(path: &Path) -> io::Result<u64> {
    match path.to_str().filter(|path| is_url(path)) {
        Some(url) => Ok(Remote::open(url)?.size),
        None => Ok(std::fs::metadata(on_disk(path))?.len()),
    }
}

/// A path, which may have been given as a `file:` URL.
fn on_disk(path: &Path) -> Cow<'_, Path> {
    path.to_str().and_then(local).map_or(Cow::Borrowed(path), Cow::Owned)
}

/// A file, wherever it is.
pub(crate) enum AnyFile {
    Local(File),
    Remote(Remote),
}

impl AnyFile {
    /// Opens a file by its path or URL.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match path.to_str().filter(|path| is_url(path)) {
            Some(url) => Remote::open(url).map(Self::Remote),
            None => File::open(on_disk(path)).map(Self::Local),
        }
    }
}

impl Read for AnyFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Local(file) => file.read(buffer),
            Self::Remote(file) => file.read(buffer),
        }
    }
}

impl Seek for AnyFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Local(file) => file.seek(to),
            Self::Remote(file) => file.seek(to),
        }
    }
}

impl Length for AnyFile {
    fn len(&self) -> u64 {
        match self {
            Self::Local(file) => Length::len(file),
            Self::Remote(file) => file.size,
        }
    }
}

impl ChunkReader for AnyFile {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(match self {
            Self::Local(file) => Box::new(file.get_read(start)?),
            Self::Remote(file) => Box::new(Remote { at: start, ..file.clone() }),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Self::Local(file) => file.get_bytes(start, length),
            Self::Remote(file) => Ok(file.range(start, start.saturating_add(length as u64))?),
        }
    }
}

/// An object of a store.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    store: Arc<dyn ObjectStore>,
    location: Location,
    size: u64,
    /// Where the next byte is read.
    at: u64,
    /// Bytes that are here, and where they begin.
    window: Bytes,
    start: u64,
    /// How many bytes are asked for next.
    ahead: u64,
}

impl Remote {
    fn open(url: &str) -> io::Result<Self> {
        let (store, location) = store_of(url)?;
        let (from, of) = (Arc::clone(&store), location.clone());
        let found = wait(async move { from.head(&of).await })?.map_err(failed)?;
        Ok(Self { store, location, size: found.size, at: 0, window: Bytes::new(), start: 0, ahead: LEAST_BYTES })
    }

    fn range(&self, start: u64, end: u64) -> io::Result<Bytes> {
        let (store, location) = (Arc::clone(&self.store), self.location.clone());
        let bytes = wait(async move { store.get_range(&location, start..end).await })?.map_err(failed)?;
        match bytes.len() as u64 == end - start {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Read for Remote {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = self.start + self.window.len() as u64;
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        if !(self.start..end).contains(&self.at) {
            self.ahead = if self.at == end { (self.ahead * 2).min(MOST_BYTES) } else { LEAST_BYTES };
            let wanted = self.ahead.max(buffer.len() as u64);
            self.window = self.range(self.at, self.at.saturating_add(wanted).min(self.size))?;
            self.start = self.at;
        }
        let mut window = self.window.slice(usize::try_from(self.at - self.start).unwrap_or(self.window.len())..);
        let count = buffer.len().min(window.len());
        window.copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Remote {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

fn failed(error: object_store::Error) -> io::Error {
    match error {
        object_store::Error::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, error),
        other => io::Error::other(other),
    }
}

/// Waits for a store, on threads of its own: whoever waits may be one of those that would have to do the work.
fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
    static RUNTIME: LazyLock<io::Result<Runtime>> =
        LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).thread_name("store").enable_all().build());
    let runtime = RUNTIME.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move { sender.send(work.await) });
    receiver.recv().map_err(io::Error::other)
}

/// The store of a URL and the place in it. Stores are kept: each has its own connections.
fn store_of(url: &str) -> io::Result<(Arc<dyn ObjectStore>, Location)> {
    static STORES: LazyLock<Mutex<HashMap<String, Arc<dyn ObjectStore>>>> = LazyLock::new(Mutex::default);
    let parsed = Url::parse(url).map_err(io::Error::other)?;
    let (_, location) = object_store::ObjectStoreScheme::parse(&parsed).map_err(io::Error::other)?;
    let Some(base) = url.strip_suffix(location.as_ref()) else {
        let place = Place::parse(url).map_err(io::Error::other)?;
        return Ok((Arc::clone(place.store()), place.prefix().clone()));
    };
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = stores.get(base) {
        return Ok((Arc::clone(store), location));
    }
    let place = Place::parse(url).map_err(io::Error::other)?;
    stores.insert(base.to_owned(), Arc::clone(place.store()));
    Ok((Arc::clone(place.store()), place.prefix().clone()))
}

/// The names of all files below a URL that ends in a slash, from there on.
pub(crate) fn list(url: &str) -> io::Result<Vec<String>> {
    use futures::TryStreamExt;
    let place = Place::parse(url).map_err(io::Error::other)?;
    let (store, prefix) = (Arc::clone(place.store()), place.prefix().clone());
    let parts = prefix.parts_count();
    let found = wait(async move { store.list(Some(&prefix)).try_collect::<Vec<_>>().await })?.map_err(failed)?;
    let name = |location: &Location| {
        location.parts().skip(parts).map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/")
    };
    Ok(found.iter().map(|file| name(&file.location)).filter(|name| !name.is_empty()).collect())
}
