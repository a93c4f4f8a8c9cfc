//! The other way to an answer: the whole expression as one program, asked of every run or sequence.

use super::data::{Run, Sequence};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use lakeql_eval::{
    ContextRef, Entity, Key, Limits, Meter, Outcome, Program, Row, RunProperty, Value, canonical_context,
};
use lakeql_query::syntax::python::parse_parenthesized;

/// The values of a run that are the same object whenever they are asked for.
#[derive(Debug)]
pub(super) struct Objects {
    params: Value,
    hash: Value,
    name: Value,
    experiment: Value,
    description: Value,
    tags: Vec<Value>,
}

impl Objects {
    fn of(run: &Run) -> Self {
        Self {
            params: run.params.value(),
            hash: Value::text(run.hash.as_str()),
            name: Value::text(run.name.as_str()),
            experiment: Value::text(run.experiment.as_str()),
            description: run.description.as_deref().map_or(Value::None, Value::text),
            tags: run.tags.iter().map(|tag| Value::text(tag.as_str())).collect(),
        }
    }
}

/// A run, and one of its sequences if sequences are searched.
struct Item<'a> {
    run: &'a Run,
    objects: &'a Objects,
    series_name: Value,
    sequence: Option<&'a Sequence>,
    /// Minutes subtracted from the times.
    offset: i64,
}

fn at(value: &Value, path: &[Key]) -> Option<Value> {
    let Some((key, rest)) = path.split_first() else { return Some(value.clone()) };
    let child = match (value, key) {
        (Value::Dict(dict), Key::Text(text)) => dict.get_text(text)?,
        (Value::Dict(dict), Key::Int(i)) => dict.get(&Value::Int(*i), &Meter::new(&Limits::default())).unwrap()?,
        (Value::List(items), Key::Int(i)) => items.get(usize::try_from(*i).ok()?)?,
        _ => return None,
    };
    at(child, rest)
}

fn stored(sequence: &Sequence, field: &str) -> Option<Value> {
    let found = sequence.summaries.iter().find(|(name, _)| *name == field).map(|(_, value)| value.value());
    // There is a last object, even if nothing is known of it.
    found.or((field == "last" && sequence.field == "images").then_some(Value::Object("media")))
}

impl Item<'_> {
    fn time(&self, micros: i64) -> Value {
        let time = DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
        Value::Datetime(time - TimeDelta::minutes(self.offset))
    }
}

impl Row for Item<'_> {
    fn property(&self, property: RunProperty) -> Value {
        let run = self.run;
        match property {
            RunProperty::Hash => self.objects.hash.clone(),
            RunProperty::Name => self.objects.name.clone(),
            RunProperty::Experiment => self.objects.experiment.clone(),
            RunProperty::Description => self.objects.description.clone(),
            RunProperty::Tags => Value::list(self.objects.tags.clone()),
            RunProperty::Archived => Value::Bool(run.archived),
            RunProperty::Active => Value::Bool(run.lasted.is_none()),
            RunProperty::CreatedAt => self.time(run.created),
            RunProperty::FinalizedAt => run.end().map_or(Value::None, |end| self.time(end)),
            RunProperty::EndTime => run.end().map_or(Value::None, |end| Value::Float(end as f64 / 1e6)),
            RunProperty::Duration => Value::Float(match run.lasted {
                Some(lasted) => lasted as f64 / 1e6,
                None => (chrono::Utc::now().timestamp_micros() - run.created) as f64 / 1e6,
            }),
            RunProperty::CreationTime => Value::Float(run.created as f64 / 1e6),
            RunProperty::UpdatedAt => Value::Datetime(chrono::Utc::now().naive_utc()),
            RunProperty::Notes => Value::list(vec![]),
        }
    }

    fn param(&self, path: &[Key]) -> Option<Value> {
        at(&self.objects.params, path)
    }

    fn summary(&self, name: &str, context: &ContextRef, field: &str) -> Option<Value> {
        let found = self.run.sequences.iter().find(|sequence| {
            sequence.name == name
                && match context {
                    ContextRef::Key(key) => canonical_context(&sequence.context.value()).unwrap() == **key,
                    ContextRef::Id(id) => sequence.id == *id,
                }
        });
        stored(found?, field)
    }

    fn series_name(&self) -> Value {
        self.series_name.clone()
    }

    fn series_context(&self, path: &[Key]) -> Option<Value> {
        let context = self.sequence.unwrap().context.value();
        let found = at(&context, path);
        // A text has characters by index.
        found.or_else(|| match path.split_last() {
            Some((Key::Int(index), parent)) => match at(&context, parent)? {
                Value::Str(text) => text.chars().nth(usize::try_from(*index).ok()?).map(|c| Value::text(c.to_string())),
                _ => None,
            },
            _ => None,
        })
    }

    fn series_summary(&self, field: &str) -> Option<Value> {
        stored(self.sequence.unwrap(), field)
    }

    fn now(&self) -> NaiveDateTime {
        chrono::Local::now().naive_local()
    }
}

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Searched {
    Runs,
    Metrics,
    Images,
}

impl Searched {
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::Runs => "run",
            Self::Metrics => "metric",
            Self::Images => "images",
        }
    }
}

/// An item by the hash of its run and, for sequences, its number in the run.
pub(super) type Name = (String, Option<i64>);

/// The answer, newest run first.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) kept: Vec<Name>,
    pub(super) raised: usize,
    /// Whether an item ran into the limits: then the whole query may end with an error.
    pub(super) limit: Option<String>,
}

/// Runs with their values.
pub(super) type Runs = Vec<(Run, Objects)>;

/// Runs in the order of answers.
pub(super) fn prepared(mut runs: Vec<Run>) -> Runs {
    runs.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.hash.cmp(&b.hash)));
    runs.into_iter().map(|run| (Objects::of(&run), run)).map(|(objects, run)| (run, objects)).collect()
}

/// Asks every item; `None` if the text is no expression.
pub(super) fn judge(runs: &Runs, searched: Searched, text: &str, offset: i64) -> Option<Verdict> {
    let whole =
        if text.contains("run.archived") { text.to_owned() } else { format!("run.archived == False and ({text})") };
    let tree = parse_parenthesized(&whole).ok()?;
    let (entity, field) = match searched {
        Searched::Runs => (Entity::Run, None),
        Searched::Metrics => (Entity::Metric, Some("metrics")),
        Searched::Images => (Entity::Images, Some("images")),
    };
    let program = Program::compile(&tree, entity);
    let mut verdict = Verdict::default();
    for (run, objects) in runs {
        let items: Vec<Option<&Sequence>> = match field {
            None => vec![None],
            Some(field) => run.sequences.iter().filter(|sequence| sequence.field == field).map(Some).collect(),
        };
        for sequence in items {
            let series_name = sequence.map_or(Value::None, |sequence| Value::text(sequence.name.as_str()));
            let item = Item { run, objects, series_name, sequence, offset };
            match program.outcome(&item, &Limits::default()) {
                Outcome::True => verdict.kept.push((run.hash.clone(), sequence.map(|sequence| sequence.id))),
                Outcome::False => {}
                Outcome::Raised(raised) if raised.is_limit() => verdict.limit = Some(raised.to_string()),
                Outcome::Raised(_) => verdict.raised += 1,
            }
        }
    }
    Some(verdict)
}
