//! What a program is given: the meaning of its argument columns, and the literal in which it travels.

use chrono::{DateTime, Utc};
use datafusion::error::{DataFusionError, Result};
use lakeql_eval::{Entity as EvalEntity, Key as EvalKey, Program as Evaluator};
use lakeql_lake::catalog::path::ColumnType;
use lakeql_lake::ingest::aim::canonical_context;
use lakeql_query::model::{Entity, Key, Program, SeriesKind, SummaryRef};
use lakeql_query::span::Span;
use lakeql_query::syntax::python::{PyExpr, PyKind};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::HashMap;

/// What an argument column of a program is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Binding {
    /// A column of the runs table, by its name.
    Run(String),
    /// The values of one type that the parameter at a path has.
    Param {
        /// Path of the parameter.
        path: Vec<Key>,
        /// Which of its columns.
        #[serde(with = "column_type")]
        column: ColumnType,
    },
    /// The lists of one type that the parameter at a path has.
    List {
        /// Path of the parameter.
        path: Vec<Key>,
        /// Which of its columns.
        column: ListColumn,
    },
    /// The run's whole parameter document as JSON.
    Document,
    /// A column of the series table for one sequence of the run. The sequence is named by series and context; the field
    /// of the reference does not matter.
    Summary {
        /// Which sequence.
        summary: SummaryRef,
        /// Which of its columns.
        column: String,
    },
    /// All sequences of the run: a list of structs of columns of the series table.
    AllSeries,
    /// A column of the series table for the row's own sequence.
    Series(String),
}

/// Columns of `attributes` that hold lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ListColumn {
    /// Integers alone.
    Ints,
    /// Floats alone.
    Floats,
    /// Texts alone.
    Texts,
    /// Anything, as JSON.
    Json,
}

impl ListColumn {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Ints, Self::Floats, Self::Texts, Self::Json];

    /// Its name in `attributes`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ints => "ints",
            Self::Floats => "floats",
            Self::Texts => "texts",
            Self::Json => "json",
        }
    }
}

mod column_type {
    use lakeql_lake::catalog::path::ColumnType;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(column: &ColumnType, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(column.suffix())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ColumnType, D::Error> {
        let suffix = String::deserialize(deserializer)?;
        ColumnType::from_suffix(&suffix).ok_or_else(|| D::Error::custom(format!("no column type `{suffix}`")))
    }
}

/// All there is to know for an evaluation besides the columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) program: Program,
    /// Which outcome holds.
    pub(super) outcome: bool,
    /// The time of the query in microseconds since 1970.
    pub(super) now: i64,
    pub(super) bindings: Vec<Binding>,
}

/// JSON readers refuse deep nesting, so what lies deeper than this is written separately.
const LAYER: usize = 64;

/// Stack for reading a call: the reader recurses once or more for every level of the expression.
const STACK: usize = 64 << 20;

impl Call {
    /// The text of the call: a list of layers, each of which may refer to earlier ones as `{"$layer": n}`.
    pub(super) fn encode(&self) -> Result<String> {
        let mut layers = vec![];
        let call = cut(serde_json::to_value(self).map_err(failed)?, 0, &mut layers);
        layers.push(call);
        serde_json::to_string(&layers).map_err(failed)
    }

    /// The call of a text.
    pub(super) fn decode(text: &str) -> Result<Self> {
        let read = || -> Result<Self> {
            let mut layers: Vec<Json> = serde_json::from_str(text).map_err(failed)?;
            let top = layers.pop().unwrap_or_default();
            serde_json::from_value(join(top, &mut layers)).map_err(failed)
        };
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read)?;
            reader.join().map_err(|_| DataFusionError::Internal("reading a program failed".into()))?
        })
    }
}

fn failed(error: serde_json::Error) -> DataFusionError {
    DataFusionError::Internal(format!("a program that cannot be written or read: {error}"))
}

fn cut(value: Json, depth: usize, layers: &mut Vec<Json>) -> Json {
    if depth == LAYER && (value.is_object() || value.is_array()) {
        let layer = cut(value, 0, layers);
        layers.push(layer);
        return serde_json::json!({ "$layer": layers.len() - 1 });
    }
    each(value, &mut |value| cut(value, depth + 1, layers))
}

fn join(value: Json, layers: &mut [Json]) -> Json {
    if let Some(index) = value.get("$layer").and_then(Json::as_u64) {
        let layer = usize::try_from(index).ok().and_then(|index| layers.get_mut(index)).map(Json::take);
        return join(layer.unwrap_or_default(), layers);
    }
    each(value, &mut |value| join(value, layers))
}

