//! All rows of a walk as a table, so that they are planned, sorted and cut like every other answer.

use super::Walking;
use super::batch::columns_of;
use crate::resolve::shaped;
use crate::samples::AnswerTable;
use crate::{Error, Result};
use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionState;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::stream;
use lakeql_lake::Snapshot;
use lakeql_lake::trees::LevelRead;
use lakeql_query::diagnostic::Diagnostic;
use lakeql_query::model::{Query, Transform, Walk};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The walk that a query over trees begins with, and its further steps.
pub(crate) fn walk_of(query: &Query) -> Result<(&Walk, &[Transform])> {
    match query.transforms.split_first() {
        Some((Transform::Walk(walk), rest)) => Ok((walk, rest)),
        _ => Err(DataFusionError::Internal("a query over trees that walks none".to_owned()).into()),
    }
}

/// Ends a walk when nobody waits for it any more.
struct Interrupt(Arc<AtomicBool>);

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The plan of a query over trees. What columns there are only the walk tells, so it is done here.
pub(crate) async fn resolve(
    state: &SessionState,
    snapshot: &Arc<Snapshot>,
    query: &Query,
) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
    let (walk, steps) = walk_of(query)?;
    let table = walked(snapshot, walk, memory_of(state.runtime_env())).await?;
    let plan = LogicalPlanBuilder::scan("walk", provider_as_source(Arc::new(table)), None)?.build()?;
    Ok((shaped(plan, steps)?, vec![]))
}

/// The memory that ops may hold.
pub(super) fn memory_of(env: &RuntimeEnv) -> Option<usize> {
    match env.memory_pool.memory_limit() {
        MemoryLimit::Finite(bytes) => Some(bytes),
        MemoryLimit::Infinite | MemoryLimit::Unknown => None,
    }
}

/// The rows of a walk as a table.
pub(super) async fn walked(snapshot: &Snapshot, walk: &Walk, memory: Option<usize>) -> Result<AnswerTable> {
    let walking = Walking::new(snapshot, walk, memory).await?;
    let interrupt = Interrupt(Arc::default());
    let interrupted = Arc::clone(&interrupt.0);
    let walked = tokio::task::spawn_blocking(move || {
        let mut rows = vec![];
        let columns = walking.run(Some(&interrupted), &mut rows)?;
        Ok::<_, Error>((columns_of(&rows, &columns)?, walking.read()))
    });
    let (batch, read) = walked.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
    drop(interrupt);
    Ok(AnswerTable { exec: Arc::new(WalkExec::new(batch, read)) })
}

/// The rows of a walk that has been done, and what it read.
#[derive(Debug)]
pub(crate) struct WalkExec {
    batch: RecordBatch,
    read: Vec<(String, Vec<LevelRead>)>,
    properties: Arc<PlanProperties>,
}

impl WalkExec {
    fn new(batch: RecordBatch, read: Vec<(String, Vec<LevelRead>)>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(batch.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { batch, read, properties: Arc::new(properties) }
    }

    /// What was read of each level of each tree.
    pub(crate) fn read(&self) -> &[(String, Vec<LevelRead>)] {
        &self.read
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }
}

impl DisplayAs for WalkExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WalkExec: rows={}", self.batch.num_rows())?;
        for (tree, levels) in &self.read {
            write!(f, ", {tree}: [")?;
            for (number, level) in levels.iter().enumerate() {
                let comma = if number > 0 { "; " } else { "" };
                write!(
                    f,
                    "{comma}level {}: {} row groups, {} blocks, {} bytes",
                    number + 1,
                    level.row_groups.len(),
                    level.blocks,
                    level.bytes
                )?;
            }
            write!(f, "]")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for WalkExec {
    fn name(&self) -> &'static str {
        "WalkExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> datafusion::error::Result<TreeNodeRecursion>,
    ) -> datafusion::error::Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

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

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> datafusion::error::Result<SendableRecordBatchStream> {
        let batch = self.batch.clone();
        Ok(Box::pin(RecordBatchStreamAdapter::new(batch.schema(), stream::iter([Ok(batch)]))))
    }
}
