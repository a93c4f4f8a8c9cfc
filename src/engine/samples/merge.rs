//! Runs of several segments brought together: each run of the answer is one in which no property of any changes.
//!
//! Segments of a data set cover the same samples, so their runs only differ in where they are cut.

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array, new_null_array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{Int64Type, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{StreamExt, stream};
use lakeql_lake::catalog::provider::LakeTable;
use std::fmt;
use std::sync::Arc;

/// Runs of one batch.
const BATCH_ROWS: usize = 8_192;

/// Data sets one after the other, each with the segments whose properties are asked.
#[derive(Debug)]
pub(super) struct MergedTable {
    schema: SchemaRef,
    datasets: Vec<Vec<LakeTable>>,
}

impl MergedTable {
    /// The schema has all columns of the tables; those that no table of a data set has are null there.
    pub(super) fn new(schema: Schema, datasets: Vec<Vec<LakeTable>>) -> Self {
        let views = schema.fields().iter().map(|field| match field.data_type() {
            // As tables of the lake give texts.
            datafusion::arrow::datatypes::DataType::Utf8 => {
                Arc::new(field.as_ref().clone().with_data_type(datafusion::arrow::datatypes::DataType::Utf8View))
            }
            _ => Arc::clone(field),
        });
        Self { schema: Arc::new(Schema::new(views.collect::<Vec<_>>())), datasets }
    }
}

#[async_trait::async_trait]
impl TableProvider for MergedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
        let mut parts: Vec<Arc<dyn ExecutionPlan>> = vec![];
        for tables in &self.datasets {
            let mut inputs = vec![];
            for table in tables {
                inputs.push(table.scan(state, None, &[], None).await?);
            }
            parts.push(Arc::new(MergeExec::new(inputs, Arc::clone(&self.schema))));
        }
        let all: Arc<dyn ExecutionPlan> = match parts.len() {
            0 => Arc::new(EmptyExec::new(Arc::clone(&self.schema))),
            1 => parts.swap_remove(0),
            _ => UnionExec::try_new(parts)?,
        };
        projected(all, projection)
    }
}

/// The columns of a plan that a scan was asked for.
pub(super) fn projected(
    plan: Arc<dyn ExecutionPlan>,
    projection: Option<&Vec<usize>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(projection) = projection else { return Ok(plan) };
    let schema = plan.schema();
    let columns = projection.iter().map(|index| {
        let name = schema.field(*index).name().clone();
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, *index));
        (column, name)
    });
    Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), plan)?))
}

/// Brings the runs of segments of one data set together.
#[derive(Debug)]
struct MergeExec {
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl MergeExec {
    fn new(inputs: Vec<Arc<dyn ExecutionPlan>>, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { inputs, schema, properties: Arc::new(properties) }
    }
}

impl DisplayAs for MergeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MergeExec: segments={}", self.inputs.len())
    }
}

impl ExecutionPlan for MergeExec {
    fn name(&self) -> &'static str {
        "MergeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.inputs.len()]
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
        Ok(Arc::new(Self::new(children, Arc::clone(&self.schema))))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut inputs = vec![];
        for input in &self.inputs {
            // A file that is larger than one piece has several partitions, in their order.
            let count = input.properties().output_partitioning().partition_count();
            let streams = (0..count).map(|partition| input.execute(partition, Arc::clone(&context)));
            let streams = streams.collect::<Result<Vec<_>>>()?;
            inputs.push(Input::new(stream::iter(streams).flatten().boxed(), &input.schema())?);
        }
        let merging = Merging { inputs, schema: Arc::clone(&self.schema) };
        let batches = stream::try_unfold(merging, |mut merging| async move {
            Ok(merging.batch().await?.map(|batch| (batch, merging)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches)))
    }
}

/// The runs of one segment as they come.
struct Input {
    batches: stream::BoxStream<'static, Result<RecordBatch>>,
    /// Positions of file, start and end.
    place: [usize; 3],
    batch: Option<RecordBatch>,
    row: usize,
}

impl Input {
    fn new(batches: stream::BoxStream<'static, Result<RecordBatch>>, schema: &SchemaRef) -> Result<Self> {
        let place = [schema.index_of("file")?, schema.index_of("start")?, schema.index_of("end")?];
        Ok(Self { batches, place, batch: None, row: 0 })
    }

    /// Makes sure that there is a row, or says that none is left.
    async fn fill(&mut self) -> Result<bool> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.num_rows()) {
            let Some(batch) = self.batches.next().await.transpose()? else {
                self.batch = None;
                return Ok(false);
            };
            (self.batch, self.row) = (Some(batch), 0);
        }
        Ok(true)
    }

    fn column(&self, which: usize) -> &[i64] {
        let column = self.batch.as_ref().zip(self.place.get(which));
        column.map_or(&[], |(batch, index)| batch.column(*index).as_primitive::<Int64Type>().values())
    }
}

struct Merging {
    inputs: Vec<Input>,
    schema: SchemaRef,
}

fn misfit() -> DataFusionError {
    let path = "samples".to_owned();
    let reason = "segments of a data set do not cover the same samples".to_owned();
    DataFusionError::External(Box::new(lakeql_lake::Error::Damaged { path, reason }))
}

