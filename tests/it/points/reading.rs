//! Only the pages are read in which wanted points lie, and limits hold.

use super::{PointsOptions, lake, metric, run};
use crate::support::{empty_lake, session};
use lakeql::dialects::Settings;
use lakeql::{Error, Sampling, Session, Statistic};
use lakeql_datasets::{ExperimentSpec, write_experiments};
use lakeql_engine::explain::{ScanReport, ScanStats};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::aim::import_aim;
use lakeql_query::source::Source;
use serde_json::{Value, json};
use std::time::Duration;

/// What was read of the points, and the rows of the answer.
async fn read(session: &Session, text: &str, entity: &str, options: &PointsOptions) -> (ScanStats, usize) {
    let settings = Settings { entity: Some(entity.into()), ..Settings::default() };
    let mut results = session.points(&Source::query(text), "aim", &settings, options).await.unwrap();
    let mut rows = 0;
    while let Some(batch) = results.next().await.unwrap() {
        rows += batch.num_rows();
    }
    let report = ScanReport::collect(results.plan.as_ref(), Duration::ZERO);
    assert!(report.scans.iter().any(|scan| scan.table == "series"), "{report}");
    assert_eq!(report.total.output_rows, rows);
    let scans: Vec<_> = report.scans.into_iter().filter(|scan| scan.table == "points").collect();
    assert_eq!(scans.len(), 1);
    (scans[0].clone(), rows)
}

/// A lake whose points fill some twenty pages.
async fn generated() -> Session {
    let spec = ExperimentSpec {
        runs: 800,
        paths: 50,
        params_per_run: 10,
        series_per_run: 10,
        points_per_series: 40,
        ..ExperimentSpec::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.jsonl");
    write_experiments(&spec, &mut std::fs::File::create(&file).unwrap()).unwrap();
    let lake = empty_lake().await;
    import_aim(&lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
    session(&lake).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_with_wanted_points_are_read() {
    let session = generated().await;
    let all = PointsOptions::default();
    let (whole, rows) = read(&session, "run.archived or not run.archived", "metric", &all).await;
    assert!(rows > 250_000, "{rows}");
    assert_eq!(whole.output_rows, rows);
    // `series` is not read: positions say whose a row is.
    assert!(whole.bytes_scanned < whole.bytes_total, "{whole}");

    // One series: one page, or two where it lies on both sides of a cut; of twenty.
    let text = "metric.name == 'loss' and metric.context.subset == 'train'";
    let one = PointsOptions { top: Some(1), ..all.clone() };
    let (report, rows) = read(&session, text, "metric", &one).await;
    assert!(rows > 0 && report.output_rows == rows, "{report}");
    assert!(report.bytes_scanned * 6 < whole.bytes_scanned, "{report}");

    // One metric of all runs lies together, and so does that of the newest runs.
    let (report, rows) = read(&session, text, "metric", &all).await;
    assert!(rows > 10_000, "{rows}");
    assert!(report.bytes_scanned * 4 < whole.bytes_scanned, "{report}\n{whole}");

    // Statistics need neither times nor epochs.
    let mean = PointsOptions { aggregate: vec![Statistic::Mean], ..all.clone() };
    let (report, _) = read(&session, "run.archived or not run.archived", "metric", &mean).await;
    assert_eq!(report.output_rows, whole.output_rows);
    assert!(report.bytes_scanned * 5 < whole.bytes_scanned * 4, "{report}\n{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_lie_far_apart_are_read_one_by_one() {
    let long: Vec<f64> = (0..200_000).map(|step| f64::from(step).sin()).collect();
    let session = lake(&[run("a", 1, json!({}), json!([metric("long", json!({}), &long)]))]).await;
    let (whole, _) = read(&session, "", "metric", &PointsOptions::default()).await;
    let few = PointsOptions { sampling: Sampling::Density(3), ..PointsOptions::default() };
    let (report, rows) = read(&session, "", "metric", &few).await;
    assert_eq!((rows, report.output_rows), (3, 3));
    assert!(report.bytes_scanned * 3 < whole.bytes_scanned, "{report}\n{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("lake").to_string_lossy().into_owned();
    let runs: Vec<Value> = (0..50_u32)
        .map(|index| run(&format!("r{index}"), index, json!({}), json!([metric("loss", json!({}), &[1.0])])))
        .collect();
    let file = folder.path().join("runs.jsonl");
    std::fs::write(&file, runs.iter().map(|run| format!("{run}\n")).collect::<String>()).unwrap();
    let lake = lakeql::Lake::open_or_create(&url).await.unwrap();
    import_aim(&lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
    let source = Source::query("");
    let none = (Settings::default(), PointsOptions::default());
    let small = Session::builder(&url).memory_bytes(200).build().await.unwrap();
    let error = small.points(&source, "aim", &none.0, &none.1).await.unwrap_err();
    assert_eq!(error.kind(), lakeql::diagnostic::Kind::Limit, "{error}");
    // The series fit, their bands do not.
    let bands = PointsOptions { aggregate: vec![Statistic::Mean], group: vec!["hash".into()], ..none.1.clone() };
    let small = Session::builder(&url).memory_bytes(4 << 20).build().await.unwrap();
    assert!(small.points(&source, "aim", &none.0, &bands).await.unwrap().collect().await.is_ok());
    let long: Vec<f64> = (0..60_000).map(f64::from).collect();
    let text = format!("{}\n", run("long", 59, json!({}), json!([metric("loss", json!({}), &long)])));
    let file = folder.path().join("long.jsonl");
    std::fs::write(&file, text).unwrap();
    import_aim(&lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
    let small = Session::builder(&url).memory_bytes(4 << 20).build().await.unwrap();
    let error = small.points(&source, "aim", &none.0, &bands).await.unwrap().collect().await.unwrap_err();
    assert_eq!(error.kind(), lakeql::diagnostic::Kind::Limit, "{error}");
    let hasty = Session::builder(&url).timeout(Duration::ZERO).build().await.unwrap();
    let error = hasty.points(&source, "aim", &none.0, &none.1).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    // The order of an answer does not depend on the number of threads.
    let mut answers = vec![];
    for threads in [1, 2, 7] {
        let session = Session::builder(&url).threads(threads).build().await.unwrap();
        answers.push(session.points(&source, "aim", &none.0, &none.1).await.unwrap().collect().await.unwrap());
    }
    assert!(answers[0] == answers[1] && answers[1] == answers[2]);
}
