//! The neutral form of Neptune's experiments: one JSON object a line, with what an export cannot keep (the four states,
//! the time of completion) and without files beside it.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::draft::{Draft, MICRO, TextRow};
use crate::catalog::kind::AttributeKind;
use crate::ingest::aim::flatten::write_special;
use crate::ingest::block::{Block, NO_TIME, SeriesKind, Value};
use crate::ingest::fault::{Fault, Read, shorten};
use crate::ingest::lines::LineFormat;
use crate::ingest::lines::json::Reader;
use crate::ingest::lines::time::parse_iso;
use crate::storage::segment::{Digest, RunKey};

/// Lines of `dataset.jsonl`.
pub(super) struct NeutralLines;

impl LineFormat for NeutralLines {
    fn peek(&self, line: &str) -> Read<Option<RunKey>> {
        let (mut project, mut id) = (None, None);
        let mut reader = Reader::new(line);
        reader.enter_object()?;
        let mut first = true;
        while let Some(key) = reader.next_key(first)? {
            first = false;
            match key.as_ref() {
                "id" => id = Some(reader.text().map_err(|fault| fault.in_field("id"))?.into_owned()),
                "project" => project = Some(reader.text().map_err(|fault| fault.in_field("project"))?.into_owned()),
                _ => {
                    reader.raw()?;
                }
            }
            if project.is_some() && id.is_some() {
                break;
            }
        }
        Ok(id.map(|hash| RunKey { project, hash }))
    }

    fn read(&self, line: &str, digest: Digest, block: &mut Block, unknown: &mut BTreeSet<String>) -> Read<()> {
        let json: Json = serde_json::from_str(line).map_err(|error| Fault::new(format!("not JSON: {error}")))?;
        let Json::Object(fields) = json else { return Err(Fault::new("not a JSON object")) };
        let need = |name: &str| match fields.get(name) {
            Some(Json::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(Json::Null) | None => Err(Fault::new(format!("`{name}` is missing"))),
            Some(other) => Err(expected("a text that is not empty", other).in_field(name)),
        };
        let key = RunKey { project: Some(need("project")?), hash: need("id")? };
        let mut draft = Draft::new(block)?;
        draft.reserve_text(line.len() * 2)?;
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            match field(&mut draft, name, value).map_err(|fault| fault.in_field(name))? {
                Known::Yes => {}
                Known::No => {
                    unknown.insert(shorten(name));
                }
            }
        }
        draft.finish(&key, digest)
    }
}

enum Known {
    Yes,
    No,
}

/// Reads one field of an experiment.
fn field(draft: &mut Draft<'_>, name: &str, value: &Json) -> Read<Known> {
    match name {
        "project" => {}
        "id" | "owner" | "name" | "description" | "hostname" | "custom_run_id" => {
            draft.text(&format!("sys/{name}"), text(value)?)?;
        }
        "size" | "running_time" => draft.attribute(&format!("sys/{name}"), Value::Float(float(value)?))?,
        "tags" | "group_tags" => set(draft, &format!("sys/{name}"), value)?,
        "created" => draft.attribute("sys/creation_time", time(value)?)?,
        "modified" => draft.attribute("sys/modification_time", time(value)?)?,
        "pinged" => draft.attribute("sys/ping_time", time(value)?)?,
        "finished" => draft.attribute("sys/legacy/finished", time(value)?)?,
        "trashed" => draft.attribute("sys/trashed", bool(value)?)?,
        "commitId" | "notebookName" | "checkpointName" => {
            draft.text(&format!("sys/legacy/{name}"), text(value)?)?;
        }
        "state" => {
            let state = text(value)?;
            if !["running", "succeeded", "aborted", "failed"].contains(&state) {
                return Err(Fault::new(format!(
                    "expected running, succeeded, aborted or failed, got {:?}",
                    shorten(state)
                )));
            }
            let typed = if state == "running" { "running" } else { "idle" };
            draft.named("sys/state", AttributeKind::State, Some(typed))?;
            draft.attribute("sys/failed", Value::Bool(state == "failed"))?;
            draft.text("sys/legacy/state", state)?;
        }
        "parameters" => each(value, |name, value| attribute(draft, &format!("parameters/{name}"), value))?,
        "metrics" => each(value, |name, value| metric(draft, &format!("metrics/{name}"), value))?,
        "text_logs" => each(value, |name, value| log(draft, &format!("logs/{name}"), value))?,
        "properties" => each(value, |name, value| draft.text(&format!("properties/{name}"), text(value)?))?,
        "attributes" => each(value, |path, value| attribute(draft, path, value))?,
        _ => return Ok(Known::No),
    }
    Ok(Known::Yes)
}