impl Merging {
    async fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut open = 0;
        for input in &mut self.inputs {
            open += usize::from(input.fill().await?);
        }
        if open == 0 {
            return Ok(None);
        }
        if open < self.inputs.len() {
            return Err(misfit());
        }
        let (mut files, mut starts, mut ends) = (vec![], vec![], vec![]);
        let mut taken: Vec<Vec<u32>> = vec![Vec::with_capacity(BATCH_ROWS); self.inputs.len()];
        {
            let views: Vec<[&[i64]; 3]> =
                self.inputs.iter().map(|input| [input.column(0), input.column(1), input.column(2)]).collect();
            let mut rows: Vec<usize> = self.inputs.iter().map(|input| input.row).collect();
            let mut from = None;
            'rows: while starts.len() < BATCH_ROWS {
                let (mut file, mut start, mut end) = (None, i64::MIN, i64::MAX);
                for ([file_of, start_of, end_of], row) in views.iter().zip(&rows) {
                    let (Some(own), Some(first), Some(last)) =
                        (file_of.get(*row), start_of.get(*row), end_of.get(*row))
                    else {
                        break 'rows;
                    };
                    if file.replace(*own).is_some_and(|other| other != *own) {
                        return Err(misfit());
                    }
                    start = start.max(*first);
                    end = end.min(*last);
                }
                let Some(file) = file else { break };
                if start >= end || from.is_some_and(|from| from != (file, start) && start != 0) {
                    return Err(misfit());
                }
                files.push(file);
                starts.push(start);
                ends.push(end);
                from = Some((file, end));
                for (([_, _, end_of], row), taken) in views.iter().zip(&mut rows).zip(&mut taken) {
                    taken.push(u32::try_from(*row).unwrap_or(u32::MAX));
                    *row += usize::from(end_of.get(*row) == Some(&end));
                }
            }
            for (input, row) in self.inputs.iter_mut().zip(rows) {
                input.row = row;
            }
        }
        let count = starts.len();
        let place: [(&str, ArrayRef); 3] = [
            ("file", Arc::new(Int64Array::from(files))),
            ("start", Arc::new(Int64Array::from(starts))),
            ("end", Arc::new(Int64Array::from(ends))),
        ];
        let taken: Vec<UInt32Array> = taken.into_iter().map(UInt32Array::from).collect();
        let mut columns: Vec<ArrayRef> = vec![];
        for field in self.schema.fields() {
            if let Some((_, column)) = place.iter().find(|(name, _)| name == field.name()) {
                columns.push(Arc::clone(column));
                continue;
            }
            let found = self
                .inputs
                .iter()
                .zip(&taken)
                .find_map(|(input, taken)| Some((input.batch.as_ref()?.column_by_name(field.name())?, taken)));
            columns.push(match found {
                Some((column, rows)) => take(column, rows, None)?,
                None => new_null_array(field.data_type(), count),
            });
        }
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), columns)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::StringViewArray;
    use datafusion::arrow::datatypes::{DataType, Field};

    fn input(runs: &[(i64, i64, i64, &str)], name: &str, batch_rows: usize) -> Input {
        let int = |name: &str| Field::new(name, DataType::Int64, false);
        let fields = vec![int("file"), int("start"), int("end"), Field::new(name, DataType::Utf8View, true)];
        let schema = Arc::new(Schema::new(fields));
        let batches = runs.chunks(batch_rows).map(|runs| {
            let ints = |value: fn(&(i64, i64, i64, &str)) -> i64| -> ArrayRef {
                Arc::new(Int64Array::from_iter_values(runs.iter().map(value)))
            };
            let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(runs.iter().map(|run| run.3)));
            let columns = vec![ints(|run| run.0), ints(|run| run.1), ints(|run| run.2), texts];
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(DataFusionError::from)
        });
        Input::new(stream::iter(batches.collect::<Vec<_>>()).boxed(), &schema).unwrap()
    }

    async fn merged(inputs: Vec<Input>) -> Result<Vec<String>> {
        let int = |name: &str| Field::new(name, DataType::Int64, false);
        let text = |name: &str| Field::new(name, DataType::Utf8View, true);
        let fields = vec![int("file"), int("start"), int("end"), text("a"), text("b"), text("c")];
        let mut merging = Merging { inputs, schema: Arc::new(Schema::new(fields)) };
        let mut rows = vec![];
        while let Some(batch) = merging.batch().await? {
            for row in 0..batch.num_rows() {
                let int = |index: usize| batch.column(index).as_primitive::<Int64Type>().value(row);
                let text = |index: usize| batch.column(index).as_string_view().value(row);
                assert!(batch.column(5).is_null(row));
                rows.push(format!("{} {}..{} {}{}", int(0), int(1), int(2), text(3), text(4)));
            }
        }
        Ok(rows)
    }

    #[tokio::test]
    async fn runs_are_cut_where_either_is() {
        let a = [(1, 0, 5, "x"), (1, 5, 9, "y"), (2, 0, 3, "x")];
        let b = [(1, 0, 2, "1"), (1, 2, 7, "2"), (1, 7, 9, "3"), (2, 0, 1, "3"), (2, 1, 3, "4")];
        let expected =
            ["1 0..2 x1", "1 2..5 x2", "1 5..7 y2", "1 7..9 y3", "2 0..1 x3", "2 1..3 x4"].map(str::to_owned);
        for rows in 1..=5 {
            let found = merged(vec![input(&a, "a", rows), input(&b, "b", 6 - rows)]).await.unwrap();
            assert_eq!(found, expected, "{rows}");
        }
    }

    #[tokio::test]
    async fn segments_that_do_not_fit_are_an_error() {
        for b in [vec![(1, 0, 4, "1")], vec![(1, 0, 5, "1"), (2, 0, 1, "1")], vec![(2, 0, 5, "1")], vec![]] {
            let a = [(1, 0, 5, "x")];
            assert!(merged(vec![input(&a, "a", 4), input(&b, "b", 4)]).await.is_err(), "{b:?}");
        }
    }
}
