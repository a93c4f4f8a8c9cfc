//! What a piece of the input becomes: columns, not objects.
//!
//! A worker fills one block at a time; the segment builder later gathers the rows of many blocks in the order of the
//! tables. Texts live in one arena per block, repeated texts are numbers.

use std::ops::Range;

use crate::catalog::kind::AttributeKind;
use crate::ingest::intern::Interner;

/// A time that is not there. No time of a point is this far in the past.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// A piece of [`Block::arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// A piece of [`Block::json`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonSpan(Span);

/// A range of rows in one of the columns of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rows {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Rows {
    /// The rows as positions of a slice.
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// How many rows.
    pub(crate) fn len(self) -> usize {
        self.range().len()
    }
}

/// One attribute value. Lists with elements of one type are kept as columns, all other lists as JSON text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, with its digits.
    BigInt(Span),
    Float(f64),
    Text(Span),
    /// A marker: the members follow as attributes of their own.
    Dict,
    Ints(Rows),
    Floats(Rows),
    /// Rows of [`Block::spans`].
    Texts(Rows),
    Json(JsonSpan),
    /// Microseconds since 1970.
    Time(i64),
    /// Rows of [`Block::spans`].
    Set(Rows),
    /// One of the kinds that have a text at most: state, artifact, file, and references.
    Named(AttributeKind, Option<Span>),
}

impl Value {
    /// What stands in the columns `kind`.
    pub(crate) fn kind(self) -> AttributeKind {
        match self {
            Value::Null => AttributeKind::Null,
            Value::Bool(_) => AttributeKind::Bool,
            Value::Int(_) | Value::BigInt(_) => AttributeKind::Int,
            Value::Float(_) => AttributeKind::Float,
            Value::Text(_) => AttributeKind::Text,
            Value::Dict => AttributeKind::Dict,
            Value::Ints(_) | Value::Floats(_) | Value::Texts(_) | Value::Json(_) => AttributeKind::List,
            Value::Time(_) => AttributeKind::Time,
            Value::Set(_) => AttributeKind::Set,
            Value::Named(kind, _) => kind,
        }
    }
}

/// Attribute rows in the order they were read.
#[derive(Default)]
pub(crate) struct Attributes {
    /// The row of [`Block::runs`] or [`Block::contexts`].
    pub(crate) owner: Vec<u32>,
    /// Numbers of [`Attributes::paths`].
    pub(crate) path: Vec<u32>,
    pub(crate) value: Vec<Value>,
    pub(crate) paths: Interner,
    /// For every path its last owner, to see a key that is there twice.
    last_owner: Vec<u32>,
}

impl Attributes {
    /// Adds a row; `false` when the owner has the path already.
    pub(crate) fn push(&mut self, owner: u32, path: &str, value: Value) -> bool {
        let id = self.paths.id(path);
        let index = id as usize;
        if index >= self.last_owner.len() {
            self.last_owner.resize(index + 1, u32::MAX);
        }
        match self.last_owner.get_mut(index) {
            Some(last) if *last == owner => return false,
            Some(last) => *last = owner,
            None => {}
        }
        self.owner.push(owner);
        self.path.push(id);
        self.value.push(value);
        true
    }

    fn truncate(&mut self, len: usize) {
        self.owner.truncate(len);
        self.path.truncate(len);
        self.value.truncate(len);
        // The owner numbers of dropped rows are given again.
        self.last_owner.fill(u32::MAX);
    }
}

/// A run as it goes to the table `runs`.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) hash: Span,
    pub(crate) project: Option<Span>,
    pub(crate) name: Span,
    pub(crate) experiment: Span,
    pub(crate) description: Option<Span>,
    /// Rows of [`Block::spans`].
    pub(crate) tags: Rows,
    pub(crate) archived: bool,
    pub(crate) active: bool,
    pub(crate) created_at: i64,
    pub(crate) finalized_at: Option<i64>,
    pub(crate) end_time: Option<f64>,
    pub(crate) duration: Option<f64>,
    pub(crate) digest: [u8; 16],
    /// The parameter document, compact.
    pub(crate) params: JsonSpan,
    /// Rows of [`Block::series`].
    pub(crate) series: Rows,
}

/// What kind of values a sequence holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SeriesKind {
    Metric,
    Images,
    Texts,
    Audios,
    Distributions,
    Figures,
    Files,
}

