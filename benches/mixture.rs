//! Samples: registration, ranges, counts and chunks over a generated corpus.
//!
//! Ten million samples unless `LAKEQL_BENCH_SAMPLES` says otherwise; `LAKEQL_BENCH_SHAPE=shuffled` measures the worst case,
//! a run for every sample.

mod common;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lakeql::mixtures::{MixtureFile, Order};
use lakeql::{AsOf, ChunkOptions, Lake, Session, Settings, Shape};
use lakeql_datasets::{SAMPLE_MIXTURE, SampleShape, SampleSpec, SampleSummary, sample_schema, write_samples};
use lakeql_lake::ingest::samples::{SampleSchema, SampleSource, import_samples, source_of_files};
use lakeql_query::source::Source;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// The files, written if they are not there, and what is known of them.
#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn corpus(shape: SampleShape) -> (PathBuf, SampleSummary) {
    let samples = std::env::var("LAKEQL_BENCH_SAMPLES").ok().and_then(|samples| samples.parse().ok());
    let spec = SampleSpec { samples: samples.unwrap_or(10_000_000), shape, ..SampleSpec::default() };
    let folder = common::target().join(format!("bench/samples-{}-{shape:?}", spec.samples).to_lowercase());
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let summary = write_samples(&spec, &data).unwrap();
    (folder, summary)
}

#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn source(folder: &Path, properties: &[&str]) -> SampleSource {
    let schema = SampleSchema::parse(&sample_schema(properties), "schema.json", None).unwrap();
    source_of_files(&folder.join("data").to_string_lossy(), "web", None, schema).unwrap()
}

#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn lake(runtime: &Runtime, folder: &Path, properties: &[&str]) -> Session {
    runtime.block_on(async {
        let lake = Lake::open_or_create(&folder.join("lake").to_string_lossy()).await.unwrap();
        import_samples(&lake, &source(folder, properties)).await.unwrap();
        Session::of_snapshot(lake.snapshot(AsOf::Latest).await.unwrap()).unwrap()
    })
}

#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn draw(runtime: &Runtime, session: &Session, options: ChunkOptions) -> u64 {
    runtime.block_on(async {
        let source = Source::query("select()");
        let (results, _) = session.chunks(&source, "mixtera", &Settings::default(), options).await.unwrap();
        let closing = results.closing_notes();
        results.collect().await.unwrap();
        let said = closing().remove(0).message;
        said.split(' ').next().unwrap().parse().unwrap()
    })
}

#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn options(from: Option<u64>, count: Option<u64>, order: Order) -> ChunkOptions {
    ChunkOptions {
        mixture: MixtureFile::parse(SAMPLE_MIXTURE).unwrap(),
        chunk_size: 1_000,
        weight: None,
        from,
        count,
        order,
        state: None,
        keep_state: false,
        turn: None,
        account: false,
    }
}

#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn mixture(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let shuffled = std::env::var("LAKEQL_BENCH_SHAPE").is_ok_and(|shape| shape == "shuffled");
    let shape = if shuffled { SampleShape::Shuffled } else { SampleShape::Runs };
    let (folder, summary) = corpus(shape);

    let mut register = criterion.benchmark_group("mixture/register");
    register.sample_size(10);
    register.bench_function("two properties", |b| {
        let place = folder.join("registered");
        b.iter_batched(
            || drop(std::fs::remove_dir_all(&place)),
            |()| {
                runtime.block_on(async {
                    let lake = Lake::open_or_create(&place.to_string_lossy()).await.unwrap();
                    import_samples(&lake, &source(&folder, &["language", "license"])).await.unwrap().samples
                })
            },
            BatchSize::PerIteration,
        );
    });
    register.finish();

    let session = lake(&runtime, &folder, &["language", "license", "source"]);
    let mut group = criterion.benchmark_group("mixture");
    for answer in &summary.answers {
        let list = |text: &str| text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let settings = Settings { by: list(answer.ranges_by), count_by: list(answer.count_by), ..Settings::default() };
        let ask = || -> u64 {
            runtime.block_on(async {
                let query = Source::query(answer.text);
                let results = session.query(&query, "mixtera", &settings, &Shape::default()).await.unwrap();
                results.collect().await.unwrap().iter().map(|batch| batch.num_rows() as u64).sum()
            })
        };
        assert_eq!(ask(), answer.rows, "{}", answer.id);
        group.bench_function(answer.id, |b| b.iter(ask));
    }
    for order in [Order::Keys, Order::Files] {
        assert_eq!(draw(&runtime, &session, options(None, None, order)), summary.chunks);
        group.bench_function(format!("all chunks/{order:?}"), |b| {
            b.iter(|| draw(&runtime, &session, options(None, None, order)));
        });
    }
    group.bench_function("one chunk", |b| {
        b.iter(|| draw(&runtime, &session, options(Some(summary.chunks - 1), Some(1), Order::Keys)));
    });
    if !shuffled {
        let (folder, summary) = corpus(SampleShape::Combinations);
        let session = lake(&runtime, &folder, &["language", "domain"]);
        assert_eq!(draw(&runtime, &session, options(None, None, Order::Keys)), summary.chunks);
        group.bench_function("all chunks/1516 combinations", |b| {
            b.iter(|| draw(&runtime, &session, options(None, None, Order::Keys)));
        });
    }
    group.finish();
}

criterion_group!(benches, mixture);
criterion_main!(benches);
