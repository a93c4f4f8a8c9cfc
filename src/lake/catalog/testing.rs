//! Small lakes for the tests of this crate: segments made by hand, without an importer.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{Field, Schema};
use futures::TryStreamExt;

use super::commit::{CommitOutcome, ImportCommit};
use super::lake::{AsOf, Lake};
use super::path::{ColumnType, column_name, typed_field};
use super::paths::{PathEntry, PathOwner};
use super::snapshot::Snapshot;
use super::tables::Table;
use crate::storage::reader::{open, texts};
use crate::storage::segment::{Digest, FileName, RunKey, Staged, StagedRun};
use crate::storage::writer::WrittenFile;

/// A run with float parameters and metrics `(name, split, values)`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TestRun {
    pub(crate) hash: String,
    pub(crate) digest: Digest,
    pub(crate) created: i64,
    pub(crate) params: BTreeMap<String, f64>,
    pub(crate) metrics: Vec<(String, String, Vec<f64>)>,
}

impl TestRun {
    pub(crate) fn new(hash: &str, created: i64) -> Self {
        TestRun { hash: hash.to_owned(), created, digest: [created as u8; 16], ..Self::default() }
    }

    pub(crate) fn param(mut self, path: &str, value: f64) -> Self {
        self.params.insert(path.to_owned(), value);
        self
    }

