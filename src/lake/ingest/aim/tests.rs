//! Whole imports into a lake in memory, compared with what the JSON says.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::import_aim;
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::path::{PathKey, format_path};
use crate::catalog::tables::Table;
use crate::error::{Error, RowPlace};
use crate::ingest::{ImportOptions, ImportReport};

async fn new_lake() -> Lake {
    let store = Arc::new(object_store::memory::InMemory::new());
    Lake::with_store(store, object_store::path::Path::from("lake")).await.unwrap()
}

async fn version_of(lake: &Lake) -> u64 {
    lake.snapshot(AsOf::Latest).await.unwrap().version()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gold/aimql/dataset.jsonl")
}

fn corpus_runs() -> Vec<Value> {
    let text = std::fs::read_to_string(corpus()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn import(lake: &Lake, files: &[PathBuf], options: &ImportOptions) -> Result<ImportReport, Error> {
    import_aim(lake, files, options, &|_| {}).await
}

/// All rows of a table in the newest version, as one batch per file.
async fn rows(lake: &Lake, table: Table) -> Vec<RecordBatch> {
    let snapshot = lake.snapshot(AsOf::Latest).await.unwrap();
    let mut batches = Vec::new();
    for file in &snapshot.table(table).files {
        let bytes = lake.store().get(&file.location).await.unwrap().bytes().await.unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().with_batch_size(1 << 20).build().unwrap();
        batches.extend(reader.map(Result::unwrap));
    }
    batches
}

/// The Parquet objects in the folder of a table, whether the log names them or not.
async fn objects(lake: &Lake, table: Table) -> usize {
    let all: Vec<_> = lake.store().list(Some(&lake.folder(table))).try_collect().await.unwrap();
    let data = |path: &str| path.ends_with(".parquet") && !path.contains("_delta_log");
    all.iter().filter(|object| data(object.location.as_ref())).count()
}

fn ints<'a>(batch: &'a RecordBatch, name: &str) -> &'a arrow::array::Int64Array {
    batch.column_by_name(name).unwrap().as_primitive::<Int64Type>()
}

fn floats<'a>(batch: &'a RecordBatch, name: &str) -> &'a arrow::array::Float64Array {
    batch.column_by_name(name).unwrap().as_primitive::<Float64Type>()
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> &'a arrow::array::StringArray {
    batch.column_by_name(name).unwrap().as_string::<i32>()
}

const MEDIA: [&str; 5] = ["images", "texts", "audios", "distributions", "figures"];

fn list<'a>(run: &'a Value, field: &str) -> &'a [Value] {
    run[field].as_array().map_or(&[], Vec::as_slice)
}

/// Every node below the root with its path; lists are leaves.
fn nodes(value: &Value, path: &mut Vec<PathKey>, out: &mut Vec<(String, Value)>) {
    let members: Vec<(PathKey, &Value)> = match value {
        Value::Object(object) if object.contains_key("$float") => Vec::new(),
        Value::Object(object) if object.contains_key("$map") => list(value, "$map")
            .iter()
            .map(|pair| match &pair[0] {
                Value::String(text) => (PathKey::Text(text.clone()), &pair[1]),
                key => (PathKey::Int(key.as_i64().unwrap()), &pair[1]),
            })
            .collect(),
        Value::Object(object) => object.iter().map(|(key, value)| (PathKey::Text(key.clone()), value)).collect(),
        _ => Vec::new(),
    };
    if !path.is_empty() {
        out.push((format_path(path), value.clone()));
    }
    for (key, member) in members {
        path.push(key);
        nodes(member, path, out);
        path.pop();
    }
}

fn float_json(value: f64) -> Value {
    if value.is_nan() {
        json!({"$float": "nan"})
    } else if value.is_infinite() {
        json!({"$float": if value > 0.0 { "inf" } else { "-inf" }})
    } else {
        json!(value)
    }
}

