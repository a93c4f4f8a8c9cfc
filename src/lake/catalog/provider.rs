//! Tables as DataFusion sees them: an explicit list of files with their order and statistics, nothing inferred.

use super::adapter::ListPredicates;
use super::tables::Table;
use crate::storage::narrow::{NarrowReaderFactory, as_view};
use crate::storage::scan;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use std::sync::Arc;

/// One Parquet file of a table.
#[derive(Clone, Debug)]
pub struct TableFile {
    /// Where it is in the lake's object store.
    pub path: object_store::path::Path,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
}

/// A table of one version of a lake, restricted to some of its columns.
///
/// Planning costs grow with the width of a schema, so a query that knows its columns asks for these only.
#[derive(Debug)]
pub struct LakeTable {
    table: Table,
    schema: SchemaRef,
    files: Vec<TableFile>,
    store: ObjectStoreUrl,
    /// Whether scans say that their rows come in the table's order. That order keeps files from being split freely, so it
    /// is declared only to those who need it.
    ordered: bool,
    /// At most so many partitions, if it is not the session that says it.
    partitions: Option<usize>,
}

impl LakeTable {
    /// The table with these columns (a subset of the file columns, in any order) and files.
    pub fn new(table: Table, schema: &Schema, files: Vec<TableFile>, store: ObjectStoreUrl) -> Self {
        let fields: Vec<_> = schema.fields().iter().map(as_view).collect();
        Self { table, schema: Arc::new(Schema::new(fields)), files, store, ordered: false, partitions: None }
    }

    /// The same, with rows declared to come in the order of [`Table::sort_key`] within each partition.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// The same, read in about so many partitions.
    #[must_use]
    pub fn in_partitions(mut self, partitions: usize) -> Self {
        self.partitions = Some(partitions);
        self
    }

    fn ordering(&self) -> Option<LexOrdering> {
        let keys = self.table.sort_key().iter().map_while(|key| {
            let index = self.schema.index_of(key.name).ok()?;
            let options = arrow::compute::SortOptions { descending: key.descending, nulls_first: key.descending };
            Some(PhysicalSortExpr::new(Arc::new(Column::new(key.name, index)), options))
        });
        LexOrdering::new(keys)
    }

    fn statistics(&self) -> Statistics {
        let rows = self.files.iter().map(|file| usize::try_from(file.rows).unwrap_or(usize::MAX)).sum();
        let bytes = self.files.iter().map(|file| usize::try_from(file.size).unwrap_or(usize::MAX)).sum();
        Statistics {
            num_rows: Precision::Exact(rows),
            total_byte_size: Precision::Inexact(bytes),
            column_statistics: vec![ColumnStatistics::new_unknown(); self.schema.fields().len()],
        }
    }
}

#[async_trait::async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // The physical optimizer hands the filters to the Parquet reader, which applies what it can.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.statistics())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            let schema = datafusion::common::project_schema(&self.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let files: Vec<_> =
            self.files.iter().map(|file| PartitionedFile::new(file.path.to_string(), file.size)).collect();
        let partitions = self.partitions.unwrap_or_else(|| state.config().target_partitions());
        let groups = scan::groups(&files, partitions, self.ordered);
        let mut options = TableParquetOptions::new();
        options.global = state.config_options().execution.parquet.clone();
        // The lake has none.
        options.global.bloom_filter_on_read = false;
        let runtime = state.runtime_env();
        let cache = runtime.cache_manager.get_file_metadata_cache();
        let store = runtime.object_store(&self.store)?;
        let columns = self.schema.fields().iter().map(|field| field.name().clone()).collect();
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(NarrowReaderFactory::new(store, cache, columns)));
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(self.statistics())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::new(ListPredicates)))
            .with_output_ordering(if self.ordered { self.ordering().into_iter().collect() } else { vec![] })
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
