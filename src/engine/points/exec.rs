//! The operator that gives points or bands: its children are the scans that it reads.

use super::bands::{Banding, Bands};
use super::list::List;
use super::reading::in_order;
use crate::results::Closing;
use crate::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What is made of the points.
#[derive(Debug)]
pub(super) enum Work {
    /// Rows of their own.
    List(Arc<List>),
    /// Statistics for each step.
    Bands(Arc<Banding>),
}

/// Points or bands of series that are known already.
#[derive(Debug)]
pub(super) struct PointsExec {
    work: Work,
    /// What is read: the plan that gave the series, which has been run, and the scans of points.
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    offset: usize,
    limit: Option<usize>,
    threads: usize,
    closing: Closing,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PointsExec {
    pub(super) fn new(
        work: Work,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        (offset, limit): (usize, Option<usize>),
        threads: usize,
        closing: Closing,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(work.schema())),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { work, inputs, offset, limit, threads, closing, properties: Arc::new(properties), metrics }
    }
}

impl Work {
    fn schema(&self) -> &SchemaRef {
        match self {
            Self::List(list) => &list.schema,
            Self::Bands(banding) => &banding.schema,
        }
    }

    fn pieces(&self) -> usize {
        match self {
            Self::List(list) => list.reading.pieces.len(),
            Self::Bands(banding) => banding.reading.pieces.len(),
        }
    }

    /// The batches of the answer.
    fn stream(
        &self,
        threads: usize,
        closing: Closing,
        context: &TaskContext,
    ) -> BoxStream<'static, Result<RecordBatch>> {
        let pieces = self.pieces();
        match self {
            Self::List(list) => {
                let (shared, done) = (Arc::clone(list), Arc::clone(list));
                let batches = in_order(pieces, threads, move |piece| {
                    let list = Arc::clone(&shared);
                    async move { list.piece(piece).await }
                });
                let batches = batches.map_ok(|batches| stream::iter(batches.into_iter().map(Ok))).try_flatten();
                let end = stream::once(async move {
                    note_dropped(&closing, done.dropped.load(Ordering::Relaxed), "no value to be aligned by");
                    None
                });
                batches.map(Some).chain(end).filter_map(|batch| async move { batch }).boxed()
            }
            Self::Bands(banding) => {
                let banding = Arc::clone(banding);
                // As many as there are steps in the groups, which nothing else bounds.
                let memory = MemoryConsumer::new("bands").register(context.memory_pool());
                let all = async move {
                    let shared = Arc::clone(&banding);
                    let mut found = in_order(pieces, threads, move |piece| {
                        let banding = Arc::clone(&shared);
                        async move { banding.piece(piece).await }
                    });
                    let mut bands = Bands::default();
                    while let Some(piece) = found.try_next().await? {
                        bands.merge(&piece);
                        memory.try_resize(bands.size())?;
                    }
                    let reason = if banding.aligned.is_some() { "no value to be aligned by" } else { "no epoch" };
                    note_dropped(&closing, bands.dropped, reason);
                    banding.rows(&bands)
                };
                stream::once(all).boxed()
            }
        }
    }
}

/// Tells how many points are not in the answer because they have nothing of this.
fn note_dropped(closing: &Closing, points: u64, lacking: &str) {
    let who = match points {
        0 => return,
        1 => "1 point has".to_owned(),
        many => format!("{many} points have"),
    };
    if let Ok(mut notes) = closing.lock() {
        notes.push(Diagnostic::note(Kind::Semantic, format!("left out: {who} {lacking}")));
    }
}

/// The rows behind the offset, at most so many.
fn slice(
    batches: BoxStream<'static, Result<RecordBatch>>,
    offset: usize,
    limit: Option<usize>,
) -> BoxStream<'static, Result<RecordBatch>> {
    if offset == 0 && limit.is_none() {
        return batches;
    }
    let start = (batches, offset, limit.unwrap_or(usize::MAX));
    stream::try_unfold(start, |(mut batches, mut offset, mut left)| async move {
        while left > 0 {
            let Some(batch) = batches.try_next().await? else { break };
            let skipped = offset.min(batch.num_rows());
            offset -= skipped;
            let rows = left.min(batch.num_rows() - skipped);
            left -= rows;
            if rows > 0 {
                return Ok::<_, Error>(Some((batch.slice(skipped, rows), (batches, offset, left))));
            }
        }
        Ok(None)
    })
    .boxed()
}

impl DisplayAs for PointsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, series) = match &self.work {
            Work::List(list) => ("list", list.reading.rows.len()),
            Work::Bands(banding) => ("bands", banding.reading.rows.len()),
        };
        write!(f, "PointsExec: {name}, series={series}, pieces={}", self.work.pieces())?;
        if let Some(limit) = self.limit {
            write!(f, ", limit={limit}")?;
        }
        if self.offset > 0 { write!(f, ", offset={}", self.offset) } else { Ok(()) }
    }
}

impl ExecutionPlan for PointsExec {
    fn name(&self) -> &'static str {
        "PointsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> datafusion::error::Result<TreeNodeRecursion>,
    ) -> datafusion::error::Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// The scans belong to the rows that are known: others cannot take their place.
    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> datafusion::error::Result<SendableRecordBatchStream> {
        let rows = BaselineMetrics::new(&self.metrics, partition);
        let batches = self.work.stream(self.threads, Arc::clone(&self.closing), &context);
        let batches = slice(batches, self.offset, self.limit).map(move |batch| match batch {
            Ok(batch) => {
                rows.record_output(batch.num_rows());
                Ok(batch)
            }
            Err(error) => Err(DataFusionError::External(Box::new(error))),
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.work.schema()), batches)))
    }
}
