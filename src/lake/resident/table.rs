//! The table as DataFusion sees it.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Column, DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::{conjunction, split_conjunction};
use datafusion::physical_optimizer::pruning::{PruningPredicateBuilder, PruningStatistics};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;

use super::cache::ColumnCache;
use super::exec::{Group, ResidentScanExec, Scan};
use super::predicate::Conjunct;
use super::source::Source;
use crate::catalog::provider::TableFile;
use crate::catalog::snapshot::Snapshot;
use crate::catalog::tables::Table;
use crate::storage::narrow::as_view;

/// The column of `provenance` that is not stored: the ordinal of the parent, null if the catalogue has no such file.
pub const PARENT_FILE: &str = "parent_file";

/// A table of the catalogue of one version of a lake, restricted to some of its columns, whose columns stay in memory.
#[derive(Debug)]
pub struct ResidentTable {
    table: Table,
    schema: SchemaRef,
    snapshot: Arc<Snapshot>,
    store: ObjectStoreUrl,
    cache: Arc<ColumnCache>,
    ordered: bool,
}

impl ResidentTable {
    /// The table with these of its columns.
    pub fn new(
        table: Table,
        wanted: impl Fn(&str) -> bool,
        snapshot: &Arc<Snapshot>,
        store: ObjectStoreUrl,
        cache: Arc<ColumnCache>,
    ) -> Self {
        let stored = snapshot.table(table).schema.fields().iter().filter(|field| wanted(field.name())).map(as_view);
        let mut fields: Vec<Field> = stored.collect();
        if table == Table::Provenance && wanted(PARENT_FILE) {
            fields.push(Field::new(PARENT_FILE, DataType::Int64, true));
        }
        let schema = Arc::new(Schema::new(fields));
        Self { table, schema, snapshot: Arc::clone(snapshot), store, cache, ordered: false }
    }

    /// The same, with rows that come in the order of [`Table::sort_key`] within each partition, and early.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    fn files(&self, table: Table) -> Vec<TableFile> {
        let files = self.snapshot.table(table).files.iter();
        files.map(|file| TableFile { path: file.location.clone(), size: file.size, rows: file.rows }).collect()
    }

    /// Row groups in the order of the table: a file is in order, and files that do not overlap follow each other.
    fn in_order(&self, source: &Source, groups: &[Group]) -> Vec<Vec<Group>> {
        let key = self.table.sort_key().first().map(|key| Column::from_name(key.name));
        let range = |part: usize| -> Option<(i64, i64)> {
            let ranges = Ranges::new(&self.schema, &source.parts.get(part)?.footer);
            let key = key.as_ref()?;
            let (least, greatest) = (ranges.min_values(key)?, ranges.max_values(key)?);
            let bounds = |ends: &ArrayRef| -> Option<Vec<i64>> {
                let times = ends.as_primitive_opt::<TimestampMicrosecondType>()?;
                (times.null_count() == 0).then(|| times.values().to_vec())
            };
            Some((bounds(&least)?.into_iter().min()?, bounds(&greatest)?.into_iter().max()?))
        };
        let mut files: Vec<(_, Vec<Group>)> = vec![];
        for group in groups {
            match files.last_mut().filter(|(_, file)| file.last().is_some_and(|last| last.part == group.part)) {
                Some((_, file)) => file.push(*group),
                None => files.push((range(group.part), vec![*group])),
            }
        }
        files.sort_by_key(|(range, _)| range.map(|(least, _)| least));
        let mut chains: Vec<(Option<i64>, Vec<Group>)> = vec![];
        for (range, file) in files {
            let least = range.map(|(least, _)| least);
            let follows = |end: &Option<i64>| matches!((end, least), (Some(end), Some(least)) if *end < least);
            let greatest = range.map(|(_, greatest)| greatest);
            match chains.iter_mut().find(|(end, _)| follows(end)) {
                Some((end, chain)) => {
                    *end = greatest;
                    chain.extend(file);
                }
                None => chains.push((greatest, file)),
            }
        }
        chains.into_iter().map(|(_, chain)| chain).collect()
    }
}

