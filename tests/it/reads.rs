//! Only what a query needs is read.

use crate::support::{empty_lake, session};
use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};
use lakeql::{Lake, Session, Settings, Shape, Table};
use lakeql_datasets::{ExperimentSpec, Summary, write_experiments};
use lakeql_engine::explain::ScanReport;
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::aim::import_aim;
use lakeql_query::source::Source;
use object_store::ObjectStoreExt;
use std::time::Duration;

/// Many paths, few points: what is wide is `runs`.
fn wide() -> (Vec<u8>, Summary) {
    let spec = ExperimentSpec {
        runs: 5_000,
        paths: 2_000,
        params_per_run: 45,
        series_per_run: 1,
        points_per_series: 1,
        ..ExperimentSpec::default()
    };
    let mut bytes = Vec::new();
    let summary = write_experiments(&spec, &mut bytes).unwrap();
    (bytes, summary)
}

/// Imports the lines in so many parts, one after the other.
async fn lake(jsonl: &[u8], parts: usize) -> Lake {
    let lake = empty_lake().await;
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<_> = jsonl.split_inclusive(|byte| *byte == b'\n').collect();
    for part in lines.chunks(lines.len().div_ceil(parts)) {
        let file = folder.path().join("part.jsonl");
        std::fs::write(&file, part.concat()).unwrap();
        import_aim(&lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
    }
    lake
}

/// Runs a query; what was read and how many rows came.
async fn read(session: &Session, text: &str, lang: &str, shape: &Shape) -> (ScanReport, usize) {
    let mut results = session.query(&Source::query(text), lang, &Settings::default(), shape).await.unwrap();
    let mut rows = 0;
    while let Some(batch) = results.next().await.unwrap() {
        rows += batch.num_rows();
    }
    (ScanReport::collect(results.plan.as_ref(), Duration::ZERO), rows)
}

/// The compressed size of column chunks of all files of a table.
async fn chunks(session: &Session, table: Table, wanted: impl Fn(&str) -> bool) -> usize {
    let snapshot = session.snapshot();
    let mut bytes = 0;
    for file in &snapshot.table(table).files {
        let content = snapshot.store().get(&file.location).await.unwrap().bytes().await.unwrap();
        let reader = SerializedFileReader::new(content).unwrap();
        for group in reader.metadata().row_groups() {
            for column in group.columns() {
                let root = column.column_path().parts()[0].as_str();
                if wanted(root) {
                    bytes += usize::try_from(column.compressed_size()).unwrap();
                }
            }
        }
    }
    bytes
}

/// The size of the page index of `runs`, of all columns.
async fn page_index(session: &Session) -> usize {
    let snapshot = session.snapshot();
    let mut bytes = 0;
    for file in &snapshot.table(Table::Runs).files {
        let content = snapshot.store().get(&file.location).await.unwrap().bytes().await.unwrap();
        let reader = SerializedFileReader::new(content).unwrap();
        for column in reader.metadata().row_groups().iter().flat_map(|group| group.columns()) {
            let lengths = [column.column_index_length(), column.offset_index_length()];
            bytes += lengths.into_iter().flatten().map(|length| usize::try_from(length).unwrap()).sum::<usize>();
        }
    }
    bytes
}

fn answer<'a>(summary: &'a Summary, id: &str) -> (&'a str, usize) {
    let answer = summary.answers.iter().find(|answer| answer.id == id).unwrap();
    (answer.text, usize::try_from(answer.rows).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_parameters_of_a_wide_lake() {
    let (jsonl, summary) = wide();
    let session = session(&lake(&jsonl, 1).await).await;
    let (text, expected) = answer(&summary, "two_params");
    assert_eq!(text, "run.hparams.lr > 0.01 and run.hparams.batch_size >= 64");
    let (report, rows) = read(&session, text, "aim", &Shape::default()).await;
    assert_eq!(rows, expected);
    // The parameters in all their types, what archived runs are told by, the order, and the key column.
    let columns = |name: &str| {
        ["hparams.lr:", "hparams.batch_size:"].iter().any(|prefix| name.starts_with(prefix))
            || ["hash", "archived", "created_at"].contains(&name)
    };
    let referenced = chunks(&session, Table::Runs, columns).await;
    let whole = chunks(&session, Table::Runs, |_| true).await;
    let read = report.total.bytes_scanned;
    println!("two parameters: {read} bytes read, {referenced} referenced, {whole} in `runs`");
    assert!(read > 0);
    assert!(read * 5 <= referenced * 6, "{read} bytes read, 1.2 × {referenced} allowed\n{report}");
    assert!(whole > 10 * referenced, "the lake is not wide: {whole} and {referenced}");
    assert!(report.scans.iter().all(|scan| scan.table == "runs"), "{report}");
}

/// What has a declared type reads the column of that type only, and no more than the same in AimQL.
#[tokio::test(flavor = "multi_thread")]
async fn nql_reads_the_columns_of_its_types() {
    let (jsonl, _) = wide();
    let session = session(&lake(&jsonl, 1).await).await;
    let everything = "run.archived in [True, False]";
    for (nql, aim) in [
        (
            "hparams/lr:float > 0.01 AND hparams/batch_size:int >= 64",
            "run.hparams.lr > 0.01 and run.hparams.batch_size >= 64",
        ),
        ("hparams/label_smoothing:float > 0.05", "run.hparams.label_smoothing > 0.05"),
        ("data/name:string = imagenet", "run.data.name == 'imagenet'"),
    ] {
        let (ours, rows) = read(&session, nql, "nql", &Shape::default()).await;
        let (theirs, expected) = read(&session, &format!("{aim} and {everything}"), "aim", &Shape::default()).await;
        assert_eq!(rows, expected, "{nql}");
        let (read, allowed) = (ours.total.bytes_scanned, theirs.total.bytes_scanned);
        assert!(read > 0 && read <= allowed, "{nql}: {read} bytes read, {allowed} by AimQL\n{ours}\n{theirs}");
    }
    let (report, rows) = read(&session, "hparams/lr:float > 1e9", "nql", &Shape::default()).await;
    assert_eq!(rows, 0);
    assert!(
        report.total.row_groups_pruned > 0 && report.total.row_groups_pruned == report.total.row_groups,
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rare_parameter_reads_the_head_of_attributes() {
    let (jsonl, summary) = wide();
    let session = session(&lake(&jsonl, 1).await).await;
    let (text, expected) = answer(&summary, "rare_param");
    let (report, rows) = read(&session, text, "aim", &Shape::default()).await;
    assert_eq!(rows, expected);
    let whole = chunks(&session, Table::Attributes, |_| true).await;
    let read: usize =
        report.scans.iter().filter(|scan| scan.table == "attributes").map(|scan| scan.bytes_scanned).sum();
    println!("a rare parameter: {read} of {whole} bytes of `attributes` read");
    assert!(read < whole / 2, "{read} of {whole}\n{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_week_leaves_row_groups_out() {
    let (jsonl, summary) = wide();
    // Two years in twelve segments: a week is in one of them, or in two.
    let session = session(&lake(&jsonl, 12).await).await;
    let (text, expected) = answer(&summary, "one_week");
    let (report, rows) = read(&session, text, "aim", &Shape::default()).await;
    assert_eq!(rows, expected);
    let total = &report.total;
    println!(
        "one week: {} of {} files and {} of {} row groups left out",
        total.files_pruned, total.files, total.row_groups_pruned, total.row_groups
    );
    // Files may be left out before their row groups are counted.
    let left = total.files - total.files_pruned;
    assert!(left <= 2, "{report}");
    assert!(total.row_groups_pruned > 0 || total.files < 12, "{report}");
    let columns = |name: &str| ["hash", "archived", "created_at"].contains(&name);
    let referenced = chunks(&session, Table::Runs, columns).await;
    assert!(total.bytes_scanned > 0 && total.bytes_scanned * 3 < referenced, "{} of {referenced}", total.bytes_scanned);
    // The same in SQL.
    let sql = "select hash from runs where created_at >= '2025-06-02T00:00:00Z' and created_at < '2025-06-09T00:00:00Z' \
               and not archived";
    let (report, rows) = read(&session, sql, "sql", &Shape::default()).await;
    assert_eq!(rows, expected);
    assert!(report.total.files - report.total.files_pruned <= 2, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_are_not_asked_for_are_not_read() {
    let (jsonl, _) = wide();
    let session = session(&lake(&jsonl, 1).await).await;
    let sql = "select max(created_at) as newest, count(*) as n from runs where experiment = 'exp-001'";
    let (report, _) = read(&session, sql, "sql", &Shape::default()).await;
    let referenced = chunks(&session, Table::Runs, |name| ["created_at", "experiment"].contains(&name)).await;
    // These chunks are so small that what says where their pages are counts beside them.
    let allowed = referenced + page_index(&session).await;
    let read = report.total.bytes_scanned;
    assert!(read > 0 && read * 5 <= allowed * 6, "{read} bytes read, 1.2 × {allowed} allowed\n{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_what_was_read() {
    let (jsonl, _) = wide();
    let session = session(&lake(&jsonl, 1).await).await;
    let source = Source::query("run.hparams.lr > 0.01");
    let (settings, shape) = (Settings::default(), Shape::default());
    let explain = session.explain(&source, "aim", &settings, &shape, lakeql::Stage::Physical, true).await.unwrap();
    let (title, text) = explain.sections.last().unwrap();
    assert_eq!(title, "read");
    for word in ["scan of runs", "files ", "row groups ", "bytes ", "rows ", "in total"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}
