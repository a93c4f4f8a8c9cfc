//! Rows over the JSON of the corpus.

use crate::row::{ContextRef, Key, Row, RunProperty, canonical_context};
use crate::value::{Dict, Value};
use crate::{Limits, Meter};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use serde_json::Value as Json;
use std::sync::Arc;

/// A value in the notation of the corpus.
pub(super) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(int) => Value::Int(int),
            None if n.is_u64() => Value::integer(n.as_u64().unwrap().into()),
            None => Value::Float(n.as_f64().unwrap()),
        },
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(map) => {
            if let Some(float) = map.get("$float") {
                return Value::Float(float.as_str().unwrap().parse().unwrap());
            }
            let mut dict = Dict::default();
            let meter = Meter::new(&Limits::default());
            if let Some(pairs) = map.get("$map") {
                for pair in pairs.as_array().unwrap() {
                    dict.insert(value(&pair[0]), value(&pair[1]), &meter).unwrap();
                }
            } else {
                for (key, item) in map {
                    dict.insert(Value::text(key.as_str()), value(item), &meter).unwrap();
                }
            }
            Value::Dict(Arc::new(dict))
        }
    }
}

/// A run, and one of its sequences if sequences are searched.
pub(super) struct JsonRow {
    pub(super) run: Json,
    pub(super) params: Value,
    pub(super) series: Option<Json>,
    /// Minutes subtracted from the times.
    pub(super) offset: i64,
}

pub(super) const KINDS: [&str; 6] = ["metrics", "images", "texts", "audios", "distributions", "figures"];

impl JsonRow {
    pub(super) fn new(run: &Json, series: Option<&Json>, offset: i64) -> Self {
        Self { run: run.clone(), params: value(&run["params"]), series: series.cloned(), offset }
    }

    fn time(&self, field: &str) -> Value {
        match self.run[field].as_str() {
            None => Value::None,
            Some(text) => {
                let time = DateTime::parse_from_rfc3339(text).unwrap().naive_utc();
                Value::Datetime(time - TimeDelta::minutes(self.offset))
            }
        }
    }

    fn created(&self) -> f64 {
        let time = DateTime::parse_from_rfc3339(self.run["created_at"].as_str().unwrap()).unwrap();
        time.timestamp_micros() as f64 / 1e6
    }
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

fn summary(series: &Json, field: &str) -> Option<Value> {
    series.get(field).map(value)
}

impl Row for JsonRow {
    fn property(&self, property: RunProperty) -> Value {
        let plain = |field: &str| value(&self.run[field]);
        match property {
            RunProperty::Hash => plain("hash"),
            RunProperty::Name => plain("name"),
            RunProperty::Experiment => plain("experiment"),
            RunProperty::Description => plain("description"),
            RunProperty::Tags => plain("tags"),
            RunProperty::Archived => plain("archived"),
            RunProperty::Active => plain("active"),
            RunProperty::CreatedAt => self.time("created_at"),
            RunProperty::FinalizedAt => self.time("finalized_at"),
            RunProperty::EndTime => plain("end_time"),
            RunProperty::Duration => match plain("duration") {
                Value::None => Value::Float(self.now().and_utc().timestamp_micros() as f64 / 1e6 - self.created()),
                duration => duration,
            },
            RunProperty::CreationTime => Value::Float(self.created()),
            RunProperty::UpdatedAt => Value::Datetime(self.now()),
            RunProperty::Notes => Value::list(vec![]),
        }
    }

    fn param(&self, path: &[Key]) -> Option<Value> {
        at(&self.params, path)
    }

    fn summary(&self, name: &str, context: &ContextRef, field: &str) -> Option<Value> {
        let found = KINDS.iter().flat_map(|kind| self.run[kind].as_array().unwrap()).find(|series| {
            series["name"] == name
                && match context {
                    ContextRef::Key(key) => canonical_context(&value(&series["context"])).unwrap() == **key,
                    ContextRef::Id(id) => series["context_hash"].as_i64() == Some(*id),
                }
        });
        summary(found?, field)
    }

    fn series_name(&self) -> Value {
        value(&self.series.as_ref().unwrap()["name"])
    }

    fn series_context(&self, path: &[Key]) -> Option<Value> {
        at(&value(&self.series.as_ref().unwrap()["context"]), path)
    }

    fn series_summary(&self, field: &str) -> Option<Value> {
        summary(self.series.as_ref().unwrap(), field)
    }

    fn now(&self) -> NaiveDateTime {
        DateTime::parse_from_rfc3339("2026-11-20T00:00:00Z").unwrap().naive_utc()
    }
}
