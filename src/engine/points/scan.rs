//! Reading pieces: one Parquet scan whose partitions are the pieces, each with an access plan for its rows.

use super::matched::damaged;
use super::pieces::{Pages, Piece};
use crate::Result;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetAccessPlan, ParquetFileReaderFactory, RowGroupAccess,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use lakeql_lake::{Snapshot, Table};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, RowSelector};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Rows of a batch: each one costs a round through all columns.
const BATCH_ROWS: usize = 16_384;

/// The name of the column with fractions of steps. Lakes without such steps need not have it.
pub(super) const SUBSTEP: &str = "substep";

/// The files of a table of points, with their footers as far as they are needed.
pub(super) struct PointFiles {
    table: Table,
    schema: SchemaRef,
    store: ObjectStoreUrl,
    factory: Arc<CachedParquetFileReaderFactory>,
    options: TableParquetOptions,
    files: Vec<PartitionedFile>,
    footers: BTreeMap<usize, Arc<ParquetMetaData>>,
    pages: Pages,
}

impl PointFiles {
    /// Opens those files of the table that are named.
    pub(super) async fn open(
        state: &SessionState,
        snapshot: &Snapshot,
        store: &ObjectStoreUrl,
        table: Table,
        needed: impl Iterator<Item = usize>,
    ) -> Result<Self> {
        let runtime = state.runtime_env();
        let cache = runtime.cache_manager.get_file_metadata_cache();
        let factory = Arc::new(CachedParquetFileReaderFactory::new(runtime.object_store(store)?, cache));
        let mut options = TableParquetOptions::new();
        options.global = state.config_options().execution.parquet.clone();
        let found = snapshot.table(table);
        let files: Vec<_> =
            found.files.iter().map(|file| PartitionedFile::new(file.location.to_string(), file.size)).collect();
        let mut footers = BTreeMap::new();
        for index in needed {
            if footers.contains_key(&index) {
                continue;
            }
            let Some(file) = files.get(index) else { continue };
            let metrics = ExecutionPlanMetricsSet::new();
            let mut reader = factory.create_reader(0, file.clone(), None, &metrics)?;
            // With the page index, which the scans then find in the cache. Nothing but it tells them where pages are.
            let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
            let footer = reader.get_metadata(Some(&options)).await.map_err(datafusion::error::DataFusionError::from)?;
            footers.insert(index, footer);
        }
        let pages = footers.iter().filter_map(|(index, footer)| Some((*index, page_starts(footer)?)));
        let pages = Pages(pages.collect());
        let (schema, store) = (Arc::clone(&found.schema), store.clone());
        Ok(Self { table, schema, store, factory, options, files, footers, pages })
    }

    /// Where the pages of the opened files begin.
    pub(super) fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Which table.
    pub(super) fn table(&self) -> Table {
        self.table
    }

    /// Whether some step of the opened files has a fraction.
    pub(super) fn has_fractions(&self) -> bool {
        if self.schema.index_of(SUBSTEP).is_err() {
            return false;
        }
        self.footers.values().flat_map(|footer| footer.row_groups()).any(|group| {
            // Files that were written before the column existed have fewer columns.
            let column = group.columns().iter().find(|column| column.column_path().string() == SUBSTEP);
            let nulls =
                column.and_then(|column| column.statistics()).and_then(|statistics| statistics.null_count_opt());
            column.is_some() && nulls.is_none_or(|nulls| i64::try_from(nulls) != Ok(group.num_rows()))
        })
    }

