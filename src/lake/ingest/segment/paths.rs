//! The table `paths`: which attribute paths and sequence names a segment has, how often, and one value of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};

use super::attributes::kind_name;
use super::order::Ordered;
use super::typed::ContextRows;
use super::{Batches, Hot};
use crate::catalog::tables::Table;
use crate::error::Error;
use crate::ingest::block::{Block, Value};
use crate::ingest::fault::shorten;
use crate::ingest::time_text;

/// Count and example of a path with one kind.
struct Entry {
    count: i64,
    example: Option<String>,
}

/// Entries by owner, path and kind, which is the order of the table.
type Entries<'a> = BTreeMap<(&'static str, &'a str, &'static str), Entry>;

fn count<'a>(
    entries: &mut Entries<'a>,
    key: (&'static str, &'a str, &'static str),
    count: i64,
    example: impl FnOnce() -> Option<String>,
) {
    entries.entry(key).or_insert_with(|| Entry { count: 0, example: example() }).count += count;
}

/// The one batch of the table.
pub(super) fn batches<'a>(ordered: &Ordered<'a>, hot: Hot<'_>) -> Result<Batches<'a>, Error> {
    let mut entries = Entries::new();
    for rows in ordered.attributes.chunk_by(|a, b| a.path() == b.path()) {
        let path = rows.first().and_then(|row| ordered.paths.get(row.path())).copied().unwrap_or_default();
        // Few kinds and many rows: counted here before the map is asked.
        let mut kinds: Vec<(&'static str, Entry)> = Vec::new();
        for row in rows {
            let Some((block, value)) = ordered.attribute(row.place) else { continue };
            let kind = kind_name(&value);
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, entry)) => entry.count += 1,
                None => kinds.push((kind, Entry { count: 1, example: example(block, &value) })),
            }
        }
        for (kind, entry) in kinds {
            entries.insert(("run", path, kind), entry);
        }
    }
    let contexts = ContextRows::new(ordered);
    contexts.each(ordered, |path, series, block, value| {
        let path = contexts.paths.texts.get(path).copied().unwrap_or_default();
        count(&mut entries, ("context", path, kind_name(&value)), series as i64, || example(block, &value));
    });
    for row in &ordered.series {
        let Some((block, series, context)) = ordered.series(row.place) else { continue };
        let key = ("series", block.names.text(series.name), series.kind.name());
        count(&mut entries, key, 1, || Some(shorten(block.json_text(context.text))));
    }
    if entries.is_empty() {
        return Ok(Box::new(std::iter::empty()));
    }
    let is_hot = |owner: &str, path: &str| match owner {
        "run" => hot.runs.contains(path),
        "context" => hot.contexts.contains(path),
        _ => false,
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(entries.keys().map(|(owner, _, _)| *owner))),
        Arc::new(StringArray::from_iter_values(entries.keys().map(|(_, path, _)| *path))),
        Arc::new(StringArray::from_iter_values(entries.keys().map(|(_, _, kind)| *kind))),
        Arc::new(Int64Array::from_iter_values(entries.values().map(|entry| entry.count))),
        Arc::new(entries.keys().map(|(owner, path, _)| Some(is_hot(owner, path))).collect::<BooleanArray>()),
        Arc::new(entries.values().map(|entry| entry.example.as_deref()).collect::<StringArray>()),
    ];
    let batch = RecordBatch::try_new(Table::Paths.schema(), columns).map_err(Error::from);
    Ok(Box::new(std::iter::once(batch)))
}

/// A value as a user would write it, shortened.
fn example(block: &Block, value: &Value) -> Option<String> {
    fn list<T>(values: &[T], show: impl Fn(&T) -> String) -> String {
        let shown: Vec<String> = values.iter().take(20).map(show).collect();
        format!("[{}]", shown.join(", "))
    }
    let text = match value {
        Value::Null | Value::Dict | Value::Named(_, None) => return None,
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::BigInt(span) | Value::Text(span) | Value::Named(_, Some(span)) => block.text(*span).to_owned(),
        Value::Json(span) => block.json_text(*span).to_owned(),
        Value::Ints(rows) => list(block.ints.get(rows.range())?, i64::to_string),
        Value::Floats(rows) => list(block.floats.get(rows.range())?, |value| format!("{value:?}")),
        Value::Time(micros) => time_text(*micros),
        Value::Texts(rows) | Value::Set(rows) => {
            list(block.spans.get(rows.range())?, |span| format!("{:?}", block.text(*span)))
        }
    };
    Some(shorten(&text))
}
