//! The nodes of a tree to the files of its levels.

use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, BinaryBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::SchemaRef;
use lakeql_rows::error::Problem;
use lakeql_rows::sketch::Out;
use lakeql_rows::tree::{Attachment, Finished, Nodes, Plan, Run, merge};
use tokio::sync::mpsc;
use xxhash_rust::xxh3::Xxh3;

use super::grow::{Part, problem_error};
use crate::catalog::lake::Lake;
use crate::catalog::trees::{StateColumns, TreeInfo, level_schema};
use crate::error::{Error, Result};
use crate::storage::writer::{TableWriter, WrittenFile};

/// Rows that are handed to the writer together.
const BATCH_ROWS: usize = 16_384;

/// Writes a tree whose parts these are. It is visible when its catalogue names it.
pub(crate) async fn write_tree(
    lake: &Lake,
    plan: &Arc<Plan>,
    definition: &str,
    parts: Vec<Part>,
    events: u64,
) -> Result<(TreeInfo, Vec<WrittenFile>)> {
    let segment = lake.claim_segment().await?;
    let (sender, mut batches) = mpsc::channel::<(usize, RecordBatch)>(8);
    let merging = Arc::clone(plan);
    let merged = tokio::task::spawn_blocking(move || {
        let columns = merging.columns().into();
        let mut levels = Levels::new(&merging, sender);
        let mut runs: Vec<Box<dyn Run>> = parts.into_iter().map(|part| part as Box<dyn Run>).collect();
        let children = merge(&mut runs, &columns, &mut levels)?;
        levels.finish().map(|(nodes, digest)| (children, nodes, digest))
    });
    let mut writers: Vec<TableWriter> = vec![];
    let written = async {
        while let Some((level, batch)) = batches.recv().await {
            // Levels come deepest first, and none is left out.
            while writers.len() < level {
                let depth = writers.len() + 1;
                writers.push(lake.node_writer(segment, depth, level_schema(plan, depth))?);
            }
            if let Some(writer) = writers.get_mut(level - 1) {
                writer.write(&batch).await?;
            }
        }
        Ok::<_, Error>(())
    };
    let written = written.await;
    drop(batches);
    let merged = merged.await.map_err(|error| Error::Internal(error.to_string()));
    let outcome = written.and_then(|()| merged?.map_err(problem_error));
    let (children, nodes, digest) = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            for writer in writers {
                writer.abort().await;
            }
            return Err(error);
        }
    };
    let mut files = vec![];
    for writer in writers {
        files.push(writer.finish().await?);
    }
    let info = TreeInfo {
        segment,
        levels: files.len() as u64,
        nodes,
        children,
        events,
        bytes: files.iter().map(|file| file.size).sum(),
        digest,
        definition: definition.to_owned(),
    };
    Ok((info, files))
}

/// Columns of one level on their way to a batch.
struct Level {
    schema: SchemaRef,
    names: Vec<StringBuilder>,
    depth: Int64Builder,
    hits: Int64Builder,
    children: Int64Builder,
    first_child: Int64Builder,
    /// By the place of the attachment among those of the tree.
    states: Vec<(usize, States)>,
}

enum States {
    Ints(Int64Builder, Int64Builder),
    FloatInt(Float64Builder, Int64Builder),
    Bytes(BinaryBuilder),
}

impl Level {
    fn new(plan: &Plan, level: usize) -> Self {
        let states = |column: usize| {
            let attach = plan.columns().get(column)?;
            Some((
                column,
                match StateColumns::of(&attach.name, &attach.spec) {
                    StateColumns::Ints(..) => States::Ints(Int64Builder::new(), Int64Builder::new()),
                    StateColumns::FloatInt(..) => States::FloatInt(Float64Builder::new(), Int64Builder::new()),
                    StateColumns::Bytes(_) => States::Bytes(BinaryBuilder::new()),
                },
            ))
        };
        Self {
            schema: level_schema(plan, level),
            names: (0..level).map(|_| StringBuilder::new()).collect(),
            depth: Int64Builder::new(),
            hits: Int64Builder::new(),
            children: Int64Builder::new(),
            first_child: Int64Builder::new(),
            states: plan.columns_of_level(level).filter_map(states).collect(),
        }
    }