    /// The scan that reads these columns of the pieces, one partition for each, rows in order.
    pub(super) fn scan(&self, pieces: &[Piece], columns: &[&str]) -> Result<Arc<dyn ExecutionPlan>> {
        let fields: Vec<Field> = self
            .schema
            .fields()
            .iter()
            .filter(|field| columns.contains(&field.name().as_str()))
            .map(|field| match field.data_type() {
                DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
                _ => field.as_ref().clone(),
            })
            .collect();
        let mut groups = Vec::with_capacity(pieces.len());
        for piece in pieces {
            groups.push(FileGroup::new(vec![self.part(piece)?]));
        }
        let source = ParquetSource::new(Arc::new(Schema::new(fields)))
            .with_table_parquet_options(self.options.clone())
            .with_parquet_file_reader_factory(Arc::clone(&self.factory) as _);
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_batch_size(Some(BATCH_ROWS))
            // A piece is read by its own partition and by no other, since positions tell whose rows they are.
            .with_preserve_order(true)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    /// The file of a piece with the rows to read.
    fn part(&self, piece: &Piece) -> Result<PartitionedFile> {
        let (Some(file), Some(footer)) = (self.files.get(piece.file), self.footers.get(&piece.file)) else {
            return Err(damaged(self.table, format!("there is no file number {}", piece.file)));
        };
        let groups: Vec<u64> =
            footer.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or_default()).collect();
        Ok(file.clone().with_extension(access_plan(&groups, &piece.ranges)))
    }
}

/// The first rows of all pages of the column `step`, counted through the file. The writer cuts all columns alike.
fn page_starts(footer: &ParquetMetaData) -> Option<Vec<u64>> {
    let column = footer.file_metadata().schema_descr().columns().iter().position(|column| column.name() == "step")?;
    let mut starts = vec![];
    let mut first = 0;
    for (group, offsets) in footer.row_groups().iter().zip(footer.offset_index()?) {
        let pages = offsets.get(column)?.page_locations();
        starts.extend(pages.iter().map(|page| first + u64::try_from(page.first_row_index).unwrap_or_default()));
        first += u64::try_from(group.num_rows()).unwrap_or_default();
    }
    Some(starts)
}

/// The rows of each row group (with these numbers of rows) that lie in the ranges.
fn access_plan(groups: &[u64], ranges: &[Range<u64>]) -> ParquetAccessPlan {
    let mut plan = ParquetAccessPlan::new_none(groups.len());
    let mut ranges = ranges.iter().cloned();
    let mut range = ranges.next();
    let mut start = 0;
    for (index, rows) in groups.iter().enumerate() {
        let end = start + rows;
        let mut selectors: Vec<RowSelector> = vec![];
        let mut done = start;
        while let Some(wanted) = range.clone().filter(|wanted| wanted.start < end) {
            let until = wanted.end.min(end);
            if wanted.start > done {
                selectors.push(RowSelector::skip(rows_of(done..wanted.start)));
            }
            selectors.push(RowSelector::select(rows_of(wanted.start..until)));
            done = until;
            range = if wanted.end > end { Some(end..wanted.end) } else { ranges.next() };
        }
        let whole = matches!(selectors.as_slice(), [one] if !one.skip && done == end);
        if whole {
            plan.scan(index);
        } else if !selectors.is_empty() {
            if done < end {
                selectors.push(RowSelector::skip(rows_of(done..end)));
            }
            plan.set(index, RowGroupAccess::Selection(selectors.into()));
        }
        start = end;
    }
    plan
}

fn rows_of(range: Range<u64>) -> usize {
    usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_at_row_groups() {
        let plan = access_plan(&[10, 10, 10, 10], &[2..4, 8..25]);
        let selection = |selectors: Vec<RowSelector>| RowGroupAccess::Selection(selectors.into());
        assert_eq!(
            plan.inner(),
            [
                selection(vec![
                    RowSelector::skip(2),
                    RowSelector::select(2),
                    RowSelector::skip(4),
                    RowSelector::select(2)
                ]),
                RowGroupAccess::Scan,
                selection(vec![RowSelector::select(5), RowSelector::skip(5)]),
                RowGroupAccess::Skip,
            ]
        );
        assert_eq!(access_plan(&[10, 10], &[]).inner(), [RowGroupAccess::Skip, RowGroupAccess::Skip]);
        assert_eq!(access_plan(&[10], &[0..5, 7..10]).inner().len(), 1);
        assert_eq!(access_plan(&[5, 5], &[0..5, 7..10]).inner()[0], RowGroupAccess::Scan);
    }
}
