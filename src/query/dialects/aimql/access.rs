//! How a query reaches a value: chains of attributes and indexes from `run` or the sequence variable
//! (specification sections 3 to 6).

use crate::model::{Entity, Key};
use crate::syntax::python::{PyExpr, PyKind, UnaryOp};
use num_traits::ToPrimitive;

/// Attributes of `run` that are not params, with the columns of the runs table they are made of.
pub(super) const PROPERTIES: &[(&str, &[&str])] = &[
    ("hash", &["hash"]),
    ("name", &["name"]),
    ("experiment", &["experiment"]),
    ("description", &["description"]),
    ("tags", &["tags"]),
    ("archived", &["archived"]),
    ("active", &["active"]),
    ("created_at", &["created_at"]),
    ("finalized_at", &["finalized_at"]),
    ("creation_time", &["created_at"]),
    ("end_time", &["end_time"]),
    ("duration", &["duration", "created_at"]),
    ("updated_at", &["imported_at"]),
    ("notes", &[]),
    ("info", &[]),
];

/// Stored summaries of a sequence.
pub(super) const SUMMARIES: &[&str] =
    &["first", "last", "min", "max", "first_step", "last_step", "dtype", "version", "record_max_length"];

/// Attribute names that are methods or fields of Aim's storage classes below the first step, and hide params.
pub(super) const STORAGE_NAMES: &[&str] = &[
    "get",
    "keys",
    "items",
    "view",
    "set",
    "collect",
    "array",
    "subtree",
    "container",
    "update",
    "first_key",
    "last_key",
    "preload",
    "finalize",
    "make_array",
    "keys_eager",
    "items_eager",
    "iterlevel",
    "cache",
];

/// One step of a chain.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// `.name`
    Attribute(&'a str),
    /// `['a']`, `[0]` or `['a', 0]`
    Keys(Vec<Key>),
    /// An index that is not a constant path.
    Computed(&'a PyExpr),
}

/// A chain of steps from a variable.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    /// Whether it starts at the run or at the sequence.
    pub(super) root: Root,
    /// The steps, first one first.
    pub(super) steps: Vec<Step<'a>>,
}

/// What a chain starts at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// `run`, or `run` of the sequence.
    Run,
    /// The sequence variable.
    Series,
}