#[async_trait::async_trait]
impl TableProvider for ResidentTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    fn statistics(&self) -> Option<Statistics> {
        let rows = usize::try_from(self.snapshot.table(self.table).rows()).unwrap_or(usize::MAX);
        Some(Statistics { num_rows: Precision::Inexact(rows), ..Statistics::new_unknown(&self.schema) })
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let projection: Vec<usize> = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let files = self.files(self.table);
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(self.schema.project(&projection)?))));
        }
        let runtime = state.runtime_env();
        let footers = runtime.cache_manager.get_file_metadata_cache();
        let store = runtime.object_store(&self.store)?;
        let open = |schema: &SchemaRef, files: Vec<TableFile>| {
            let (schema, store, cache) = (Arc::clone(schema), Arc::clone(&store), Arc::clone(&self.cache));
            let footers = Arc::clone(&footers);
            async move { Source::open(schema, &files, store, &footers, cache).await }
        };
        let mut source = open(&self.schema, files).await?;
        if self.schema.index_of(PARENT_FILE).is_ok() {
            let ids =
                ["file", "fid", "namespace", "name"].map(|name| Table::Files.schema().field_with_name(name).cloned());
            let ids = ids.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
            let ids = Schema::new(ids.into_iter().map(|field| as_view(&Arc::new(field))).collect::<Vec<_>>());
            source.files = Some(Arc::new(open(&Arc::new(ids), self.files(Table::Files)).await?));
        }

        let names = DFSchema::try_from(Arc::clone(&self.schema))?;
        let mut conjuncts = vec![];
        let mut all = vec![];
        for filter in filters {
            let expr = state.create_physical_expr(filter.clone(), &names)?;
            for part in split_conjunction(&expr) {
                conjuncts.push(Conjunct::new(part, &self.schema)?);
                all.push(Arc::clone(part));
            }
        }
        conjuncts.sort_by_key(|conjunct| conjunct.rank);
        let pruning = match all.is_empty() {
            true => None,
            false => PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema)).build(conjunction(all)),
        };
        let (mut groups, mut pruned) = (vec![], 0);
        for (part, file) in source.parts.iter().enumerate() {
            let kept = match &pruning {
                Some(pruning) => pruning.prune(&Ranges::new(&self.schema, &file.footer))?,
                None => vec![true; file.footer.num_row_groups()],
            };
            for (group, kept) in kept.into_iter().enumerate() {
                match kept {
                    true => groups.push(Group { part, group }),
                    false => pruned += 1,
                }
            }
        }
        let partitions = match self.ordered {
            true => self.in_order(&source, &groups),
            false => dealt(&groups, state.config().target_partitions()),
        };
        let scan = Scan { table: self.table, source, conjuncts, projection, limit, ordered: self.ordered, pruned };
        Ok(Arc::new(ResidentScanExec::new(scan, partitions)?))
    }
}

/// Row groups for so many threads: neighbours go to different ones, because what is sought often lies close together.
fn dealt(groups: &[Group], threads: usize) -> Vec<Vec<Group>> {
    let count = threads.clamp(1, groups.len().max(1));
    (0..count).map(|first| groups.iter().skip(first).step_by(count).copied().collect()).collect()
}

/// The statistics of a file's row groups.
struct Ranges<'a> {
    /// The columns of the file in their order, those that are asked for with their types.
    schema: Schema,
    footer: &'a ParquetMetaData,
}

impl<'a> Ranges<'a> {
    fn new(table: &Schema, footer: &'a ParquetMetaData) -> Self {
        // Statistics are found by the place of a column in the file.
        let roots = footer.file_metadata().schema_descr().root_schema().get_fields();
        let fields = roots.iter().map(|root| match table.fields().find(root.name()) {
            Some((_, field)) => Arc::clone(field),
            None => Arc::new(Field::new(root.name(), DataType::Null, true)),
        });
        Self { schema: Schema::new(fields.collect::<Vec<_>>()), footer }
    }

    fn converter<'s>(&'s self, column: &'s Column) -> Option<StatisticsConverter<'s>> {
        StatisticsConverter::try_new(&column.name, &self.schema, self.footer.file_metadata().schema_descr()).ok()
    }
}

impl PruningStatistics for Ranges<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.converter(column)?.row_group_mins(self.footer.row_groups()).ok()
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.converter(column)?.row_group_maxes(self.footer.row_groups()).ok()
    }

    fn num_containers(&self) -> usize {
        self.footer.num_row_groups()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        // Nulls of a list's elements are not those of the list.
        let field = self.schema.field_with_name(&column.name).ok()?;
        if field.data_type().is_nested() {
            return None;
        }
        Some(Arc::new(self.converter(column)?.row_group_null_counts(self.footer.row_groups()).ok()?))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.footer.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or_default());
        Some(Arc::new(UInt64Array::from_iter_values(rows)))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