/// The value of a row of `attributes` as JSON; `None` for a dict.
fn attribute_json(batch: &RecordBatch, row: usize) -> Option<Value> {
    let items = |name: &str| batch.column_by_name(name).unwrap().as_list::<i32>().value(row);
    let filled = |name: &str| batch.column_by_name(name).unwrap().is_valid(row);
    let parse = || serde_json::from_str(texts(batch, "json").value(row)).unwrap();
    Some(match texts(batch, "kind").value(row) {
        "null" => Value::Null,
        "dict" => return None,
        "int" if filled("int") => json!(ints(batch, "int").value(row)),
        "float" => float_json(floats(batch, "float").value(row)),
        "text" => json!(texts(batch, "text").value(row)),
        "bool" => json!(batch.column_by_name("bool").unwrap().as_boolean().value(row)),
        "list" if filled("ints") => json!(items("ints").as_primitive::<Int64Type>().values().to_vec()),
        "list" if filled("floats") => {
            items("floats").as_primitive::<Float64Type>().values().iter().map(|item| float_json(*item)).collect()
        }
        "list" if filled("texts") => items("texts").as_string::<i32>().iter().map(|item| json!(item)).collect(),
        "int" | "list" => parse(),
        kind => panic!("kind {kind}"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_corpus_arrives_whole() {
    let runs = corpus_runs();
    let lake = new_lake().await;
    let report = import(&lake, &[corpus()], &ImportOptions::default()).await.unwrap();
    let metrics: usize = runs.iter().map(|run| list(run, "metrics").len()).sum();
    let media: usize = runs.iter().flat_map(|run| MEDIA.map(|kind| list(run, kind).len())).sum();
    assert_eq!((runs.len(), metrics), (70, 111));
    assert_eq!((report.added, report.replaced, report.unchanged, report.bad), (70, 0, 0, 0));
    assert_eq!(report.unknown_fields, Vec::<String>::new());
    assert_eq!(report.series as usize, metrics + media);
    assert_eq!(report.bytes_read, std::fs::metadata(corpus()).unwrap().len());

    // Runs: newest first, columns as given.
    let table = rows(&lake, Table::Runs).await.remove(0);
    let mut order: Vec<(&str, &str)> =
        runs.iter().map(|run| (run["created_at"].as_str().unwrap(), run["hash"].as_str().unwrap())).collect();
    order.sort_by(|a, b| b.0.cmp(a.0).then(a.1.cmp(b.1)));
    let hashes: Vec<&str> = texts(&table, "hash").iter().flatten().collect();
    assert_eq!(hashes, order.iter().map(|(_, hash)| *hash).collect::<Vec<_>>());
    let by_hash: HashMap<&str, &Value> = runs.iter().map(|run| (run["hash"].as_str().unwrap(), run)).collect();
    for (row, hash) in hashes.iter().enumerate() {
        let run = by_hash[hash];
        assert_eq!(texts(&table, "name").value(row), run["name"].as_str().unwrap());
        assert_eq!(texts(&table, "experiment").value(row), run["experiment"].as_str().unwrap());
        let description = texts(&table, "description");
        assert_eq!(description.is_valid(row).then(|| description.value(row)), run["description"].as_str());
        let duration = floats(&table, "duration");
        assert_eq!(duration.is_valid(row).then(|| duration.value(row)), run["duration"].as_f64());
        let params: Value = serde_json::from_str(texts(&table, "params").value(row)).unwrap();
        assert_eq!(params, run["params"]);
        let created = table.column_by_name("created_at").unwrap().as_primitive::<TimestampMicrosecondType>().value(row);
        let created = chrono::DateTime::from_timestamp_micros(created).unwrap();
        assert_eq!(created.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(), run["created_at"].as_str().unwrap());
        let tags = table.column_by_name("tags").unwrap().as_list::<i32>().value(row);
        assert_eq!(tags.as_string::<i32>().iter().map(|tag| json!(tag)).collect::<Vec<_>>(), list(run, "tags"));
    }

    // Attributes: every node of every document, with its value.
    let mut wanted = BTreeMap::new();
    for run in &runs {
        let mut all = Vec::new();
        nodes(&run["params"], &mut Vec::new(), &mut all);
        for (path, value) in all {
            let is_dict = value.is_object() && value.get("$float").is_none();
            wanted.insert((path, run["hash"].as_str().unwrap()), (!is_dict).then_some(value));
        }
    }
    let table = rows(&lake, Table::Attributes).await.remove(0);
    let mut found = BTreeMap::new();
    for row in 0..table.num_rows() {
        let run = hashes[ints(&table, "run").value(row) as u32 as usize];
        found.insert((texts(&table, "path").value(row).to_owned(), run), attribute_json(&table, row));
    }
    assert_eq!(found, wanted);
    assert_eq!(table.num_rows(), wanted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_series_of_the_corpus_find_their_points() {
    let runs = corpus_runs();
    let lake = new_lake().await;
    import(&lake, &[corpus()], &ImportOptions::default()).await.unwrap();
    let run_table = rows(&lake, Table::Runs).await.remove(0);
    let series = rows(&lake, Table::Series).await.remove(0);
    let points = rows(&lake, Table::Points).await.remove(0);
    let text_points = rows(&lake, Table::TextPoints).await.remove(0);
    let steps_of = |sequence: &Value| list(sequence, "steps").len();
    let metric_points: usize = runs.iter().flat_map(|run| list(run, "metrics")).map(steps_of).sum();
    assert_eq!(points.num_rows(), metric_points);
    let media_points: usize =
        runs.iter().flat_map(|run| MEDIA.map(|kind| list(run, kind).iter().map(steps_of).sum::<usize>())).sum();
    assert_eq!(text_points.num_rows(), media_points);

    for row in 0..series.num_rows() {
        assert_eq!(ints(&series, "series").value(row) as u32 as usize, row);
        let hash = texts(&run_table, "hash").value(ints(&series, "run").value(row) as u32 as usize);
        let run = runs.iter().find(|run| run["hash"] == hash).unwrap();
        let kind = texts(&series, "kind").value(row);
        let context: Value = serde_json::from_str(texts(&series, "context").value(row)).unwrap();
        let field = if kind == "metric" { "metrics" } else { kind };
        let mut same = list(run, field)
            .iter()
            .filter(|it| it["name"] == texts(&series, "name").value(row) && it["context"] == context);
        let sequence = same.next().unwrap();
        assert!(same.next().is_none());
        for summary in ["first", "last", "min", "max"] {
            let (float, int) = (floats(&series, summary), ints(&series, &format!("{summary}_int")));
            let wanted = &sequence[summary];
            match wanted {
                Value::Null => assert!(float.is_null(row)),
                other => assert_eq!(float_json(float.value(row)), other.as_f64().map_or(other.clone(), float_json)),
            }
            assert_eq!(int.is_valid(row).then(|| int.value(row)), wanted.as_i64());
        }
        for field in ["first_step", "last_step", "version", "record_max_length", "context_hash"] {
            let column = ints(&series, field);
            assert_eq!(column.is_valid(row).then(|| column.value(row)), sequence[field].as_i64(), "{field}");
        }
        let n = ints(&series, "n").value(row) as usize;
        let first = ints(&series, "first_row").value(row) as usize;
        assert_eq!(n, steps_of(sequence));
        let table = if kind == "metric" { &points } else { &text_points };
        let mut wanted: Vec<(i64, String)> = (0..n)
            .map(|point| (sequence["steps"][point].as_i64().unwrap(), sequence["values"][point].to_string()))
            .collect();
        wanted.sort_by_key(|(step, _)| *step);
        for (point, (step, value)) in wanted.iter().enumerate() {
            assert_eq!(ints(table, "series").value(first + point), ints(&series, "series").value(row));
            assert_eq!(ints(table, "step").value(first + point), *step);
            if kind == "metric" {
                assert_eq!(float_json(floats(table, "value").value(first + point)).to_string(), *value);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frequent_paths_have_typed_columns_and_the_catalogue_counts() {
    let runs = corpus_runs();
    let lake = new_lake().await;
    import(&lake, &[corpus()], &ImportOptions::default()).await.unwrap();
    let table = rows(&lake, Table::Runs).await.remove(0);
    let learning_rates = |kind: fn(&Value) -> bool| {
        runs.iter().filter(|run| run["params"]["hparams"].get("lr").is_some_and(kind)).count()
    };
    let float = floats(&table, "hparams.lr:float");
    assert_eq!(float.len() - float.null_count(), learning_rates(Value::is_f64));
    assert!(table.column_by_name("hparams:kind").is_some());
    let series = rows(&lake, Table::Series).await.remove(0);
    let subset = texts(&series, "context.subset:text");
    for row in 0..series.num_rows() {
        let context: Value = serde_json::from_str(texts(&series, "context").value(row)).unwrap();
        assert_eq!(subset.is_valid(row).then(|| subset.value(row)), context["subset"].as_str());
    }
    let paths = rows(&lake, Table::Paths).await.remove(0);
    let row = |owner: &str, path: &str, kind: &str| {
        (0..paths.num_rows())
            .find(|row| {
                texts(&paths, "owner").value(*row) == owner
                    && texts(&paths, "path").value(*row) == path
                    && texts(&paths, "kind").value(*row) == kind
            })
            .unwrap()
    };
    let lr = row("run", "hparams.lr", "float");
    assert_eq!(ints(&paths, "count").value(lr) as usize, learning_rates(Value::is_f64));
    assert!(paths.column_by_name("hot").unwrap().as_boolean().value(lr));
    let losses = runs.iter().flat_map(|run| list(run, "metrics")).filter(|metric| metric["name"] == "loss").count();
    assert_eq!(ints(&paths, "count").value(row("series", "loss", "metric")) as usize, losses);
    let with_subset = (0..series.num_rows()).filter(|row| subset.is_valid(*row)).count();
    assert_eq!(ints(&paths, "count").value(row("context", "subset", "text")) as usize, with_subset);
}

/// A folder with files to import.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Files { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    }
}

fn run_line(hash: &str, lr: f64) -> String {
    json!({"hash": hash, "created_at": "2024-05-01T12:30:00.000000Z", "params": {"lr": lr},
           "metrics": [{"name": "loss", "context": {}, "steps": [0, 1], "values": [1.0, lr], "times": null, "epochs": null}]})
    .to_string()
}

#[tokio::test]
async fn importing_twice_changes_nothing_and_a_changed_run_is_replaced() {
    let files = Files::new();
    let lake = new_lake().await;
    let file = files.write("runs.jsonl", format!("{}\n{}\n", run_line("a", 0.1), run_line("b", 0.2)));
    let first = import(&lake, std::slice::from_ref(&file), &ImportOptions::default()).await.unwrap();
    assert_eq!((first.added, first.points), (2, 4));
    let second = import(&lake, std::slice::from_ref(&file), &ImportOptions::default()).await.unwrap();
    assert_eq!((second.added, second.unchanged, second.replaced), (0, 2, 0));
    assert_eq!(second.version, first.version);
    let file = files.write("runs.jsonl", format!("{}\n{}\n", run_line("a", 0.1), run_line("b", 0.3)));
    let third = import(&lake, &[file], &ImportOptions::default()).await.unwrap();
    assert_eq!((third.added, third.unchanged, third.replaced), (0, 1, 1));
    assert!(third.version > second.version);
}

#[tokio::test]
async fn the_last_line_of_a_run_counts() {
    let files = Files::new();
    // One segment per file, so that the second file replaces runs of a segment that is written.
    let options = ImportOptions { segment_bytes: 1, ..ImportOptions::default() };
    let first = files.write("1.jsonl", [run_line("a", 0.1), run_line("a", 0.2), run_line("b", 0.5)].join("\n"));
    let second = files.write("2.jsonl", [run_line("a", 0.3), run_line("b", 0.5), run_line("c", 1.5)].join("\n"));
    let third = files.write("3.jsonl", [run_line("c", 2.5)].join("\n"));
    let lake = new_lake().await;
    let report = import(&lake, &[first, second, third], &options).await.unwrap();
    assert_eq!((report.added, report.superseded), (3, 4));
    let mut found = Vec::new();
    for batch in rows(&lake, Table::Runs).await {
        for row in 0..batch.num_rows() {
            let params = texts(&batch, "params").value(row).to_owned();
            found.push((texts(&batch, "hash").value(row).to_owned(), params));
        }
    }
    found.sort();
    let wanted = [("a", r#"{"lr":0.3}"#), ("b", r#"{"lr":0.5}"#), ("c", r#"{"lr":2.5}"#)];
    assert_eq!(found, wanted.map(|(hash, params)| (hash.to_owned(), params.to_owned())));
}

#[tokio::test]
async fn packed_files_and_defaults() {
    let files = Files::new();
    let text = format!("\u{feff}{}\r\n\n{}", run_line("a", 0.1), run_line("b", 0.2));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    let packed = [
        ("x.gz", gz.finish().unwrap()),
        ("x.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ("x", text.into_bytes()),
    ];
    for (name, bytes) in packed {
        let lake = new_lake().await;
        let file = files.write(name, bytes);
        let report = import(&lake, &[file], &ImportOptions::default()).await.unwrap();
        // A byte-order mark inside a packed file is not part of a line either.
        assert_eq!(report.added, 2, "{name}");
        let table = rows(&lake, Table::Runs).await.remove(0);
        assert_eq!(texts(&table, "name").value(0), "Run: a");
        assert_eq!(texts(&table, "experiment").value(0), "default");
        assert!(table.column_by_name("active").unwrap().as_boolean().value(0));
    }
}

#[tokio::test]
async fn bad_input_is_reported_and_changes_nothing() {
    let files = Files::new();
    let lake = new_lake().await;
    let good = run_line("a", 0.1);
    let version = version_of(&lake).await;
    let with = |field: &str, value: Value| {
        let mut run: Value = serde_json::from_str(&good).unwrap();
        run[field] = value;
        format!("{good}\n{run}\n").into_bytes()
    };
    let without = |field: &str| {
        let mut run: Value = serde_json::from_str(&good).unwrap();
        run.as_object_mut().unwrap().remove(field);
        format!("{good}\n{run}\n").into_bytes()
    };
    let half = &good[..good.len() / 2];
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "empty"),
        (format!("{good}\n{half}").into_bytes(), "too early"),
        (format!("{good}\n\u{0}\n").into_bytes(), "not a JSON object"),
        (format!("{good}\n[1]\n").into_bytes(), "not a JSON object"),
        ([good.as_bytes(), b"\n{\"hash\": \"\xff\"}\n"].concat(), "UTF-8"),
        (without("hash"), "`hash` is missing"),
        (without("created_at"), "`created_at` is missing"),
        (with("hash", json!(1)), "expected text, got a number"),
        (with("hash", json!("")), "not empty"),
        (with("created_at", json!("yesterday")), "expected a time such as"),
        (with("archived", json!("no")), "expected a boolean, got text"),
        (with("tags", json!(["a", 1])), "`tags[1]`"),
        (with("params", json!([])), "expected an object, got a list"),
        (with("metrics", json!([{"name": "m", "steps": "x"}])), "`metrics[0].steps`"),
        (with("metrics", json!([{"name": "m", "steps": [1], "values": []}])), "0 entries for 1 steps"),
        (with("end_time", json!({"$float": "nan"})), "finite"),
        (format!("{good}\n{{\"params\":{{\"a\":{}", "[".repeat(5000)).into_bytes(), "nested deeper"),
        (format!("{good}\n{{\"params\":{}", "{\"a\":".repeat(5000)).into_bytes(), "nested deeper"),
    ];
    for (bytes, wanted) in cases {
        let file = files.write("bad.jsonl", &bytes);
        let error = import(&lake, &[file], &ImportOptions::default()).await.unwrap_err();
        let Error::Data { row, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*row, Some(RowPlace::Line(if bytes.is_empty() { 1 } else { 2 })), "{error}");
        assert!(error.to_string().contains(wanted), "{wanted}: {error}");
        assert_eq!(version_of(&lake).await, version);
        for table in Table::ALL {
            assert_eq!(objects(&lake, table).await, 0);
        }
    }
    let missing = import(&lake, &[PathBuf::from("/no/such/file.jsonl")], &ImportOptions::default()).await.unwrap_err();
    assert!(missing.to_string().contains("/no/such/file.jsonl"), "{missing}");
}

#[tokio::test]
async fn a_fault_in_a_later_segment_leaves_no_files() {
    let files = Files::new();
    let lake = new_lake().await;
    let options = ImportOptions { segment_bytes: 1, ..ImportOptions::default() };
    let good = files.write("1.jsonl", run_line("a", 0.1));
    let bad = files.write("2.jsonl", "{");
    import(&lake, &[good, bad], &options).await.unwrap_err();
    for table in Table::ALL {
        assert_eq!(objects(&lake, table).await, 0);
    }
}

#[tokio::test]
async fn bad_lines_can_be_skipped_and_are_listed() {
    let files = Files::new();
    let lake = new_lake().await;
    let mut truncated = zstd::encode_all(format!("{}\n", run_line("z", 0.1)).as_bytes(), 1).unwrap();
    truncated.truncate(truncated.len() - 3);
    let lines = [
        "{\"hash\": 1}",
        &run_line("a", 0.1),
        "{\"hash\": \"x\", \"metrics\": [{\"name\": \"m\", \"steps\": [1]}]}",
        "oops",
    ];
    let file = files.write("runs.jsonl", lines.join("\n"));
    let packed = files.write("packed.zst", truncated);
    let options = ImportOptions { skip_bad: true, ..ImportOptions::default() };
    let report = import(&lake, &[file.clone(), packed], &options).await.unwrap();
    assert_eq!((report.added, report.bad, report.points), (1, 4, 2));
    let list = report.bad_report.unwrap();
    assert_eq!(list, files.folder.path().join("runs.jsonl.bad.jsonl"));
    let entries: Vec<Value> =
        std::fs::read_to_string(list).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        entries[0],
        json!({"file": file.to_string_lossy(), "line": 1, "field": "hash", "reason": "expected text, got a number"})
    );
    assert_eq!(entries[1]["line"], 3);
    assert_eq!(entries[1]["field"], "metrics[0].values");
    assert_eq!(
        entries[2],
        json!({"file": file.to_string_lossy(), "line": 4, "field": null, "reason": "not a JSON object"})
    );
    assert!(entries[3]["reason"].as_str().unwrap().contains("truncated"));
}

#[tokio::test]
async fn odd_but_legal_lines() {
    let files = Files::new();
    let lake = new_lake().await;
    let long = "é".repeat(5 << 20);
    let run = json!({"hash": "h", "created_at": "2024-05-01T12:30:00Z", "name": "", "updated_at": 1, "notes": [],
        "params": {"long": long, "": {"a b": [[]]}}, "texts": [{"name": "t", "context": {"k": 1.0}, "steps": [3], "values": ["hi"], "extra": 1}],
        "metrics": [{"name": "unsorted", "context": {}, "steps": [5, 1, 5, 0], "values": [1, 2, 3, {"$float": "nan"}]},
                    {"name": "none", "context": {}, "steps": [], "values": []}]});
    let file = files.write("runs.jsonl", run.to_string());
    let report = import(&lake, &[file], &ImportOptions::default()).await.unwrap();
    assert_eq!(report.unknown_fields, ["notes", "texts[].extra", "updated_at"]);
    let points = rows(&lake, Table::Points).await.remove(0);
    assert_eq!(ints(&points, "step").values().to_vec(), [0, 1, 5, 5]);
    assert_eq!(floats(&points, "value").values()[1..], [2.0, 1.0, 3.0]);
    let series = rows(&lake, Table::Series).await.remove(0);
    assert_eq!(texts(&series, "name").iter().flatten().collect::<Vec<_>>(), ["none", "t", "unsorted"]);
    assert_eq!(ints(&series, "n").values().to_vec(), [0, 1, 4]);
    assert_eq!(ints(&series, "n_nan").values().to_vec(), [0, 0, 1]);
    assert_eq!(floats(&series, "mean").value(2), 2.0);
    assert_eq!(texts(&series, "context_key").value(1), "{\"k\":1}");
    let records = rows(&lake, Table::TextPoints).await.remove(0);
    assert_eq!(texts(&records, "text").value(0), "hi");
    let attributes = rows(&lake, Table::Attributes).await.remove(0);
    let paths: Vec<&str> = texts(&attributes, "path").iter().flatten().collect();
    assert_eq!(paths, ["\"\"", "\"\".a b", "long"]);
    let table = rows(&lake, Table::Runs).await.remove(0);
    assert_eq!(texts(&table, "name").value(0), "");
}
