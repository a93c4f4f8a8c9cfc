//! Files seen through the columns that a query names.
//!
//! A `runs` file has hundreds of typed columns, a query names a handful. Everything that happens when a file is opened
//! (the Arrow schema, row group and page statistics, projections) costs in proportion to the columns of its footer, and
//! happens once a partition. So a scan is given a footer cut down to its own columns, page index included: byte for byte
//! the same column chunks, in a file that seems narrow. Whole and cut footers are kept in DataFusion's metadata cache,
//! whose limit bounds them.

use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use datafusion::common::DataFusionError;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetMetaData, ParquetFileMetrics, ParquetFileReaderFactory,
};
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema, parquet_to_arrow_schema};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    FileMetaData, KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder, RowGroupMetaData,
};
use parquet::schema::types::{SchemaDescriptor, Type};
use std::ops::Range;
use std::sync::Arc;

/// Makes readers that show only some columns of their files.
#[derive(Debug)]
pub(crate) struct NarrowReaderFactory {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
    /// Names of the root columns, in the order of the scan's schema.
    columns: Arc<[String]>,
}

impl NarrowReaderFactory {
    /// Readers of these root columns; those that a file lacks are left out.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, cache: Arc<FileMetadataCache>, columns: Arc<[String]>) -> Self {
        Self { store, cache, columns }
    }
}

impl ParquetFileReaderFactory for NarrowReaderFactory {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> datafusion::error::Result<Box<dyn AsyncFileReader + Send>> {
        let metrics = ParquetFileMetrics::new(partition, file.object_meta.location.as_ref(), metrics);
        Ok(Box::new(NarrowReader {
            store: Arc::clone(&self.store),
            cache: Arc::clone(&self.cache),
            columns: Arc::clone(&self.columns),
            object: file.object_meta,
            metrics,
        }))
    }
}

struct NarrowReader {
    store: Arc<dyn ObjectStore>,
    cache: Arc<FileMetadataCache>,
    columns: Arc<[String]>,
    object: ObjectMeta,
    metrics: ParquetFileMetrics,
}

impl NarrowReader {
    /// The key of the cut footer. Column names hold no comma: it is percent-encoded in them.
    fn key(&self) -> Path {
        Path::from(format!("{}#{}", self.object.location, self.columns.join(",")))
    }

    async fn load(&self) -> Result<Arc<ParquetMetaData>, ParquetError> {
        // A lost file names itself, a damaged one does not.
        self.find().await.map_err(|error| match error {
            DataFusionError::ObjectStore(lost) if matches!(*lost, object_store::Error::NotFound { .. }) => {
                ParquetError::External(lost)
            }
            other => ParquetError::General(format!("{}: {other}", self.object.location)),
        })
    }

    async fn find(&self) -> Result<Arc<ParquetMetaData>, DataFusionError> {
        let key = self.key();
        if let Some(found) = self.cache.get(&key)
            && found.is_valid_for(&self.object)
            && let Some(footer) = found.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>()
        {
            return Ok(Arc::clone(footer.parquet_metadata()));
        }
        let whole = DFParquetMetadata::new(self.store.as_ref(), &self.object)
            .with_file_metadata_cache(Some(Arc::clone(&self.cache)))
            .with_page_index_policy(Some(PageIndexPolicy::Optional))
            .fetch_metadata()
            .await?;
        let narrow = Arc::new(narrow(&whole, &self.columns)?);
        let entry = CachedParquetMetaData::new(Arc::clone(&narrow));
        self.cache.put(&key, CachedFileMetadataEntry::new(self.object.clone(), Arc::new(entry)));
        Ok(narrow)
    }
}

impl AsyncFileReader for NarrowReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        self.metrics.bytes_scanned.add(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
        self.store.get_range(&self.object.location, range).map_err(ParquetError::from).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.metrics.bytes_scanned.add(usize::try_from(bytes).unwrap_or(usize::MAX));
        async move { Ok(self.store.get_ranges(&self.object.location, &ranges).await?) }.boxed()
    }

    /// The cut footer. The page index is always in it, whatever the options say: it is cached, so it costs nothing.
    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        self.load().boxed()
    }
}

impl Drop for NarrowReader {
    fn drop(&mut self) {
        self.metrics.scan_efficiency_ratio.add_part(self.metrics.bytes_scanned.value());
        self.metrics.scan_efficiency_ratio.set_total(usize::try_from(self.object.size).unwrap_or(usize::MAX));
    }
}

