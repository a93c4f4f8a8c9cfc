//! Footers of files that anybody may have written, or half written.

use crate::error::{Error, Result};
use bytes::{Bytes, BytesMut};
use datafusion::datasource::physical_plan::parquet::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use std::sync::Arc;

/// Most footers fit, so that they take one request.
const TAIL: u64 = 64 << 10;

/// The length of the footer and the four bytes that end a file.
const END: usize = 8;

/// Reads the footer of a file and keeps it where the engine looks for it. Page indexes are not read: queries do so when
/// something can be pruned by them.
///
/// # Errors
/// [`Error::Data`] if it is no Parquet file, or cut off; [`Error::Io`] if the store refuses.
pub(super) async fn read(
    store: &dyn ObjectStore,
    file: &ObjectMeta,
    kept: &FileMetadataCache,
) -> Result<Arc<ParquetMetaData>> {
    let footer = footer(store, file).await?;
    let metadata = ParquetMetaDataReader::decode_metadata(&footer)
        .map_err(|error| broken(file, format!("its footer cannot be read: {error}")))?;
    let metadata = Arc::new(metadata);
    let entry = CachedParquetMetaData::new(Arc::clone(&metadata));
    kept.put(&file.location, CachedFileMetadataEntry::new(file.clone(), Arc::new(entry)));
    Ok(metadata)
}

/// The bytes of the footer.
async fn footer(store: &dyn ObjectStore, file: &ObjectMeta) -> Result<Bytes> {
    let get = |range| async {
        let bytes = store.get_range(&file.location, range).await;
        bytes.map_err(|error| Error::io(format!("reading {}", file.location), error))
    };
    if file.size == 0 {
        return Err(broken(file, "it is empty, not a Parquet file".to_owned()));
    }
    let start = file.size.saturating_sub(TAIL);
    let tail = get(start..file.size).await?;
    let end = tail.len().checked_sub(END).and_then(|at| tail.get(at..)).and_then(|end| end.split_first_chunk::<4>());
    let length = match end {
        Some((length, b"PAR1")) => u64::from(u32::from_le_bytes(*length)),
        Some((_, b"PARE")) => return Err(broken(file, "it is encrypted, which is not supported".to_owned())),
        _ => {
            let head = get(0..file.size.min(4)).await?;
            let reason = match head.as_ref() {
                b"PAR1" => "it is cut off: a Parquet file, but its footer is missing",
                _ => "it is not a Parquet file",
            };
            return Err(broken(file, reason.to_owned()));
        }
    };
    let end = file.size - END as u64;
    let Some(from) = end.checked_sub(length) else {
        return Err(broken(file, "its footer cannot be read: it would be longer than the file".to_owned()));
    };
    let inside = |bytes: &Bytes, at: u64| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        (at <= bytes.len().saturating_sub(END)).then(|| bytes.slice(at..bytes.len() - END))
    };
    if let Some(footer) = from.checked_sub(start).and_then(|at| inside(&tail, at)) {
        return Ok(footer);
    }
    let mut whole = BytesMut::from(get(from..start).await?.as_ref());
    whole.extend_from_slice(&inside(&tail, 0).unwrap_or_default());
    Ok(whole.freeze())
}

/// What is wrong with a file.
pub(super) fn broken(file: &ObjectMeta, reason: String) -> Error {
    Error::Data { file: file.location.to_string(), row: None, field: None, reason }
}
