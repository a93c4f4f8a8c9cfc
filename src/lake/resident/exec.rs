//! The operator: row groups, conditions, sets, then the columns of what is left.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::SortOptions;
use arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::stream::{self, TryStreamExt};
use tokio::sync::OnceCell;

use super::block::{Block, Chosen};
use super::ordinals::Ordinals;
use super::predicate::Conjunct;
use super::source::Source;
use crate::catalog::tables::Table;

/// Rows of a batch of an ordered scan, whose reader may need only the first ones.
const ORDERED_ROWS: usize = 8_192;

/// A row group of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) part: usize,
    pub(super) group: usize,
}

/// What is scanned, and how.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) table: Table,
    pub(super) source: Source,
    pub(super) conjuncts: Vec<Conjunct>,
    /// Places in the table.
    pub(super) projection: Vec<usize>,
    pub(super) limit: Option<usize>,
    pub(super) ordered: bool,
    /// Row groups that statistics have ruled out.
    pub(super) pruned: usize,
}

/// A set that rows have to be in, or must not be in.
#[derive(Clone, Debug)]
struct Restriction {
    /// Place in the table.
    column: usize,
    outside: bool,
    /// Gives one column of ordinals.
    plan: Arc<dyn ExecutionPlan>,
    set: Arc<OnceCell<Arc<Ordinals>>>,
}

/// A scan of a [`ResidentTable`](super::ResidentTable).
#[derive(Debug)]
pub struct ResidentScanExec {
    scan: Arc<Scan>,
    partitions: Arc<[Vec<Group>]>,
    restrictions: Vec<Restriction>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// What a scan has read.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResidentReport {
    /// The table.
    pub table: &'static str,
    /// Files in the plan, and their bytes.
    pub files: usize,
    /// Bytes of these files.
    pub bytes_total: u64,
    /// Row groups of these files.
    pub row_groups: usize,
    /// Row groups that statistics have ruled out.
    pub row_groups_pruned: usize,
    /// Bytes read: none for columns that are in memory.
    pub bytes_scanned: usize,
}

