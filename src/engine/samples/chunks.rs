//! Chunks of a mixture: the chosen samples are read once, as ranges by their properties; then chunks are arithmetic.

use super::account::{Account, Accounting, plan_hash};
use super::answer::selection;
use super::chosen::{Chosen, PLACE};
use super::keyed::Keys;
use super::names::Names;
use super::ranges::{Joiner, Span, in_order};
use super::rows::{ChunkRows, Source, schema};
use crate::results::Closing;
use crate::{Error, Result};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{TryStreamExt, stream};
use lakeql_lake::Snapshot;
use lakeql_lake::catalog::samples::{Property, PropertyKind};
use lakeql_mixtures::{Component, Distributor, Key, MixtureFile, Order, Plan, Range, State};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::model::{Query, Relation};
use std::sync::{Arc, Mutex};

/// What is asked of chunks.
#[derive(Clone, Debug)]
pub struct ChunkOptions {
    /// The mixture, and what the trainer has reported.
    pub mixture: MixtureFile,
    /// Samples of a chunk, or what they weigh.
    pub chunk_size: u64,
    /// The property that says what a sample weighs, such as its tokens; without it every sample weighs 1.
    pub weight: Option<String>,
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
    /// Whose chunks are wanted; all if not given.
    pub turn: Option<Turn>,
    /// Whether it is written down what was handed out.
    pub account: bool,
}

/// A worker of a training that has several: of `groups` groups, each of which gets chunks of its own, with `workers` workers
/// a node. All nodes of a group get the same chunks. Worker `worker` of group `group` gets in its turn `t` the chunk
/// `(t * groups + group) * workers + worker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How many groups there are; at least one.
    pub groups: u64,
    /// How many workers a node has; at least one.
    pub workers: u64,
    /// Which group, from 0.
    pub group: u64,
    /// Which worker, from 0.
    pub worker: u64,
}

impl Turn {
    /// The first chunk of the worker from this number on.
    pub(super) fn next(self, from: u64) -> u64 {
        let step = self.groups.max(1).saturating_mul(self.workers.max(1));
        let first = Distributor::fixed(self.groups, self.workers, self.group, self.worker, 0);
        first.saturating_add(from.saturating_sub(first).div_ceil(step).saturating_mul(step))
    }
}

/// How far a draw has come; filled while chunks are read.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    state: Arc<Mutex<Option<State>>>,
    account: Arc<Mutex<Option<Account>>>,
}

impl Chunks {
    /// The state after the last chunk that was read, if it was asked for.
    pub fn state(&self) -> Option<State> {
        self.state.lock().ok()?.clone()
    }

