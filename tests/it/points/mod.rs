//! The points behind matched series.

mod bands;
mod listing;
mod reading;
mod sampling;

use crate::support::{empty_lake, rows_of, session};
use lakeql::{Lake, PointsOptions, Session, Settings};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::aim::import_aim;
use lakeql_query::source::Source;
use serde_json::{Value, json};

/// A run of this hash that began so many seconds after 2024 did.
fn run(hash: &str, second: u32, params: Value, metrics: Value) -> Value {
    json!({
        "hash": hash, "created_at": format!("2024-01-01T00:00:{second:02}.000000Z"), "params": params,
        "metrics": metrics,
    })
}

/// A metric with these values at steps 0, 1, 2 …
fn metric(name: &str, context: Value, values: &[f64]) -> Value {
    tracked(name, context, &(0..values.len() as i64).collect::<Vec<_>>(), values)
}

/// A metric with these values at these steps.
fn tracked(name: &str, context: Value, steps: &[i64], values: &[f64]) -> Value {
    let number = |value: &f64| if value.is_nan() { json!({"$float": "nan"}) } else { json!(value) };
    json!({"name": name, "context": context, "steps": steps, "values": values.iter().map(number).collect::<Vec<_>>()})
}

/// Imports these runs, all at once.
async fn import(lake: &Lake, runs: &[Value]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.jsonl");
    std::fs::write(&file, runs.iter().map(|run| format!("{run}\n")).collect::<String>()).unwrap();
    import_aim(lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
}

/// A lake of these runs.
async fn lake(runs: &[Value]) -> Session {
    let lake = empty_lake().await;
    import(&lake, runs).await;
    session(&lake).await
}

/// The answer as JSON, NaN being null there.
async fn points(session: &Session, text: &str, options: &PointsOptions) -> Vec<Value> {
    points_of(session, text, None, options).await.unwrap()
}

async fn points_of(
    session: &Session,
    text: &str,
    entity: Option<&str>,
    options: &PointsOptions,
) -> lakeql::Result<Vec<Value>> {
    let settings = Settings { entity: entity.map(str::to_owned), ..Settings::default() };
    rows_of(session.points(&Source::query(text), "aim", &settings, options).await?).await
}

/// What is wrong with a query or its options.
async fn mistake(session: &Session, text: &str, entity: Option<&str>, options: &PointsOptions) -> String {
    match points_of(session, text, entity, options).await {
        Err(lakeql::Error::Query(found)) => format!("{}: {}", found[0].message, found[0].hints.join("; ")),
        other => panic!("{other:?}"),
    }
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

/// These columns of every row.
fn pick(rows: &[Value], columns: &[&str]) -> Vec<Value> {
    rows.iter()
        .map(|row| columns.iter().map(|name| row.get(*name).unwrap_or(&json!("no column")).clone()).collect())
        .collect()
}