    pub(crate) fn metric(mut self, name: &str, split: &str, values: &[f64]) -> Self {
        self.metrics.push((name.to_owned(), split.to_owned(), values.to_vec()));
        self
    }
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

/// Fills the columns that are not given with nulls.
fn batch(table: Table, mut given: BTreeMap<&str, ArrayRef>, typed: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let rows = given.values().next().unwrap().len();
    let mut fields: Vec<Field> = Vec::new();
    let mut columns = Vec::new();
    for field in table.schema().fields() {
        fields.push(field.as_ref().clone());
        columns.push(given.remove(field.name().as_str()).unwrap_or_else(|| new_null_array(field.data_type(), rows)));
    }
    assert!(given.is_empty());
    for (field, column) in typed {
        fields.push(field);
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn strings(values: impl IntoIterator<Item = impl AsRef<str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// Writes the runs as one segment. `hot` paths get typed columns in `runs`; `split` always has one in `series`.
pub(crate) async fn stage(lake: &Lake, runs: &[TestRun], hot: &[&str]) -> Staged {
    let segment = lake.claim_segment().await.unwrap();
    let mut runs = runs.to_vec();
    runs.sort_by(|a, b| b.created.cmp(&a.created).then(a.hash.cmp(&b.hash)));
    let run = |index: usize| segment.ordinal(index as u32);
    let same = |text: &str| strings(runs.iter().map(|_| text.to_owned()));
    let mut tags = ListBuilder::new(StringBuilder::new());
    runs.iter().for_each(|_| tags.append(true));
    let flags = |value: bool| Arc::new(BooleanArray::from(vec![value; runs.len()])) as ArrayRef;
    let given = BTreeMap::from([
        ("run", numbers((0..runs.len()).map(run))),
        ("hash", strings(runs.iter().map(|run| &run.hash))),
        ("name", same("name")),
        ("experiment", same("default")),
        ("tags", Arc::new(tags.finish()) as ArrayRef),
        ("archived", flags(false)),
        ("active", flags(false)),
        ("created_at", times(runs.iter().map(|run| run.created))),
        ("imported_at", times(runs.iter().map(|_| 0))),
        ("digest", Arc::new(BinaryArray::from_iter_values(runs.iter().map(|run| run.digest))) as ArrayRef),
        ("params", strings(runs.iter().map(|run| serde_json::to_string(&run.params).unwrap()))),
    ]);
    let typed = hot.iter().map(|path| {
        let values: Float64Array = runs.iter().map(|run| run.params.get(*path).copied()).collect();
        (typed_field(path, ColumnType::Float), Arc::new(values) as ArrayRef)
    });
    let mut files = vec![write(lake, segment, batch(Table::Runs, given, typed.collect())).await];

    let mut attributes: Vec<(&str, i64, f64)> = Vec::new();
    let mut series: Vec<(&str, &str, i64, &[f64])> = Vec::new();
    for (index, test) in runs.iter().enumerate() {
        attributes.extend(test.params.iter().map(|(path, value)| (path.as_str(), run(index), *value)));
        series.extend(test.metrics.iter().map(|it| (it.0.as_str(), it.1.as_str(), run(index), it.2.as_slice())));
    }
    attributes.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    series.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    if !attributes.is_empty() {
        let given = BTreeMap::from([
            ("path", strings(attributes.iter().map(|it| it.0))),
            ("run", numbers(attributes.iter().map(|it| it.1))),
            ("kind", strings(attributes.iter().map(|_| "float"))),
            ("float", Arc::new(Float64Array::from_iter_values(attributes.iter().map(|it| it.2))) as ArrayRef),
        ]);
        files.push(write(lake, segment, batch(Table::Attributes, given, Vec::new())).await);
    }
    let context = |split: &str| format!("{{\"split\":\"{split}\"}}");
    if !series.is_empty() {
        let mut first_row = 0;
        let given = BTreeMap::from([
            ("series", numbers((0..series.len()).map(run))),
            ("run", numbers(series.iter().map(|it| it.2))),
            ("name", strings(series.iter().map(|it| it.0))),
            ("context", strings(series.iter().map(|it| context(it.1)))),
            ("context_key", strings(series.iter().map(|it| context(it.1)))),
            ("kind", strings(series.iter().map(|_| "metric"))),
            ("n", numbers(series.iter().map(|it| it.3.len() as i64))),
            ("n_nan", numbers(series.iter().map(|_| 0))),
            (
                "first_row",
                numbers(series.iter().map(|it| {
                    first_row += it.3.len() as i64;
                    first_row - it.3.len() as i64
                })),
            ),
        ]);
        let split = (typed_field("context.split", ColumnType::Text), strings(series.iter().map(|it| it.1)));
        files.push(write(lake, segment, batch(Table::Series, given, vec![split])).await);
        let points: Vec<(i64, i64, f64)> = series
            .iter()
            .enumerate()
            .flat_map(|(index, it)| it.3.iter().enumerate().map(move |(step, value)| (run(index), step as i64, *value)))
            .collect();
        let given = BTreeMap::from([
            ("series", numbers(points.iter().map(|it| it.0))),
            ("step", numbers(points.iter().map(|it| it.1))),
            ("value", Arc::new(Float64Array::from_iter_values(points.iter().map(|it| it.2))) as ArrayRef),
        ]);
        files.push(write(lake, segment, batch(Table::Points, given, Vec::new())).await);
    }
    files.extend(lake.write_paths(&FileName::new(segment, 0), &path_entries(&runs, hot)).await.unwrap());
    let runs = runs.iter().map(|run| StagedRun { key: RunKey::of_hash(&run.hash), digest: run.digest }).collect();
    Staged { segment, files, runs, dropped: Vec::new() }
}

/// What the catalogue of paths must say about these runs.
pub(crate) fn path_entries(runs: &[TestRun], hot: &[&str]) -> Vec<PathEntry> {
    let mut counts: BTreeMap<(PathOwner, &str, &str), u64> = BTreeMap::new();
    for run in runs {
        run.params.keys().for_each(|path| *counts.entry((PathOwner::Run, path, "float")).or_default() += 1);
        for (name, _, _) in &run.metrics {
            *counts.entry((PathOwner::Series, name, "metric")).or_default() += 1;
            *counts.entry((PathOwner::Context, "split", "text")).or_default() += 1;
        }
    }
    let is_hot = |owner, path: &str| match owner {
        PathOwner::Run => hot.contains(&path),
        PathOwner::Context => true,
        PathOwner::Series | PathOwner::File => false,
    };
    let entry = |((owner, path, kind), count): ((PathOwner, &str, &str), u64)| PathEntry {
        owner,
        path: path.to_owned(),
        kind: kind.to_owned(),
        count,
        hot: is_hot(owner, path),
        example: None,
    };
    counts.into_iter().map(entry).collect()
}

async fn write(lake: &Lake, segment: crate::storage::segment::SegmentId, batch: RecordBatch) -> WrittenFile {
    let table =
        Table::ALL.into_iter().find(|table| batch.schema().fields().starts_with(table.schema().fields())).unwrap();
    let mut writer = lake.writer(table, &FileName::new(segment, 0), batch.schema(), Vec::new()).unwrap();
    writer.write(&batch).await.unwrap();
    writer.finish().await.unwrap()
}

/// Stages and commits.
pub(crate) async fn import(lake: &Lake, runs: &[TestRun], hot: &[&str]) -> CommitOutcome {
    let staged = vec![stage(lake, runs, hot).await];
    let operation = "import test".to_owned();
    lake.commit_import(ImportCommit { staged, operation, ..ImportCommit::default() }).await.unwrap()
}

/// The newest version.
pub(crate) async fn latest(lake: &Lake) -> Arc<Snapshot> {
    lake.snapshot(AsOf::Latest).await.unwrap()
}

/// All visible rows of a table, file after file.
pub(crate) async fn rows(snapshot: &Snapshot, table: Table) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    for file in &snapshot.table(table).files {
        let stream = open(snapshot.store(), &file.location, file.size, None).await.unwrap();
        batches.extend(stream.batches.try_collect::<Vec<_>>().await.unwrap());
    }
    batches
}

/// The values of a text column of a table, sorted.
pub(crate) async fn column(snapshot: &Snapshot, table: Table, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for batch in rows(snapshot, table).await {
        found.extend(texts(&batch, name).unwrap().iter().flatten().map(str::to_owned));
    }
    found.sort();
    found
}

/// The runs as they can be read back through all tables, by hash.
pub(crate) async fn read_back(snapshot: &Snapshot) -> BTreeMap<String, TestRun> {
    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
    let mut runs: BTreeMap<i64, TestRun> = BTreeMap::new();
    for batch in rows(snapshot, Table::Runs).await {
        let ids = batch["run"].as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let digest = batch["digest"].as_binary::<i32>().value(row);
            let run = TestRun {
                hash: batch["hash"].as_string::<i32>().value(row).to_owned(),
                digest: digest.try_into().unwrap(),
                created: batch["created_at"].as_primitive::<TimestampMicrosecondType>().value(row),
                ..TestRun::default()
            };
            assert!(runs.insert(ids.value(row), run).is_none());
        }
    }
    let dead = snapshot.dead_runs();
    for batch in rows(snapshot, Table::Attributes).await {
        for row in 0..batch.num_rows() {
            let run = batch["run"].as_primitive::<Int64Type>().value(row);
            if dead.contains(&run) {
                continue;
            }
            let path = batch["path"].as_string::<i32>().value(row);
            let value = batch["float"].as_primitive::<Float64Type>().value(row);
            assert!(runs.get_mut(&run).unwrap().params.insert(path.to_owned(), value).is_none());
        }
    }
    let points = rows(snapshot, Table::Points).await;
    for batch in rows(snapshot, Table::Series).await {
        for row in 0..batch.num_rows() {
            let run = batch["run"].as_primitive::<Int64Type>().value(row);
            if dead.contains(&run) {
                continue;
            }
            let series = batch["series"].as_primitive::<Int64Type>().value(row);
            let mut values = Vec::new();
            for batch in &points {
                for point in 0..batch.num_rows() {
                    if batch["series"].as_primitive::<Int64Type>().value(point) == series {
                        values.push(batch["value"].as_primitive::<Float64Type>().value(point));
                    }
                }
            }
            assert_eq!(batch["n"].as_primitive::<Int64Type>().value(row), values.len() as i64);
            let name = batch["name"].as_string::<i32>().value(row).to_owned();
            let split = batch[column_name("context.split", ColumnType::Text).as_str()].as_string::<i32>().value(row);
            runs.get_mut(&run).unwrap().metrics.push((name, split.to_owned(), values));
        }
    }
    runs.into_values().map(|run| (run.hash.clone(), run)).collect()
}

/// The runs by hash, with their metrics in the order of the table.
pub(crate) fn expected(runs: &[TestRun]) -> BTreeMap<String, TestRun> {
    let mut runs: BTreeMap<String, TestRun> = runs.iter().map(|run| (run.hash.clone(), run.clone())).collect();
    runs.values_mut().for_each(|run| run.metrics.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
    runs
}