    /// What was handed out, if it was to be written down and all chunks that were asked have been read.
    pub fn account(&self) -> Option<Account> {
        self.account.lock().ok()?.clone()
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
pub(super) fn wrong(error: &lakeql_mixtures::Error) -> Error {
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
    let weight = options.weight.as_deref().map(|name| weight(&chosen, name)).transpose()?;
    let mut shown = by.clone();
    shown.extend(weight.iter().filter(|it| !by.contains(it)).cloned());
    let input = chosen.physical(state, snapshot, store, &shown).await?;
    let names = Names::new(&chosen.collection);
    let reading = Reading { by, weight, names: &names, threads: state.config().target_partitions() };
    let components = reading.components(&input, &state.task_ctx()).await?;
    let ChunkOptions { mixture, chunk_size, from, count, order, state: saved, keep_state, turn, account, .. } = options;
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
    let accounting =
        account.then(|| Accounting::new(plan_hash(&chosen.name, &selection.set), &plan, Arc::clone(&chunks.account)));
    let keep = keep_state.then(|| Arc::clone(&chunks.state));
    let rows = ChunkRows::new(source, &plan, names, keep, accounting, Arc::clone(&closing)).limited(count, turn);
    rows.save();
    let batches = stream::try_unfold(rows, |mut rows| async move {
        let batch = rows.batch().map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
        Ok(batch.map(|batch| (batch, rows)))
    });
    let stream = Box::pin(RecordBatchStreamAdapter::new(schema(), batches));
    Ok(Answer { plan: input, stream, notes, closing, chunks })
}

/// The properties by which samples are told apart. In the original's order these are all that it could have (it has no
/// numbers and times); otherwise those that the mixture names.
fn properties(chosen: &Chosen, options: &ChunkOptions) -> Result<Vec<Property>> {
    let mixture = &options.mixture.mixture;
    let keys = mixture.keys();
    let mut named: Vec<String> =
        keys.iter().flat_map(Key::properties).map(|(property, _)| property.to_owned()).collect();
    named.sort_unstable();
    named.dedup();
    // Also says which one there is not.
    let named = chosen.named(&named)?;
    if options.order != Order::Keys && !mixture.needs_components() {
        return Ok(named);
    }
    let mut all = chosen.collection.properties();
    all.retain(|property| property.kind == PropertyKind::Text || named.contains(property));
    Ok(all)
}

/// The property that samples are weighed by.
fn weight(chosen: &Chosen, name: &str) -> Result<Property> {
    let found = chosen.named(&[name.to_owned()])?.pop();
    let number = |it: &Property| matches!(it.kind, PropertyKind::Int | PropertyKind::Float) && !it.multiple;
    match found {
        Some(property) if number(&property) => Ok(property),
        Some(_) | None => {
            let message = format!("`{name}` is no number, so that samples cannot be weighed by it");
            let numbers: Vec<String> =
                chosen.collection.properties().into_iter().filter(number).map(|it| it.name).collect();
            let problem = Diagnostic::error(Kind::Type, message);
            Err(match numbers.as_slice() {
                [] => problem.hint("the collection has no numeric property"),
                numbers => problem.hint(format!("numeric properties are {}", numbers.join(", "))),
            }
            .into())
        }
    }
}

/// Reads the chosen samples into components.
struct Reading<'a> {
    by: Vec<Property>,
    weight: Option<Property>,
    names: &'a Names,
    threads: usize,
}

impl Reading<'_> {
    /// All chosen samples as ranges by their properties.
    async fn components(&self, input: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<Vec<Component>> {
        let mut keys = Keys::new(self.by.clone(), &input.schema(), PLACE.len())?;
        let mut joiner = Joiner::default();
        let mut components: Vec<Component> = vec![];
        let add = |span: Span, components: &mut Vec<Component>| {
            let position = |value: i64| u64::try_from(value).unwrap_or_default();
            let file = u32::try_from(span.file).unwrap_or_default();
            let dataset = self.names.dataset(file);
            let range = Range { dataset, file, start: position(span.start), end: position(span.end) };
            if let Some(component) = components.get_mut(span.key as usize) {
                component.push(range, span.weight);
            }
        };
        let mut batches = in_order(input, context, self.threads)?;
        while let Some(batch) = batches.try_next().await? {
            let weights = match &self.weight {
                Some(property) => Some(self.weights(&batch, property)?),
                None => None,
            };
            keys.numbers(&batch)?;
            components.resize_with(keys.len(), || Component::new(Key::default(), []));
            joiner.push(&batch, keys.last(), weights.as_deref(), |span| add(span, &mut components));
        }
        if let Some(last) = joiner.finish() {
            add(last, &mut components);
        }
        for (number, component) in components.iter_mut().enumerate() {
            component.key = keys.key(number);
        }
        Ok(components)
    }

    /// What the samples of each run weigh: whole numbers; fractions are rounded to the nearest, halves away from zero.
    fn weights(&self, batch: &RecordBatch, property: &Property) -> Result<Vec<u64>> {
        let field = property.field();
        let Some(column) = batch.column_by_name(field.name()) else { return Ok(vec![]) };
        let wrong = |row: usize, reason: &str| -> Error {
            let int = |index: usize| batch.column(index).as_primitive::<Int64Type>().value(row);
            let [dataset, file] = self.names.of(u32::try_from(int(0)).unwrap_or_default());
            let name = &property.name;
            let message = format!("sample {} of {dataset}/{file} cannot be weighed: its `{name}` {reason}", int(1));
            let hint = format!("choose only samples that have it: select((\"{name}\", \">=\", 0))");
            Diagnostic::error(Kind::Semantic, message).hint(hint).into()
        };
        let number = |row: usize, column: &ArrayRef| -> Result<u64> {
            if column.is_null(row) {
                return Err(wrong(row, "is missing"));
            }
            if *column.data_type() == DataType::Int64 {
                let value = column.as_primitive::<Int64Type>().value(row);
                return u64::try_from(value).map_err(|_| wrong(row, &format!("is {value}")));
            }
            match column.as_primitive::<Float64Type>().value(row).round() {
                value if (0.0..9e15).contains(&value) => Ok(value as u64),
                value => Err(wrong(row, &format!("is {value}"))),
            }
        };
        (0..column.len()).map(|row| number(row, column)).collect()
    }
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
            notes.push(note(format!("chunks of {} have nothing of {}", plan.chunk_size(), shown(&supply.key))));
        } else if supply.available < supply.count {
            let (key, count, available) = (shown(&supply.key), supply.count, supply.available);
            notes.push(note(format!("a chunk has {count} samples of {key}, there are {available}")));
        }
    }
    // A mixture that is inferred has as many keys as there are combinations.
    notes.truncate(20);
    Ok(notes)
}