/// Reads the members of an object.
fn each(value: &Json, mut read: impl FnMut(&str, &Json) -> Read<()>) -> Read<()> {
    for (name, value) in object(value)? {
        read(name, value).map_err(|fault| fault.in_field(name))?;
    }
    Ok(())
}

/// `{"type": …, "value": …}`.
fn attribute(draft: &mut Draft<'_>, path: &str, value: &Json) -> Read<()> {
    let fields = object(value)?;
    let missing = |name: &str| Fault::new(format!("`{name}` is missing"));
    let kind = text(fields.get("type").ok_or_else(|| missing("type"))?).map_err(|fault| fault.in_field("type"))?;
    let null = Json::Null;
    let value = fields.get("value").unwrap_or(&null);
    let in_value = |fault: Box<Fault>| fault.in_field("value");
    let optional =
        |value: &Json| if value.is_null() { Ok(None) } else { text(value).map(|text| Some(text.to_owned())) };
    let named = |kind: AttributeKind, draft: &mut Draft<'_>| {
        draft.named(path, kind, optional(value).map_err(in_value)?.as_deref())
    };
    match kind {
        "gitRef" => return draft.named(path, AttributeKind::GitRef, None),
        "notebookRef" => return draft.named(path, AttributeKind::NotebookRef, None),
        "artifact" => return named(AttributeKind::Artifact, draft),
        "file" | "fileRef" => return named(AttributeKind::File, draft),
        "fileSet" => return named(AttributeKind::FileSet, draft),
        _ if value.is_null() => return Err(missing("value")),
        _ => {}
    }
    match kind {
        "float" => draft.attribute(path, Value::Float(float(value).map_err(in_value)?)),
        "int" | "integer" => {
            let number = value.as_i64().ok_or_else(|| in_value(expected("an integer of 64 bits", value)))?;
            draft.attribute(path, Value::Int(number))
        }
        "string" => draft.text(path, text(value).map_err(in_value)?),
        "bool" | "boolean" => draft.attribute(path, bool(value).map_err(in_value)?),
        "datetime" => draft.attribute(path, time(value).map_err(in_value)?),
        "stringSet" => set(draft, path, value).map_err(in_value),
        "experimentState" => named(AttributeKind::State, draft),
        "floatSeries" => metric(draft, path, value).map_err(in_value),
        "stringSeries" => log(draft, path, value).map_err(in_value),
        "fileSeries" | "fileRefSeries" | "imageSeries" => {
            series(draft, SeriesKind::Files, path, value, |value| text(value).map(str::to_owned)).map_err(in_value)
        }
        "histogramSeries" => series(draft, SeriesKind::Distributions, path, value, histogram).map_err(in_value),
        other => Err(Fault::new(format!("there is no type {:?}", shorten(other))).in_field("type")),
    }
}

/// A step in millionths, and a time, of a point `[step, value, time]`.
fn point(value: &Json) -> Read<(i64, &Json, i64)> {
    let Json::Array(parts) = value else { return Err(expected("[step, value, time]", value)) };
    let [step, value, time] = parts.as_slice() else {
        return Err(Fault::new(format!("expected [step, value, time], got {} elements", parts.len())));
    };
    let micros = match step.as_i64() {
        Some(step) => step.checked_mul(MICRO),
        None => {
            let step = (float(step).map_err(|fault| fault.at_index(0))? * MICRO as f64).round();
            // Both bounds are exact doubles.
            (step.abs() < 9_223_372_036_854_775_808.0).then_some(step as i64)
        }
    };
    let micros = micros.ok_or_else(|| Fault::new("the step is out of range").at_index(0))?;
    let time = match time {
        Json::Null => NO_TIME,
        time => parse_iso(text(time).map_err(|fault| fault.at_index(2))?).map_err(|fault| fault.at_index(2))?,
    };
    Ok((micros, value, time))
}

