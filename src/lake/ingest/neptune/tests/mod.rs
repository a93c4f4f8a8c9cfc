//! Imports into a lake in memory, compared with what the sources say.

mod bad;
mod export;
mod neutral;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use futures::TryStreamExt;
use serde_json::{Value, json};

use super::{NeptuneOptions, import_neptune};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::tables::Table;
use crate::error::Error;
use crate::ingest::ImportReport;
use crate::storage::reader::open;

pub(super) fn gold(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gold/nql").join(name)
}

pub(super) async fn new_lake() -> Lake {
    let store = Arc::new(object_store::memory::InMemory::new());
    Lake::with_store(store, object_store::path::Path::from("lake")).await.unwrap()
}

pub(super) async fn import(lake: &Lake, path: &Path, options: &NeptuneOptions) -> Result<ImportReport, Error> {
    import_neptune(lake, &[path.to_str().unwrap().to_owned()], options, &|_| {}).await
}

/// All rows of a table in the newest version, those of dead runs left out, as JSON objects without nulls.
pub(super) async fn rows(lake: &Lake, table: Table) -> Vec<BTreeMap<String, Value>> {
    let snapshot = lake.snapshot(AsOf::Latest).await.unwrap();
    let dead = snapshot.dead_runs();
    let mut found = Vec::new();
    for file in &snapshot.table(table).files {
        let stream = open(snapshot.store(), &file.location, file.size, None).await.unwrap();
        for batch in stream.batches.try_collect::<Vec<_>>().await.unwrap() {
            found.extend((0..batch.num_rows()).map(|row| cells(&batch, row)));
        }
    }
    found.retain(|row| !row.get("run").is_some_and(|run| dead.contains(&run.as_i64().unwrap())));
    found
}

fn cells(batch: &RecordBatch, row: usize) -> BTreeMap<String, Value> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let filled = columns.filter(|(_, column)| column.is_valid(row));
    filled.map(|(field, column)| (field.name().clone(), cell(column.as_ref(), row))).collect()
}

fn cell(column: &dyn Array, row: usize) -> Value {
    if let Some(ints) = column.as_primitive_opt::<Int64Type>() {
        json!(ints.value(row))
    } else if let Some(ints) = column.as_primitive_opt::<Int32Type>() {
        json!(ints.value(row))
    } else if let Some(floats) = column.as_primitive_opt::<Float64Type>() {
        float(floats.value(row))
    } else if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        json!(crate::ingest::time_text(times.value(row)))
    } else if let Some(texts) = column.as_string_opt::<i32>() {
        json!(texts.value(row))
    } else if let Some(flags) = column.as_boolean_opt() {
        json!(flags.value(row))
    } else if let Some(lists) = column.as_list_opt::<i32>() {
        let list = lists.value(row);
        (0..list.len()).map(|item| cell(list.as_ref(), item)).collect()
    } else {
        Value::Null
    }
}

/// JSON has no words for some floats; the corpus writes these.
pub(super) fn float(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

/// Runs by hash.
pub(super) async fn runs(lake: &Lake) -> BTreeMap<String, BTreeMap<String, Value>> {
    let rows = rows(lake, Table::Runs).await;
    rows.into_iter().map(|row| (row["hash"].as_str().unwrap().to_owned(), row)).collect()
}

/// The attributes of a run by path: kind and value. Groups are left out.
pub(super) async fn attributes(lake: &Lake, hash: &str) -> BTreeMap<String, (String, Value)> {
    let run = runs(lake).await[hash]["run"].clone();
    let rows = rows(lake, Table::Attributes).await;
    let own = rows.into_iter().filter(|row| row["run"] == run && row["kind"] != "dict");
    own.map(|row| {
        let value = ["int", "float", "text", "bool", "time", "texts"].iter().find_map(|name| row.get(*name).cloned());
        let kind = row["kind"].as_str().unwrap().to_owned();
        (row["path"].as_str().unwrap().to_owned(), (kind, value.unwrap_or_default()))
    })
    .collect()
}

/// The series of a run by name.
pub(super) async fn series(lake: &Lake, hash: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let run = runs(lake).await[hash]["run"].clone();
    let rows = rows(lake, Table::Series).await;
    rows.into_iter()
        .filter(|row| row["run"] == run)
        .map(|row| (row["name"].as_str().unwrap().to_owned(), row))
        .collect()
}

/// The points of a series: step with its fraction in millionths, time, value or text.
pub(super) async fn points(lake: &Lake, hash: &str, name: &str) -> Vec<(i64, Value, Value)> {
    let series = series(lake, hash).await[name].clone();
    let metric = series["kind"] == "metric";
    let rows = rows(lake, if metric { Table::Points } else { Table::TextPoints }).await;
    let own = rows.into_iter().filter(|row| row["series"] == series["series"]);
    own.map(|row| {
        let fraction = row.get("substep").map_or(0, |fraction| fraction.as_i64().unwrap());
        let value = row.get(if metric { "value" } else { "text" }).cloned().unwrap_or_default();
        (row["step"].as_i64().unwrap() * 1_000_000 + fraction, row.get("time").cloned().unwrap_or_default(), value)
    })
    .collect()
}
