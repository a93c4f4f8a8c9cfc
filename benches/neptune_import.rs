//! Exports of Neptune: importing them, in bytes a second, and asking one for the first time.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod common;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use lakeql::Lake;
use lakeql_datasets::{NeptuneSpec, NeptuneSummary, write_neptune};
use lakeql_lake::Table;
use lakeql_lake::ingest::neptune::{Export, NeptuneOptions, PathFilter, import_neptune};
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

/// An export, written if it is not there yet.
fn export(name: &str, spec: &NeptuneSpec) -> (String, NeptuneSummary) {
    let folder: PathBuf = common::folder().join(name);
    let done = folder.join("bytes");
    if done.exists() {
        let bytes = std::fs::read_to_string(&done).unwrap().parse().unwrap();
        let summary = NeptuneSummary { runs: spec.runs, bytes, ..NeptuneSummary::default() };
        return (folder.join("data").to_string_lossy().into_owned(), summary);
    }
    let summary = write_neptune(spec, &folder).unwrap();
    std::fs::write(done, summary.bytes.to_string()).unwrap();
    (folder.join("data").to_string_lossy().into_owned(), summary)
}

fn import(runtime: &Runtime, data: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let lake = Lake::open_or_create(&folder.path().to_string_lossy()).await.unwrap();
        let options = NeptuneOptions::default();
        import_neptune(&lake, &[data.to_owned()], &options, &|_| {}).await.unwrap().added
    })
}

fn neptune(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    // 15,000 runs where the other benches have 100,000.
    let runs = common::spec().runs * 15 / 100;
    let many = NeptuneSpec { runs, ..NeptuneSpec::default() };
    let long = NeptuneSpec { runs: runs.div_ceil(500), points_per_series: 100_000, ..NeptuneSpec::default() };
    let mut group = criterion.benchmark_group("neptune_import");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(60));
    for (name, spec) in [("many_runs", &many), ("many_points", &long)] {
        let (data, summary) = export(&format!("neptune_{name}"), spec);
        group.throughput(Throughput::Bytes(summary.bytes));
        group.bench_function(name, |b| b.iter(|| assert_eq!(import(&runtime, &data), spec.runs)));
    }
    let (data, _) = export("neptune_many_runs", &many);
    group.throughput(Throughput::Elements(many.runs));
    for (name, wanted) in [
        ("first_question_param", PathFilter::only(["parameters/lr"])),
        ("first_question_series", PathFilter::only(["metrics/loss"])),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                runtime.block_on(async {
                    let export = Export::find(&data, &NeptuneOptions::default()).await.unwrap().unwrap();
                    let view = export.view(&wanted).await.unwrap();
                    assert_eq!(view.snapshot.table(Table::Runs).rows(), many.runs);
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, neptune);
criterion_main!(benches);