impl SeriesKind {
    /// The name of the kind in the table `series`, which is also the query variable of AimQL where it has one.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SeriesKind::Metric => "metric",
            SeriesKind::Images => "images",
            SeriesKind::Texts => "texts",
            SeriesKind::Audios => "audios",
            SeriesKind::Distributions => "distributions",
            SeriesKind::Figures => "figures",
            SeriesKind::Files => "files",
        }
    }
}

/// A stored summary: what was tracked, with its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Summary {
    Int(i64),
    Float(f64),
}

impl Summary {
    /// The value as a double.
    pub(crate) fn float(self) -> f64 {
        match self {
            Summary::Int(value) => value as f64,
            Summary::Float(value) => value,
        }
    }

    /// The value if it was tracked as an integer.
    pub(crate) fn int(self) -> Option<i64> {
        match self {
            Summary::Int(value) => Some(value),
            Summary::Float(_) => None,
        }
    }
}

/// A sequence as it goes to the table `series`.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) kind: SeriesKind,
    /// Number of [`Block::names`].
    pub(crate) name: u32,
    /// Row of [`Block::contexts`].
    pub(crate) context: u32,
    pub(crate) context_hash: Option<i64>,
    /// Number of [`Block::names`].
    pub(crate) dtype: Option<u32>,
    pub(crate) version: Option<i64>,
    pub(crate) first: Option<Summary>,
    pub(crate) last: Option<Summary>,
    pub(crate) min: Option<Summary>,
    pub(crate) max: Option<Summary>,
    pub(crate) last_json: Option<JsonSpan>,
    /// The last entry of a text log, the path of the last file.
    pub(crate) last_text: Option<Span>,
    pub(crate) first_step: Option<i64>,
    pub(crate) last_step: Option<i64>,
    pub(crate) record_max_length: Option<i64>,
    /// Rows of `steps`/`values` for metrics, of `text_points` for the other kinds.
    pub(crate) points: Rows,
    /// Where the times of the points begin, if there are any.
    pub(crate) times: Option<u32>,
    /// Where the millionths of the steps begin, if there are any; only with metrics.
    pub(crate) substeps: Option<u32>,
    /// Where the epochs of the points begin, if there are any.
    pub(crate) epochs: Option<u32>,
    /// The steps do not descend.
    pub(crate) sorted: bool,
    pub(crate) stats: Stats,
}

/// Aggregates over the points of a series.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Stats {
    /// Mean of the values that are not NaN.
    pub(crate) mean: Option<f64>,
    /// Sum of squared distances from the mean.
    pub(crate) m2: Option<f64>,
    pub(crate) n_nan: i64,
}

/// The context of sequences; equal contexts of a block share one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// JSON text with sorted keys.
    pub(crate) text: JsonSpan,
    /// The canonical text: contexts that Python calls equal have equal keys.
    pub(crate) key: Span,
}

/// One record of a sequence that is not a metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextPoint {
    pub(crate) step: i64,
    /// Millionths of a step above it, 0 for a whole step.
    pub(crate) substep: i32,
    /// Place inside the step, when a step holds a list.
    pub(crate) index: Option<i64>,
    pub(crate) epoch: Option<f64>,
    pub(crate) time: Option<i64>,
    pub(crate) text: Option<Span>,
}

/// The columns of one block of lines.
#[derive(Default)]
pub(crate) struct Block {
    /// Texts of all kinds.
    pub(crate) arena: String,
    /// JSON texts. They are apart because they grow while texts are found inside them.
    pub(crate) json: String,
    pub(crate) spans: Vec<Span>,
    pub(crate) ints: Vec<i64>,
    pub(crate) floats: Vec<f64>,
    pub(crate) runs: Vec<Run>,
    pub(crate) attributes: Attributes,
    pub(crate) contexts: Vec<Context>,
    pub(crate) context_attributes: Attributes,
    /// Contexts by the text they were written as.
    pub(crate) context_texts: Interner,
    /// For every number of `context_texts` its row of `contexts`.
    pub(crate) context_rows: Vec<u32>,
    pub(crate) names: Interner,
    pub(crate) series: Vec<Series>,
    pub(crate) steps: Vec<i64>,
    pub(crate) substeps: Vec<i32>,
    pub(crate) values: Vec<f64>,
    pub(crate) times: Vec<i64>,
    pub(crate) epochs: Vec<f64>,
    pub(crate) text_points: Vec<TextPoint>,
}

