//! Parquet files of the lake as streams of record batches, for everything but queries.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::error::{Error, Result};

/// Rows of one batch.
const BATCH_ROWS: usize = 8_192;

/// A file that is read front to back.
pub(crate) struct FileStream {
    /// The columns that are read.
    pub(crate) schema: SchemaRef,
    /// The rows.
    pub(crate) batches: BoxStream<'static, Result<RecordBatch>>,
}

/// Opens a file; `columns` limits what is read to these top-level columns (those that the file has).
pub(crate) async fn open(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    size: u64,
    columns: Option<&[&str]>,
) -> Result<FileStream> {
    let reader = ObjectReader::new(store, path, size);
    let mut builder = ParquetRecordBatchStreamBuilder::new(reader).await?.with_batch_size(BATCH_ROWS);
    if let Some(columns) = columns {
        let roots: Vec<usize> = builder
            .schema()
            .fields()
            .iter()
            .enumerate()
            .filter_map(|(index, field)| columns.contains(&field.name().as_str()).then_some(index))
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        builder = builder.with_projection(mask);
    }
    let stream = builder.build()?;
    let schema = Arc::clone(stream.schema());
    Ok(FileStream { schema, batches: stream.map_err(Error::from).boxed() })
}

/// Most footers fit, so that they take one request.
const FOOTER_BYTES: usize = 64 << 10;

/// An object of known size as a Parquet source.
pub(crate) struct ObjectReader {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) path: Path,
    pub(crate) size: u64,
}

impl ObjectReader {
    /// An object of this size.
    pub(crate) fn new(store: &Arc<dyn ObjectStore>, path: &Path, size: u64) -> Self {
        Self { store: Arc::clone(store), path: path.clone(), size }
    }
}

impl AsyncFileReader for ObjectReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move { Ok(self.store.get_range(&self.path, range).await?) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move { Ok(self.store.get_ranges(&self.path, &ranges).await?) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.size;
            let mut reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
            if let Some(options) = options {
                reader = reader
                    .with_column_index_policy(options.column_index_policy())
                    .with_offset_index_policy(options.offset_index_policy());
            }
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}

/// Reads a small file in one request.
pub(crate) async fn read_small(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Vec<RecordBatch>> {
    let bytes: Bytes = store.get(path).await?.bytes().await?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(BATCH_ROWS).build()?;
    reader.map(|batch| batch.map_err(Error::from)).collect()
}

/// A text column of a batch.
pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or_else(|| missing(name))
}

/// An integer column of a batch.
pub(crate) fn ints<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::Int64Array> {
    batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>()).ok_or_else(|| missing(name))
}

/// A column of bytes of a batch.
pub(crate) fn binaries<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::BinaryArray> {
    batch.column_by_name(name).and_then(|column| column.as_binary_opt::<i32>()).ok_or_else(|| missing(name))
}

/// A column of truth values of a batch.
pub(crate) fn bools<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::BooleanArray> {
    batch.column_by_name(name).and_then(|column| column.as_boolean_opt()).ok_or_else(|| missing(name))
}

/// The text of a row, if it is not null.
pub(crate) fn text_at(column: &arrow::array::StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn missing(name: &str) -> Error {
    Error::Internal(format!("a file of the lake has no column `{name}` of the expected type"))
}