    fn push(&mut self, node: &Finished<'_>, bytes: &mut Out) {
        for (builder, name) in self.names.iter_mut().zip(node.path) {
            builder.append_value(name);
        }
        let int = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.depth.append_value(int(node.path.len() as u64));
        self.hits.append_value(node.visit.hits());
        self.children.append_value(int(node.children));
        self.first_child.append_value(int(node.first_child));
        for (column, states) in &mut self.states {
            let state = node.visit.attachments().iter().find(|(of, _)| of == column).map(|(_, state)| state);
            match (states, state) {
                (States::Ints(first, second), Some(Attachment::Sum { sum: a, num: b }))
                | (States::Ints(first, second), Some(Attachment::Time { first: a, last: b })) => {
                    first.append_value(*a);
                    second.append_value(*b);
                }
                (States::Ints(first, second), _) => {
                    first.append_null();
                    second.append_null();
                }
                (States::FloatInt(sums, counts), Some(Attachment::SumFloat { sum, count })) => {
                    sums.append_value(*sum);
                    counts.append_value(*count);
                }
                (States::FloatInt(sums, counts), _) => {
                    sums.append_null();
                    counts.append_null();
                }
                (States::Bytes(builder), Some(state)) => {
                    bytes.clear();
                    state.write(bytes);
                    builder.append_value(bytes.as_slice());
                }
                (States::Bytes(builder), None) => builder.append_null(),
            }
        }
    }

    /// Bytes of states that wait.
    fn waiting(&self) -> usize {
        let bytes = |(_, states): &(usize, States)| match states {
            States::Bytes(builder) => builder.values_slice().len(),
            States::Ints(..) | States::FloatInt(..) => 0,
        };
        self.states.iter().map(bytes).sum()
    }

    fn batch(&mut self) -> Result<RecordBatch, Problem> {
        let mut columns: Vec<ArrayRef> = vec![];
        columns.extend(self.names.iter_mut().map(|names| Arc::new(names.finish()) as ArrayRef));
        for ints in [&mut self.depth, &mut self.hits, &mut self.children, &mut self.first_child] {
            columns.push(Arc::new(ints.finish()));
        }
        for (_, states) in &mut self.states {
            match states {
                States::Ints(first, second) => {
                    columns.push(Arc::new(first.finish()));
                    columns.push(Arc::new(second.finish()));
                }
                States::FloatInt(first, second) => {
                    columns.push(Arc::new(first.finish()));
                    columns.push(Arc::new(second.finish()));
                }
                States::Bytes(bytes) => columns.push(Arc::new(bytes.finish())),
            }
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| Problem::Other(error.to_string()))
    }
}

/// Bytes of states that are handed to the writer at the latest.
const BATCH_BYTES: usize = 32 << 20;

/// The levels of a tree.
struct Levels {
    levels: Vec<Level>,
    sender: mpsc::Sender<(usize, RecordBatch)>,
    nodes: u64,
    digest: Xxh3,
    bytes: Out,
}

impl Levels {
    fn new(plan: &Plan, sender: mpsc::Sender<(usize, RecordBatch)>) -> Self {
        let levels = (1..=plan.levels()).map(|level| Level::new(plan, level)).collect();
        Self { levels, sender, nodes: 0, digest: Xxh3::new(), bytes: Out::default() }
    }

    fn flush(&mut self, depth: usize) -> Result<(), Problem> {
        let Some(level) = depth.checked_sub(1).and_then(|index| self.levels.get_mut(index)) else { return Ok(()) };
        let batch = level.batch()?;
        // Nobody receives once the writer has failed, and says so itself.
        self.sender.blocking_send((depth, batch)).map_err(|_| Problem::Other("the writer has stopped".to_owned()))
    }

    /// The number of nodes and what stands for their content.
    fn finish(mut self) -> Result<(u64, String), Problem> {
        for depth in 1..=self.levels.len() {
            if self.levels.get(depth - 1).is_some_and(|level| !level.hits.is_empty()) {
                self.flush(depth)?;
            }
        }
        Ok((self.nodes, format!("{:032x}", self.digest.digest128())))
    }
}

impl Nodes for Levels {
    fn node(&mut self, node: &Finished<'_>) -> Result<(), Problem> {
        self.nodes += 1;
        let depth = node.path.len();
        let Some(level) = depth.checked_sub(1).and_then(|index| self.levels.get_mut(index)) else { return Ok(()) };
        level.push(node, &mut self.bytes);
        let full = level.hits.len() >= BATCH_ROWS || level.waiting() >= BATCH_BYTES;
        self.bytes.clear();
        self.bytes.count(depth);
        self.bytes.text(node.path.last().map_or("", String::as_str));
        self.bytes.int(node.visit.hits());
        for (column, state) in node.visit.attachments() {
            self.bytes.count(*column);
            state.write(&mut self.bytes);
        }
        self.digest.update(self.bytes.as_slice());
        if full { self.flush(depth) } else { Ok(()) }
    }
}
