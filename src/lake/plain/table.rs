//! Located files as a table.

use super::locate::Located;
use super::partitions::Partitions;
use super::schema;
use crate::error::{Error, Result};
use crate::storage::scan;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics, TableReference};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use std::sync::Arc;

/// So many footers are read at the same time: a store answers in tens of milliseconds, whatever is asked beside.
const AT_ONCE: usize = 64;

/// Most footers fit, so that they take one request.
const FOOTER_BYTES: usize = 64 << 10;

/// Parquet files of one schema, as they are.
#[derive(Clone, Debug)]
pub struct PlainTable {
    name: String,
    /// What messages call it.
    from: String,
    store: ObjectStoreUrl,
    columns: SchemaRef,
    /// Columns of files, then those of folders.
    schema: SchemaRef,
    folders: Vec<FieldRef>,
    files: Vec<PartitionedFile>,
    rows: u64,
}

impl PlainTable {
    /// Reads the footers and finds the schema that all files agree on.
    ///
    /// `store` is the name under which the engine will know the files' store, `footers` its cache: footers that are read
    /// here are not read again by queries.
    ///
    /// # Errors
    /// A file is no Parquet file, is cut off, or has a column of a type that does not fit to the others' ([`Error::Data`]
    /// with file and column); or the store refuses.
    pub async fn open(
        name: &str,
        located: &Located,
        store: ObjectStoreUrl,
        footers: &Arc<FileMetadataCache>,
    ) -> Result<Self> {
        let read = located.files.iter().map(|file| footer(located, file, footers));
        let read: Vec<Arc<ParquetMetaData>> = futures::stream::iter(read).buffered(AT_ONCE).try_collect().await?;
        let mut schemas = vec![];
        let mut rows = 0;
        for (file, footer) in located.files.iter().zip(&read) {
            let about = footer.file_metadata();
            let schema = parquet_to_arrow_schema(about.schema_descr(), about.key_value_metadata())
                .map_err(|error| broken(file, format!("its schema cannot be read: {error}")))?;
            rows += u64::try_from(about.num_rows()).unwrap_or_default();
            schemas.push((file.location.as_ref(), schema));
        }
        let columns = schema::merge(&schemas)?;
        let partitions = Partitions::of(located, |name| columns.index_of(name).is_ok())?;
        let all = columns.fields().iter().chain(&partitions.fields).cloned();
        let schema = Arc::new(Schema::new(all.collect::<Vec<_>>()));
        let reference = TableReference::bare(name);
        let files = located.files.iter().zip(partitions.values).map(|(file, values)| {
            PartitionedFile::new_from_meta(file.clone())
                .with_partition_values(values)
                .with_table_reference(Some(reference.clone()))
        });
        let files = files.collect();
        Ok(Self {
            name: name.to_owned(),
            from: located.from.clone(),
            store,
            columns: Arc::new(columns),
            schema,
            folders: partitions.fields,
            files,
            rows,
        })
    }

    /// The name of the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that named the files.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Columns of the files, then those of folders.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// Rows of all files.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The same rows with some of the columns only: planning costs grow with the width of a schema.
    #[must_use]
    pub fn narrowed(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let keep = |fields: &mut dyn Iterator<Item = &FieldRef>| -> Vec<FieldRef> {
            fields.filter(|field| wanted(field.name())).cloned().collect()
        };
        let columns = keep(&mut self.columns.fields().iter());
        // The values of folders go by their places, so that all of them stay.
        let schema = columns.iter().chain(&self.folders).cloned().collect::<Vec<_>>();
        Self { columns: Arc::new(Schema::new(columns)), schema: Arc::new(Schema::new(schema)), ..self.clone() }
    }

    fn known(&self) -> Statistics {
        let bytes = self.files.iter().map(|file| usize::try_from(file.object_meta.size).unwrap_or(usize::MAX)).sum();
        Statistics {
            num_rows: Precision::Exact(usize::try_from(self.rows).unwrap_or(usize::MAX)),
            total_byte_size: Precision::Inexact(bytes),
            column_statistics: vec![ColumnStatistics::new_unknown(); self.schema.fields().len()],
        }
    }
}

async fn footer(located: &Located, file: &ObjectMeta, cache: &Arc<FileMetadataCache>) -> Result<Arc<ParquetMetaData>> {
    let reader = DFParquetMetadata::new(located.store.as_ref(), file)
        .with_metadata_size_hint(Some(FOOTER_BYTES))
        .with_file_metadata_cache(Some(Arc::clone(cache)))
        // Where nothing is pruned by them, page indexes are not wanted: queries read them when they are.
        .with_page_index_policy(Some(PageIndexPolicy::Skip));
    match reader.fetch_metadata().await {
        Ok(footer) => Ok(footer),
        Err(error) => Err(why_no_footer(located.store.as_ref(), file, error).await),
    }
}

/// What is wrong with a file whose footer cannot be read.
async fn why_no_footer(store: &dyn ObjectStore, file: &ObjectMeta, error: DataFusionError) -> Error {
    let parquet = match error {
        DataFusionError::ParquetError(parquet) => *parquet,
        other => return Error::io(format!("reading {}", file.location), other),
    };
    if let ParquetError::External(source) = parquet {
        return Error::io(format!("reading {}", file.location), source);
    }
    if file.size == 0 {
        return broken(file, "it is empty, not a Parquet file".to_owned());
    }
    // Parquet files begin and end with these four bytes, or with `PARE` where they are encrypted.
    let start = store.get_range(&file.location, 0..file.size.min(4)).await.unwrap_or_default();
    let end = store.get_range(&file.location, file.size.saturating_sub(4)..file.size).await.unwrap_or_default();
    broken(
        file,
        match (start.as_ref(), end.as_ref()) {
            (b"PARE", _) | (_, b"PARE") => "it is encrypted, which is not supported".to_owned(),
            (b"PAR1", b"PAR1") => format!("its footer cannot be read: {parquet}"),
            (b"PAR1", _) => "it is cut off: a Parquet file, but its footer is missing".to_owned(),
            _ => "it is not a Parquet file".to_owned(),
        },
    )
}

fn broken(file: &ObjectMeta, reason: String) -> Error {
    Error::Data { file: file.location.to_string(), row: None, field: None, reason }
}

#[async_trait::async_trait]
impl TableProvider for PlainTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::error::Result<Vec<TableProviderFilterPushDown>> {
        // The physical optimizer hands the filters to the Parquet reader, which applies what it can.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.known())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        if self.rows == 0 {
            let schema = datafusion::common::project_schema(&self.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let table =
            TableSchema::builder(Arc::clone(&self.columns)).with_table_partition_cols(self.folders.clone()).build();
        let source = scan::source(state, &self.store, table)?;
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(scan::groups(&self.files, state.config().target_partitions(), false))
            .with_statistics(self.known())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