fn points(value: &Json, mut read: impl FnMut(i64, &Json, i64) -> Read<()>) -> Read<()> {
    let Json::Array(items) = value else { return Err(expected("a list of points", value)) };
    for (index, item) in items.iter().enumerate() {
        point(item)
            .and_then(|(step, value, time)| read(step, value, time).map_err(|fault| fault.at_index(1)))
            .map_err(|fault| fault.at_index(index))?;
    }
    Ok(())
}

fn metric(draft: &mut Draft<'_>, path: &str, value: &Json) -> Read<()> {
    let (mut steps, mut times, mut values) = (Vec::new(), Vec::new(), Vec::new());
    points(value, |step, value, time| {
        values.push(float(value)?);
        steps.push(step);
        times.push(time);
        Ok(())
    })?;
    draft.metric(path, &steps, &times, &values);
    Ok(())
}

fn log(draft: &mut Draft<'_>, path: &str, value: &Json) -> Read<()> {
    series(draft, SeriesKind::Texts, path, value, |value| text(value).map(str::to_owned))
}

fn series(
    draft: &mut Draft<'_>,
    kind: SeriesKind,
    path: &str,
    value: &Json,
    show: impl Fn(&Json) -> Read<String>,
) -> Read<()> {
    let mut rows = Vec::new();
    points(value, |step, value, time| {
        let text = draft.block.add_text(&show(value)?);
        rows.push(TextRow { step, time, text: Some(text) });
        Ok(())
    })?;
    draft.texts(kind, path, &mut rows);
    Ok(())
}

fn histogram(value: &Json) -> Read<String> {
    let fields = object(value)?;
    let list = |name: &str| -> Read<Vec<f64>> {
        match fields.get(name) {
            Some(Json::Array(items)) => {
                items.iter().map(float).collect::<Read<_>>().map_err(|fault| fault.in_field(name))
            }
            Some(other) => Err(expected("a list of numbers", other).in_field(name)),
            None => Err(Fault::new(format!("`{name}` is missing"))),
        }
    };
    let kind = fields.get("type").and_then(Json::as_str);
    Ok(histogram_text(kind, &list("edges")?, &list("values")?))
}

/// A histogram as it stands in `text_points`.
pub(super) fn histogram_text(kind: Option<&str>, edges: &[f64], values: &[f64]) -> String {
    let mut out = format!("{{\"type\":{}", Json::from(kind));
    for (name, numbers) in [("edges", edges), ("values", values)] {
        out.push_str(&format!(",\"{name}\":["));
        for (index, number) in numbers.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if number.is_finite() { out.push_str(&format!("{number:?}")) } else { write_special(*number, &mut out) }
        }
        out.push(']');
    }
    out.push('}');
    out
}

fn set(draft: &mut Draft<'_>, path: &str, value: &Json) -> Read<()> {
    let Json::Array(items) = value else { return Err(expected("a list of texts", value)) };
    let mut members = Vec::new();
    for (index, item) in items.iter().enumerate() {
        members.push(text(item).map_err(|fault| fault.at_index(index))?);
    }
    draft.set(path, members.into_iter())
}

fn object(value: &Json) -> Read<&Map<String, Json>> {
    value.as_object().ok_or_else(|| expected("an object", value))
}

fn text(value: &Json) -> Read<&str> {
    value.as_str().ok_or_else(|| expected("text", value))
}

fn bool(value: &Json) -> Read<Value> {
    value.as_bool().map(Value::Bool).ok_or_else(|| expected("a boolean", value))
}

fn time(value: &Json) -> Read<Value> {
    parse_iso(text(value)?).map(Value::Time)
}

/// A number; JSON has no words for three of them, so they are texts.
fn float(value: &Json) -> Read<f64> {
    match value {
        Json::Number(number) => number.as_f64().ok_or_else(|| expected("a number", value)),
        Json::String(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(expected("a number", value)),
        },
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => Err(expected("a number", value)),
    }
}

fn expected(what: &str, got: &Json) -> Box<Fault> {
    let got = match got {
        Json::Null => "null".to_owned(),
        Json::Bool(_) => "a boolean".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => format!("{:?}", shorten(text)),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    };
    Fault::new(format!("expected {what}, got {got}"))
}
