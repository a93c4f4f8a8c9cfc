//! The operator that joins runs to the longest ranges of chosen samples, or counts them: one open range, no sort, no window.

use super::chosen::PLACE;
use super::keyed::Keys;
use super::names::{Names, Texts};
use crate::{Error, Result};
use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
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
use lakeql_lake::catalog::samples::Property;
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Ranges of one batch.
const BATCH_ROWS: usize = 8_192;

/// A range that may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) file: i64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) key: u32,
    /// Of each sample.
    pub(super) weight: u64,
}

/// Joins runs that follow each other.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    open: Option<Span>,
}

impl Joiner {
    /// Calls `done` for every range that has ended. Without weights every sample weighs 1.
    pub(super) fn push(
        &mut self,
        batch: &RecordBatch,
        keys: &[u32],
        weights: Option<&[u64]>,
        mut done: impl FnMut(Span),
    ) {
        // [`super::chosen::PLACE`] leads.
        let ints = |index: usize| batch.column(index).as_primitive::<Int64Type>().values();
        let places = ints(0).iter().zip(ints(1)).zip(ints(2)).zip(keys);
        let mut weights = weights.map(|weights| weights.iter().copied());
        for (((file, start), end), key) in places {
            let weight = weights.as_mut().map_or(1, |weights| weights.next().unwrap_or(1));
            let next = Span { file: *file, start: *start, end: *end, key: *key, weight };
            match &mut self.open {
                Some(open)
                    if (open.end, open.key, open.weight, open.file) == (next.start, next.key, weight, next.file) =>
                {
                    open.end = next.end;
                }
                open => {
                    if let Some(ended) = open.replace(next) {
                        done(ended);
                    }
                }
            }
        }
    }

    /// The last range.
    pub(super) fn finish(&mut self) -> Option<Span> {
        self.open.take()
    }
}

/// What is made of ranges.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    /// Rows, with a key if there are properties.
    Ranges(Vec<Property>),
    /// Numbers for each combination of properties.
    Counts(Vec<Property>),
}

/// Ranges or counts of chosen runs.
#[derive(Debug)]
pub(super) struct RangesExec {
    input: Arc<dyn ExecutionPlan>,
    work: Work,
    names: Arc<Names>,
    threads: usize,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RangesExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, work: Work, names: Names, threads: usize) -> Self {
        let schema = Arc::new(match &work {
            Work::Ranges(by) => {
                let text = |name| Field::new(name, DataType::Utf8View, false);
                let int = |name| Field::new(name, DataType::Int64, false);
                let mut fields = vec![text("dataset"), text("file"), int("start"), int("end")];
                if !by.is_empty() {
                    fields.push(text("key"));
                }
                Schema::new(fields)
            }
            Work::Counts(by) => {
                let stored = input.schema();
                let of_key = by.iter().zip(stored.fields().iter().skip(PLACE.len()));
                let mut fields: Vec<Field> = of_key
                    .map(|(property, field)| Field::new(&property.name, field.data_type().clone(), true))
                    .collect();
                fields.extend(["samples", "ranges"].map(|name| Field::new(name, DataType::Int64, false)));
                fields.push(Field::new("share", DataType::Float64, false));
                Schema::new(fields)
            }
        });
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, work, names: Arc::new(names), threads, schema, properties: Arc::new(properties), metrics }
    }

    fn stream(&self, context: &Arc<TaskContext>) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let batches = in_order(&self.input, context, self.threads)?;
        let schema = Arc::clone(&self.schema);
        match &self.work {
            Work::Ranges(by) => {
                let keys = Keys::new(by.clone(), &self.input.schema(), PLACE.len())?;
                let rows = Rows {
                    joiner: Joiner::default(),
                    keys,
                    texts: Texts::default(),
                    ended: vec![],
                    schema,
                    names: Arc::clone(&self.names),
                };
                Ok(stream::try_unfold((batches, Some(rows)), |(mut batches, rows)| async move {
                    let Some(mut rows) = rows else { return Ok(None) };
                    while rows.ended.len() < BATCH_ROWS {
                        match batches.try_next().await? {
                            Some(batch) => rows.push(&batch)?,
                            None => {
                                rows.ended.extend(rows.joiner.finish());
                                let last = rows.batch()?;
                                return Ok((last.num_rows() > 0).then_some((last, (batches, None))));
                            }
                        }
                    }
                    let batch = rows.batch()?;
                    Ok(Some((batch, (batches, Some(rows)))))
                })
                .boxed())
            }
            Work::Counts(by) => {
                let keys = Keys::new(by.clone(), &self.input.schema(), PLACE.len())?;
                Ok(stream::once(counts(batches, keys, schema)).boxed())
            }
        }
    }
}