/// A value that can be a column.
#[derive(Debug, PartialEq)]
pub(super) enum Access {
    /// A property of the run.
    Property(&'static str),
    /// A param by text keys alone; `nested` if it took more than one step, which decides what a missing one equals.
    Param { path: Vec<Key>, nested: bool },
    /// `run.metrics[name, context].field`
    Summary { series: String, context: String, field: String },
    /// Name of the sequence.
    SeriesName,
    /// A stored summary of the sequence.
    SeriesSummary(&'static str),
    /// A key inside the sequence's context.
    Context(Vec<Key>),
}

/// The chain that this expression is, if it is one.
pub(super) fn chain(expr: &PyExpr, entity: Entity) -> Option<Chain<'_>> {
    let mut steps = vec![];
    let mut at = expr;
    let name = loop {
        match &at.kind {
            PyKind::Name(name) => break name,
            PyKind::Attribute { value, name, .. } => {
                steps.push(Step::Attribute(name));
                at = value;
            }
            PyKind::Subscript { value, index } => {
                steps.push(keys(index).map_or(Step::Computed(index), Step::Keys));
                at = value;
            }
            _ => return None,
        }
    };
    steps.reverse();
    let root = match entity {
        _ if name == "run" => Root::Run,
        Entity::Series(kind) if name == kind.name() => match steps.first() {
            Some(Step::Attribute("run")) => {
                steps.remove(0);
                Root::Run
            }
            _ => Root::Series,
        },
        Entity::Run | Entity::Series(_) => return None,
    };
    Some(Chain { root, steps })
}

/// A constant path: a text, an integer (a bool counts as one), or a tuple of these.
fn keys(index: &PyExpr) -> Option<Vec<Key>> {
    match &index.kind {
        PyKind::Tuple(items) if !items.is_empty() => items.iter().map(key).collect(),
        _ => key(index).map(|key| vec![key]),
    }
}

fn key(expr: &PyExpr) -> Option<Key> {
    match &expr.kind {
        PyKind::Str(text) => Some(Key::Text(text.clone())),
        PyKind::Int(number) => number.to_i64().map(Key::Int),
        PyKind::Bool(value) => Some(Key::Int(i64::from(*value))),
        _ => None,
    }
}

/// The column that a chain is, if it is one; whatever is more is left to the row evaluator.
pub(super) fn access(expr: &PyExpr, entity: Entity) -> Option<Access> {
    let chain = chain(expr, entity)?;
    match chain.root {
        Root::Run => run_access(&chain.steps),
        Root::Series => series_access(&chain.steps, entity),
    }
}

fn run_access(steps: &[Step<'_>]) -> Option<Access> {
    if let Some(Step::Attribute(name)) = steps.first() {
        if *name == "metrics" {
            return summary_access(steps.get(1..)?);
        }
        if let Some((property, _)) = PROPERTIES.iter().find(|(property, _)| property == name) {
            return (steps.len() == 1).then_some(Access::Property(property));
        }
        if *name == "get" {
            return None;
        }
    }
    let mut path = vec![];
    for (depth, step) in steps.iter().enumerate() {
        match step {
            Step::Attribute(name) if depth > 0 && STORAGE_NAMES.contains(name) => return None,
            // Closed by the sandbox at run time as well.
            Step::Attribute("_") => return None,
            Step::Attribute(name) => path.push(Key::Text((*name).to_owned())),
            Step::Keys(keys) if keys.iter().all(|key| matches!(key, Key::Text(_))) => path.extend(keys.iter().cloned()),
            Step::Keys(_) | Step::Computed(_) => return None,
        }
    }
    (!path.is_empty()).then_some(Access::Param { path, nested: steps.len() > 1 })
}

/// `[name].field` or `[name, {context}].field` after `run.metrics`.
fn summary_access(steps: &[Step<'_>]) -> Option<Access> {
    let [which, field] = steps else { return None };
    let (series, context) = match which {
        Step::Keys(keys) => match keys.as_slice() {
            [Key::Text(name)] => (name.clone(), "{}".to_owned()),
            _ => return None,
        },
        Step::Computed(index) => match &index.kind {
            PyKind::Tuple(items) => match items.as_slice() {
                [PyExpr { kind: PyKind::Str(name), .. }, context @ PyExpr { kind: PyKind::Dict(_), .. }] => {
                    (name.clone(), context_json(context)?.to_string())
                }
                _ => return None,
            },
            _ => return None,
        },
        Step::Attribute(_) => return None,
    };
    let field = match field {
        Step::Attribute(name) => *name,
        Step::Keys(keys) => match keys.as_slice() {
            [Key::Text(name)] => name.as_str(),
            _ => return None,
        },
        Step::Computed(_) => return None,
    };
    SUMMARIES.contains(&field).then(|| Access::Summary { series, context, field: field.to_owned() })
}

fn series_access(steps: &[Step<'_>], entity: Entity) -> Option<Access> {
    let Some(Step::Attribute(first)) = steps.first() else { return None };
    if *first == "name" {
        return (steps.len() == 1).then_some(Access::SeriesName);
    }
    if *first == "context" {
        let mut path = vec![];
        for step in steps.get(1..)? {
            match step {
                Step::Attribute(name) if STORAGE_NAMES.contains(name) || *name == "context" || *name == "_" => {
                    return None;
                }
                Step::Attribute(name) => path.push(Key::Text((*name).to_owned())),
                Step::Keys(keys) => match keys.as_slice() {
                    // A tuple is not a path here, and integers index lists.
                    [Key::Text(name)] => path.push(Key::Text(name.clone())),
                    _ => return None,
                },
                Step::Computed(_) => return None,
            }
        }
        return (!path.is_empty()).then_some(Access::Context(path));
    }
    // The last object of a media sequence is not a number.
    let numeric = entity == Entity::Series(crate::model::SeriesKind::Metric);
    let summary = SUMMARIES.iter().find(|summary| *summary == first && (numeric || **summary != "last"))?;
    (steps.len() == 1).then_some(Access::SeriesSummary(summary))
}

/// A dict of constants as JSON; nothing if it holds anything else.
pub(super) fn context_json(expr: &PyExpr) -> Option<serde_json::Value> {
    use serde_json::Value;
    Some(match &expr.kind {
        PyKind::None => Value::Null,
        PyKind::Bool(value) => Value::Bool(*value),
        PyKind::Int(number) => Value::from(number.to_i64()?),
        PyKind::Float(number) if number.is_finite() => Value::from(*number),
        PyKind::Str(text) => Value::from(text.as_str()),
        PyKind::Unary { op: UnaryOp::Neg, operand } => match &operand.kind {
            PyKind::Int(number) => Value::from(number.to_i64()?.checked_neg()?),
            PyKind::Float(number) if number.is_finite() => Value::from(-number),
            _ => return None,
        },
        // Aim's context identity does not tell tuples from lists.
        PyKind::List(items) | PyKind::Tuple(items) => {
            items.iter().map(context_json).collect::<Option<Vec<_>>>()?.into()
        }
        PyKind::Dict(items) => {
            let mut object = serde_json::Map::new();
            for (key, value) in items {
                let PyKind::Str(name) = &key.as_ref()?.kind else { return None };
                object.insert(name.clone(), context_json(value)?);
            }
            Value::Object(object)
        }
        _ => return None,
    })
}