fn each(value: Json, change: &mut dyn FnMut(Json) -> Json) -> Json {
    match value {
        Json::Array(items) => Json::Array(items.into_iter().map(change).collect()),
        Json::Object(members) => Json::Object(members.into_iter().map(|(key, value)| (key, change(value))).collect()),
        other => other,
    }
}

/// A call made ready for any number of batches.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) evaluator: Evaluator,
    pub(super) outcome: bool,
    /// The expression as the user wrote it, for messages.
    pub(super) text: String,
    /// Where it stands in the query.
    pub(super) span: Span,
    pub(super) now: DateTime<Utc>,
    pub(super) offset_minutes: i64,
    /// Whether the rows are sequences of objects.
    pub(super) media: bool,
    pub(super) bindings: Vec<Binding>,
    /// For every binding of a parameter or summary, which parameter or summary it belongs to.
    pub(super) slots: Vec<usize>,
    pub(super) params: Vec<Vec<EvalKey>>,
    param_slots: HashMap<Vec<EvalKey>, usize>,
    /// Names and canonical contexts.
    pub(super) summaries: Vec<(String, String)>,
}

/// Up to so many parameters are searched from front to back, which is faster than hashing a path.
const FEW: usize = 8;

impl Compiled {
    pub(super) fn new(call: &Call) -> Result<Self> {
        let program = &call.program;
        let mut compiled = Self {
            evaluator: Evaluator::compile(&program.expr, entity(program.entity)),
            outcome: call.outcome,
            text: program.text.clone(),
            span: place(&program.expr),
            now: DateTime::from_timestamp_micros(call.now).unwrap_or_default(),
            offset_minutes: program.offset_minutes,
            media: !matches!(program.entity, Entity::Run | Entity::Series(SeriesKind::Metric)),
            bindings: call.bindings.clone(),
            slots: vec![],
            params: vec![],
            param_slots: HashMap::new(),
            summaries: vec![],
        };
        let mut summary_slots = HashMap::new();
        for binding in &call.bindings {
            compiled.slots.push(match binding {
                Binding::Param { path, .. } | Binding::List { path, .. } => {
                    let path: Vec<_> = path.iter().map(eval_key).collect();
                    let next = compiled.params.len();
                    let slot = *compiled.param_slots.entry(path.clone()).or_insert(next);
                    if slot == next {
                        compiled.params.push(path);
                    }
                    slot
                }
                Binding::Summary { summary, .. } => {
                    let context = canonical_context(&summary.context).map_err(|reason| {
                        DataFusionError::Internal(format!("a context that cannot be read: {reason}"))
                    })?;
                    let key = (summary.series.clone(), context);
                    let next = compiled.summaries.len();
                    let slot = *summary_slots.entry(key.clone()).or_insert(next);
                    if slot == next {
                        compiled.summaries.push(key);
                    }
                    slot
                }
                Binding::Run(_) | Binding::Document | Binding::AllSeries | Binding::Series(_) => 0,
            });
        }
        Ok(compiled)
    }

    /// The parameter that is bound at exactly this path.
    pub(super) fn param_slot(&self, path: &[EvalKey]) -> Option<usize> {
        if self.params.len() <= FEW {
            return self.params.iter().position(|known| known == path);
        }
        self.param_slots.get(path).copied()
    }
}

/// Where an expression stands; one that was put together from several, where they do.
fn place(expr: &PyExpr) -> Span {
    match &expr.kind {
        PyKind::Bool2 { values, .. } if expr.span == Span::default() => match values.as_slice() {
            [first, .., last] => Span { start: place(first).start, end: place(last).end },
            _ => expr.span,
        },
        _ => expr.span,
    }
}

fn eval_key(key: &Key) -> EvalKey {
    match key {
        Key::Text(text) => EvalKey::Text(text.as_str().into()),
        Key::Int(number) => EvalKey::Int(*number),
    }
}

fn entity(entity: Entity) -> EvalEntity {
    match entity {
        Entity::Run => EvalEntity::Run,
        Entity::Series(SeriesKind::Metric) => EvalEntity::Metric,
        Entity::Series(SeriesKind::Images) => EvalEntity::Images,
        Entity::Series(SeriesKind::Texts) => EvalEntity::Texts,
        Entity::Series(SeriesKind::Audios) => EvalEntity::Audios,
        Entity::Series(SeriesKind::Distributions) => EvalEntity::Distributions,
        Entity::Series(SeriesKind::Figures) => EvalEntity::Figures,
    }
}
