//! Import of run JSONL, bytes a second.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod common;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use lakeql::Lake;
use lakeql_datasets::{ExperimentSpec, write_experiments};
use lakeql_lake::ingest::{ImportOptions, aim::import_aim};
use std::time::Duration;

fn ingest(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let file = common::folder().join("ingest.jsonl");
    let spec = ExperimentSpec { runs: common::spec().runs / 5, ..ExperimentSpec::default() };
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    let bytes = write_experiments(&spec, &mut out).unwrap().bytes;
    drop(out);
    let mut group = criterion.benchmark_group("ingest");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(30));
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("aim_jsonl", |b| {
        b.iter(|| {
            let folder = tempfile::tempdir().unwrap();
            runtime.block_on(async {
                let lake = Lake::open_or_create(&folder.path().to_string_lossy()).await.unwrap();
                import_aim(&lake, std::slice::from_ref(&file), &ImportOptions::default(), &|_| {}).await.unwrap()
            })
        });
    });
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
