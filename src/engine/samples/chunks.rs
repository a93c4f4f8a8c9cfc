//! Chunks of a mixture: the chosen samples are read once, as ranges by their properties; then chunks are arithmetic.

use super::answer::selection;
use super::chosen::Chosen;
use super::keyed::Keys;
use super::names::Names;
use super::ranges::{Joiner, Span, in_order};
use crate::results::Closing;
use crate::{Error, Result};
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{TryStreamExt, stream};
use lakeql_lake::Snapshot;
use lakeql_lake::catalog::samples::Property;
use lakeql_mixtures::{Chunk, Component, Draw, Key, MixtureFile, Order, Plan, Range, State};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::model::{Query, Relation};
use std::sync::{Arc, Mutex};

/// Rows of one batch, about.
const BATCH_ROWS: usize = 8_192;

/// What is asked of chunks.
#[derive(Clone, Debug)]
pub struct ChunkOptions {
    /// The mixture, and what the trainer has reported.
    pub mixture: MixtureFile,
    /// Samples of a chunk.
    pub chunk_size: u64,
    /// Number of the first chunk, from 0; by default the first, or the next of the state.
    pub from: Option<u64>,
    /// How many chunks; all if not given.
    pub count: Option<u64>,
    /// In which order the samples of a key are taken.
    pub order: Order,
    /// Goes on where an earlier draw has stopped.
    pub state: Option<State>,
    /// Whether the state afterwards is wanted.
    pub keep_state: bool,
}

/// How far a draw has come; filled while chunks are read.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    state: Arc<Mutex<Option<State>>>,
}

impl Chunks {
    /// The state after the last chunk that was read, if it was asked for.
    pub fn state(&self) -> Option<State> {
        self.state.lock().ok()?.clone()
    }
}

/// What a session makes its results of.
pub(crate) struct Answer {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) stream: SendableRecordBatchStream,
    pub(crate) notes: Vec<Diagnostic>,
    pub(crate) closing: Closing,
    pub(crate) chunks: Chunks,
}

/// A mistake in a mixture, for users.
fn wrong(error: &lakeql_mixtures::Error) -> Error {
    Diagnostic::error(Kind::Semantic, error.to_string()).into()
}

/// Reads the chosen samples and starts handing out chunks.
pub(crate) async fn chunks(
    state: &SessionState,
    snapshot: &Arc<Snapshot>,
    store: &ObjectStoreUrl,
    query: &Query,
    options: ChunkOptions,
) -> Result<Answer> {
    if query.relation != Relation::Samples {
        let problem = Diagnostic::error(Kind::Semantic, "chunks are made of samples, which this query is not about");
        return Err(problem.hint("ask with --lang mixtera").into());
    }
    let (selection, _) = selection(query)?;
    let chosen = Chosen::new(snapshot, selection).await?;
    let mut notes = chosen.notes.clone();
    let by = properties(&chosen, &options)?;
    let input = chosen.physical(state, snapshot, store, &by).await?;
    let context = state.task_ctx();
    let components = components(&input, &context, by, state.config().target_partitions()).await?;
    let ChunkOptions { mixture, chunk_size, from, count, order, state: saved, keep_state } = options;
    let plan = Plan::new(components, mixture, chunk_size, order).map_err(|error| wrong(&error))?;
    notes.extend(shortages(&plan)?);
    let plan = Arc::new(plan);
    let first = saved.as_ref().map_or(0, |state| state.chunk);
    let next = from.unwrap_or(first);
    if next < first {
        let message = format!("the state is at chunk {first}, so that chunk {next} cannot be drawn again");
        return Err(Diagnostic::error(Kind::Semantic, message).hint("leave the state out to begin anew").into());
    }
    let source = if plan.is_direct() && saved.is_none() && !keep_state {
        Source::Direct(Arc::clone(&plan), next)
    } else {
        let mut draw = match saved {
            Some(state) => plan.resume(state).map_err(|error| wrong(&error))?,
            None => plan.draw(),
        };
        draw.skip(next - first).map_err(|error| wrong(&error))?;
        Source::Drawn(Box::new(draw))
    };
    let (chunks, closing) = (Chunks::default(), Closing::default());
    let rows = ChunkRows {
        source,
        left: count,
        made: 0,
        samples: 0,
        names: Names::new(&chosen.collection),
        schema: schema(),
        keep: keep_state.then(|| Arc::clone(&chunks.state)),
        closing: Arc::clone(&closing),
        chosen: plan.total(),
    };
    rows.save();
    let batches = stream::try_unfold(rows, |mut rows| async move {
        let batch = rows.batch().map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
        Ok(batch.map(|batch| (batch, rows)))
    });
    let stream = Box::pin(RecordBatchStreamAdapter::new(schema(), batches));
    Ok(Answer { plan: input, stream, notes, closing, chunks })
}

fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8View, false);
    let int = |name| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![int("chunk"), text("key"), text("dataset"), text("file"), int("start"), int("end")]))
}

/// The properties by which samples are told apart. In the original's order these are all; otherwise those that the mixture
/// names.
fn properties(chosen: &Chosen, options: &ChunkOptions) -> Result<Vec<Property>> {
    let mixture = &options.mixture.mixture;
    let keys = mixture.keys();
    let mut named: Vec<String> =
        keys.iter().flat_map(Key::properties).map(|(property, _)| property.to_owned()).collect();
    named.sort_unstable();
    named.dedup();
    // Also says which one there is not.
    let named = chosen.named(&named)?;
    if options.order == Order::Keys || mixture.needs_components() {
        return Ok(chosen.collection.properties());
    }
    Ok(named)
}

