//! Points behind series: listing, sampling, statistics.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod common;

use common::Bench;
use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::{AsOf, Lake, PointsOptions, Sampling, Session, Settings, Statistic};
use lakeql_datasets::{ExperimentSpec, write_experiments};
use lakeql_lake::ingest::{ImportOptions, aim::import_aim};
use lakeql_query::source::Source;
use tokio::runtime::Runtime;

/// The rows of an answer, to Arrow.
fn count(runtime: &Runtime, session: &Session, text: &str, entity: &str, options: &PointsOptions) -> usize {
    let settings = Settings { entity: Some(entity.into()), ..Settings::default() };
    runtime.block_on(async {
        let results = session.points(&Source::query(text), "aim", &settings, options).await.unwrap();
        results.collect().await.unwrap().iter().map(|batch| batch.num_rows()).sum()
    })
}

/// 5,000 runs whose series have 20 points each.
fn five_thousand(runtime: &Runtime) -> Session {
    let folder = common::folder().join("points-5000");
    std::fs::create_dir_all(&folder).unwrap();
    let spec = ExperimentSpec { runs: 5_000, points_per_series: 20, ..ExperimentSpec::default() };
    runtime.block_on(async {
        let lake = Lake::open_or_create(&folder.join("lake").to_string_lossy()).await.unwrap();
        if lake.snapshot(AsOf::Latest).await.unwrap().table(lakeql::Table::Runs).rows() == 0 {
            let file = folder.join("runs.jsonl");
            let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
            write_experiments(&spec, &mut out).unwrap();
            drop(out);
            import_aim(&lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
        }
        Session::of_snapshot(lake.snapshot(AsOf::Latest).await.unwrap()).unwrap()
    })
}

fn points(criterion: &mut Criterion) {
    let Bench { runtime, session, .. } = common::open();
    let mut group = criterion.benchmark_group("points");
    let all = PointsOptions::default();

    let small = five_thousand(&runtime);
    let loss = "metric.name == 'loss' and metric.context.subset == 'train'";
    assert!(count(&runtime, &small, loss, "metric", &all) > 50_000);
    group.bench_function("one_metric_of_5000_runs", |b| b.iter(|| count(&runtime, &small, loss, "metric", &all)));

    let statistics = vec![Statistic::Mean, Statistic::Min, Statistic::Max];
    let bands = PointsOptions { aggregate: statistics, ..PointsOptions::default() };
    let filtered = "metric.name == 'accuracy' and metric.context.subset == 'val' and run.hparams.lr > 0.01";
    assert!(count(&runtime, &session, filtered, "metric", &bands) > 0);
    group.bench_function("bands_by_step", |b| b.iter(|| count(&runtime, &session, filtered, "metric", &bands)));

    let experiment = "metric.name == 'loss' and metric.context.subset == 'train' and run.experiment == 'exp-042'";
    assert!(count(&runtime, &session, experiment, "metric", &all) > 0);
    group.bench_function("one_experiment", |b| b.iter(|| count(&runtime, &session, experiment, "metric", &all)));

    // The generator's series are short: five points are to them what fifty are to others.
    for most in [5, 50] {
        let sampled = PointsOptions { sampling: Sampling::Density(most), ..PointsOptions::default() };
        group.bench_function(format!("density_{most}"), |b| {
            b.iter(|| count(&runtime, &session, filtered, "metric", &sampled));
        });
    }

    let newest = PointsOptions { top: Some(50), ..PointsOptions::default() };
    assert!(count(&runtime, &session, "", "run", &newest) > 0);
    group.bench_function("all_points_of_50_runs", |b| b.iter(|| count(&runtime, &session, "", "run", &newest)));
    let one = PointsOptions { top: Some(1), ..PointsOptions::default() };
    group.bench_function("all_points_of_one_run", |b| b.iter(|| count(&runtime, &session, "", "run", &one)));
    group.finish();
}

criterion_group!(benches, points);
criterion_main!(benches);
