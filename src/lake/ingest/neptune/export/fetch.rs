//! Bytes of parts: whole files for imports, pieces for those who need a few columns.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};

use super::listing::Part;

/// A file of which all bytes are there, or only some.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    len: u64,
    /// In ascending order.
    pieces: Vec<(u64, Bytes)>,
}

impl Pieces {
    /// A whole file.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Pieces { len: bytes.len() as u64, pieces: vec![(0, bytes)] }
    }

    /// Some ranges of a file.
    pub(super) async fn load(
        store: &Arc<dyn ObjectStore>,
        part: &Part,
        ranges: &[Range<u64>],
    ) -> Result<Self, object_store::Error> {
        let bytes = store.get_ranges(&part.location, ranges).await?;
        let mut pieces: Vec<(u64, Bytes)> = ranges.iter().map(|range| range.start).zip(bytes).collect();
        pieces.sort_by_key(|(start, _)| *start);
        Ok(Pieces { len: part.size, pieces })
    }

    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let after = self.pieces.partition_point(|(begin, _)| *begin <= start);
        let piece = after.checked_sub(1).and_then(|at| self.pieces.get(at));
        let rest = piece.and_then(|(begin, bytes)| {
            let skip = usize::try_from(start - begin).ok()?;
            (skip <= bytes.len()).then(|| bytes.slice(skip..))
        });
        rest.ok_or_else(|| ParquetError::EOF(format!("byte {start} lies beyond the file of {} bytes", self.len)))
    }
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Pieces {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("the file ends at byte {} inside of a page", self.len)));
        }
        Ok(bytes.slice(..length))
    }
}

/// Footers of large files, kept for the next question.
#[derive(Default)]
pub(crate) struct Footers {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    footers: HashMap<(Path, u64), Arc<ParquetMetaData>>,
    bytes: usize,
}

/// More than this is not kept.
const FOOTER_BYTES: usize = 64 << 20;

/// Most footers fit.
const PREFETCH: usize = 64 << 10;

impl Footers {
    /// The footer of a file.
    pub(super) async fn get(
        &self,
        store: &Arc<dyn ObjectStore>,
        part: &Part,
    ) -> Result<Arc<ParquetMetaData>, ParquetError> {
        let key = (part.location.clone(), part.size);
        let lock = || self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(known) = lock().footers.get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut object = ObjectFile { store, location: &part.location };
        let footer = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Skip)
            .with_prefetch_hint(Some(PREFETCH))
            .load_and_finish(&mut object, part.size)
            .await?;
        let footer = Arc::new(footer);
        let mut known = lock();
        let bytes = footer.memory_size();
        if known.bytes + bytes <= FOOTER_BYTES && known.footers.insert(key, Arc::clone(&footer)).is_none() {
            known.bytes += bytes;
        }
        Ok(footer)
    }
}

/// An object as the reader of footers wants it.
struct ObjectFile<'a> {
    store: &'a Arc<dyn ObjectStore>,
    location: &'a Path,
}

impl parquet::arrow::async_reader::MetadataFetch for &mut ObjectFile<'_> {
    fn fetch(&mut self, range: Range<u64>) -> futures::future::BoxFuture<'_, Result<Bytes, ParquetError>> {
        Box::pin(async move { Ok(self.store.get_range(self.location, range).await?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_answer_for_what_they_have() {
        let pieces =
            Pieces { len: 100, pieces: vec![(10, Bytes::from_static(b"abcdef")), (50, Bytes::from_static(b"xyz"))] };
        assert_eq!(pieces.get_bytes(12, 3).unwrap(), "cde");
        assert_eq!(pieces.get_bytes(50, 3).unwrap(), "xyz");
        assert!(pieces.get_bytes(14, 3).is_err());
        assert!(pieces.get_bytes(5, 1).is_err());
        assert!(pieces.get_read(60).is_err());
    }
}