/// All chosen samples as ranges by their properties.
async fn components(
    input: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    by: Vec<Property>,
    threads: usize,
) -> Result<Vec<Component>> {
    let mut keys = Keys::new(by, &input.schema())?;
    let mut joiner = Joiner::default();
    let mut ranges: Vec<Vec<Range>> = vec![];
    let add = |span: Span, ranges: &mut Vec<Vec<Range>>| {
        let number = |value: i64| u32::try_from(value).unwrap_or_default();
        let position = |value: i64| u64::try_from(value).unwrap_or_default();
        if let Some(ranges) = ranges.get_mut(span.key) {
            ranges.push(Range {
                dataset: number(span.dataset),
                file: number(span.file),
                start: position(span.start),
                end: position(span.end),
            });
        }
    };
    let mut batches = in_order(input, context, threads)?;
    while let Some(batch) = batches.try_next().await? {
        let numbers = keys.numbers(&batch)?;
        ranges.resize_with(keys.len(), Vec::new);
        joiner.push(&batch, &numbers, |span| add(span, &mut ranges));
    }
    if let Some(last) = joiner.finish() {
        add(last, &mut ranges);
    }
    Ok(keys.keys()?.into_iter().zip(ranges).map(|(key, ranges)| Component::new(key, ranges)).collect())
}

/// What cannot be had.
fn shortages(plan: &Plan) -> Result<Vec<Diagnostic>> {
    let mut notes = vec![];
    for supply in plan.supply().map_err(|error| wrong(&error))? {
        let shown = |key: &Key| match key.to_string() {
            text if text.is_empty() => "the empty key".to_owned(),
            text => format!("the key `{text}`"),
        };
        let note = |text: String| Diagnostic::note(Kind::Semantic, text);
        if supply.available == 0 {
            notes.push(note(format!("no chosen sample matches {}", shown(&supply.key))));
        } else if supply.count == 0 {
            notes.push(note(format!("chunks of {} have no sample of {}", plan.chunk_size(), shown(&supply.key))));
        } else if supply.available < supply.count {
            let (key, count, available) = (shown(&supply.key), supply.count, supply.available);
            notes.push(note(format!("a chunk has {count} samples of {key}, there are {available}")));
        }
    }
    // A mixture that is inferred has as many keys as there are combinations.
    notes.truncate(20);
    Ok(notes)
}

enum Source {
    Direct(Arc<Plan>, u64),
    Drawn(Box<Draw>),
}

impl Source {
    fn next(&mut self) -> Result<Option<Chunk>> {
        match self {
            Self::Direct(plan, next) => {
                *next += 1;
                Ok(plan.chunk(*next - 1))
            }
            Self::Drawn(draw) => draw.next_chunk().map_err(|error| wrong(&error)),
        }
    }
}

/// Chunks on their way to rows.
struct ChunkRows {
    source: Source,
    left: Option<u64>,
    made: u64,
    samples: u64,
    names: Names,
    schema: SchemaRef,
    keep: Option<Arc<Mutex<Option<State>>>>,
    closing: Closing,
    chosen: u64,
}

impl ChunkRows {
    /// Whole chunks, until there are enough rows.
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let (mut numbers, mut keys, mut ranges) = (vec![], vec![], vec![]);
        let mut ended = false;
        while ranges.len() < BATCH_ROWS && self.left != Some(0) {
            let Some(chunk) = self.source.next()? else {
                ended = true;
                break;
            };
            self.left = self.left.map(|left| left - 1);
            self.made += 1;
            self.samples += chunk.total();
            for part in chunk.parts {
                let key = part.key.to_string();
                for range in part.ranges {
                    numbers.push(i64::try_from(chunk.number).unwrap_or(i64::MAX));
                    keys.push(key.clone());
                    ranges.push(range);
                }
            }
        }
        self.save();
        if ranges.is_empty() {
            self.close(ended);
            return Ok(None);
        }
        if ended {
            self.left = Some(0);
            self.close(true);
        }
        let int = |value: fn(&Range) -> u64| -> ArrayRef {
            let values = ranges.iter().map(|range| i64::try_from(value(range)).unwrap_or(i64::MAX));
            Arc::new(Int64Array::from_iter_values(values))
        };
        let files: Vec<i64> = ranges.iter().map(|range| i64::from(range.file)).collect();
        let [dataset, file] = self.names.columns(&files)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(numbers)),
            Arc::new(StringViewArray::from_iter_values(&keys)),
            dataset,
            file,
            int(|range| range.start),
            int(|range| range.end),
        ];
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), columns)?))
    }

    fn save(&self) {
        let Some(keep) = &self.keep else { return };
        if let (Source::Drawn(draw), Ok(mut keep)) = (&self.source, keep.lock()) {
            *keep = Some(draw.state().clone());
        }
    }

    fn close(&mut self, ended: bool) {
        let Ok(mut notes) = self.closing.lock() else { return };
        if notes.is_empty() {
            let end = if ended { ", the last there are" } else { "" };
            let message = format!("{} chunks of {} of {} chosen samples{end}", self.made, self.samples, self.chosen);
            notes.push(Diagnostic::note(Kind::Semantic, message));
        }
    }
}