impl ResidentScanExec {
    pub(super) fn new(scan: Scan, mut partitions: Vec<Vec<Group>>) -> Result<Self> {
        if partitions.is_empty() {
            partitions.push(vec![]);
        }
        let schema = Arc::new(scan.source.schema.project(&scan.projection)?);
        let mut equivalences = EquivalenceProperties::new(Arc::clone(&schema));
        if scan.ordered {
            let keys = scan.table.sort_key().iter().map_while(|key| {
                let index = schema.index_of(key.name).ok()?;
                let options = SortOptions { descending: key.descending, nulls_first: key.descending };
                Some(PhysicalSortExpr::new(Arc::new(Column::new(key.name, index)), options))
            });
            let keys: Vec<_> = keys.collect();
            if !keys.is_empty() {
                equivalences.add_ordering(keys);
            }
        }
        let properties = PlanProperties::new(
            equivalences,
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            scan: Arc::new(scan),
            partitions: partitions.into(),
            restrictions: vec![],
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The same scan of those rows only whose column (of the output) is in the set that a plan of one column of ordinals
    /// gives, or is not in it. Nothing if the column is no ordinal, or if the scan has a limit.
    pub(super) fn restricted(&self, column: usize, outside: bool, plan: Arc<dyn ExecutionPlan>) -> Option<Self> {
        let column = self.scan.projection.get(column).copied()?;
        let name = self.scan.source.schema.fields().get(column)?.name();
        if self.scan.limit.is_some() || !matches!(name.as_str(), "file" | "child" | super::PARENT_FILE) {
            return None;
        }
        let mut restrictions = self.restrictions.clone();
        restrictions.push(Restriction { column, outside, plan, set: Arc::default() });
        Some(self.with_restrictions(restrictions))
    }

    fn with_restrictions(&self, restrictions: Vec<Restriction>) -> Self {
        Self {
            scan: Arc::clone(&self.scan),
            partitions: Arc::clone(&self.partitions),
            restrictions,
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// What has been read.
    pub fn report(&self) -> ResidentReport {
        let parts = &self.scan.source.parts;
        let metrics = self.metrics.clone_inner();
        ResidentReport {
            table: self.scan.table.name(),
            files: parts.len(),
            bytes_total: parts.iter().map(|part| part.bytes()).sum(),
            row_groups: parts.iter().map(|part| part.footer.num_row_groups()).sum(),
            row_groups_pruned: self.scan.pruned,
            bytes_scanned: metrics.sum_by_name("bytes_scanned").map(|value| value.as_usize()).unwrap_or_default(),
        }
    }
}

impl DisplayAs for ResidentScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let groups: usize = self.partitions.iter().map(Vec::len).sum();
        write!(
            f,
            "ResidentScanExec: table={}, columns=[{}], row_groups={groups}, pruned={}",
            self.scan.table,
            columns.join(", "),
            self.scan.pruned
        )?;
        if !self.scan.conjuncts.is_empty() {
            let parts: Vec<String> = self.scan.conjuncts.iter().map(|conjunct| conjunct.expr.to_string()).collect();
            write!(f, ", predicate={}", parts.join(" AND "))?;
        }
        for restriction in &self.restrictions {
            let fields = self.scan.source.schema.fields();
            let name = fields.get(restriction.column).map_or("", |field| field.name());
            write!(f, ", {name}{} in set", if restriction.outside { " not" } else { "" })?;
        }
        if let Some(limit) = self.scan.limit {
            write!(f, ", limit={limit}")?;
        }
        if self.scan.ordered { write!(f, ", ordered") } else { Ok(()) }
    }
}

impl ExecutionPlan for ResidentScanExec {
    fn name(&self) -> &'static str {
        "ResidentScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.restrictions.iter().map(|restriction| &restriction.plan).collect()
    }

    /// Sets are collected from all partitions of their plans at once.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.restrictions.len()]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for conjunct in &self.scan.conjuncts {
            if f(&conjunct.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.restrictions.len() {
            return internal_err!("a scan with {} sets was given {}", self.restrictions.len(), children.len());
        }
        let sets = self.restrictions.iter().zip(children);
        let sets = sets.map(|(old, plan)| Restriction { plan, set: Arc::default(), ..old.clone() });
        Ok(Arc::new(self.with_restrictions(sets.collect())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let children = self.children().into_iter().cloned().collect();
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep))
    }

    /// A guess, by which joins choose their sides.
    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let groups = self.partitions.iter().enumerate().filter(|(at, _)| partition.is_none_or(|it| it == *at));
        let groups = groups.flat_map(|(_, groups)| groups);
        let rows: usize = groups.map(|group| self.scan.source.rows(group.part, group.group)).sum();
        let restricted = !self.restrictions.is_empty() || self.scan.conjuncts.len() > 1;
        let rows = if restricted { rows / 20 + 1 } else { rows };
        let unknown = Statistics::new_unknown(&self.schema());
        Ok(Arc::new(Statistics { num_rows: Precision::Inexact(rows), ..unknown }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(groups) = self.partitions.get(partition).cloned() else {
            return internal_err!("there is no partition {partition}");
        };
        let rows = BaselineMetrics::new(&self.metrics, partition);
        let work = Arc::new(Work {
            scan: Arc::clone(&self.scan),
            schema: self.schema(),
            restrictions: self.restrictions.clone(),
            context,
            bytes: MetricBuilder::new(&self.metrics).counter("bytes_scanned", partition),
        });
        let left = self.scan.limit.unwrap_or(usize::MAX);
        let start = (work, groups.into_iter(), left);
        let batches = stream::try_unfold(start, |(work, mut groups, left)| async move {
            if left == 0 {
                return Ok::<_, DataFusionError>(None);
            }
            let Some(group) = groups.next() else { return Ok(None) };
            let batch = work.batch(group, left).await?;
            let left = left.saturating_sub(batch.as_ref().map_or(0, RecordBatch::num_rows));
            Ok(Some((batch, (work, groups, left))))
        });
        let ordered = self.scan.ordered;
        let batches = batches
            .try_filter_map(|batch| async move { Ok(batch) })
            .map_ok(move |batch| {
                let step = if ordered { ORDERED_ROWS } else { batch.num_rows().max(1) };
                let starts = (0..batch.num_rows()).step_by(step);
                let pieces: Vec<_> =
                    starts.map(|start| Ok(batch.slice(start, step.min(batch.num_rows() - start)))).collect();
                stream::iter(pieces)
            })
            .try_flatten()
            .inspect_ok(move |batch| rows.record_output(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

/// What a partition works with.
struct Work {
    scan: Arc<Scan>,
    schema: SchemaRef,
    restrictions: Vec<Restriction>,
    context: Arc<TaskContext>,
    bytes: Count,
}

impl Work {
    /// The rows of a row group that are left, at most so many.
    async fn batch(&self, at: Group, most: usize) -> Result<Option<RecordBatch>> {
        let source = &self.scan.source;
        let rows = source.rows(at.part, at.group);
        let mut chosen = Chosen::All(rows);
        let mut restricted = self.restrictions.is_empty();
        for conjunct in &self.scan.conjuncts {
            // Sets cost little to ask: they come before conditions on what is unique.
            if conjunct.rank > 1 && !restricted {
                chosen = self.restrict(at, chosen).await?;
                restricted = true;
            }
            if chosen.count() == 0 {
                return Ok(None);
            }
            let blocks = source.blocks(at.part, at.group, &conjunct.columns, &self.bytes).await?;
            let found = |index: usize| blocks.get(&index).map(Arc::clone);
            let answers = conjunct.predicate.answers(&chosen, rows, &found)?;
            chosen = chosen.and(&answers);
        }
        if !restricted {
            chosen = self.restrict(at, chosen).await?;
        }
        let chosen = chosen.first(most);
        if chosen.count() == 0 {
            return Ok(None);
        }
        let values = source.values(at.part, at.group, &self.scan.projection, &chosen, &self.bytes).await?;
        let columns: Option<Vec<ArrayRef>> =
            self.scan.projection.iter().map(|index| values.get(index).map(Arc::clone)).collect();
        let Some(columns) = columns else { return internal_err!("a column that was not loaded") };
        let options = RecordBatchOptions::new().with_row_count(Some(chosen.count()));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?))
    }

    async fn restrict(&self, at: Group, mut chosen: Chosen) -> Result<Chosen> {
        for restriction in &self.restrictions {
            if chosen.count() == 0 {
                return Ok(chosen);
            }
            let set = restriction.set.get_or_try_init(|| collect(&restriction.plan, &self.context)).await?;
            let blocks = self.scan.source.blocks(at.part, at.group, &[restriction.column], &self.bytes).await?;
            let Some(block) = blocks.get(&restriction.column) else {
                return internal_err!("a column that was not loaded");
            };
            let found = match block.as_ref() {
                Block::Plain(values) => match values.as_primitive_opt::<Int64Type>() {
                    Some(ordinals) => set.has(ordinals),
                    None => return internal_err!("ordinals of another type"),
                },
                other => {
                    let values = other.values(&Chosen::All(other.rows()))?;
                    set.has(values.as_primitive::<Int64Type>())
                }
            };
            let found = if restriction.outside { arrow::compute::not(&found)? } else { found };
            chosen = chosen.and(&found);
        }
        Ok(chosen)
    }
}

/// The set that a plan gives, from all its partitions at once.
async fn collect(plan: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<Arc<Ordinals>> {
    let partitions = plan.output_partitioning().partition_count();
    let mut tasks = vec![];
    for partition in 0..partitions {
        let mut rows = plan.execute(partition, Arc::clone(context))?;
        tasks.push(SpawnedTask::spawn(async move {
            let mut set = Ordinals::default();
            while let Some(batch) = rows.try_next().await? {
                match batch.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>()) {
                    Some(ordinals) => set.add(ordinals),
                    None => return internal_err!("a set of something else than ordinals"),
                }
            }
            Ok(set)
        }));
    }
    let mut all = Ordinals::default();
    for task in tasks {
        let set = task.join().await.map_err(|error| DataFusionError::External(Box::new(error)))??;
        all.merge(set);
    }
    Ok(Arc::new(all))
}