/// The batches of all partitions one after the other; some are read ahead.
pub(super) fn in_order(
    input: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    threads: usize,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let partitions = input.properties().output_partitioning().partition_count();
    if partitions == 1 {
        return Ok(input.execute(0, Arc::clone(context))?.map_err(Error::from).boxed());
    }
    let (input, context) = (Arc::clone(input), Arc::clone(context));
    let started = stream::iter(0..partitions).map(move |partition| {
        // A row group, so that the next one is read while this one is worked on.
        let (sender, receiver) = mpsc::channel(10);
        let stream = input.execute(partition, Arc::clone(&context));
        tokio::spawn(async move {
            match stream {
                Ok(mut batches) => {
                    while let Some(batch) = batches.next().await {
                        // Nobody listens any more.
                        if sender.send(batch.map_err(Error::from)).await.is_err() {
                            break;
                        }
                    }
                }
                Err(error) => drop(sender.send(Err(error.into())).await),
            }
        });
        futures::future::ready(receiver)
    });
    let receive = |receiver| {
        stream::unfold(receiver, |mut receiver: mpsc::Receiver<_>| async move {
            receiver.recv().await.map(|batch| (batch, receiver))
        })
    };
    Ok(started.buffered(threads.max(1)).flat_map(receive).boxed())
}

/// Ranges on their way to rows.
struct Rows {
    joiner: Joiner,
    keys: Keys,
    texts: Texts,
    ended: Vec<Span>,
    schema: SchemaRef,
    names: Arc<Names>,
}

impl Rows {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = self.keys.numbers(batch)?;
        let ended = &mut self.ended;
        self.joiner.push(batch, keys, None, |span| ended.push(span));
        Ok(())
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let spans = std::mem::take(&mut self.ended);
        let int =
            |value: fn(&Span) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(spans.iter().map(value))) };
        let files: Vec<i64> = spans.iter().map(|span| span.file).collect();
        let [dataset, file] = self.names.columns(&files)?;
        let mut columns = vec![dataset, file, int(|span| span.start), int(|span| span.end)];
        if self.schema.fields().len() > columns.len() {
            for number in self.texts.len()..self.keys.len() {
                self.texts.push(&self.keys.key(number).to_string());
            }
            columns.push(self.texts.column(spans.iter().map(|span| span.key as usize))?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

async fn counts(
    mut batches: BoxStream<'static, Result<RecordBatch>>,
    mut keys: Keys,
    schema: SchemaRef,
) -> Result<RecordBatch> {
    let mut joiner = Joiner::default();
    let mut found: Vec<(i64, i64)> = vec![];
    let count = |span: Span, found: &mut Vec<(i64, i64)>| {
        if let Some((samples, ranges)) = found.get_mut(span.key as usize) {
            *samples += span.end - span.start;
            *ranges += 1;
        }
    };
    while let Some(batch) = batches.try_next().await? {
        keys.numbers(&batch)?;
        found.resize(keys.len(), (0, 0));
        joiner.push(&batch, keys.last(), None, |span| count(span, &mut found));
    }
    if let Some(last) = joiner.finish() {
        count(last, &mut found);
    }
    let total: i64 = found.iter().map(|(samples, _)| samples).sum();
    let order: UInt32Array = keys.sorted()?.into_iter().map(|number| number as u32).collect();
    let mut columns: Vec<ArrayRef> = vec![];
    for column in keys.columns()? {
        columns.push(take(&column, &order, None)?);
    }
    let shares = found.iter().map(|(samples, _)| *samples as f64 / total as f64);
    let numbers: [ArrayRef; 3] = [
        Arc::new(Int64Array::from_iter_values(found.iter().map(|(samples, _)| *samples))),
        Arc::new(Int64Array::from_iter_values(found.iter().map(|(_, ranges)| *ranges))),
        Arc::new(Float64Array::from_iter_values(shares)),
    ];
    for column in numbers {
        columns.push(take(&column, &order, None)?);
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

impl DisplayAs for RangesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, by) = match &self.work {
            Work::Ranges(by) => ("ranges", by),
            Work::Counts(by) => ("counts", by),
        };
        let by: Vec<_> = by.iter().map(|property| property.name.as_str()).collect();
        write!(f, "RangesExec: {name}, by=[{}]", by.join(", "))
    }
}

impl ExecutionPlan for RangesExec {
    fn name(&self) -> &'static str {
        "RangesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> datafusion::error::Result<TreeNodeRecursion>,
    ) -> datafusion::error::Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// The input is planned already, in an order that must not be lost.
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
        let external = |error: Error| DataFusionError::External(Box::new(error));
        let batches = self.stream(&context).map_err(external)?.map(move |batch| {
            let batch = batch.map_err(external)?;
            rows.record_output(batch.num_rows());
            Ok(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches)))
    }
}
