//! Which files there are, and opening them.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;

use crate::error::Result;
use crate::ingest::lines::input::{Source, unpacked};
use crate::plain::Located;

/// A file of events.
#[derive(Clone, Debug)]
pub(super) struct EventFile {
    /// The place of its source among those that were named.
    pub(super) source: usize,
    /// What messages call it.
    pub(super) name: String,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) object: ObjectMeta,
}

/// The files that a text names: a file, a pattern, a folder of Parquet files, or a URL of one of these.
pub(super) async fn find(from: &str, source: usize) -> Result<Vec<EventFile>> {
    let located = Located::find(from).await?;
    let single = located.files.len() == 1;
    let name = |file: &ObjectMeta| match (single, from.contains("://")) {
        (true, _) => from.to_owned(),
        (false, true) => file.location.to_string(),
        (false, false) => format!("/{}", file.location),
    };
    let file =
        |object: ObjectMeta| EventFile { source, name: name(&object), store: Arc::clone(&located.store), object };
    Ok(located.files.iter().cloned().map(file).collect())
}

/// What a file turns out to be.
pub(super) enum Opened {
    /// JSON lines, unpacked.
    Lines(Source),
    /// A Parquet file.
    Table,
}

/// Opens a file from a thread that may wait.
pub(super) fn open(file: &EventFile, bytes_read: &Arc<AtomicU64>, runtime: &Handle) -> io::Result<Opened> {
    let got = runtime.block_on(file.store.get(&file.object.location)).map_err(io::Error::other)?;
    match got.payload {
        GetResultPayload::File(mut file, _) => {
            let mut head = [0; 4];
            let is_table = file.read_exact(&mut head).is_ok() && &head == b"PAR1";
            file.seek(SeekFrom::Start(0))?;
            if is_table { Ok(Opened::Table) } else { unpacked(file, bytes_read).map(Opened::Lines) }
        }
        GetResultPayload::Stream(stream) => {
            let mut stream = Streamed { stream, chunk: Bytes::new(), runtime: runtime.clone() };
            stream.fill()?;
            if stream.chunk.starts_with(b"PAR1") {
                return Ok(Opened::Table);
            }
            unpacked(stream, bytes_read).map(Opened::Lines)
        }
    }
}

/// An object that comes in pieces.
struct Streamed {
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    chunk: Bytes,
    runtime: Handle,
}

impl Streamed {
    fn fill(&mut self) -> io::Result<()> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                Some(chunk) => self.chunk = chunk.map_err(io::Error::other)?,
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

impl Read for Streamed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let count = buffer.len().min(self.chunk.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), self.chunk.get(..count)) {
            to.copy_from_slice(from);
        }
        self.chunk.advance(count);
        Ok(count)
    }
}
