//! Runs cut at positions, so that conditions on positions are the same for all samples of a run.

use super::merge::projected;
use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;

/// A table of runs, cut.
#[derive(Debug)]
pub(super) struct CutTable {
    runs: Arc<dyn TableProvider>,
    /// Ascending.
    cuts: Arc<[i64]>,
}

impl CutTable {
    pub(super) fn new(runs: Arc<dyn TableProvider>, cuts: Vec<i64>) -> Self {
        Self { runs, cuts: cuts.into() }
    }
}

#[async_trait::async_trait]
impl TableProvider for CutTable {
    fn schema(&self) -> SchemaRef {
        self.runs.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // Start and end are needed even where nobody asks for them.
        let whole: Vec<usize> = (0..self.schema().fields().len()).collect();
        let input = self.runs.scan(state, Some(&whole), &[], None).await?;
        let cut = Arc::new(CutExec { input, cuts: Arc::clone(&self.cuts) });
        projected(cut, projection)
    }
}

/// Cuts runs; columns are those of its input, among them `start` and `end`.
#[derive(Debug)]
struct CutExec {
    input: Arc<dyn ExecutionPlan>,
    cuts: Arc<[i64]>,
}

impl DisplayAs for CutExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CutExec: positions={}", self.cuts.len())
    }
}

impl ExecutionPlan for CutExec {
    fn name(&self) -> &'static str {
        "CutExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.into_iter().next() {
            Some(input) => Ok(Arc::new(Self { input, cuts: Arc::clone(&self.cuts) })),
            None => Ok(self),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let cuts = Arc::clone(&self.cuts);
        let batches = self.input.execute(partition, context)?.map(move |batch| cut(&batch?, &cuts));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.input.schema(), batches)))
    }
}

fn cut(batch: &RecordBatch, cuts: &[i64]) -> Result<RecordBatch> {
    let schema = batch.schema();
    let places = [schema.index_of("start")?, schema.index_of("end")?];
    let [starts, ends] = places.map(|index| batch.column(index).as_primitive::<Int64Type>());
    let mut rows: Vec<u32> = Vec::with_capacity(batch.num_rows());
    let (mut new_starts, mut new_ends) = (vec![], vec![]);
    for (row, (start, end)) in (0_u32..).zip(starts.values().iter().zip(ends.values())) {
        let mut from = *start;
        let first = cuts.partition_point(|cut| cut <= start);
        for at in cuts.iter().skip(first).take_while(|cut| *cut < end) {
            rows.push(row);
            new_starts.push(from);
            new_ends.push(*at);
            from = *at;
        }
        rows.push(row);
        new_starts.push(from);
        new_ends.push(*end);
    }
    let rows = UInt32Array::from(rows);
    let columns = batch.columns().iter().map(|column| take(column, &rows, None));
    let mut columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>()?;
    for (index, values) in places.into_iter().zip([new_starts, new_ends]) {
        if let Some(column) = columns.get_mut(index) {
            *column = Arc::new(Int64Array::from(values));
        }
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}