/// The lengths of a block's columns, to take back a line that turns out to be bad.
pub(crate) struct Mark {
    arena: usize,
    json: usize,
    spans: usize,
    ints: usize,
    floats: usize,
    runs: usize,
    attributes: usize,
    contexts: usize,
    context_attributes: usize,
    series: usize,
    steps: usize,
    substeps: usize,
    values: usize,
    times: usize,
    epochs: usize,
    text_points: usize,
}

impl Block {
    /// The text of a span of this block.
    pub(crate) fn text(&self, span: Span) -> &str {
        self.arena.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Appends a text to the arena.
    pub(crate) fn add_text(&mut self, text: &str) -> Span {
        let start = self.arena.len();
        self.arena.push_str(text);
        Span { start: start as u32, end: self.arena.len() as u32 }
    }

    /// The JSON text of a span of this block.
    pub(crate) fn json_text(&self, span: JsonSpan) -> &str {
        self.json.get(span.0.start as usize..span.0.end as usize).unwrap_or_default()
    }

    /// The JSON text from `start` to its end.
    pub(crate) fn json_from(&self, start: usize) -> JsonSpan {
        JsonSpan(Span { start: start as u32, end: self.json.len() as u32 })
    }

    /// The current lengths.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            arena: self.arena.len(),
            json: self.json.len(),
            spans: self.spans.len(),
            ints: self.ints.len(),
            floats: self.floats.len(),
            runs: self.runs.len(),
            attributes: self.attributes.value.len(),
            contexts: self.contexts.len(),
            context_attributes: self.context_attributes.value.len(),
            series: self.series.len(),
            steps: self.steps.len(),
            substeps: self.substeps.len(),
            values: self.values.len(),
            times: self.times.len(),
            epochs: self.epochs.len(),
            text_points: self.text_points.len(),
        }
    }

    /// Back to the lengths of `mark`: everything a bad line has added is dropped.
    pub(crate) fn rewind(&mut self, mark: &Mark) {
        self.arena.truncate(mark.arena);
        self.json.truncate(mark.json);
        self.spans.truncate(mark.spans);
        self.ints.truncate(mark.ints);
        self.floats.truncate(mark.floats);
        self.runs.truncate(mark.runs);
        self.attributes.truncate(mark.attributes);
        self.series.truncate(mark.series);
        self.steps.truncate(mark.steps);
        self.substeps.truncate(mark.substeps);
        self.values.truncate(mark.values);
        self.times.truncate(mark.times);
        self.epochs.truncate(mark.epochs);
        self.text_points.truncate(mark.text_points);
        if self.contexts.len() > mark.contexts || self.context_attributes.value.len() > mark.context_attributes {
            self.contexts.truncate(mark.contexts);
            self.context_attributes.truncate(mark.context_attributes);
            let kept = self.contexts.len() as u32;
            for row in &mut self.context_rows {
                if *row >= kept {
                    *row = u32::MAX;
                }
            }
        }
    }

    /// Gives back memory that the growing columns have reserved but not filled.
    pub(crate) fn shrink(&mut self) {
        self.arena.shrink_to_fit();
        self.json.shrink_to_fit();
        self.steps.shrink_to_fit();
        self.substeps.shrink_to_fit();
        self.values.shrink_to_fit();
        self.times.shrink_to_fit();
        self.epochs.shrink_to_fit();
        for part in [&mut self.attributes, &mut self.context_attributes] {
            part.owner.shrink_to_fit();
            part.path.shrink_to_fit();
            part.value.shrink_to_fit();
            part.last_owner = Vec::new();
        }
        self.series.shrink_to_fit();
    }

    /// About how much memory the block holds.
    pub(crate) fn bytes(&self) -> usize {
        fn of<T>(column: &Vec<T>) -> usize {
            column.capacity() * size_of::<T>()
        }
        let attributes = |part: &Attributes| {
            of(&part.owner) + of(&part.path) + of(&part.value) + of(&part.last_owner) + part.paths.bytes()
        };
        self.arena.capacity()
            + self.json.capacity()
            + of(&self.spans)
            + of(&self.ints)
            + of(&self.floats)
            + of(&self.runs)
            + attributes(&self.attributes)
            + attributes(&self.context_attributes)
            + of(&self.contexts)
            + of(&self.context_rows)
            + self.context_texts.bytes()
            + self.names.bytes()
            + of(&self.series)
            + of(&self.steps)
            + of(&self.substeps)
            + of(&self.values)
            + of(&self.times)
            + of(&self.epochs)
            + of(&self.text_points)
    }
}