/// The footer with only these root columns, in the order of the file.
fn narrow(whole: &ParquetMetaData, columns: &[String]) -> Result<ParquetMetaData, ParquetError> {
    let file = whole.file_metadata();
    let old = file.schema_descr();
    let mut roots: Vec<bool> =
        old.root_schema().get_fields().iter().map(|root| columns.iter().any(|name| name == root.name())).collect();
    // A file that has none of them still counts its rows.
    if !roots.contains(&true)
        && let Some(first) = roots.first_mut()
    {
        *first = true;
    }
    let is_kept = |leaf: usize| roots.get(old.get_column_root_idx(leaf)).copied().unwrap_or_default();
    let leaves: Vec<bool> = (0..old.num_columns()).map(is_kept).collect();

    let fields = old.root_schema().get_fields().iter().zip(&roots).filter(|(_, keep)| **keep);
    let fields = fields.map(|(root, _)| Arc::clone(root)).collect();
    let root = Type::group_type_builder(old.root_schema().name()).with_fields(fields).build()?;
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));

    let arrow = parquet_to_arrow_schema(old, file.key_value_metadata())?;
    let arrow = Schema::new(
        arrow
            .fields()
            .iter()
            .zip(&roots)
            .filter(|(_, keep)| **keep)
            .map(|(field, _)| as_view(field))
            .collect::<Vec<_>>(),
    );
    let hint = KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), encode_arrow_schema(&arrow));
    let orders = file.column_orders().map(|orders| kept(orders, &leaves));
    let created_by = file.created_by().map(str::to_owned);
    let narrow =
        FileMetaData::new(file.version(), file.num_rows(), created_by, Some(vec![hint]), Arc::clone(&schema), orders);

    let groups = whole.row_groups().iter().map(|group| {
        let mut builder = RowGroupMetaData::builder(Arc::clone(&schema))
            .set_num_rows(group.num_rows())
            .set_total_byte_size(group.total_byte_size())
            .set_column_metadata(kept(group.columns(), &leaves));
        if let Some(offset) = group.file_offset() {
            builder = builder.set_file_offset(offset);
        }
        if let Some(ordinal) = group.ordinal() {
            builder = builder.set_ordinal(ordinal);
        }
        builder.build()
    });
    Ok(ParquetMetaDataBuilder::new(narrow)
        .set_row_groups(groups.collect::<Result<_, _>>()?)
        .set_column_index(whole.column_index().map(|index| index.iter().map(|group| kept(group, &leaves)).collect()))
        .set_offset_index(whole.offset_index().map(|index| index.iter().map(|group| kept(group, &leaves)).collect()))
        .build())
}

fn kept<T: Clone>(all: &[T], keep: &[bool]) -> Vec<T> {
    all.iter().zip(keep).filter(|(_, keep)| **keep).map(|(one, _)| one.clone()).collect()
}

/// Texts are handed on as views, without copying them.
pub(crate) fn as_view(field: &Arc<Field>) -> Field {
    match field.data_type() {
        DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
        DataType::Binary => field.as_ref().clone().with_data_type(DataType::BinaryView),
        _ => field.as_ref().clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
    use arrow::datatypes::Int64Type;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
    use parquet::file::metadata::ParquetMetaDataReader;
    use parquet::file::properties::WriterProperties;

    /// Columns `a` (int), `b` (list of ints), `c` (text) in three row groups.
    fn file() -> Bytes {
        let lists = (0..30).map(|row| Some(vec![Some(row), None]));
        let columns: [(&str, ArrayRef); 3] = [
            ("a", Arc::new(Int64Array::from_iter_values(0..30))),
            ("b", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))),
            ("c", Arc::new(StringArray::from_iter_values((0..30).map(|row| format!("text {row}"))))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(10)).build();
        let mut bytes = vec![];
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes.into()
    }

    fn cut(bytes: &Bytes, columns: &[&str]) -> ParquetMetaData {
        let whole = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Required)
            .parse_and_finish(bytes)
            .unwrap();
        narrow(&whole, &columns.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_rows_of_the_columns_are_those_of_the_file() {
        let bytes = file();
        let whole: Vec<_> = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap().build().unwrap().collect();
        let whole = whole.into_iter().next().unwrap().unwrap();
        let footer = ArrowReaderMetadata::try_new(Arc::new(cut(&bytes, &["b", "c"])), Default::default()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, footer).build().unwrap();
        let batch = reader.into_iter().next().unwrap().unwrap();
        assert_eq!(batch.num_columns(), 2);
        assert_eq!(batch.column_by_name("b").unwrap(), whole.column_by_name("b").unwrap());
        let texts = arrow::compute::cast(batch.column_by_name("c").unwrap(), &DataType::Utf8).unwrap();
        assert_eq!(&texts, whole.column_by_name("c").unwrap());
    }

    #[test]
    fn page_index_and_statistics_stay_with_their_columns() {
        let bytes = file();
        let (whole, cut) = (cut(&bytes, &["a", "b", "c"]), cut(&bytes, &["c"]));
        assert_eq!(cut.num_row_groups(), 3);
        for group in 0..3 {
            assert_eq!(cut.row_group(group).columns().len(), 1);
            assert_eq!(cut.row_group(group).column(0).statistics(), whole.row_group(group).column(2).statistics());
            assert_eq!(cut.offset_index().unwrap()[group], whole.offset_index().unwrap()[group][2..]);
            assert_eq!(cut.column_index().unwrap()[group], whole.column_index().unwrap()[group][2..]);
        }
    }

    #[test]
    fn a_file_without_the_columns_still_has_its_rows() {
        let cut = cut(&file(), &["typed in another segment"]);
        assert_eq!(cut.file_metadata().num_rows(), 30);
        assert_eq!(cut.row_group(1).num_rows(), 10);
    }
}
