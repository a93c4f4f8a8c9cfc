//! Located files as a table.

use super::footer;
use super::locate::Located;
use super::partitions::Partitions;
use super::schema;
use crate::error::Result;
use crate::storage::scan;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics, TableReference};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::{StreamExt, TryStreamExt};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::ParquetMetaData;
use std::sync::Arc;

/// So many footers are read at the same time: a store answers in tens of milliseconds, whatever is asked beside.
const AT_ONCE: usize = 64;

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
    /// A file is no Parquet file, is cut off, or has a column of a type that does not fit to the others'
    /// ([`Error::Data`](crate::Error::Data) with file and column); or the store refuses.
    pub async fn open(
        name: &str,
        located: &Located,
        store: ObjectStoreUrl,
        footers: &Arc<FileMetadataCache>,
    ) -> Result<Self> {
        let read = located.files.iter().map(|file| footer::read(located.store.as_ref(), file, footers.as_ref()));
        let read: Vec<Arc<ParquetMetaData>> = futures::stream::iter(read).buffered(AT_ONCE).try_collect().await?;
        let mut schemas = vec![];
        let mut rows = 0;
        for (file, footer) in located.files.iter().zip(&read) {
            let about = footer.file_metadata();
            let schema = parquet_to_arrow_schema(about.schema_descr(), about.key_value_metadata())
                .map_err(|error| footer::broken(file, format!("its schema cannot be read: {error}")))?;
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
        let mut options = TableParquetOptions::new();
        options.global = state.config_options().execution.parquet.clone();
        let runtime = state.runtime_env();
        let footers = runtime.cache_manager.get_file_metadata_cache();
        let readers = CachedParquetFileReaderFactory::new(runtime.object_store(&self.store)?, footers);
        let source = ParquetSource::new(table)
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(readers));
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(scan::groups(&self.files, state.config().target_partitions(), false))
            .with_statistics(self.known())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
