//! Chunks on their way to rows.

use super::account::Accounting;
use super::chunks::{Turn, wrong};
use super::names::{Names, Texts};
use crate::Result;
use crate::results::Closing;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use lakeql_mixtures::{Chunk, Draw, Key, Plan, Range, State};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Rows of one batch, about.
const BATCH_ROWS: usize = 8_192;

/// Keys whose texts are kept at the same time.
const MOST_KEYS: usize = 65_536;

/// The columns of chunks.
pub(super) fn schema() -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8View, false);
    let int = |name| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![int("chunk"), text("key"), text("dataset"), text("file"), int("start"), int("end")]))
}

/// Where chunks come from.
pub(super) enum Source {
    /// Computed by their numbers; the next one.
    Direct(Arc<Plan>, u64),
    /// Drawn one after the other.
    Drawn(Box<Draw>),
}

impl Source {
    /// The number of the next chunk.
    fn number(&self) -> u64 {
        match self {
            Self::Direct(_, next) => *next,
            Self::Drawn(draw) => draw.state().chunk,
        }
    }

    /// The chunk with this number, which is not before the next one.
    fn at(&mut self, number: u64) -> Result<Option<Chunk>> {
        match self {
            Self::Direct(plan, next) => {
                *next = number + 1;
                Ok(plan.chunk(number))
            }
            Self::Drawn(draw) => {
                let skipped = number - draw.state().chunk;
                draw.skip(skipped).and_then(|_| draw.next_chunk()).map_err(|error| wrong(&error))
            }
        }
    }
}

/// Chunks on their way to rows.
pub(super) struct ChunkRows {
    source: Source,
    left: Option<u64>,
    turn: Option<Turn>,
    made: u64,
    samples: u64,
    names: Names,
    texts: Texts,
    /// The keys that have come, with the numbers of their texts. A key is known by its address while it is kept here.
    keys: HashMap<usize, (Arc<Key>, usize)>,
    schema: SchemaRef,
    keep: Option<Arc<Mutex<Option<State>>>>,
    accounting: Option<Accounting>,
    closing: Closing,
    chosen: u64,
}

impl ChunkRows {
    pub(super) fn new(
        source: Source,
        plan: &Plan,
        names: Names,
        keep: Option<Arc<Mutex<Option<State>>>>,
        accounting: Option<Accounting>,
        closing: Closing,
    ) -> Self {
        Self {
            source,
            left: None,
            turn: None,
            made: 0,
            samples: 0,
            names,
            texts: Texts::default(),
            keys: HashMap::new(),
            schema: schema(),
            keep,
            accounting,
            closing,
            chosen: plan.samples(),
        }
    }

    /// The same with at most so many chunks, and only those of a worker.
    pub(super) fn limited(self, count: Option<u64>, turn: Option<Turn>) -> Self {
        Self { left: count, turn, ..self }
    }

    fn next(&mut self) -> Result<Option<Chunk>> {
        let next = self.source.number();
        self.source.at(self.turn.map_or(next, |turn| turn.next(next)))
    }

    fn text(&mut self, key: &Arc<Key>) -> usize {
        let address = Arc::as_ptr(key) as usize;
        if let Some((_, number)) = self.keys.get(&address) {
            return *number;
        }
        let number = self.texts.len();
        self.texts.push(&key.to_string());
        self.keys.insert(address, (Arc::clone(key), number));
        number
    }

    /// Whole chunks, until there are enough rows.
    pub(super) fn batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.texts.len() > MOST_KEYS {
            (self.texts, self.keys) = (Texts::default(), HashMap::new());
        }
        let (mut numbers, mut keys): (Vec<i64>, Vec<usize>) = (vec![], vec![]);
        let mut ranges: Vec<Range> = vec![];
        let mut ended = false;
        while ranges.len() < BATCH_ROWS && self.left != Some(0) {
            let Some(chunk) = self.next()? else {
                ended = true;
                break;
            };
            self.left = self.left.map(|left| left - 1);
            self.made += 1;
            if let Some(accounting) = &mut self.accounting {
                accounting.add(&chunk, &self.names);
            }
            let number = i64::try_from(chunk.number).unwrap_or(i64::MAX);
            for part in &chunk.parts {
                self.samples += part.total();
                let key = self.text(&part.key);
                keys.resize(keys.len() + part.ranges.len(), key);
                numbers.resize(keys.len(), number);
                ranges.extend_from_slice(&part.ranges);
            }
        }
        self.save();
        if ended || self.left == Some(0) {
            self.left = Some(0);
            self.close(ended);
        }
        if ranges.is_empty() {
            return Ok(None);
        }
        let int = |value: fn(&Range) -> u64| -> ArrayRef {
            let values = ranges.iter().map(|range| i64::try_from(value(range)).unwrap_or(i64::MAX));
            Arc::new(Int64Array::from_iter_values(values))
        };
        let files: Vec<i64> = ranges.iter().map(|range| i64::from(range.file)).collect();
        let [dataset, file] = self.names.columns(&files)?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(numbers)),
            self.texts.column(keys.into_iter())?,
            dataset,
            file,
            int(|range| range.start),
            int(|range| range.end),
        ];
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), columns)?))
    }

    /// Leaves the state where it is looked for.
    pub(super) fn save(&self) {
        let Some(keep) = &self.keep else { return };
        if let (Source::Drawn(draw), Ok(mut keep)) = (&self.source, keep.lock()) {
            *keep = Some(draw.state().clone());
        }
    }

    fn close(&mut self, ended: bool) {
        if let Some(accounting) = self.accounting.take() {
            accounting.close(ended);
        }
        let Ok(mut notes) = self.closing.lock() else { return };
        if notes.is_empty() {
            let end = if ended { ", the last there are" } else { "" };
            let chunks = if self.made == 1 { "chunk" } else { "chunks" };
            let message = format!("{} {chunks} of {} of {} chosen samples{end}", self.made, self.samples, self.chosen);
            notes.push(Diagnostic::note(Kind::Semantic, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_take_turns() {
        let turn = |group, worker| Turn { groups: 2, workers: 3, group, worker };
        for (turn, from, expected) in
            [(turn(0, 0), 0, 0), (turn(0, 0), 1, 6), (turn(1, 2), 0, 5), (turn(1, 2), 5, 5), (turn(1, 2), 6, 11)]
        {
            assert_eq!(turn.next(from), expected);
        }
    }
}
